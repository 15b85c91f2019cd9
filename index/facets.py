"""What visitors filter by: place, certificates, series, NAF, tags."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from embed.errors import MaillonError
from embed.text import clean, fold
from index.certificates import certificate
from index.departments import FACTS, REGIONS, department_code, region_code
from index.postings import Places, Postings
from index.suppliers import Series, Supplier

FIELDS = ("departments", "regions", "certifications", "series", "naf", "tags")
MAX_VALUES = 200

_NAF = re.compile(r"(\d\d)\.?(\d|\d\d[A-Z]?)?|\d")

Mask = NDArray[np.bool_]


class FilterError(MaillonError, ValueError):
    """A filter value that no supplier can have."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which suppliers to look among: every field given must fit.

    Of `departments` and `regions` together (codes or names), of `series`, of `naf` (prefixes such
    as "25" or "25.62A") and of `tags` one must fit; of `certifications`, all. Raises `FilterError`.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    departments: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    certifications: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()
    naf: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checked = {
            "departments": [_department(text) for text in self.departments],
            "regions": [_region(text) for text in self.regions],
            "certifications": [certificate(text) for text in self.certifications],
            "series": self.series,
            "naf": [_naf(text) for text in self.naf],
            "tags": [clean(text) for text in self.tags],
        }
        for name, values in checked.items():
            if len(values) > MAX_VALUES:
                raise FilterError(f"{name}: {len(values)} values, at most {MAX_VALUES} are read.")
            object.__setattr__(self, name, tuple(dict.fromkeys(filter(None, values))))

    @classmethod
    def of(cls, *values: Sequence[str]) -> "Filters":
        """Filters from lists of texts, in the order of the fields; raises `FilterError`."""
        given = Filters(*map(tuple, values))  # type: ignore[arg-type]
        unknown = [text for text in given.series if text not in get_args(Series)]
        if unknown:
            raise FilterError(
                f"série inconnue : « {unknown[0][:60]} ». Donnez prototype, petite, moyenne ou "
                "grande."
            )
        return given

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in FIELDS)

    def open(self) -> "Iterator[tuple[str, Filters]]":
        """The fields chosen from of which one value must fit, and the filters without each."""
        if self.areas():
            yield "departments", replace(self, departments=(), regions=())
        for name in ("series", "naf", "tags"):
            if getattr(self, name):
                yield name, replace(self, **{name: ()})

    def areas(self) -> tuple[str, ...]:
        """The codes of the départements asked for, those of the regions included."""
        inside = (code for code, fact in FACTS.items() if fact.region in self.regions)
        return tuple(dict.fromkeys((*self.departments, *inside)))


Counted = dict[str, dict[str, int]]
"""Suppliers for each value of each field, most first."""


