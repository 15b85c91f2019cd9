"""The places that a need's own text names, applied as filters that the visitor sees and removes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from index.departments import DEPARTMENTS, department_code
from index.facets import Filters
from index.places import Near
from index.wishes import Wish, without

NEAR_ENOUGH = 0.3
"""How much nearness weighs where a need says "autour de …" and the caller says nothing."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A need without the places that it names, and what they ask: filters, a place to be near.

    `wishes` are all that was recognised, `applied` those that were taken so.
    """

    need: str
    filters: Filters
    near: Near | None
    proximity: float
    wishes: tuple[Wish, ...]
    applied: tuple[Wish, ...]


def understood(
    need: str,
    wishes: Sequence[Wish],
    filters: Filters,
    near: Near | None,
    proximity: float | None,
    ignored: Collection[str] = (),
) -> Understood:
    """Apply the places among the wishes of a clean need, but for `ignored` labels.

    They leave the text that is compared. Where the caller has chosen places, filters or `near` of
    his own, nothing is applied. A need that is only a place stays as it is.
    """
    chosen = bool(filters.areas()) or near is not None
    places = [
        wish
        for wish in wishes
        if wish.kind in ("department", "region", "near") and wish.label not in ignored
    ]
    bare = without(need, places)
    if not any(c.isalnum() for c in bare):
        bare, places = need, []
    if chosen or not places:
        return Understood(bare, filters, near, proximity or 0.0, tuple(wishes), ())
    departments = tuple(wish.value for wish in places if wish.kind == "department")
    regions = tuple(wish.value for wish in places if wish.kind == "region")
    around = next((wish for wish in places if wish.kind == "near"), None)
    return Understood(
        bare,
        replace(filters, departments=departments, regions=regions),
        near_to(around.value, around.km) if around else None,
        NEAR_ENOUGH if around and proximity is None else proximity or 0.0,
        tuple(wishes),
        tuple(wish for wish in places if wish.kind != "near" or wish is around),
    )


def near_to(name: str, max_km: float | None = None) -> Near:
    """A place to be near to, by its name: a département where it is one, else a commune."""
    code = department_code(name)
    if code in DEPARTMENTS:
        return Near(department=code, max_km=max_km)
    return Near(city=name, max_km=max_km)
