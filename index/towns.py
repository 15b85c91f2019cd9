"""Towns that a need names, and places that it wants to be near to: "à 30 km de Lyon"."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from embed.text import fold
from index.departments import DEPARTMENTS, FACTS
from index.folding import Found, Reading, place_key
from index.named_places import AREAS, BRACKETS, DE, ISLANDS, LE, begins_inside
from index.names import Name

_THINGS = frozenset(Path(__file__).with_name("things.txt").read_text(encoding="utf-8").split())
"""Names of communes that are words too: no town where capitals do not tell."""

_WITH_ARTICLE = frozenset((
    "la ciotat", "la fleche", "la rochelle", "le creusot", "le havre", "le mans", "le puy",
    "les herbiers", "les ulis",
))  # fmt: skip
"""Towns known well enough to be told, article and all, in small letters."""

_KM = r"(\d{1,4})(?:[.,]\d)? ?(?:kms?|kilometres?)\b"
_AROUND = re.compile(
    rf"(?<![\w'-])(?:(?:dans |sur )?un rayon (?:de |d' ?)(?:environ )?{_KM}(?: autour)?|"
    r"a (?:moins de |environ |peu pres |maximum |max )?"
    rf"(?:{_KM}|\d{{1,3}} ?(?:min(?:utes?)?|h(?:eures?)?)|une heure)"
    r"(?: (?:maximum|max|maxi|autour|environ))?|"
    r"autour|pres|proches?|a proximite|aux? alentours|aux? environs|alentours|environs|"
    r"(?:a|du) cote|(?:pas (?:trop )?|non )loin|"
    rf"(?P<area>(?:(?:dans|sur|en) )?{LE}?(?:region|secteur|agglomeration|metropole|banlieue)))"
    rf" (?P<of>{DE})(?=[^\W\d_])"
)
_TO = re.compile(
    r"(?<![\w'-])(?:(?:bases?|basees?|situes?|situees?|implante\w*|installe\w*|localise\w*) )?"
    r"(?P<of>a|aux?|sur|vers) (?=[^\W\d_])"
)
_OR = re.compile(r" ?(?:/|\bou\b|\bet\b) ?(?:(?:a|sur|de) |d' ?)?(?=[^\W\d_])")
_MELTED = {"du": "le", "des": "les", "au": "le", "aux": "les", "de la": "la", "de l'": "l"}
"""Prepositions that hold an article: "du Mans" is of "Le Mans"."""

_LONGEST = 8
"""Words of the longest name of a commune that is tried."""

_GOES_ON = re.compile(r"-?[^\W_]|'")
_SMALL = {"sur", "sous", "en", "de", "du", "des", "la", "le", "les", "et", "aux", "d", "l"}


def towns_in(
    reading: Reading, areas: Sequence[Name], towns: Callable[[str], bool]
) -> Iterator[Found]:
    """The places that a text names as the middle of an area, and the towns that it names.

    `areas` are the names of départements and regions in it; `towns` says whether a `place_key` is
    that of a commune, and seats of départements are known without it.
    """
    seats = _seats()
    here = _Towns(
        reading,
        lambda key: key in seats or towns(key),
        {token.start: place for place, token in enumerate(reading.tokens)},
    )
    yield from here.near(areas)
    yield from here.coded()


@cache
def _seats() -> frozenset[str]:
    return frozenset(place_key(department.seat) for department in FACTS.values())


class _Lead(NamedTuple):
    """Words that go before a town, `of` the last of them; `sure` if only before places."""

    start: int
    end: int
    of: str
    sure: bool
    km: float | None


def _leads(folded: str) -> list[_Lead]:
    leads = []
    for m in _AROUND.finditer(folded):
        km = next((float(km) for km in m.groups()[:2] if km), None)
        leads.append(_Lead(m.start(), m.end(), m["of"], m["area"] is None, km))
    leads += [_Lead(m.start(), m.end(), m["of"], False, None) for m in _TO.finditer(folded)]
    return sorted(leads, key=lambda lead: lead.start)


class _Town(NamedTuple):
    """A town's name, and where in the folded text it ends."""

    name: str
    end: int


