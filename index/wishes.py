"""What a need asks besides the thing: where, under which certificate, how many, of what grade.

Whatever is in doubt is no wish.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from index.certificates import certificates_in
from index.folding import Found, Kind, Reading, read
from index.grades import grades_in
from index.named_places import AREA_NAMES, areas_in
from index.quantities import series_in
from index.towns import towns_in


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing asked for, at code points `start` to `end` of the text as given.

    `value` is a département or region code, a place's name, a certificate as usually written
    ("EN 9100"), a series ("petite") or a grade ("316L"); `label` says it in French, for a chip.
    `km` is the radius that a text gives around a place.
    """

    kind: Kind
    value: str
    label: str
    start: int
    end: int
    km: float | None = None


_NOT = re.compile(
    r"(?<![\w'-])(?:sans|hors(?: de)?|sauf|excepte|ni|non|pas|plus)"
    r"(?: (?:besoin|forcement|obligatoirement|necessairement|certifie\w*|certifications?|norme|"
    r"de|du|des|en|dans|le|la|les|a|au|region|type|inox|acier)\b| (?:d|l)'){0,4}[ ']?$"
)
_NOT_AFTER = re.compile(
    r" ?(?:non|pas) (?:exige|requis|obligatoire|necessaire|demande|souhaite|indispensable)"
)


def wishes(text: str, towns: Callable[[str], bool] = lambda _: False) -> tuple[Wish, ...]:
    """What a need asks besides the thing, in order, each once, none overlapping another.

    `towns` says whether a `place_key` is that of a commune; seats of départements are known
    without it. What a text rules out ("sans ISO 9001", "hors Île-de-France") is no wish. Numbers
    of pieces are taken a year, and the bounds of series are ours: up to 5 a prototype, a name that
    pre-series go by too, up to 500 a "petite" series, up to 10,000 a "moyenne", above a "grande".
    """
    reading = read(text)
    named = AREA_NAMES.within(reading)
    near = list(towns_in(reading, named, towns))
    places = (*near, *areas_in(reading, named, near))
    certain = _apart((*certificates_in(reading), *grades_in(reading), *places))
    certain = _apart((*certain, *series_in(reading, _blanked(reading.folded, certain))))
    first: dict[tuple[str, str], Wish] = {}
    for found in sorted(certain, key=lambda found: found.start):
        if not _refused(reading, found):
            first.setdefault((found.kind, found.value), _wish(reading, found))
    return tuple(first.values())


def _apart(found: Iterable[Found]) -> list[Found]:
    """What was found, without what overlaps an earlier one."""
    apart: list[Found] = []
    taken: set[int] = set()
    for one in found:
        places = range(one.start, one.end)
        if taken.isdisjoint(places):
            taken.update(places)
            apart.append(one)
    return apart


def _blanked(folded: str, taken: Sequence[Found]) -> str:
    """The folded text without what is taken, in as many characters."""
    for found in taken:
        blank = "\0" * (found.end - found.start)
        folded = folded[: found.start] + blank + folded[found.end :]
    return folded


def _refused(reading: Reading, found: Found) -> bool:
    before = reading.before(found.start, 60)
    return bool(_NOT.search(before) or _NOT_AFTER.match(reading.folded, found.end))


def _wish(reading: Reading, found: Found) -> Wish:
    start, end = reading.starts[found.start], reading.ends[found.end - 1]
    return Wish(found.kind, found.value, found.label, start, end, found.km)
