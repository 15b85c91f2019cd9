"""Files of needs to be matched in one go, and the workbook that comes out."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from embed.errors import MaillonError
from index.dialects import harmless
from index.outputs import write_whole
from index.suppliers import Suggestion, as_json_line
from index.tables import Columns, Row, read_table

COLUMNS = Columns(
    names={
        "text": ("besoin", "besoins", "need", "needs", "texte", "text", "demande", "description",
                 "objet", "designation", "libelle", "intitule"),
        "id": ("id", "identifiant", "n", "numero", "reference", "ref", "ligne", "lot"),
        "suppliers": ("fournisseurs", "suppliers", "candidats", "candidates"),
    },
    required=("text",),
    several=("suppliers",),
    example="une colonne « besoin », « demande » ou « description »",
)  # fmt: skip
if TYPE_CHECKING:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

HEADER = ("besoin_id", "besoin", "rang", "score", "fournisseur_id", "fournisseur", "departement",
          "commune", "capacite", "mots_communs", "site_web")  # fmt: skip

_EXCEL_ROWS = 1_048_576


@dataclass(frozen=True, slots=True)
class Need:
    """A need of a file: its id, its text, and the ids of the suppliers to rank (none: all)."""

    id: str
    text: str
    suppliers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """The needs of a file, and how the file was read, in French."""

    needs: list[Need]
    detected: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """One line of the result: a suggestion for a need, with the words that the two share."""

    need: Need
    suggestion: Suggestion
    common: tuple[str, ...]


_NEED = TypeAdapter(Need)


def read_needs(path: Path) -> Needs:
    """Read needs from CSV or Excel (a column `besoin`) or JSONL (`{"id", "text", "suppliers"}`).

    Raises `MaillonError` naming file and line where a line holds no need.
    """
    if not path.is_file():
        raise MaillonError(f"{path}: no such file. Give a .csv, .xlsx or .jsonl file of needs.")
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        found = Needs(list(_json_needs(path)), "JSONL")
    else:
        table = read_table(path, COLUMNS)
        found = Needs([_need(path, row) for row in table.rows], table.detected)
    if not found.needs:
        raise MaillonError(f"{path.name} : aucun besoin. Ajoutez au moins une ligne.")
    return found


def write_ranking(path: Path, lines: Iterable[Ranked]) -> int:
    """Write ranked suggestions to .xlsx, .csv (`;`, for Excel) or .jsonl; returns how many.

    Text that a spreadsheet would run as a formula is written as text. Raises `MaillonError` for
    another ending, a folder that is missing, or more lines than a sheet holds: an earlier file of
    that name then stays as it was.
    """
    writers = {".xlsx": _write_excel, ".csv": _write_csv, ".jsonl": _write_jsonl}
    return write_whole(path, lines, writers)


def _need(path: Path, row: Row) -> Need:
    texts = row.values.get("text")
    if not texts:
        raise MaillonError(f"{path.name}:{row.line}: besoin vide. Complétez ou retirez la ligne.")
    listed = "|".join(row.values.get("suppliers", [])).replace(",", "|").replace(";", "|")
    suppliers = tuple(part.strip() for part in listed.split("|") if part.strip())
    return Need(row.values.get("id", [str(row.line)])[0], texts[0], suppliers)


def _json_needs(path: Path) -> Iterator[Need]:
    for line, content in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not content.strip():
            continue
        try:
            record = json.loads(content.decode("utf-8-sig"))
            yield _NEED.validate_python({"id": str(line)} | record)
        except (ValueError, TypeError) as error:
            raise MaillonError(
                f'{path.name}:{line}: {{"id": …, "text": …}} en UTF-8 attendu, trouvé : '
                f"« {content[:60].decode(errors='replace')} ». Corrigez la ligne."
            ) from error


def _cells(line: Ranked) -> Sequence[str | int | float]:
    found = line.suggestion
    supplier = found.supplier
    return (
        line.need.id, line.need.text, found.rank, found.score, supplier.id, supplier.name,
        supplier.department or "", supplier.city or "", found.capability,
        ", ".join(line.common), supplier.url or "",
    )  # fmt: skip


def _write_excel(path: Path, lines: Iterable[Ranked]) -> int:
    from openpyxl import Workbook  # late: only for workbooks

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Suggestions")
    sheet.freeze_panes = "A2"
    for letter, width in zip("BFHIJ", (50, 30, 20, 70, 30), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append(HEADER)
    try:
        count = sum(1 for line in lines if sheet.append(_excel_cells(sheet, line)) is None)
    finally:
        sheet.close()  # before the book goes, or its unfinished rows complain
    if count >= _EXCEL_ROWS:
        raise MaillonError(
            f"{count:,} lines do not fit an Excel sheet of {_EXCEL_ROWS:,}. "
            "Write to .csv, or keep fewer suggestions with -k."
        )
    book.save(path)
    return count


def _excel_cells(sheet: "WriteOnlyWorksheet", line: Ranked) -> list["WriteOnlyCell"]:
    from openpyxl.cell import WriteOnlyCell

    cells = [WriteOnlyCell(sheet, value) for value in _cells(line)]
    for cell in cells:
        if cell.data_type == "f":
            cell.data_type = "s"  # text that begins with "=" is text
    return cells


def _write_csv(path: Path, lines: Iterable[Ranked]) -> int:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.writer(file, delimiter=";")
        sheet.writerow(HEADER)
        return sum(1 for line in lines if sheet.writerow(map(harmless, _cells(line))))


def _write_jsonl(path: Path, lines: Iterable[Ranked]) -> int:
    with path.open("w", encoding="utf-8") as file:
        return sum(1 for line in lines if file.write(as_json_line(line) + "\n"))