@dataclass(frozen=True, slots=True)
class _Towns:
    """The towns of one text; `at` has the number of the token that starts at each place."""

    reading: Reading
    known: Callable[[str], bool]
    at: dict[int, int]

    def near(self, areas: Sequence[Name]) -> Iterator[Found]:
        """Towns and areas after words of place: "près de Metz", "autour de la Loire"."""
        at_start = {area.start: area for area in areas}
        done = 0
        for lead in _leads(self.reading.folded):
            if lead.start < done:
                continue
            town = self.town(lead.end, lead.of.strip(), lead.sure)
            area = at_start.get(lead.end)
            if area and area.end > (town.end if town else 0):
                if lead.sure:
                    done = area.end
                    name = AREAS[area.label].name
                    yield _near(name, f"{lead.of}{name}", lead.start, done, lead.km)
                continue
            for found in self.row(lead, town):
                done = found.end
                yield found

    def row(self, lead: _Lead, town: _Town | None) -> Iterator[Found]:
        """A town after words of place, and those that follow: "à Metz, Nancy ou Épinal"."""
        folded, start = self.reading.folded, lead.start
        while town:
            brackets = BRACKETS.match(folded, town.end)
            end = brackets.end() if brackets else town.end
            yield _near(town.name, _of(town.name), start, end, lead.km)
            more = _OR.match(folded, end)
            start = more.end() if more else end
            town = self.town(start, "de", False) if more else None

    def coded(self) -> Iterator[Found]:
        """Towns with their département after them: "Besançon (25)"."""
        tokens, folded = self.reading.tokens, self.reading.folded
        ends = {token.end: place for place, token in enumerate(tokens)}
        for brackets in BRACKETS.finditer(folded):
            last = ends.get(brackets.start())
            if last is None or brackets["code"].upper() not in DEPARTMENTS:
                continue
            for token in tokens[max(0, last - _LONGEST + 1) : last + 1]:
                town = self.town(token.start, "", False)
                if town and town.end == brackets.start() and not begins_inside(folded, token.start):
                    yield _near(town.name, _of(town.name), token.start, brackets.end(), None)
                    break

    def town(self, start: int, of: str, sure: bool) -> _Town | None:
        """The longest known town that starts at a place of the folded text, after `of`.

        `sure` after words that only go before places; elsewhere a capital must tell the town, or,
        in a text without any, that its name is no other word.
        """
        article = _MELTED.get(of, "")
        for end in self.ends(start):
            key = place_key(f"{article} {self.reading.folded[start:end]}")
            if _GOES_ON.match(self.reading.folded, end) or not self.known(key):
                continue
            if key in ISLANDS and not sure:
                return None
            written = self.reading.given(start, end)
            if self.told(key, written, sure):
                return _Town(_titled(article, written), end)
        return None

    def told(self, key: str, written: str, sure: bool) -> bool:
        """Whether a town's name, as written, is no other word."""
        if self.reading.cased and any(c.isupper() for c in written):
            return True
        return not _is_thing(key) and (sure or not self.reading.cased)

    def ends(self, start: int) -> list[int]:
        """Where a name from a place on may end, the last first: words one sign apart."""
        ends: list[int] = []
        first = self.at.get(start, len(self.reading.tokens))
        for token in self.reading.tokens[first : first + _LONGEST]:
            if not token.form[0].isalpha() or (ends and token.start != ends[-1] + 1):
                break
            ends.append(token.end)
        return ends[::-1]


def _near(name: str, of: str, start: int, end: int, km: float | None) -> Found:
    label = f"autour {of}" if km is None else f"autour {of} ({km:g} km)"
    return Found("near", name, label, start, end, km)


def _is_thing(key: str) -> bool:
    """Whether a name in small letters may be a thing: "sur la table" is not at La Table."""
    article = key.split()[0] in ("l", "la", "le", "les")
    return key in _THINGS or (article and key.count(" ") == 1 and key not in _WITH_ARTICLE)


def _titled(article: str, written: str) -> str:
    """The name of a town with its article and, where it has none of its own, its capitals."""
    name = f"l'{written}" if article == "l" else f"{article} {written}".strip()
    if written.islower() or (written.isupper() and len(written) > 3):
        parts = re.split(r"([^\W_]+)", name.lower())
        name = "".join(part if part in _SMALL else part.capitalize() for part in parts)
    return name[0].upper() + name[1:]


def _of(town: str) -> str:
    """The town after "de": "de Metz", "d'Oyonnax", "du Mans", "des Herbiers"."""
    for article, melted in (("Le ", "du "), ("Les ", "des ")):
        if town.startswith(article):
            return melted + town.removeprefix(article)
    return f"d'{town}" if fold(town[0]) in "aeiouy" else f"de {town}"
