"""A set of suppliers that does not change, and the best of them for a need.

The directory is one large segment on the disk and a small one in memory for what changed since.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embed.encoder import Vectors
from index.concepts import Links
from index.dense import Dense, Fixed
from index.facets import Facets, Mask, values_of
from index.lexical import Counts, Lexical, Vocabulary, Wanted, count_terms, joined
from index.places import Gazetteer, Points, Spot, locate, points
from index.postings import Postings, Sums, largest, mapped
from index.suppliers import Supplier

EXACT = 4_000
"""Up to so many rows that may be suggested, every one is compared exactly."""

FURTHER = 2
"""Capabilities besides the best one that are shown."""

SHOWN_FROM = 0.1
"""They are, and count, if they bring so much of another matching one: nearly as good, and new."""

BONUS = 0.1
"""The share of what is missing to a full score that a further capability can add, at most."""

_STEP = 1e-4  # scores are given to four decimals
_DEEPER = 4
_SAMPLE = 200

WIDE = 300_000
"""Rows from which words and trades are summed on threads while vectors are compared.

None of the three holds the interpreter; fewer rows take less time than threads cost.
"""

_BESIDE = ThreadPoolExecutor(2, thread_name_prefix="segment")

Rows = NDArray[np.int64]
News = Callable[[Rows, Rows], Sums]


class Query(NamedTuple):
    """A need as segments compare it: each signal with its share of the score in it."""

    vector: Vectors
    """Unit float32 `(dim,)`."""
    dense: float
    terms: Wanted
    lexical: float
    trades: Mapping[int, float]
    """The trades it evokes, each with its weight times the share of the trades."""


class Hit(NamedTuple):
    """A supplier that was found: what it is ranked by, its score, and the rows that matched."""

    key: float
    score: float
    turn: int
    seq: int
    matched: tuple[int, ...]
    """Places of the matching capabilities among the supplier's own, best first."""
    vector: Fixed
    """That of the best one, int16 `(dim,)`."""


class Weighed(NamedTuple):
    """Suppliers of whom every row was compared; the rows of one begin at its start.

    `lead`, one a supplier, is the place of its best row among `rows`; `further`, one a row, how
    much it brings besides; `scores` are those of the suppliers.
    """

    owners: Rows
    rows: Rows
    starts: Rows
    lead: Rows
    further: Sums
    scores: Sums


@dataclass(frozen=True, slots=True)
class Part:
    """What is compared of some suppliers, before they are gathered into a segment."""

    seqs: list[int]
    turns: list[int]
    sizes: list[int]
    spots: list[Spot | None]
    values: list[tuple[str, ...]]
    vectors: Fixed
    links: Links
    counts: Counts

    @classmethod
    def read(
        cls,
        numbered: Sequence[tuple[int, Supplier]],
        vectors: Fixed,
        links: Links,
        vocabulary: Vocabulary,
        gazetteer: Gazetteer,
    ) -> "Part":
        """Read numbered suppliers whose vectors and trades, a row a capability, are known."""
        suppliers = [supplier for _, supplier in numbered]
        texts = [text for supplier in suppliers for text in supplier.capabilities]
        return cls(
            [seq for seq, _ in numbered],
            [turn_of(supplier.id) for supplier in suppliers],
            [len(supplier.capabilities) for supplier in suppliers],
            [locate(supplier, gazetteer) for supplier in suppliers],
            [values_of(supplier) for supplier in suppliers],
            vectors,
            links,
            count_terms(texts, vocabulary),
        )


