"""Départements and regions that a need names, told from things: "dans la Manche", "dans le 25"."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from index.departments import DEPARTMENTS, REGION_NAMES, REGIONS
from index.folding import Found, Kind, Reading, place_key
from index.names import Name, Names
from index.quantities import UNIT

_COMMON = frozenset(place_key(name) for name in (
    "Ain", "Allier", "Aube", "Aude", "Bourgogne", "Calvados", "Cantal", "Centre", "Charente",
    "Cher", "Corse", "Creuse", "Drôme", "Eure", "Landes", "Limousin", "Loire", "Lorraine", "Lot",
    "Manche", "Marne", "Meuse", "Nord", "Orne", "Réunion", "La Réunion", "Rhône", "Somme",
    "Var", "Vienne",
))  # fmt: skip
"""Départements and regions whose names are words too: never without a word of place."""

_CAPITAL = frozenset(("centre", "creuse", "grand est", "la reunion", "lot", "manche", "reunion",
                      "somme"))  # fmt: skip
"""Those that a capital letter too must tell apart ("dans la manche")."""

_NEVER_EN = frozenset(("ain", "allier", "cantal", "calvados", "centre", "cher", "landes", "lot",
                       "nord", "reunion", "la reunion", "rhone", "var"))  # fmt: skip
_SHORT = frozenset(("aura", "bfc", "cvl", "hdf", "idf", "paca", "pdl"))
ISLANDS = frozenset(("paris", "guadeloupe", "martinique", "guyane", "la reunion", "mayotte"))
"""Places that "à" goes before, as before a town."""

LE = r"(?:le |la |les |l' ?)"
DE = r"(?:de la |de l' ?|de |d' ?|du |des )"
_MAKER = (
    r"(?:fournisseur|prestataire|(?:sous[ -]?)traitant|partenaire|entreprise|societe|atelier|usine|"
    r"fabricant|artisan|industriel|producteur|pme|tpe|fonderie|forge|decolleteur|usineur|tourneur|"
    r"tolier|chaudronnier|soudeur|mouliste|outilleur|fondeur|forgeron|plasturgiste|menuisier|"
    r"ebeniste|imprimeur|couturiere?|faconnier)s?"
)
_REGION = re.compile(
    rf"(?<![\w'-])(?:(?:dans|en|de|sur) )?{LE}?(?:du )?"
    rf"(?:(?:ex|ancienne)[ -])?(?:regions?|departements?|depts?|dpts?|dep)\.?[ :]{DE}?$"
)
_IN = re.compile(
    rf"(?<![\w'-])(?:dans {LE}?|(?:dans {LE}|au |en )(?:nord|sud|est|ouest|secteur)[ -]?{DE}|"
    rf"originaires? {DE})$"
)
_EN = re.compile(r"(?<![\w'-])en $")
_OF = re.compile(rf"(?<![\w'-]){DE}$")
_OF_MAKER = re.compile(rf"\b{_MAKER}(?: (?!d[eu] |d'|des )[\w-]+){{0,2}} (?P<of>{DE})$")
_AT = re.compile(r"(?<![\w'-])(?:aux?|a) (?:la |l' ?)?$")
_RIVER = re.compile(rf"\b(?:sur|vers) {LE}$")
_ARTICLE = re.compile(rf"(?<![\w'-])(?:{LE}|en |dans {LE})$")
_AND = re.compile(rf" ?(?:,|/|\bet\b|\bou\b|\+|&) ?(?:(?:dans |en )?{LE}|en |a )?")
_NOT_NORTH = re.compile(r"[\s-]*(?:(?:est|ouest|de|du|des|magnetique|geographique)\b|d'|pas)")
_NOT_LOT = re.compile(r"[\s-]*(?:n ?°|\d|n\b|de\b)")
_CODE = r"(?:2[ab]|97[12346]|\d\d)"
BRACKETS = re.compile(rf" ?\( ?(?P<code>{_CODE}) ?\)")
_GOES_ON = re.compile(r"-[^\W\d_]|[^\W_]")
_INSIDE = re.compile(r"[^\W\d_]-(?:l[ae]s?-|l'|d'|de-)?$|[^\W_]$")
_NUMBERED = re.compile(
    rf"(?<![\w'-])(?:dans le |(?:(?:dans|en|de) )?{LE}?(?:departements?|depts?|dpts?|dep)\.?"
    rf"(?: n°)?[ :] ?)\(?(?P<code>{_CODE})\b\)?"
    rf"(?![.,]\d| ?[°%€×]| ?(?:{UNIT}|pieces?|pcs|exemplaires?|ex)\b)"
)
_NUMBER_TOO = re.compile(
    rf" ?(?:,|/|\bet\b|\bou\b) ?(?:(?:dans )?le )?(?P<code>{_CODE})\b(?![.,]\d| ?[°%€×]| [a-df-z]"
    r"| e[^t])"
)


class Area(NamedTuple):
    """A département or a region, by its INSEE code."""

    kind: Kind
    code: str

    @property
    def name(self) -> str:
        """Its official name, whatever name it was found by."""
        return (REGIONS if self.kind == "region" else DEPARTMENTS)[self.code]

    @property
    def label(self) -> str:
        """What a chip says: "Isère (38)", "Bretagne"."""
        return self.name if self.kind == "region" else f"{self.name} ({self.code})"


AREAS = {
    **{name: Area("region", code) for name, code in REGION_NAMES.items()},
    **{name: Area("department", code) for code, name in DEPARTMENTS.items()},
}
"""Name → département or region; what is both, overseas, is a département."""

AREA_NAMES = Names({name: (name,) for name in AREAS})
"""Those names as a text may hold them, things of the same name included."""


def areas_in(reading: Reading, names: Sequence[Name], taken: Sequence[Found]) -> Iterator[Found]:
    """The départements and regions in a text outside what is taken: by name, then by number.

    `names` are those of `AREA_NAMES` in it; one that may be a thing is passed over.
    """
    found: list[Found] = []
    for name in names:
        if _within(taken, name.start, name.end):
            continue
        last = found[-1].end if found else -1
        start = _start(reading, name, last)
        if start is not None:
            found.append(_asked(reading, AREAS[name.label], start, name.end))
    yield from found
    for start, end, code in _numbers(reading.folded):
        if not _within((*taken, *found), start, end):
            yield _asked(reading, Area("department", code), start, end)


def begins_inside(folded: str, start: int) -> bool:
    """Whether a name begins inside a longer one: after "Pont-de-l'", or after a letter."""
    return _INSIDE.search(folded[max(0, start - 8) : start]) is not None


def _within(taken: Sequence[Found], start: int, end: int) -> bool:
    return any(start < found.end and found.start < end for found in taken)


def _asked(reading: Reading, area: Area, start: int, end: int) -> Found:
    brackets = BRACKETS.match(reading.folded, end)
    if area.kind == "department" and brackets and brackets["code"].upper() == area.code:
        end = brackets.end()
    return Found(area.kind, area.code, area.label, start, end)


def _numbers(folded: str) -> Iterator[tuple[int, int, str]]:
    """Codes of départements after a word that says so: where they start, where they end."""
    for found in _NUMBERED.finditer(folded):
        start: int = found.start()
        here: re.Match[str] | None = found
        while here and (code := here["code"].upper()) in DEPARTMENTS:
            yield start, here.end(), code
            here = _NUMBER_TOO.match(folded, here.end())
            start = here.start("code") if here else 0


def _start(reading: Reading, name: Name, last: int) -> int | None:
    """Where the words that make a place of a name begin; None where it is no place for sure.

    `last` is where the place before it ended: "en Savoie ou dans l'Ain" goes on with it.
    """
    folded, start = reading.folded, name.start
    before, key = reading.before(start, 80), place_key(folded[start : name.end])
    if _part_of_longer(folded, start, name.end) or _unlike(folded, name.end, key):
        return None
    if region := _REGION.search(before):
        return start - len(region[0])
    if not _written_as_a_place(reading, name, key, before):
        return None
    if inside := _IN.search(before):
        return start - len(inside[0])
    if inside := _EN.search(before):
        return None if key in _NEVER_EN else start - len(inside[0])
    if 0 <= last <= start and _AND.fullmatch(folded, last, start):
        return start
    if maker := _OF_MAKER.search(before):
        return start - len(maker["of"])
    if at := _AT.search(before):
        return start - len(at[0]) if key in ISLANDS | {"reunion"} else None
    if key in _COMMON or _OF.search(before) or (_RIVER.search(before) and " " not in key):
        return None
    return start


def _part_of_longer(folded: str, start: int, end: int) -> bool:
    """Whether a hyphen makes a name part of a longer one ("Pont-de-l'Isère", "Paris-Brest")."""
    return begins_inside(folded, start) or _GOES_ON.match(folded, end) is not None


def _unlike(folded: str, end: int, key: str) -> bool:
    rules = {"nord": _NOT_NORTH, "lot": _NOT_LOT}
    return key in rules and rules[key].match(folded, end) is not None


def _written_as_a_place(reading: Reading, name: Name, key: str, before: str) -> bool:
    """Whether a name that a word or initials share has the capitals, or the article, of a place."""
    if key in _SHORT:
        shouted = reading.in_capitals(name.start, name.end)
        article = key != "aura" and _ARTICLE.search(before) is not None
        return key not in ("cvl", "hdf", "pdl") and (shouted or article)
    if key in _CAPITAL:
        return reading.cased and _capitals(reading.given(name.start, name.end))
    return True


def _capitals(written: str) -> bool:
    return all(word[0].isupper() for word in re.findall(r"\w+", written) if word != "la")
