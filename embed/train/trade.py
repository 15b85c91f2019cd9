"""Batches of our own written data: what people ask for to its trade, needs to their sheet."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from embed.lexicon import Ask, Entry
from embed.train.written import Answered, Written

Flags = NDArray[np.bool_]
Places = NDArray[np.int64]
Draw = np.random.Generator


class Batch(NamedTuple):
    """Queries and documents; `gold[i]`, int64, is the place of the right document of query i.

    Bool (queries, documents): `right` marks further right documents, which are no negatives;
    `sure` the negatives that are wrong for certain, where the others may be filtered out.
    """

    queries: list[str]
    documents: list[str]
    gold: Places
    right: Flags
    sure: Flags


class Exercise(Protocol):
    """Documents that are asked for: `Trades` or `Sheets`."""

    def __len__(self) -> int:
        """The number of documents that may be asked for."""

    def alike(self, places: Places, draw: Draw) -> Places:
        """Draw others that are hard to tell from those at `places`, int64 (any number,)."""

    def batch(self, places: Places, others: Places, draw: Draw) -> Batch:
        """Ask for the documents at `places`, among them and the `others`."""


FORMS: tuple[Callable[[Entry], str], ...] = (
    lambda entry: entry.sheet,
    lambda entry: entry.sheet,
    lambda entry: entry.definition,
    lambda entry: entry.names,
    lambda entry: f"{entry.label} : {', '.join(entry.products)}",
)
"""How an entry may be written as a document; the sheet, which is searched, counts twice."""

TOLD, NAMED = 0.3, 0.6
"""How often the third query of an entry is a sheet; how often, if not, a product, else a name."""


class Trades:
    """The entries as documents; their names, products, phrases, asks and sheets as queries.

    Entries of one branch are sure negatives of each other; those of other branches may be the same
    concept met in another sector.
    """

    def __init__(self, part: Written) -> None:
        self.entries = part.entries
        self._place = {entry.id: place for place, entry in enumerate(self.entries)}
        self._asked = [[Ask(text, (entry.id,)) for text in entry.lay] for entry in self.entries]
        self._told: list[list[Ask]] = [[] for _ in self.entries]
        for ask in part.asks:
            for one in ask.ids:
                self._asked[self._place[one]].append(ask)
        for sheet in dict.fromkeys(sheet for line in part.lines for sheet in line.sheets):
            for one in sheet.ids:
                self._told[self._place[one]].append(Ask(sheet.text, sheet.ids))
        self._branch = np.array([entry.place for entry in self.entries])
        self._near = [self._neighbours(place) for place in range(len(self.entries))]

    def __len__(self) -> int:
        """The number of entries."""
        return len(self.entries)

    def alike(self, places: Places, draw: Draw) -> Places:
        """Draw one entry of the branch of each, or related to it, where there is one: hard ones."""
        drawn = [draw.choice(self._near[place]) for place in places if self._near[place]]
        return np.setdiff1d(np.array(drawn, np.int64), places)

    def batch(self, places: Places, others: Places, draw: Draw) -> Batch:
        """Ask for each entry at `places` thrice, among them and the `others`, int64 both.

        Two phrases or asks of it, and a product, a name, or the sheet of a workshop that does it.
        """
        found = [(row, ask) for row, at in enumerate(places) for ask in self._questions(at, draw)]
        gold = np.array([row for row, _ in found])
        shown = np.concatenate([places, others])
        named = {self.entries[place].id: row for row, place in enumerate(shown)}
        right = np.zeros((len(found), len(shown)), np.bool_)
        for row, (_, ask) in enumerate(found):
            right[row, [named[one] for one in ask.ids if one in named]] = True
        branches = self._branch[shown]
        sure = (branches[gold][:, None] == branches) & ~right
        right[np.arange(len(found)), gold] = False
        documents = [FORMS[draw.integers(len(FORMS))](self.entries[place]) for place in shown]
        return Batch([ask.text for _, ask in found], documents, gold, right, sure)

    def _neighbours(self, place: int) -> list[int]:
        siblings = set(np.flatnonzero(self._branch == self._branch[place]).tolist())
        related = {self._place[one] for one in self.entries[place].related if one in self._place}
        return sorted((siblings | related) - {place})

    def _questions(self, place: int, draw: Draw) -> list[Ask]:
        entry, asked, told = self.entries[place], self._asked[place], self._told[place]
        chosen = [asked[row] for row in draw.permutation(len(asked))[:2]]
        if told and draw.random() < TOLD:
            return [*chosen, told[draw.integers(len(told))]]
        named = _product(entry, draw) if draw.random() < NAMED else _name(entry, draw)
        return [*chosen, Ask(named, (entry.id,))]


def _product(entry: Entry, draw: Draw) -> str:
    """Name a product, half of the time with a material."""
    words = [str(draw.choice(entry.products))]
    if entry.materials and draw.random() < 0.5:
        words.append(str(draw.choice(entry.materials)))
    return " ".join(words)


def _name(entry: Entry, draw: Draw) -> str:
    return str(draw.choice([entry.label, *entry.synonyms]))


class Sheets:
    """The sheets, and those near them, as documents; their needs, and asks for their trade."""

    def __init__(self, part: Written) -> None:
        self.lines = [line for line in part.lines if line.needs]
        self._asked: dict[str, list[Ask]] = {}
        for ask in part.asks:
            self._asked.setdefault(ask.ids[0], []).append(ask)

    def __len__(self) -> int:
        """The number of sheets that may be asked for."""
        return len(self.lines)

    def alike(self, places: Places, draw: Draw) -> Places:
        """Draw no further sheet: each brings those written to be mistaken for it."""
        return np.zeros(0, np.int64)

    def batch(self, places: Places, others: Places, draw: Draw) -> Batch:
        """Ask for each sheet at `places` among them and the `others`, int64 both, and those near.

        It is asked for with two of its needs, and by an ask for its main trade. The sheets near it
        are sure negatives of its needs; any other that holds the trade asked for is no negative.
        """
        shown = [self.lines[row] for row in (*places, *others)]
        sheets = [sheet for line in shown for sheet in line.sheets]
        starts = np.cumsum([0, *(len(line.sheets) for line in shown)])
        found = [
            (row, query, ids, own)
            for row in range(len(places))
            for query, ids, own in self._questions(shown[row], draw)
        ]
        gold = starts[[row for row, *_ in found]]
        sure = np.zeros((len(found), len(sheets)), np.bool_)
        right = np.array(
            [[not ids.isdisjoint(sheet.ids) for sheet in sheets] for *_, ids, _ in found], np.bool_
        )
        for at, (row, _, _, own) in enumerate(found):
            if own:
                right[at, starts[row] : starts[row + 1]] = False
                sure[at, starts[row] + 1 : starts[row + 1]] = True
        right[np.arange(len(found)), gold] = False
        texts = [sheet.text for sheet in sheets]
        return Batch([query for _, query, _, _ in found], texts, gold, right, sure)

    def _questions(self, line: Answered, draw: Draw) -> Iterator[tuple[str, set[str], bool]]:
        """Give queries for a line, the trades they ask for, and whether they are its own needs."""
        main = set(line.sheet.ids[:1])
        for row in draw.permutation(len(line.needs))[:2]:
            yield line.needs[row], main, True
        asked = self._asked.get(line.sheet.ids[0], []) if main else []
        if asked:
            ask = asked[draw.integers(len(asked))]
            yield ask.text, set(ask.ids), False


def courses(count: int, size: int, draw: Draw) -> Iterator[Places]:
    """Draw groups of `size` of `count` rows, or all of them, epoch after epoch, without end."""
    while True:
        order = draw.permutation(count)
        full = max(count // size, 1)
        yield from np.array_split(order[: full * size], full)
