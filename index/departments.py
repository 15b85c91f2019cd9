"""The 101 French départements and 18 regions: names, neighbours, places.

`departments.tsv` holds facts of INSEE and IGN (Admin Express), under Licence Ouverte 2.0.
"""

import re
from csv import DictReader
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from embed.text import fold

Nearness = Literal["même département", "département voisin", "même région"]


@dataclass(frozen=True, slots=True)
class Department:
    """A département; degrees in WGS 84.

    `region` is an INSEE code, `neighbours` the codes of those it shares a border with, `lat` and
    `lon` the mean place of its inhabitants, `seat` the name of its chef-lieu.
    """

    code: str
    name: str
    region: str
    neighbours: frozenset[str]
    lat: float
    lon: float
    seat: str
    seat_lat: float
    seat_lon: float


def _rows() -> list[dict[str, str]]:
    with Path(__file__).with_name("departments.tsv").open(encoding="utf-8", newline="") as file:
        return list(DictReader(file, delimiter="\t"))


def _department(row: dict[str, str]) -> Department:
    return Department(
        code=row["code"],
        name=row["name"],
        region=row["region"],
        neighbours=frozenset(row["neighbours"].split()),
        lat=float(row["lat"]),
        lon=float(row["lon"]),
        seat=row["seat"],
        seat_lat=float(row["seat_lat"]),
        seat_lon=float(row["seat_lon"]),
    )


_ROWS = _rows()
FACTS = {row["code"]: _department(row) for row in _ROWS}
"""INSEE code → département, 101 of them."""

DEPARTMENTS = {code: department.name for code, department in FACTS.items()}
"""INSEE code → name."""

REGIONS = {row["region"]: row["region_name"] for row in _ROWS}
"""INSEE code → name of the 18 regions since 2016."""

REGION_NAMES = {
    **{name: code for code, name in REGIONS.items()},
    "AURA": "84", "BFC": "27", "CVL": "24", "HDF": "32", "IDF": "11", "PACA": "93", "PDL": "52",
    "Région parisienne": "11", "Région Sud": "93",
    "Alsace": "44", "Aquitaine": "75", "Auvergne": "84", "Basse-Normandie": "28",
    "Bourgogne": "27", "Centre": "24", "Champagne-Ardenne": "44", "Franche-Comté": "27",
    "Haute-Normandie": "28", "Languedoc-Roussillon": "76", "Limousin": "75", "Lorraine": "44",
    "Midi-Pyrénées": "76", "Nord-Pas-de-Calais": "32", "Picardie": "32",
    "Poitou-Charentes": "75", "Rhône-Alpes": "84",
}  # fmt: skip
"""Name → INSEE code of a region: its name, short names, and the regions before 2016 it took in."""


def _plain(name: str) -> str:
    words = re.findall(r"\w+", fold(name))
    return " ".join(word for word in words if word not in ("l", "la", "le", "les", "d", "de", "du"))


_CODES = {_plain(name): code for code, name in DEPARTMENTS.items()}
_REGION_CODES = {_plain(name): code for name, code in REGION_NAMES.items()}


def department_code(text: str) -> str:
    """The code in "74", "1", "74 - Haute-Savoie", "Isère (38)" or "Haute Savoie".

    The text itself where it names none.
    """
    for number in re.findall(r"2[ABab]|\d{1,3}", text):
        if number.upper().zfill(2) in DEPARTMENTS:
            return str(number.upper().zfill(2))
    return _CODES.get(_plain(re.sub(r"\(.*?\)", "", text)), text)


def department_of(postcode: str) -> str | None:
    """The département that a postcode begins with, Corsica and overseas included."""
    start = postcode[:3] if postcode.startswith("97") else postcode[:2]
    if start == "20":
        start = "2A" if postcode[:3] in ("200", "201") else "2B"
    return start if start in DEPARTMENTS else None


def region_code(text: str) -> str:
    """The INSEE code in "27", "Bourgogne Franche Comté", "région BFC" or "Franche-Comté".

    A region from before 2016 gives the one it lies in today; the text itself where it names none.
    """
    if text.strip() in REGIONS:
        return text.strip()
    plain = _plain(text)
    return _REGION_CODES.get(plain) or _REGION_CODES.get(plain.removeprefix("region "), text)


def nearness(one: str | None, other: str | None) -> Nearness | None:
    """How near two départements are, by code; None where far apart, unknown or not given."""
    first, second = FACTS.get(one or ""), FACTS.get(other or "")
    if first is None or second is None:
        return None
    if first is second:
        return "même département"
    if second.code in first.neighbours:
        return "département voisin"
    return "même région" if first.region == second.region else None
