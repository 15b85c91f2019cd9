"""What a need asks besides the thing: where, certified how, how many, of what grade, without what.

Whatever is in doubt is no wish.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from embed.text import words
from index.certificates import ASKING, certificates_in
from index.exclusions import exclusions_in, is_refusal
from index.folding import Found, Kind, Reading, read
from index.grades import grades_in
from index.named_places import AREA_NAMES, areas_in
from index.quantities import series_in
from index.ruled_out import stems_ruled_out
from index.towns import towns_in


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing asked for, at code points `start` to `end` of the text as given.

    `value` is a département or region code, a place's name, a certificate as usually written
    ("EN 9100"), a series ("petite"), a grade ("316L") or what is ruled out, in the words of the
    text ("pas de soudure"); `label` says it in French, for a chip. `km` is the radius that a text
    gives around a place.
    """

    kind: Kind
    value: str
    label: str
    start: int
    end: int
    km: float | None = None


class Thing(NamedTuple):
    """What is to be made or done, in the words of a need, and the stems of what it rules out."""

    text: str
    ruled_out: frozenset[str] = frozenset()


_AND = re.compile(r"\s*(?:[,;/+&]|et|ou|et/ou)?\s*", re.IGNORECASE)
"""What stands between two wishes, and leaves with them."""

_CERTIFIED = re.compile(
    rf"(?:\b(?:{ASKING}|exige\w*|systeme qualite)"
    r"(?: (?:a|la|le|selon|aux?|normes?|label|et))* )?"
    r"\0+"
    r"(?: ?(?:exige\w*|requis\w*|obligatoires?|imperati\w+|souhaite\w*|demande\w*))?"
)
"""A certificate, blank, with the words that ask for it."""

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
    without it. A certificate or a place that is ruled out ("sans ISO 9001", "hors Île-de-France")
    is no wish. Numbers of pieces are taken a year, and the bounds of series are ours: up to 5 a
    prototype, a name that pre-series go by too, up to 500 a "petite" series, up to 10,000 a
    "moyenne", above a "grande".
    """
    reading = read(text)
    named = AREA_NAMES.within(reading)
    near = list(towns_in(reading, named, towns))
    places = (*near, *areas_in(reading, named, near))
    found = _apart((*certificates_in(reading), *grades_in(reading), *places))
    sure = [one for one in found if one.kind != "material"]
    asked = [one for one in sure if not _refused(reading, one)]
    excluded = exclusions_in(reading, _blanked(reading.folded, asked))
    ruled_out = [one for one in _apart((*sure, *excluded)) if one not in sure]
    apart = _apart((*ruled_out, *found))
    apart += _apart(series_in(reading, _blanked(reading.folded, apart)))
    meant = [one for one in apart if one in ruled_out or not _refused(reading, one)]
    first: dict[tuple[str, str], Wish] = {}
    for one in sorted(meant, key=lambda one: one.start):
        first.setdefault((one.kind, one.value), _wish(reading, one))
    return tuple(first.values())


def bare(text: str) -> Thing:
    """The thing itself: a need without the certificates that it asks for and what it refuses.

    Neither says what is to be made, and both are near to those who say the same. A need that is
    nothing else stays as it is, and refuses nothing.
    """
    reading = read(text)
    certified = list(certificates_in(reading))
    held = [one for one in certified if not _refused(reading, one)]
    blanked = _blanked(reading.folded, held)
    refused = [one for one in exclusions_in(reading, blanked) if is_refusal(one.value)]
    spans = [one.span() for one in _CERTIFIED.finditer(blanked)]
    spans += [(one.start, one.end) for one in refused]
    left = _cut(text, [(reading.starts[a], reading.ends[b - 1]) for a, b in sorted(spans)])
    if not words(left):
        return Thing(text)
    sure = [one.value for one in _apart((*certified, *refused)) if one in refused]
    return Thing(left, stems_ruled_out(sure, left))


def without(text: str, wishes: Sequence[Wish]) -> str:
    """A text without some of the wishes in it, single-spaced."""
    return _cut(text, sorted((wish.start, wish.end) for wish in wishes))


def _cut(text: str, spans: Sequence[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in spans:
        between = text[at:start]
        if not (at and _AND.fullmatch(between)):
            parts.append(between)
        at = end
    return " ".join(" ".join((*parts, text[at:])).split())


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
