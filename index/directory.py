"""Supplier directories: CSV, Excel or JSONL files in, suppliers and rejected lines out."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from embed.errors import MaillonError
from embed.passages import passages
from embed.text import clean, fold
from index.departments import department_code, department_of
from index.suppliers import Supplier, SupplierError, parse_supplier
from index.tables import Columns, Row, harmless, read_table

COLUMNS: Columns = {
    "name": ("nom", "name", "raison sociale", "denomination", "denomination sociale", "entreprise",
             "nom de l entreprise", "societe", "fournisseur", "supplier", "company", "enseigne"),
    "capabilities": ("capacites", "capacite", "capabilities", "capability", "savoir faire",
                     "activites", "activite", "competences", "competence", "prestations",
                     "procedes", "services", "description", "skills", "activities"),
    "id": ("id", "identifiant", "reference", "ref", "code fournisseur", "supplier id"),
    "department": ("departement", "dep", "dept", "department", "code departement",
                   "n departement"),
    "postcode": ("code postal", "cp", "postcode", "postal code", "zip", "zip code"),
    "city": ("commune", "ville", "city", "town", "localite"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "longitude"),
    "certifications": ("certifications", "certification", "certificats", "labels", "normes",
                       "qualifications"),
    "series": ("series", "serie", "taille de serie", "tailles de serie", "volumes"),
    "naf": ("naf", "code naf", "ape", "code ape", "naf code"),
    "siret": ("siret", "n siret", "numero siret", "siret number"),
    "url": ("site web", "site", "site internet", "url", "website", "web"),
}  # fmt: skip
_JSONL = (".jsonl", ".ndjson")
_SERIES = {
    "prototype": ("proto", "unitaire", "piece unique"),
    "petite": ("petit", "small"),
    "moyenne": ("moyen", "medium"),
    "grande": ("grand", "large"),
}
_BULLET = re.compile(r"^[-•·*–]\s+")


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that is no supplier, and why: what is wrong, what was found, what to do."""

    path: Path
    line: int
    reason: str
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}: {self.reason}"


@dataclass(slots=True)
class Directory:
    """What a supplier file holds; every line is among the suppliers or among the rejects."""

    path: Path
    header: tuple[str, ...]
    detected: str
    suppliers: list[Supplier] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def write_rejects(self) -> Path | None:
        """Write the rejected lines and their reasons beside the file, ready for Excel.

        Nothing is written, and an earlier rejects file goes, where every line was accepted.
        """
        beside = self.path.with_name(f"{self.path.name}.rejects.csv")
        if not self.rejects:
            beside.unlink(missing_ok=True)
            return None
        with beside.open("w", encoding="utf-8-sig", newline="") as file:
            sheet = csv.writer(file, delimiter=";")
            sheet.writerow(("ligne", "motif", *self.header))
            sheet.writerows((r.line, r.reason, *map(harmless, r.cells)) for r in self.rejects)
        return beside


def read_suppliers(path: Path, *, strict: bool = False) -> Directory:
    """Read a directory; `strict` stops at the first line that would be rejected.

    Lines of one company (same id, nothing else different) are one supplier with the capabilities
    of all. Raises `MaillonError` where the file cannot be read at all, or, with `strict`, at the
    first bad line.
    """
    if not path.is_file():
        raise MaillonError(f"{path}: no such file. Give a .csv, .xlsx or .jsonl file of suppliers.")
    directory, records = _open(path)
    seen: dict[str, tuple[int, int]] = {}
    for line, cells, record in records:
        try:
            if isinstance(record, SupplierError):
                raise record
            _add(directory.suppliers, parse_supplier(record), line, seen)
        except SupplierError as error:
            reject = Reject(path, line, str(error), cells)
            if strict:
                raise MaillonError(str(reject)) from error
            directory.rejects.append(reject)
    return directory


_Record = tuple[int, tuple[str, ...], dict[str, Any] | SupplierError]


