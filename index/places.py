"""Where suppliers are, how far from a visitor, and what nearness is worth in a ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from embed.errors import MaillonError
from embed.text import clean
from index.departments import FACTS, department_code, department_of, region_code
from index.suppliers import Supplier

EARTH_KM = 6_371.0
HALVED_KM = 150.0
"""The distance at which what nearness is worth has fallen by half."""

MAX_KM = 20_000.0

Points = NDArray[np.float32]
"""Places as points of the unit sphere, `(n, 3)`; NaN where unknown."""


class PlaceError(MaillonError, ValueError):
    """A place that is not known, or is none."""


class Spot(NamedTuple):
    """A place found: degrees in WGS 84, and its département where it is known."""

    lat: float
    lon: float
    department: str | None = None


class Gazetteer(Protocol):
    """Knows communes and postcodes, or none of them."""

    def commune(self, name: str, department: str | None) -> Spot | None:
        """The commune of that name (in that département), the most populous of several."""

    def postcode(self, code: str) -> Spot | None:
        """The middle of a postcode."""


@dataclass(frozen=True, slots=True)
class Near:
    """A place to be near to: a département (code or name), a city, or degrees in WGS 84.

    `city` is a commune, with its `department` where several have its name, a postcode or a region.

    `max_km` leaves out the suppliers farther away, and those whose place is unknown. Raises
    `PlaceError`.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    department: str | None = None
    city: str | None = None
    lat: float | None = None
    lon: float | None = None
    max_km: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "department", clean(self.department or "") or None)
        object.__setattr__(self, "city", clean(self.city or "") or None)
        if (self.lat is None) != (self.lon is None):
            raise PlaceError("lat and lon go together. Give both, or a department or a city.")
        if self.lat is None and not self.department and not self.city:
            raise PlaceError("near names no place. Give department, city, or lat and lon.")
        for name, value, low, high in (
            ("lat", self.lat, -90, 90),
            ("lon", self.lon, -180, 180),
            ("max_km", self.max_km, 0, MAX_KM),
        ):
            if value is not None and not low <= value <= high:
                raise PlaceError(f"{name} is {value}. Give {low:g} to {high:g}.")

    def find(self, places: Gazetteer) -> Spot:
        """Where it is; raises `PlaceError` for a département or commune that is not known."""
        if self.lat is not None and self.lon is not None:
            return Spot(self.lat, self.lon)
        code = department_code(self.department) if self.department else None
        if code and code not in FACTS:
            raise PlaceError(f"département inconnu : « {self.department} ». Donnez 74, 2A ou 971.")
        if not self.city:
            return _middle(str(code))
        found = places.commune(self.city, code) or _other(self.city, places)
        if found is None:
            raise PlaceError(
                f"commune inconnue : « {self.city[:60]} ». Donnez une ville plus grande, un code "
                "postal ou un département."
            )
        return found


def locate(supplier: Supplier, places: Gazetteer) -> Spot | None:
    """Where a supplier is: its own degrees, else its commune, its postcode, its département."""
    code = supplier.department
    if supplier.lat is not None and supplier.lon is not None:
        return Spot(supplier.lat, supplier.lon, code)
    town = places.commune(supplier.city, code) if supplier.city and code else None
    post = places.postcode(supplier.postcode) if supplier.postcode and not town else None
    return town or post or (_middle(code) if code else None)


def points(spots: Sequence[Spot | None]) -> Points:
    """Places as float32 points of the unit sphere, `(n, 3)`; NaN for None."""
    degrees = [(spot.lat, spot.lon) if spot else (np.nan, np.nan) for spot in spots]
    lat, lon = np.radians(np.array(degrees, np.float64).reshape(-1, 2)).T
    flat = np.cos(lat)
    sphere = np.stack([flat * np.cos(lon), flat * np.sin(lon), np.sin(lat)], axis=1)
    return sphere.astype(np.float32)


def distances(of: Points, spot: Spot) -> NDArray[np.float32]:
    """Great-circle kilometres from a place, float32 `(n,)`; infinite where a place is unknown."""
    chords = np.linalg.norm(of - points([spot]), axis=1)
    km: NDArray[np.float32] = 2 * EARTH_KM * np.arcsin(np.clip(chords / 2, 0, 1))
    return np.where(np.isnan(km), np.float32(np.inf), km)


def worth(km: NDArray[np.float32], proximity: float) -> NDArray[np.float32]:
    """What a score is multiplied by at a distance: 1 near by, falling towards `1 - proximity`.

    The part that nearness decides halves every 150 km: `1 - p + p * 2 ** (-km / 150)`.
    """
    factors: NDArray[np.float32] = 1 - proximity + proximity * np.exp2(-km / HALVED_KM)
    return factors.astype(np.float32)


def _other(name: str, places: Gazetteer) -> Spot | None:
    """A place that is no commune by its name: a postcode, else its département; a region."""
    if found := places.postcode(name):
        return found
    if code := department_of(name) if name.isdigit() else None:
        return _middle(code)
    region = [fact for fact in FACTS.values() if fact.region == region_code(name)]
    if not region:
        return None
    lat, lon = (
        sum(values) / len(region) for values in zip(*((f.lat, f.lon) for f in region), strict=True)
    )
    return Spot(lat, lon)


def _middle(code: str) -> Spot:
    fact = FACTS[code]
    return Spot(fact.lat, fact.lon, code)