class Facets:
    """For each value of each field, the suppliers that have it."""

    def __init__(self, vocabulary: dict[str, int], postings: Postings, size: int) -> None:
        self._vocabulary = vocabulary
        self._postings = postings
        self._size = size

    @classmethod
    def build(cls, suppliers: Iterable[tuple[str, ...]]) -> "Facets":
        """Index the values of suppliers, as `values_of` gives them."""
        vocabulary: dict[str, int] = {}
        terms: list[int] = []
        rows: list[int] = []
        size = 0
        for row, values in enumerate(suppliers):
            terms += (vocabulary.setdefault(value, len(vocabulary)) for value in values)
            rows += [row] * len(values)
            size = row + 1
        ones = np.ones(len(rows), np.float32)
        table = (np.array(terms, np.int32), np.array(rows, np.int32), ones)
        return cls(vocabulary, Postings.build(*table, len(vocabulary)), size)

    def matching(self, filters: Filters) -> Mask | None:
        """Which suppliers fit, bool `(suppliers,)`; None where everybody does."""
        masks = list(self._masks(filters))
        return np.logical_and.reduce(masks) if masks else None

    def counts(self, among: Mask | None) -> Counted:
        """How many suppliers, of all or among some, have each value of each field."""
        held = np.ones(self._size, np.bool_) if among is None else among
        hits = np.concatenate([[0], np.cumsum(held[self._postings.rows])])
        bounds = self._postings.offsets
        found: Counted = {name: {} for name in FIELDS if name != "regions"}
        for value, place in self._vocabulary.items():
            count = int(hits[bounds[place + 1]] - hits[bounds[place]])
            name, _, shown = value.partition(":")
            if count:
                found[name][shown] = count
        return found

    def save(self, folder: Path) -> None:
        """Write values and postings into a folder, beside others' files."""
        text = "\n".join((str(self._size), *self._vocabulary))
        (folder / "facets.txt").write_text(text, encoding="utf-8")
        self._postings.save(folder / "facets")

    @classmethod
    def open(cls, folder: Path) -> "Facets":
        """Map what `save` wrote."""
        size, *values = (folder / "facets.txt").read_text(encoding="utf-8").split("\n")
        vocabulary = {value: place for place, value in enumerate(values)}
        return cls(vocabulary, Postings.open(folder / "facets"), int(size))

    def _masks(self, filters: Filters) -> Iterator[Mask]:
        areas = filters.areas()
        if areas:
            yield self._any(f"departments:{code}" for code in areas)
        for text in filters.certifications:
            yield self._any(self._alike("certifications", [text]))
        if filters.series:
            yield self._any(f"series:{value}" for value in filters.series)
        if filters.naf:
            yield self._any(self._beginning([f"naf:{prefix}" for prefix in filters.naf]))
        if filters.tags:
            yield self._any(self._alike("tags", filters.tags))

    def _alike(self, name: str, texts: Sequence[str]) -> list[str]:
        """The values of a field that are those texts, accents and capitals aside."""
        wanted = {f"{name}:{fold(text)}" for text in texts}
        return [v for v in self._beginning([f"{name}:"]) if fold(v) in wanted]

    def _beginning(self, prefixes: Sequence[str]) -> list[str]:
        return [value for value in self._vocabulary if value.startswith(tuple(prefixes))]

    def _any(self, values: Iterable[str]) -> Mask:
        mask = np.zeros(self._size, np.bool_)
        for value in values:
            if (place := self._vocabulary.get(value)) is not None:
                mask[self._column(place)] = True
        return mask

    def _column(self, place: int) -> Places:
        return self._postings.column(place)[0]


def values_of(supplier: Supplier) -> tuple[str, ...]:
    """The values a supplier can be filtered by, each under the name of its field."""
    found = [f"departments:{supplier.department}"] if supplier.department else []
    found += [f"certifications:{certificate(text)}" for text in supplier.certifications]
    found += [f"series:{value}" for value in supplier.series]
    found += [f"naf:{supplier.naf}"] if supplier.naf else []
    found += [f"tags:{tag}" for tag in supplier.tags]
    return tuple(dict.fromkeys(found))


def fits(supplier: Supplier, filters: Filters) -> bool:
    """Whether a supplier fits, asked of itself rather than of an index."""
    return not filters or bool(Facets.build([values_of(supplier)]).matching(filters))


def _department(text: str) -> str:
    code = department_code(clean(text))
    if code not in FACTS:
        raise FilterError(f"département inconnu : « {clean(text)[:60]} ». Donnez 74, 2A ou 971.")
    return code


def _naf(text: str) -> str:
    compact = "".join(clean(text).upper().split())
    found = _NAF.fullmatch(compact)
    if compact and not found:
        raise FilterError(f"code NAF inconnu : « {clean(text)[:60]} ». Donnez 25, 25.6 ou 25.62A.")
    return f"{found[1]}.{found[2]}" if found and found[2] else compact.rstrip(".")


def _region(text: str) -> str:
    code = region_code(clean(text))
    if code not in REGIONS:
        raise FilterError(
            f"région inconnue : « {clean(text)[:60]} ». Donnez une des {len(REGIONS)} régions, par "
            "exemple Bretagne ou 53."
        )
    return code
