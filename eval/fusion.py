"""`python -m eval.fusion`: what each weight of the cosine is worth, read off our own lexicon.

Four readings of the lexicon stand for four kinds of need, from the easiest for words to the
hardest: a trade name to the definition, a product and a material to the sheet, a lay phrase to
the sheet, a lay phrase to the definition. A dev measure: nothing here is a claim of quality.
"""

import random
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from embed.encoder import Encoder, load_encoder
from embed.lexicon import Entry, read_lexicon
from index.lexical import Lexical

WEIGHTS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
SAMPLE = 500


def _definition(entry: Entry) -> str:
    return entry.definition


def _sheet(entry: Entry) -> str:
    return ", ".join([entry.label, *entry.synonyms, *entry.products])


READINGS: tuple[tuple[str, Callable[[Entry, random.Random], str], Callable[[Entry], str]], ...] = (
    ("trade name → definition", lambda e, r: r.choice([e.label, *e.synonyms]), _definition),
    (
        "product + material → definition",
        lambda e, r: f"{r.choice(e.products)} {r.choice(e.materials)}",
        _definition,
    ),
    ("lay phrase → sheet", lambda e, r: r.choice(e.lay), _sheet),
    ("lay phrase → definition", lambda e, r: r.choice(e.lay), _definition),
)


def ndcg_by_weight(
    encoder: Encoder, needs: list[str], sheets: list[str], answers: NDArray[np.int64]
) -> list[float]:
    """nDCG@10 for each of `WEIGHTS`, where need n is answered by sheet `answers[n]` alone."""
    lexical = Lexical.build(sheets)
    shares = np.array([lexical.shares(need) for need in needs])
    cosines = np.clip(encoder.encode_needs(needs) @ encoder.encode_capabilities(sheets).T, 0, 1)
    return [_ndcg(weight * cosines + (1 - weight) * shares, answers) for weight in WEIGHTS]


def main() -> None:
    """Print a line a reading."""
    encoder, lexicon = load_encoder(), read_lexicon()
    draw = random.Random(0)
    places = np.array(draw.sample(range(len(lexicon)), min(SAMPLE, len(lexicon))))
    print(f"{encoder.name}, {len(lexicon)} entries, {len(places)} needs a line, nDCG@10")  # noqa: T201
    print(f"{'weight of the cosine':<32}", *(f"{weight:5.1f}" for weight in WEIGHTS))  # noqa: T201
    for name, need, sheet in READINGS:
        needs = [need(lexicon[place], draw) for place in places]
        found = ndcg_by_weight(encoder, needs, [sheet(entry) for entry in lexicon], places)
        print(f"{name:<32}", *(f"{value:5.3f}" for value in found))  # noqa: T201


def _ndcg(scores: NDArray[np.float32], answers: NDArray[np.int64]) -> float:
    right = scores[np.arange(len(answers)), answers]
    ranks = (scores >= right[:, None]).sum(axis=1)  # ties count against
    return float(np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0).mean())


if __name__ == "__main__":
    main()
