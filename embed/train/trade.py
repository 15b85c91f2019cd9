"""Batches of our own written data: phrases to their trade, needs to their sheet.

A batch of trades is made of whole branches: the siblings of a trade are its hard negatives. In a
batch of needs, the sheets near the right one that its author gave are.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embed.train.written import Answered, Entry, split

Flags = NDArray[np.bool_]
Draw = np.random.Generator


class Batch(NamedTuple):
    """Queries and documents; `gold[i]`, int64, is the place of the right document of query i.

    `sure`, bool (queries, documents), marks the negatives that are wrong for certain: the others
    may be filtered out. `phrases` counts the queries at the head of the list that come in twos,
    phrase after phrase of one entry: each is a positive of the other.
    """

    queries: list[str]
    documents: list[str]
    gold: NDArray[np.int64]
    sure: Flags
    phrases: int


FORMS: tuple[Callable[[Entry], str], ...] = (
    lambda entry: entry.sheet,
    lambda entry: entry.sheet,
    lambda entry: entry.definition,
    lambda entry: entry.names,
    lambda entry: f"{entry.label} : {', '.join(entry.products)}",
)
"""How an entry may be written as a document; the sheet, which is searched, counts twice."""


def of_trades(entries: list[Entry], draw: Draw) -> Batch:
    """Ask each entry's document with two lay phrases, a product and a name.

    Entries of one branch are sure negatives of each other; those of other branches may be the same
    concept met in another sector.
    """
    documents = [FORMS[draw.integers(len(FORMS))](entry) for entry in entries]
    phrases = [text for entry in entries for text in draw.permutation(entry.lay)[:2]]
    twos = np.repeat(np.arange(len(entries)), [min(len(entry.lay), 2) for entry in entries])
    things = [_product(entry, draw) for entry in entries]
    names = [str(draw.choice([entry.label, *entry.synonyms])) for entry in entries]
    once = np.arange(len(entries))
    gold = np.concatenate([twos, once, once])
    branches = np.unique([entry.place for entry in entries], return_inverse=True)[1]
    sure = branches[gold][:, None] == branches[None, :]
    queries = [*map(str, phrases), *things, *names]
    return Batch(queries, documents, gold, sure, len(phrases) if len(twos) == 2 * len(once) else 0)


def _product(entry: Entry, draw: Draw) -> str:
    """Name a product, half of the time with a material."""
    words = [str(draw.choice(entry.products))]
    if entry.materials and draw.random() < 0.5:
        words.append(str(draw.choice(entry.materials)))
    return " ".join(words)


def of_needs(lines: list[Answered], draw: Draw) -> Batch:
    """Ask each sheet with two of its needs, among all sheets and at most two negatives of each."""
    sheets = [line.sheet for line in lines]
    wrong = [[str(t) for t in draw.permutation(line.negatives)[:2]] for line in lines]
    needs = [[str(t) for t in draw.permutation(line.needs)[:2]] for line in lines]
    gold = np.repeat(np.arange(len(lines)), [len(asked) for asked in needs])
    owners = np.concatenate(
        [
            np.full(len(lines), -1),
            np.repeat(np.arange(len(lines)), [len(texts) for texts in wrong]),
        ]
    )
    sure = gold[:, None] == owners[None, :]
    documents = sheets + [text for texts in wrong for text in texts]
    return Batch([text for asked in needs for text in asked], documents, gold, sure, 0)


def trades(entries: list[Entry], size: int, draw: Draw) -> Iterator[list[Entry]]:
    """Draw batches of whole branches of the train part, of `size` entries about, without end."""
    branches: dict[str, list[Entry]] = {}
    for entry in entries:
        if split(entry.place) == "train" and entry.lay and entry.products:
            branches.setdefault(entry.place, []).append(entry)
    batch: list[Entry] = []
    while branches:
        for place in draw.permutation(sorted(branches)):
            batch += branches[place]
            if len(batch) >= size:
                yield batch
                batch = []


def needs(lines: list[Answered], size: int, draw: Draw) -> Iterator[list[Answered]]:
    """Draw batches of `size` lines of the train part, without end."""
    kept = [line for line in lines if split(line.id) == "train" and line.needs]
    while kept:
        order = draw.permutation(len(kept))
        full = max(len(kept) // size, 1)
        for rows in np.array_split(order[: full * size], full):
            yield [kept[row] for row in rows]
