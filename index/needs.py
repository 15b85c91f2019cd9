"""Files of needs to be matched in one go: a list, or a whole purchase programme."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from pydantic import TypeAdapter

from embed.errors import MaillonError
from embed.text import clean, fold
from index.places import Near
from index.reading import MAX_NEED, NeedError, check_need
from index.suppliers import Suggestion
from index.tables import Columns, Row, Table, read_table
from index.understanding import near_to

COLUMNS = Columns(
    names={
        "text": ("besoin", "besoins", "need", "needs", "description du besoin", "texte", "text",
                 "intitule du besoin", "libelle du besoin", "objet du besoin", "nature du besoin",
                 "expression du besoin", "designation du besoin", "besoin exprime", "demande",
                 "description", "objet", "objet du marche", "objet de la consultation",
                 "objet de l achat", "designation", "libelle", "libelle de l achat", "intitule",
                 "intitule du marche", "intitule de l achat", "projet d achat", "prestation",
                 "achat", "achats"),
        "id": ("id", "identifiant", "n", "numero", "reference", "ref", "ligne", "lot"),
        "suppliers": ("fournisseurs", "suppliers", "candidats", "candidates"),
        "postcode": ("code postal", "cp", "postcode"),
        "city": ("commune", "ville", "city"),
        "department": ("departement", "dep", "dept", "department", "code departement"),
        "place": ("lieu", "lieu de livraison", "lieu d execution", "site", "localisation",
                  "place"),
    },
    required=("text",),
    several=("suppliers",),
    example="une colonne « besoin », « demande » ou « description »",
)  # fmt: skip

_TOTAL = re.compile(r"(?:sous[ -]?)?tota(?:l|ux)(?: (?:general|ht|ttc|du lot|lot)\b.*)?\W*")
_POSTCODE = re.compile(r"\b\d{5}\b")


@dataclass(frozen=True, slots=True)
class Need:
    """A need of a file: its id, its text, the ids of the suppliers to rank (none: all).

    `near` are ways to say where it arises; the first that is known counts.
    """

    id: str
    text: str
    suppliers: tuple[str, ...] = ()
    near: tuple[Near, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """The best suppliers for a need, best first.

    `gap` says that nobody fits well; `local` how many suppliers near by suit it, None where its
    place, or what suits, is not known.
    """

    need: Need
    suggestions: list[Suggestion]
    gap: bool
    local: int | None


@dataclass(frozen=True, slots=True)
class Needs:
    """The needs of a file with their lines, and how the file was read, in French.

    `left` are the lines that hold no need, and why. `table` is None for JSONL.
    """

    needs: list[Need]
    lines: list[int]
    left: list[tuple[int, str]]
    detected: str
    table: Table | None = field(default=None, compare=False)

    @property
    def in_workbook(self) -> bool:
        """Whether they stand in a sheet of a workbook."""
        return self.table is not None and bool(self.table.sheet)


_NEED = TypeAdapter(Need)


def read_needs(path: Path, last: float = inf) -> Needs:
    """Read needs from CSV or Excel (a column `besoin`) or JSONL (`{"id", "text", "suppliers"}`).

    Lines without a need are left, totals and repeated headers too. Raises `MaillonError` where the
    file cannot be read, holds no need, or a table has lines after the `last`.
    """
    if not path.is_file():
        raise MaillonError(f"{path}: no such file. Give a .csv, .xlsx or .jsonl file of needs.")
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        table, detected, found = None, "JSONL", list(_json_needs(path))
    else:
        table = read_table(path, COLUMNS, last)
        detected = table.detected
        found = [(row.line, _need(row)) for row in table.rows if row.cells != table.header]
    left = [(line, why) for line, need in found if (why := _refused(need))]
    unread = {line for line, _ in left}
    kept = [(line, need) for line, need in found if line not in unread]
    if not kept:
        raise MaillonError(f"{path.name} : aucun besoin. Ajoutez au moins une ligne.")
    return Needs([need for _, need in kept], [line for line, _ in kept], left, detected, table)


def _refused(need: Need) -> str | None:
    """Why a line holds no need that can be matched, in French."""
    text = clean(need.text)
    if not text:
        return "besoin vide"
    if _TOTAL.fullmatch(fold(text)):
        return f"total : « {text[:60]} »"
    try:
        check_need(need.text)
    except NeedError:
        return f"« {text[:60]} » n'a aucun mot ou dépasse {MAX_NEED} caractères"
    return None


def _need(row: Row) -> Need:
    listed = "|".join(row.values.get("suppliers", [])).replace(",", "|").replace(";", "|")
    suppliers = tuple(part.strip() for part in listed.split("|") if part.strip())
    cells = {name: found[0] for name, found in row.values.items()}
    near = tuple(_near(cells))
    return Need(cells.get("id", str(row.line)), cells.get("text", ""), suppliers, near)


def _near(cells: dict[str, str]) -> Iterator[Near]:
    """The places that a line gives, the most exact first."""
    department = cells.get("department")
    if city := cells.get("city"):
        yield Near(city=city, department=department)
    place = cells.get("place", "")
    if postcode := cells.get("postcode") or "".join(_POSTCODE.findall(place)[:1]):
        yield Near(city=postcode.zfill(5))
    if name := _POSTCODE.sub("", place).strip():
        yield near_to(name)
    if department:
        yield near_to(department)


def _json_needs(path: Path) -> Iterator[tuple[int, Need]]:
    for line, content in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not content.strip():
            continue
        try:
            record = json.loads(content.decode("utf-8-sig"))
            yield line, _NEED.validate_python({"id": str(line)} | record)
        except (ValueError, TypeError) as error:
            raise MaillonError(
                f'{path.name}:{line}: {{"id": …, "text": …}} en UTF-8 attendu, trouvé : '
                f"« {content[:60].decode(errors='replace')} ». Corrigez la ligne."
            ) from error
