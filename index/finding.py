"""Who is found in a view of a directory: its segments, its filters, where one asks from."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from index.facets import Counted, Filters, Mask
from index.living import View
from index.many import best_of_each
from index.needs import Need
from index.places import Spot, distances, worth
from index.postings import Sums
from index.reading import Reading
from index.ruled_out import named_in
from index.segment import Hit, Segment, order, turn_of
from index.suppliers import Supplier

EVERYBODY = Filters()

KEPT = 0.8
"""What is left of a score where the capability names what is ruled out; chosen on the dev part.

No less: a sheet that names a thing may well do without it.
"""

_BELOW = 50
"""How many hits may move down before others are missed that would move up."""


class Where(NamedTuple):
    """From where nearness counts, up to how far, and how much (0 to 1)."""

    spot: Spot
    max_km: float | None
    proximity: float


def find(
    view: View,
    asked: Reading,
    k: int,
    filters: Filters,
    where: Where | None,
    day: int | None,
) -> list[Hit]:
    """The `k` best suppliers that fit, best first; equals take turns by the day."""
    found: list[Hit] = []
    for segment, alive in zip(view.segments, view.alive, strict=True):
        allowed = _allowed(segment, alive, filters, where)
        found += segment.best(asked.query, k, allowed, factors_in(segment, where), today(day))
    return sorted(found, key=order)[:k]


def find_each(
    view: View,
    asked: Sequence[Reading],
    needs: Sequence[Need],
    k: int,
    wheres: Sequence[Where | None],
) -> list[list[Hit]]:
    """The `k` best for each need among its own suppliers, or all, within its radius, if any."""
    queries = [one.query for one in asked]
    found: list[list[Hit]] = [[] for _ in needs]
    for segment, alive in zip(view.segments, view.alive, strict=True):
        allowed = [
            _allowed(segment, alive, EVERYBODY, where, need.suppliers)
            for need, where in zip(needs, wheres, strict=True)
        ]
        best = best_of_each(segment, queries, k, allowed, today(None))
        for hits, more in zip(found, best, strict=True):
            hits += more
    return [sorted(hits, key=order)[:k] for hits in found]


def depth(k: int, asked: Reading) -> int:
    """How many hits to find for the `k` best that `put_later` leaves."""
    return k + _BELOW if asked.ruled_out else k


def put_later(
    hits: Sequence[Hit], held: Mapping[int, Supplier], asked: Reading
) -> list[tuple[Supplier, Hit]]:
    """Each supplier, by its number, with how it was found; later who names what is ruled out."""
    pairs = [(held[hit.seq], hit) for hit in hits if hit.seq in held]
    if not asked.ruled_out:
        return pairs
    weighed = [(supplier, _lowered(supplier, hit, asked)) for supplier, hit in pairs]
    return sorted(weighed, key=lambda pair: order(pair[1]))


def _lowered(supplier: Supplier, hit: Hit, asked: Reading) -> Hit:
    named = named_in(supplier.capabilities[hit.matched[0]], asked.ruled_out)
    return hit._replace(key=hit.key * KEPT, score=hit.score * KEPT) if named else hit


def count_values(view: View, filters: Filters, where: Where | None) -> Counted:
    """How many suppliers that fit have each value of each field, most first."""
    total: Counted = {}
    for segment, alive in zip(view.segments, view.alive, strict=True):
        among = _allowed(segment, alive, filters, where)
        for name, counts in segment.facets.counts(among).items():
            held = total.setdefault(name, {})
            for value, count in counts.items():
                held[value] = held.get(value, 0) + count
    return {
        name: dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
        for name, counts in total.items()
    }


def _allowed(
    segment: Segment,
    alive: Mask | None,
    filters: Filters,
    where: Where | None,
    ids: Sequence[str] = (),
) -> Mask | None:
    """The suppliers of a segment that may be suggested, of some ids or any; None for all."""
    masks = [alive, segment.facets.matching(filters)]
    if ids:
        masks.append(np.isin(segment.turns, np.array([turn_of(one) for one in ids], np.uint64)))
    if where is not None and where.max_km is not None:
        masks.append(distances(segment.points, where.spot) <= where.max_km)
    given = [mask for mask in masks if mask is not None]
    return np.logical_and.reduce(given) if given else None


def factors_in(segment: Segment, where: Where | None) -> Sums | None:
    """What nearness multiplies the score of each supplier by; None where it does not count."""
    if where is None or not where.proximity:
        return None
    return worth(distances(segment.points, where.spot), where.proximity)


def today(day: int | None) -> int:
    """A day by its number; that of today where none is given."""
    return date.today().toordinal() if day is None else day
