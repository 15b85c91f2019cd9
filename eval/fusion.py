"""`python -m eval.fusion [ENCODER]`: what each mix of the signals is worth on our written lines.

Two readings of them: a need to the sheet written for it (hard: few words in common), and a trade's
names to the sheets that do it (as typed in a search box). A dev measure, on which the weights are
tuned: nothing here is a claim of quality. An encoder that ships knows the trades of these very
sheets, by its examples; one without them is measured as it is.
"""

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embed.encoder import Encoder, load_encoder
from embed.train.written import WRITTEN, Written, read, split
from index.concepts import Concepts
from index.lexical import Lexical, Vocabulary, count_terms

MIXES = (
    (1.0, 0.0, 0.0),
    (0.0, 1.0, 0.0),
    (0.0, 0.0, 1.0),
    (0.3, 0.7, 0.0),
    (0.6, 0.4, 0.0),
    (0.6, 0.3, 0.1),
    (0.5, 0.3, 0.2),
    (0.4, 0.4, 0.2),
    (0.4, 0.3, 0.3),
    (0.4, 0.2, 0.4),
)
"""Weights of the cosine, of BM25 and of the trades."""

Reading = tuple[list[str], list[set[int]]]
"""Needs, and the places of the sheets that answer each."""


def needs_to_sheets(whole: Written, places: dict[str, int]) -> Reading:
    """The needs of the dev lines; each is answered by its own sheet alone."""
    asked = [
        (need, {places[line.sheet.text]})
        for line in whole.lines
        if split(line.id) == "dev"
        for need in line.needs
    ]
    return [need for need, _ in asked], [right for _, right in asked]


def names_to_sheets(whole: Written, places: dict[str, int]) -> Reading:
    """The label of each trade of the dev branches; it is answered by the sheets that do it."""
    doing: dict[str, set[int]] = {}
    for line in whole.lines:
        for sheet in line.sheets:
            for one in sheet.ids:
                doing.setdefault(one, set()).add(places[sheet.text])
    dev = [e for e in whole.entries if split(e.place) == "dev" and e.id in doing]
    return [entry.label for entry in dev], [doing[entry.id] for entry in dev]


def ndcg(scores: NDArray[np.floating], right: Sequence[set[int]]) -> float:
    """Mean nDCG@10 of binary judgements; `scores` has shape (needs, sheets)."""
    gains = 1 / np.log2(np.arange(2, 12))
    found = [
        sum(
            gain
            for gain, place in zip(gains, np.argsort(-row, kind="stable"), strict=False)
            if place in own
        )
        / gains[: len(own)].sum()
        for row, own in zip(scores, right, strict=True)
    ]
    return float(np.mean(found))


def signals(encoder: Encoder, needs: list[str], sheets: list[str]) -> NDArray[np.float32]:
    """Cosine, BM25 share and agreement of trades: float32 (3, needs, sheets)."""
    vocabulary: Vocabulary = {}
    lexical = Lexical.build(count_terms(sheets, vocabulary), vocabulary)
    concepts = Concepts.build(encoder)
    asked, told = encoder.encode_needs(needs), encoder.encode_capabilities(sheets)
    trades = concepts.told(told).postings(len(concepts.labels))
    agreed = [trades.dot(concepts.asked(row[None]).wanted(), len(sheets)) for row in asked]
    shares = [lexical.shares(lexical.wanted(need)) for need in needs]
    return np.array([np.clip(asked @ told.T, 0, 1), shares, agreed], np.float32)


def main() -> None:
    """Print a line a mix, a column a reading."""
    named = sys.argv[1] if len(sys.argv) > 1 else None
    encoder, whole = load_encoder(named), read(WRITTEN)
    sheets = list(dict.fromkeys(sheet.text for line in whole.lines for sheet in line.sheets))
    places = {text: place for place, text in enumerate(sheets)}
    readings = [needs_to_sheets(whole, places), names_to_sheets(whole, places)]
    found = [(signals(encoder, needs, sheets), right) for needs, right in readings]
    print(f"{encoder.name}, {len(sheets)} sheets, nDCG@10")  # noqa: T201
    print(f"{'cosine':>8} {'BM25':>8} {'trades':>8} {'need':>10} {'trade name':>10}")  # noqa: T201
    for mix in MIXES:
        values = [ndcg(np.tensordot(mix, three, 1), right) for three, right in found]
        print(*(f"{weight:8.1f}" for weight in mix), *(f"{value:10.3f}" for value in values))  # noqa: T201


if __name__ == "__main__":
    main()
