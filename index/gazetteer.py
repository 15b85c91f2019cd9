"""Communes and postcodes, from the official table that the operator loads once."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO, cast

from embed.errors import MaillonError
from embed.text import fold
from index.catalogue import Catalogue
from index.departments import DEPARTMENTS, FACTS
from index.folding import place_key
from index.places import Spot

_NAMES = {
    "name": ("nom", "nom_commune", "nom_standard", "nom_commune_complet", "libelle", "commune",
             "commune_principale", "nom_de_la_commune"),
    "department": ("departement", "dep_code", "code_departement", "dep", "num_dep"),
    "code": ("code_insee", "code_commune_insee", "code_commune", "insee", "com"),
    "postcode": ("codes_postaux", "code_postaux", "code_postal", "cp", "postcode"),
    "lat": ("latitude", "lat", "latitude_centre", "latitude_mairie"),
    "lon": ("longitude", "lon", "lng", "longitude_centre", "longitude_mairie"),
    "point": ("_geopoint", "geopoint", "geo_point_2d", "coordonnees_gps", "coordonnees_geo"),
    "population": ("population", "population_2021", "pmun", "population_totale"),
}  # fmt: skip
_SEATS = {place_key(fact.seat): fact for fact in FACTS.values()}


class Commune(NamedTuple):
    """A line of the table: a commune, its postcodes, its place in degrees."""

    name: str
    department: str
    postcodes: tuple[str, ...]
    population: int
    lat: float
    lon: float


class KnownPlaces:
    """The communes and postcodes that a catalogue was given; without any, the prefectures."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def commune(self, name: str, department: str | None) -> Spot | None:
        """The commune of that name (in that département), the most populous of several."""
        key = place_key(name)
        found = self._catalogue.commune(key, department)
        if found:
            return Spot(*found)
        seat = _SEATS.get(key)
        if seat and department in (None, seat.code):
            return Spot(seat.seat_lat, seat.seat_lon, seat.code)
        return None

    def postcode(self, code: str) -> Spot | None:
        """The middle of a postcode."""
        found = self._catalogue.postcode(code)
        return Spot(*found) if found else None

    def knows(self, key: str) -> bool:
        """Whether a `place_key` is that of a commune."""
        return key in _SEATS or self._catalogue.commune(key, None) is not None


def load_places(catalogue: Catalogue, path: Path) -> int:
    """Put the communes and postcodes of a table into a catalogue, in place of those it had.

    A postcode stands where its most populous commune does. Raises `MaillonError` as `read_communes`
    does, and where the table holds no commune.
    """
    communes = list(read_communes(path))
    if not communes:
        raise MaillonError(f"{path.name}: no line holds a commune with its place.")
    rows = dict.fromkeys(  # La Poste gives a commune a line for each of its postcodes
        (place_key(c.name), c.department, c.name, c.population, c.lat, c.lon) for c in communes
    )
    upwards = sorted(communes, key=lambda commune: commune.population)
    codes = {code: (code, c.lat, c.lon) for c in upwards for code in c.postcodes}
    catalogue.place(rows, codes.values())
    return len(rows)


def read_communes(path: Path) -> Iterator[Commune]:
    """Read the table as INSEE, La Poste or data.gouv.fr publish it: CSV or TSV, gzipped or not.

    Lines without coordinates or without a known département are passed over. Raises
    `MaillonError` where the file has no column for name, code or département, lat and lon, or
    cannot be read.
    """
    try:
        with _opened(path) as file:
            first = file.readline()
            delimiter = max(";\t,", key=first.count)
            columns = _columns(path, next(csv.reader([first], delimiter=delimiter), []))
            for cells in csv.reader(file, delimiter=delimiter):
                if len(cells) > max(columns.values()) and (found := _commune(cells, columns)):
                    yield found
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise MaillonError(
            f"{path.name}: byte {byte:#x} is not UTF-8. Give the table of communes as UTF-8 text."
        ) from error
    except (gzip.BadGzipFile, zlib.error, EOFError, csv.Error) as error:
        raise MaillonError(f"{path.name}: damaged ({error}). Download it again.") from error


def _opened(path: Path) -> TextIO:
    if not path.is_file():
        raise MaillonError(f"{path}: no such file. Give the table of communes as published.")
    if path.suffix == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _columns(path: Path, header: list[str]) -> dict[str, int]:
    named = [fold(cell).strip().lstrip("#").replace(" ", "_") for cell in header]
    found = {
        field: named.index(name)
        for field, names in _NAMES.items()
        for name in reversed(names)
        if name in named
    }
    wanted = ("name",) if "point" in found else ("name", "lat", "lon")
    missing = [field for field in wanted if field not in found]
    if missing or not {"department", "code", "postcode"} & found.keys():
        raise MaillonError(
            f"{path.name}: no column for {', '.join(missing or ['department'])} among "
            f"{', '.join(header[:20])}. Give the table of communes with names, codes, latitudes "
            "and longitudes."
        )
    return found


def _commune(cells: list[str], columns: dict[str, int]) -> Commune | None:
    def cell(field: str) -> str:
        return cells[columns[field]].strip() if field in columns else ""

    point = (cell("lat"), cell("lon")) if "lat" in columns else cell("point").split(",")
    code = cell("department") or _department(cell("code") or cell("postcode"))
    try:
        lat, lon = (float(degrees.replace(",", ".")) for degrees in point)
        population = int(float(cell("population") or 0))
    except ValueError:
        return None
    if code.zfill(2) not in DEPARTMENTS or not (abs(lat) <= 90 and abs(lon) <= 180):
        return None
    postcodes = tuple(part.zfill(5) for part in cell("postcode").replace(",", " ").split())
    return Commune(cell("name"), code.zfill(2), postcodes, population, lat, lon)


def _department(code: str) -> str:
    return code[:3] if code.startswith("97") else code[:2]
