"""Supplier directories: CSV, Excel or JSONL files in, suppliers and rejected lines out."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from itertools import count
from pathlib import Path
from typing import Any

from embed.errors import MaillonError
from embed.text import clean
from index.dialects import harmless
from index.records import record_of
from index.suppliers import Supplier, SupplierError, parse_supplier
from index.tables import Columns, Row, read_table

COLUMNS = Columns(
    names={
        "name": ("raison sociale", "denomination sociale", "denomination", "entreprise",
                 "nom de l entreprise", "nom entreprise", "societe", "nom de la societe",
                 "nom societe", "fournisseur", "nom du fournisseur", "supplier", "company",
                 "company name", "enseigne", "nom", "name"),
        "capabilities": ("capacites", "capacite", "capabilities", "capability", "savoir faire",
                         "activites", "activite", "activite principale", "activites principales",
                         "activite secondaire", "activites secondaires", "competences",
                         "competence", "prestations", "procedes", "services", "specialites",
                         "specialite", "metiers", "metier", "description", "skills",
                         "activities"),
        "id": ("id", "identifiant", "reference", "ref", "code fournisseur", "supplier id"),
        "department": ("departement", "dep", "dept", "department", "code departement",
                       "n departement", "numero departement"),
        "postcode": ("code postal", "cp", "postcode", "postal code", "zip code", "zip"),
        "city": ("commune", "ville", "city", "town", "localite"),
        "lat": ("latitude", "lat"),
        "lon": ("longitude", "lon", "lng"),
        "certifications": ("certifications", "certification", "certificats", "labels", "normes",
                           "qualifications"),
        "series": ("series", "serie", "taille de serie", "tailles de serie", "volumes"),
        "naf": ("naf", "code naf", "ape", "code ape", "naf code"),
        "siret": ("siret", "n siret", "numero siret", "siret number"),
        "tags": ("etiquettes", "etiquette", "tags", "tag", "filieres", "filiere", "mots cles",
                 "groupements"),
        "url": ("site web", "site internet", "url", "website", "site", "web"),
    },
    required=("name", "capabilities"),
    several=("capabilities", "certifications", "series", "tags"),
    example=(
        "une colonne « nom », « entreprise » ou « raison sociale », et une colonne « capacités », "
        "« savoir-faire », « activités » ou « prestations »"
    ),
)  # fmt: skip
_JSONL = (".jsonl", ".ndjson")

Known = dict[str, tuple[list[Supplier], int, str]]
"""Ids already read: for each the list that holds the supplier, its place there, and file:line."""


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

    def rejects_path(self) -> Path:
        """Where `write_rejects` writes: beside the file, under a name of its own."""
        return self.path.with_name(f"{self.path.name}.rejects.csv")

    def write_rejects(self) -> Path | None:
        """Write the rejected lines and their reasons beside the file, ready to be mended in Excel.

        An earlier rejects file is set aside under a numbered name: it may have been mended.
        """
        if not self.rejects:
            return None
        beside = self.rejects_path()
        if beside.exists():
            numbered = (beside.with_name(f"{beside.stem}-{n}.csv") for n in count(1))
            beside.rename(next(free for free in numbered if not free.exists()))
        with beside.open("w", encoding="utf-8-sig", newline="") as file:
            sheet = csv.writer(file, delimiter=";")
            sheet.writerow(("ligne", "motif", *self.header))
            sheet.writerows((r.line, r.reason, *map(harmless, r.cells)) for r in self.rejects)
        return beside


def read_suppliers(path: Path, *, strict: bool = False, known: Known | None = None) -> Directory:
    """Read a directory; `strict` stops at the first line that would be rejected.

    Lines of one company (same id, nothing else different) are one supplier with the capabilities
    of all; so are lines of several files that are read with one `known`. Raises `MaillonError`
    where the file cannot be read at all, or, with `strict`, at the first bad line.
    """
    if not path.is_file():
        raise MaillonError(f"{path}: no such file. Give a .csv, .xlsx or .jsonl file of suppliers.")
    known = {} if known is None else known
    directory, records = _open(path)
    for line, cells, record in records:
        try:
            if isinstance(record, SupplierError):
                raise record
            _add(directory.suppliers, parse_supplier(record), f"{path.name}:{line}", known)
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
    table = read_table(path, COLUMNS)
    records = (_table_record(row, len(table.header)) for row in table.rows)
    return Directory(path, table.header, table.detected), records


def _add(suppliers: list[Supplier], new: Supplier, at: str, known: Known) -> None:
    if new.id not in known:
        known[new.id] = (suppliers, len(suppliers), at)
        suppliers.append(new)
        return
    holder, place, first = known[new.id]
    old = holder[place]
    for attribute in fields(Supplier):
        one, other = getattr(old, attribute.name), getattr(new, attribute.name)
        if attribute.name != "capabilities" and one != other:
            raise SupplierError(
                f"identifiant « {new.id} » déjà donné en {first}, avec un autre champ "
                f"« {attribute.name} » : « {one} » là, « {other} » ici. Accordez les deux lignes, "
                "ou distinguez les entreprises par une colonne « id »."
            )
    holder[place] = replace(old, capabilities=(*old.capabilities, *new.capabilities))


def _json_records(path: Path) -> Iterator[_Record]:
    with path.open("rb") as file:
        for line, content in enumerate(file, start=1):
            if content.strip():
                text = content.decode("utf-8-sig", errors="replace").strip()
                yield line, (text,), json_record(content)


def json_record(content: bytes) -> dict[str, Any] | SupplierError:
    """The object of a line of JSON, or why it is none, in French."""
    try:
        text = content.decode("utf-8-sig")
        record = json.loads(text)
    except UnicodeDecodeError as error:
        return SupplierError(
            f"octet {content[error.start]:#x} illisible en UTF-8. Enregistrez le fichier en UTF-8."
        )
    except (ValueError, RecursionError):  # a number of 5,000 digits is no JSONDecodeError
        return SupplierError(f"JSON illisible : « {clean(text)[:60]} ». Corrigez la ligne.")
    if not isinstance(record, dict):
        return SupplierError(f"un objet JSON {{…}} est attendu, trouvé : « {clean(text)[:60]} ».")
    return record


def _table_record(row: Row, width: int) -> _Record:
    if len(row.cells) > width:
        beyond = " | ".join(cell for cell in row.cells[width:] if cell)
        error = SupplierError(
            f"cellules au-delà des colonnes titrées : « {beyond[:60]} ». Donnez-leur un titre ou "
            "videz-les ; dans un CSV, mettez entre guillemets les textes où est le séparateur."
        )
        return row.line, row.cells, error
    try:
        return row.line, row.cells, record_of(row.values)
    except SupplierError as error:
        return row.line, row.cells, error