class Segment:
    """Suppliers, in their order, and what is compared of them.

    `seqs` int64, `turns` uint64 (a hash of the id, which orders equals) and `points` have one row
    a supplier; `first` int64 `(suppliers + 1,)` bounds the rows of its capabilities.
    """

    def __init__(
        self,
        seqs: NDArray[np.int64],
        turns: NDArray[np.uint64],
        first: NDArray[np.int64],
        places: Points,
        dense: Dense,
        lexical: Lexical,
        trades: Postings,
        facets: Facets,
    ) -> None:
        self.seqs = seqs
        self.turns = turns
        self.first = first
        self.points = places
        self.dense = dense
        self.lexical = lexical
        self.trades = trades
        self.facets = facets
        self.sizes = np.diff(first)
        self.owner = np.repeat(np.arange(len(seqs), dtype=np.int32), self.sizes)

    def __len__(self) -> int:
        """The number of suppliers, those since deleted included."""
        return len(self.seqs)

    @property
    def rows(self) -> int:
        """The number of capabilities."""
        return len(self.owner)

    @classmethod
    def build(
        cls,
        parts: Sequence[Part],
        vocabulary: Vocabulary,
        trades: int,
        mean: float | None = None,
    ) -> "Segment":
        """Gather parts, one at least, whose words were counted with one vocabulary.

        `trades` is how many there are, `mean` the words of a text in the collection that the
        segment is part of (by default it is the collection).
        """
        starts = np.cumsum([0, *(len(part.vectors) for part in parts)])
        links = Links(*map(np.concatenate, zip(*(part.links for part in parts), strict=True)))
        return cls(
            np.array([seq for part in parts for seq in part.seqs], np.int64),
            np.array([turn for part in parts for turn in part.turns], np.uint64),
            np.cumsum([0, *(size for part in parts for size in part.sizes)]).astype(np.int64),
            points([spot for part in parts for spot in part.spots]),
            Dense.build(np.concatenate([part.vectors for part in parts]), lasting=mean is None),
            Lexical.build(joined([part.counts for part in parts], starts), vocabulary, mean),
            links.postings(trades),
            Facets.build(values for part in parts for values in part.values),
        )

    def known_of_each(self, queries: Sequence[Query]) -> Sums:
        """`Known.sums` for each of several queries of one mix: float32 `(queries, rows)`."""
        terms = [query.terms for query in queries]
        said = self.lexical.shares_of_each(terms, queries[0].lexical)
        said += self.trades.dots([query.trades for query in queries], self.rows)
        return said

    def best(
        self, query: Query, k: int, allowed: Mask | None, factors: Sums | None, day: int
    ) -> list[Hit]:
        """The `k` best suppliers among those allowed, bool `(suppliers,)`; best first.

        `factors` are what nearness multiplies each supplier's score by, float32 `(suppliers,)`, at
        most 1. Candidates are taken ever deeper from the nearest vectors and the best words until
        no other row could still enter (the threshold algorithm: Fagin, Lotem & Naor 2003, section
        4); few rows are compared one and all.
        """
        known = Known(self, query)
        if factors is None or self._count(allowed) <= EXACT:
            return self._deepened(query, known, k, allowed, factors, day)
        strata = _near(factors, allowed)
        hits = [self._deepened(query, known, k, mask, factors, day) for mask in strata]
        return sorted((hit for found in hits for hit in found), key=order)[:k]

    def rows_of(self, owners: Rows) -> tuple[Rows, Rows]:
        """The rows of some suppliers, and where among them those of each begin."""
        sizes = self.sizes[owners]
        starts = np.cumsum(sizes) - sizes
        rows: Rows = np.repeat(self.first[owners] - starts, sizes) + np.arange(sizes.sum())
        return rows, starts

    def weighed(self, owners: Rows, rows: Rows, starts: Rows, scores: Sums, news: News) -> Weighed:
        """Suppliers by what all their rows score, `rows` and `starts` as `rows_of` gives them.

        A supplier may stand several times, for several needs. `news` does what the method does.
        """
        best = np.maximum.reduceat(scores, starts)
        of = np.repeat(np.arange(len(owners)), self.sizes[owners])
        lead = _first_places(scores == best[of], of)
        further: Sums = np.clip(2 * scores / np.maximum(best[of], 1e-6) - 1, 0, 1)
        close = np.flatnonzero(further >= SHOWN_FROM)
        further[close] *= news(rows[close], rows[lead[of[close]]])
        further[further < SHOWN_FROM] = 0  # what nearly repeats the best, or hardly matches
        scored = raised(best, np.maximum.reduceat(further, starts))
        return Weighed(owners, rows, starts, lead, further, scored)

    def news(self, rows: Rows, leads: Rows) -> Sums:
        """How little each row repeats the best one of its supplier: 1 less their cosine."""
        ours = self.dense.vectors[rows].astype(np.float32)
        theirs = self.dense.vectors[leads].astype(np.float32)
        alike = np.einsum("ij,ij->i", ours, theirs) / np.float32(32_767**2)
        news: Sums = np.clip(1 - alike, 0, 1)
        return news

    def hits(
        self, found: Weighed, chosen: Rows, keys: Sums, turns: NDArray[np.uint64]
    ) -> list[Hit]:
        """Some of the suppliers that were weighed, by what all are ranked by and their turns."""
        owners, starts, leads = found.owners[chosen], found.starts[chosen], found.lead[chosen]
        spans = zip(starts.tolist(), self.sizes[owners].tolist(), leads.tolist(), strict=True)
        fields = (
            keys[chosen].tolist(),
            found.scores[chosen].tolist(),
            turns[chosen].tolist(),
            self.seqs[owners].tolist(),
            [_matched(found.further[at : at + size], lead - at) for at, size, lead in spans],
            [self.dense.vectors[row] for row in found.rows[leads].tolist()],  # none is copied
        )
        return [Hit(*values) for values in zip(*fields, strict=True)]

    def save(self, folder: Path) -> None:
        """Write everything into a folder, to be mapped by `open`."""
        for name in ("seqs", "turns", "first", "points"):
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        self.dense.save(folder)
        self.lexical.save(folder)
        self.trades.save(folder / "trades")
        self.facets.save(folder)

    @classmethod
    def open(cls, folder: Path) -> "Segment":
        """Map what `save` wrote."""
        return cls(
            mapped(folder / "seqs.npy"),
            mapped(folder / "turns.npy"),
            mapped(folder / "first.npy"),
            mapped(folder / "points.npy"),
            Dense.open(folder),
            Lexical.open(folder),
            Postings.open(folder / "trades"),
            Facets.open(folder),
        )

    def _deepened(
        self,
        query: Query,
        known: "Known",
        k: int,
        allowed: Mask | None,
        factors: Sums | None,
        day: int,
    ) -> list[Hit]:
        count = self._count(allowed)
        depth = (10 * k + 100) * self.rows // max(count, 1)
        if count <= max(EXACT, 2 * depth):
            every = np.arange(len(self)) if allowed is None else np.flatnonzero(allowed)
            return self._ranked(query, known.sums, self.rows_of(every)[0], k, factors, day)
        ceiling = (
            1.0
            if factors is None
            else float((factors if allowed is None else factors[allowed]).max())
        )
        while True:
            rows, bound = self._candidates(query, known, allowed, depth)
            hits = self._ranked(query, known.sums, rows, k, factors, day)
            enough = len(hits) == k and hits[-1].key > raised(bound, 1.0) * ceiling + _STEP
            if enough or 2 * depth >= self.rows:
                return hits
            depth *= _DEEPER

    def _candidates(
        self, query: Query, known: "Known", allowed: Mask | None, depth: int
    ) -> tuple[Rows, float]:
        """Allowed rows that look best by vector or by words, and what no other row exceeds."""
        near = self.dense.nearest(query.vector, 2 * depth)
        told = largest(known.sums, depth)
        some = near[:: max(len(near) // _SAMPLE, 1)]  # of all: of those allowed it may hold none
        far = float(np.median(self.dense.cosines(some, query.vector)))
        least = float(known.sums[told].min()) if len(told) == depth else 0.0
        bound = query.dense * max(far, 0.0) + least
        both = np.concatenate([self._allowed(near, allowed), self._allowed(told, allowed)])
        return _ascending(both), bound

    def _ranked(
        self, query: Query, known: Sums, rows: Rows, k: int, factors: Sums | None, day: int
    ) -> list[Hit]:
        """The `k` best suppliers that own some ascending rows; all their rows take part."""
        if not len(rows):
            return []
        leads, owners = self._leads(self._scores(query, known, rows), rows)
        weights = np.ones(len(owners), np.float32) if factors is None else factors[owners]
        least = np.partition(leads * weights, max(len(owners) - k, 0))[max(len(owners) - k, 0)]
        kept = owners[raised(leads, 1.0) * weights >= least]
        return self._hits(query, known, kept, k, factors, day)

    def _hits(
        self, query: Query, known: Sums, owners: Rows, k: int, factors: Sums | None, day: int
    ) -> list[Hit]:
        rows, starts = self.rows_of(owners)
        scores = self._scores(query, known, rows)
        found = self.weighed(owners, rows, starts, scores, self.news)
        keys = found.scores if factors is None else found.scores * factors[owners]
        turns = turned(self.turns[owners], day)
        chosen = np.lexsort((turns, -keys.round(4)))[:k]
        return self.hits(found, chosen, keys, turns)

    def _scores(self, query: Query, known: Sums, rows: Rows) -> Sums:
        near = np.clip(self.dense.cosines(rows, query.vector), 0, 1)
        scores: Sums = np.float32(query.dense) * near + known[rows]
        return scores

    def _leads(self, scores: Sums, rows: Rows) -> tuple[Sums, Rows]:
        """The best score of each supplier that owns some ascending rows, and the supplier."""
        owners = self.owner[rows].astype(np.int64)
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        return np.maximum.reduceat(scores, starts), owners[starts]

    def _allowed(self, rows: Rows, allowed: Mask | None) -> Rows:
        return rows if allowed is None else rows[allowed[self.owner[rows]]]

    def _count(self, allowed: Mask | None) -> int:
        return self.rows if allowed is None else int(self.sizes[allowed].sum())


class Known:
    """What words and trades alone give each row of a segment; of a wide one, summed on threads."""

    def __init__(self, segment: Segment, query: Query) -> None:
        parts = (
            partial(segment.lexical.shares, query.terms, query.lexical),
            partial(segment.trades.dot, query.trades, segment.rows),
        )
        wide = segment.rows >= WIDE
        self._parts = [_BESIDE.submit(part).result if wide else part for part in parts]

    @cached_property
    def sums(self) -> Sums:
        """Float32 `(rows,)`; waits for what is not there yet."""
        words, trades = self._parts
        said = words()
        said += trades()
        return said


def order(hit: Hit) -> tuple[float, int]:
    """What hits are sorted by: the highest key first, equals by the day's turn."""
    return -round(hit.key, 4), hit.turn


def turn_of(supplier: str) -> int:
    """A supplier's number among equals, from its id: 64 bits."""
    return int.from_bytes(hashlib.blake2b(supplier.encode(), digest_size=8).digest(), "little")


def turned(turns: NDArray[np.uint64], day: int) -> NDArray[np.uint64]:
    """The numbers of a day: another order of equals each day, in which all come first as often.

    The mixing function of splitmix64 (Steele, Lea & Flood 2014, figure 16).
    """
    mixed = turns ^ np.uint64(day * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def raised(best: Sums | float, further: Sums | float) -> Sums:
    """The score of a supplier from its best capability and how much the next one adds, 0 to 1."""
    return np.asarray(1 - (1 - best) * (1 - BONUS * further), np.float32)


def _ascending(rows: Rows) -> Rows:
    """Each row once (`np.unique` hashes first, which takes twice as long for some hundreds)."""
    found = np.sort(rows)
    return found[np.diff(found, prepend=-1) > 0]


def _near(factors: Sums, allowed: Mask | None) -> Iterator[Mask]:
    """Split suppliers by what nearness is worth to them: the 5 % nearest, a quarter, the rest."""
    inside = np.ones(len(factors), np.bool_) if allowed is None else allowed
    near, middle = np.quantile(factors[inside], (0.95, 0.75))
    yield inside & (factors >= near)
    yield inside & (factors < near) & (factors >= middle)
    yield inside & (factors < middle)


def _first_places(marked: Mask, of: NDArray[np.integer]) -> Rows:
    """The first marked place of each group; groups are numbered from 0 and stand together."""
    places = np.flatnonzero(marked)
    return places[np.diff(of[places], prepend=-1) > 0]


def _matched(further: Sums, lead: int) -> tuple[int, ...]:
    shares = further.tolist()  # of few capabilities: sorted faster so
    shown = [place for place, share in enumerate(shares) if share]
    return (lead, *sorted(shown, key=lambda place: -shares[place])[:FURTHER])
