"""Many needs at once: products of whole matrices propose, the scores themselves decide."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from index import segment
from index.dense import cosines, floats
from index.facets import Mask
from index.postings import Sums
from index.segment import (
    BONUS,
    SHOWN_FROM,
    Hit,
    Query,
    Rows,
    Segment,
    Weighed,
    raised,
    turned,
)

CELLS = 200_000
"""Pairs of a need and a capability that are in memory at once."""

_BLOCK = 8_192
"""Pairs whose vectors are in memory at once, to be compared one by one."""

_SLACK = BONUS * SHOWN_FROM
"""What the last digit of a product may decide: whether a further capability counts at all."""


def best_of_each(
    held: Segment, queries: Sequence[Query], k: int, allowed: Sequence[Mask | None], day: int
) -> Iterator[list[Hit]]:
    """The `k` best suppliers for each query among those it allows, as `Segment.best` gives them.

    All queries have one mix. In a segment of many rows each is answered by itself: the shortcuts
    of that look at less than a product would.
    """
    if held.rows > segment.EXACT:
        pairs = zip(queries, allowed, strict=True)
        yield from (held.best(query, k, mask, None, day) for query, mask in pairs)
        return
    table = _Table(held)
    step = max(CELLS // held.rows, 1)
    for start in range(0, len(queries), step):
        part = slice(start, start + step)
        yield from table.best(queries[part], k, _stacked(allowed[part], len(held)), day)


class _Table:
    """A segment of few rows, with what is asked of it for every need."""

    def __init__(self, held: Segment) -> None:
        self._held = held
        self._vectors = floats(held.dense.vectors).T
        beside, starts = held.rows_of(held.owner.astype(np.int64))
        rows = np.repeat(np.arange(held.rows), held.sizes[held.owner])
        self._news = _in_blocks(held.news, rows, beside)
        self._pairs = starts - held.first[held.owner]

    def best(
        self, queries: Sequence[Query], k: int, allowed: Mask, day: int
    ) -> Iterator[list[Hit]]:
        """The `k` best for each query among those allowed, bool `(queries, suppliers)`."""
        held, share = self._held, np.float32(queries[0].dense)
        vectors = np.stack([query.vector for query in queries])
        known = held.known_of_each(queries)
        rough = share * np.clip(vectors @ self._vectors, 0, 1) + known
        of, owners = np.nonzero(self._likely(rough, k, allowed))

        def scores(of: Rows, rows: Rows) -> Sums:
            near = np.clip(cosines(held.dense.vectors[rows], vectors[of]), 0, 1)
            exact: Sums = share * near + known[of, rows]
            return exact

        found = self._weighed(of, owners, scores)
        turns = turned(held.turns[owners], day)
        order = np.lexsort((turns, -found.scores.round(4), of))
        begin = np.searchsorted(of, np.arange(len(queries)))
        chosen = order[np.arange(len(of)) - begin[of] < k]
        hits = iter(held.hits(found, chosen, found.scores, turns))
        for count in np.bincount(of[chosen], minlength=len(queries)).tolist():
            yield list(islice(hits, count))

    def _likely(self, rough: Sums, k: int, allowed: Mask) -> Mask:
        """Who may be among the `k` best, by the scores of all rows, nearly right."""
        best = np.maximum.reduceat(rough, self._held.first[:-1], axis=1)
        best[~allowed] = -1
        likely = allowed & (raised(best, 1.0) >= _kth(best, k) - _SLACK)
        of, owners = np.nonzero(likely)
        best[of, owners] = self._weighed(of, owners, lambda of, rows: rough[of, rows]).scores
        return likely & (best >= _kth(best, k) - 2 * _SLACK)

    def _weighed(self, of: Rows, owners: Rows, scores: Callable[[Rows, Rows], Sums]) -> Weighed:
        """Pairs of a need and a supplier, weighed by the scores of pairs of a need and a row."""
        rows, starts = self._held.rows_of(owners)
        of = np.repeat(of, self._held.sizes[owners])
        return self._held.weighed(owners, rows, starts, _in_blocks(scores, of, rows), self._new)

    def _new(self, rows: Rows, leads: Rows) -> Sums:
        news: Sums = self._news[self._pairs[rows] + leads]
        return news


def _in_blocks(compare: Callable[[Rows, Rows], Sums], one: Rows, other: Rows) -> Sums:
    starts = range(0, max(len(one), 1), _BLOCK)
    parts = [compare(one[start:][:_BLOCK], other[start:][:_BLOCK]) for start in starts]
    return np.concatenate(parts)


def _kth(values: Sums, k: int) -> Sums:
    """The `k`-th largest of each row, or its smallest where there are fewer: `(rows, 1)`."""
    place = max(values.shape[1] - k, 0)
    found: Sums = np.partition(values, place, axis=1)[:, place : place + 1]
    return found


def _stacked(masks: Sequence[Mask | None], suppliers: int) -> Mask:
    everybody = np.ones(suppliers, np.bool_)
    return np.stack([everybody if mask is None else mask for mask in masks])
