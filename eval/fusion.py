"""`python -m eval.fusion [ENCODER] [--data DIR]`: what each mix of the signals is worth.

Readings of what we wrote: a need to the sheet written for it (hard: few words in common), and a
trade's names to the sheets that do it (as typed in a search box). With a folder of data, also real
procurement needs to the label that their buyer chose, and to those of industry apart. A dev
measure, on which the weights are tuned; the test part of ours, with --test, to be looked at once a
release.

An encoder that ships learnt these very parts. One trained without them (`python -m embed.train`
without --whole) has the asks and sheets of the train part as examples: that is a fair figure.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from embed.encoder import Encoder, load_encoder, load_pair
from embed.train.positives import filed
from embed.train.written import WRITTEN, Split, Written, read, split, taught
from index.concepts import Concepts
from index.lexical import Lexical, Vocabulary, count_terms

MIXES = (
    (1.0, 0.0, 0.0),
    (0.0, 1.0, 0.0),
    (0.0, 0.0, 1.0),
    (0.8, 0.2, 0.0),
    (0.3, 0.7, 0.0),
    (0.6, 0.4, 0.0),
    (0.6, 0.3, 0.1),
    (0.5, 0.3, 0.2),
    (0.4, 0.4, 0.2),
    (0.4, 0.3, 0.3),
    (0.4, 0.2, 0.4),
)
"""Weights of the cosine, of BM25 and of the trades."""


class Reading(NamedTuple):
    """Needs, the places of the texts that answer each, and how an order of them is valued."""

    name: str
    needs: list[str]
    right: list[set[int]]
    texts: list[str]
    value: Callable[[NDArray[np.floating], Sequence[set[int]]], float]


def main(
    encoder: Annotated[str | None, typer.Argument(help="Hub id or folder.")] = None,
    beside: Annotated[
        str | None, typer.Option(help="Another, whose vectors are put beside, as in the default.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data sets.", exists=True)] = None,
    test: Annotated[bool, typer.Option("--test", help="The test part, once a release.")] = False,
) -> None:
    """Print a line a mix, a column a reading."""
    loaded = load_pair(encoder, beside) if beside else load_encoder(encoder)
    whole = read(WRITTEN)
    concepts = Concepts.build(loaded)
    if concepts.asks is None:
        concepts = Concepts.learnt(loaded, taught(whole)._replace(entries=whole.entries))
    readings = [*written(whole, "test" if test else "dev"), *(procured(data) if data else ())]
    typer.echo(loaded.name)
    for line in compared(loaded, concepts, readings):
        typer.echo(line)


def compared(encoder: Encoder, concepts: Concepts, readings: list[Reading]) -> Iterator[str]:
    """The lines of a table: a mix each, what it weighs and how each reading values it."""
    for one in readings:
        yield f"{one.name}: {len(one.needs):,} among {len(one.texts):,}"
    heads = ["cosine", "BM25", "trades", *(one.name for one in readings)]
    yield " ".join(f"{head:>12}" for head in heads)
    found = [(signals(encoder, concepts, one.needs, one.texts), one) for one in readings]
    for mix in MIXES:
        values = [one.value(np.tensordot(mix, three, 1), one.right) for three, one in found]
        yield " ".join([*(f"{w:12.1f}" for w in mix), *(f"{value:12.3f}" for value in values)])


def written(whole: Written, part: Split) -> list[Reading]:
    """Needs to sheets and names to sheets of a part of what we wrote, valued by nDCG@10."""
    sheets = list(dict.fromkeys(sheet.text for line in whole.lines for sheet in line.sheets))
    places = {text: place for place, text in enumerate(sheets)}
    return [
        needs_to_sheets(whole, places, sheets, part),
        names_to_sheets(whole, places, sheets, part),
    ]


def needs_to_sheets(
    whole: Written, places: dict[str, int], sheets: list[str], part: Split
) -> Reading:
    """The needs of the lines of a part; each is answered by its own sheet alone."""
    asked = [
        (need, {places[line.sheet.text]})
        for line in whole.lines
        if split(line.id) == part
        for need in line.needs
    ]
    return Reading("need", *_sides(asked), sheets, ndcg)


def names_to_sheets(
    whole: Written, places: dict[str, int], sheets: list[str], part: Split
) -> Reading:
    """The label of each trade of the branches of a part; answered by the sheets that do it."""
    doing: dict[str, set[int]] = {}
    for line in whole.lines:
        for sheet in line.sheets:
            for one in sheet.ids:
                doing.setdefault(one, set()).add(places[sheet.text])
    held = [e for e in whole.entries if split(e.place) == part and e.id in doing]
    asked = [(entry.label, doing[entry.id]) for entry in held]
    return Reading("trade name", *_sides(asked), sheets, ndcg)


def procured(data: Path) -> list[Reading]:
    """Real needs of notices kept out of training to CPV labels, and those of industry: hit@10."""
    rows, right, labels = filed(data)
    asked = list(zip((row["objet"] for row in rows), right, strict=True))
    industrial = [row["industriel"] == "1" for row in rows]
    return [
        Reading("procurement", *_sides(asked), labels, hits),
        Reading("its industry", *_sides(list(compress(asked, industrial))), labels, hits),
    ]


def ndcg(scores: NDArray[np.floating], right: Sequence[set[int]]) -> float:
    """Mean nDCG@10 of binary judgements; `scores` has shape (needs, texts)."""
    gains = 1 / np.log2(np.arange(2, 12))
    found = [
        sum(gain for gain, place in zip(gains, best, strict=False) if place in own)
        / gains[: len(own)].sum()
        for best, own in zip(_best(scores), right, strict=True)
    ]
    return float(np.mean(found))


def hits(scores: NDArray[np.floating], right: Sequence[set[int]]) -> float:
    """The share of needs that have a right text among their ten best."""
    pairs = zip(_best(scores), right, strict=True)
    return float(np.mean([not own.isdisjoint(best.tolist()) for best, own in pairs]))


def signals(
    encoder: Encoder, concepts: Concepts, needs: list[str], texts: list[str]
) -> NDArray[np.float32]:
    """Cosine, BM25 share and agreement of trades: float32 (3, needs, texts)."""
    vocabulary: Vocabulary = {}
    lexical = Lexical.build(count_terms(texts, vocabulary), vocabulary)
    asked, told = encoder.encode_needs(needs), encoder.encode_capabilities(texts)
    trades = concepts.told(told).postings(len(concepts.labels))
    agreed = [trades.dot(concepts.asked(row[None]).wanted(), len(texts)) for row in asked]
    shares = [lexical.shares(lexical.wanted(need)) for need in needs]
    return np.array([np.clip(asked @ told.T, 0, 1), shares, agreed], np.float32)


def _sides(asked: list[tuple[str, set[int]]]) -> tuple[list[str], list[set[int]]]:
    return [need for need, _ in asked], [right for _, right in asked]


def _best(scores: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.argsort(-scores, axis=1, kind="stable")[:, :10]


if __name__ == "__main__":
    typer.run(main)