def _open(path: Path) -> tuple[Directory, Iterator[_Record]]:
    if path.suffix.lower() in _JSONL:
        return Directory(path, ("ligne d'origine",), "JSONL"), _json_records(path)
    table = read_table(path, COLUMNS, required=("name", "capabilities"))
    records = (_table_record(row, len(table.header)) for row in table.rows)
    return Directory(path, table.header, table.detected), records


def _add(
    suppliers: list[Supplier], new: Supplier, line: int, seen: dict[str, tuple[int, int]]
) -> None:
    if new.id not in seen:
        seen[new.id] = (len(suppliers), line)
        suppliers.append(new)
        return
    place, first = seen[new.id]
    known = suppliers[place]
    if replace(new, capabilities=known.capabilities) != known:
        raise SupplierError(
            f"identifiant « {new.id} » déjà donné ligne {first} à une fiche différente "
            f"(« {known.name} »). Corrigez l'un des deux ou ajoutez une colonne « id »."
        )
    suppliers[place] = replace(known, capabilities=(*known.capabilities, *new.capabilities))


def _json_records(path: Path) -> Iterator[_Record]:
    with path.open("rb") as file:
        for line, content in enumerate(file, start=1):
            if content.strip():
                text = content.decode("utf-8-sig", errors="replace").strip()
                yield line, (text,), _json_record(text)


def _json_record(text: str) -> dict[str, Any] | SupplierError:
    try:
        record = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        return SupplierError(f"JSON illisible ({error}). Corrigez la ligne : {text[:60]}")
    if not isinstance(record, dict):
        return SupplierError(f"un objet JSON {{…}} est attendu, trouvé : {text[:60]}")
    return record


def _table_record(row: Row, width: int) -> _Record:
    if len(row.cells) > width:
        error = SupplierError(
            f"{len(row.cells)} cellules pour {width} colonnes. Mettez entre guillemets les textes "
            "qui contiennent le séparateur."
        )
        return row.line, row.cells, error
    try:
        return row.line, row.cells, _from_cells(row.values)
    except SupplierError as error:
        return row.line, row.cells, error


def _from_cells(values: dict[str, list[str]]) -> dict[str, Any]:
    record: dict[str, Any] = {name: cells[0] for name, cells in values.items()}
    record["name"] = record.get("name", "")
    record["capabilities"] = [c for cell in values.get("capabilities", []) for c in _split(cell)]
    record["certifications"] = _list(values, "certifications")
    record["series"] = [_series(text) for text in _list(values, "series")]
    for name in ("lat", "lon"):
        if name in record:
            record[name] = record[name].replace(",", ".")
    _complete_numbers(record)
    record.setdefault("id", record.get("siret") or _derived_id(record))
    return record


def _complete_numbers(record: dict[str, Any]) -> None:
    """Give back the leading zeros that spreadsheets drop, and the département of a postcode."""
    for name, digits in (("postcode", 5), ("siret", 14)):
        compact = record.get(name, "").replace(" ", "").replace("\xa0", "")
        if compact.isdigit() and len(compact) == digits - 1:
            record[name] = compact.zfill(digits)
    if "department" in record:
        record["department"] = department_code(record["department"])
    elif code := department_of(record.get("postcode", "")):
        record["department"] = code


def _split(cell: str) -> list[str]:
    parts = re.split(r"[|\n\r]+", cell)
    texts = (_BULLET.sub("", part.strip()) for part in parts if part.strip())
    return [passage for text in texts for passage in passages(text)]


def _list(values: dict[str, list[str]], name: str) -> list[str]:
    parts = re.split(r"[|;,\n\r]+", "|".join(values.get(name, [])))
    return [part.strip() for part in parts if part.strip()]


def _series(text: str) -> str:
    folded = fold(clean(text))
    for series, starts in _SERIES.items():
        if folded.startswith(starts):
            return series
    raise SupplierError(
        f"série inconnue : « {text[:60]} ». Donnez prototype, petite, moyenne ou grande."
    )


def _derived_id(record: dict[str, Any]) -> str:
    place = record.get("postcode") or record.get("city") or record.get("department") or ""
    parts = re.findall(r"[a-z0-9]+", fold(f"{record['name']} {place}"))
    return "-".join(parts)
