"""Files of needs to be matched in one go, and the workbook that comes out."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from embed.errors import MaillonError
from index.folder import as_json_line
from index.suppliers import Suggestion
from index.tables import Columns, harmless, read_table

COLUMNS: Columns = {
    "text": ("besoin", "need", "text", "texte", "demande", "description", "objet", "designation",
             "libelle", "intitule"),
    "id": ("id", "identifiant", "n", "numero", "reference", "ref", "ligne", "lot"),
    "suppliers": ("fournisseurs", "suppliers", "candidats", "candidates"),
}  # fmt: skip
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
class Ranked:
    """One line of the result: a suggestion for a need, with the words that the two share."""

    need: Need
    suggestion: Suggestion
    common: tuple[str, ...]


_NEED = TypeAdapter(Need)


def read_needs(path: Path) -> list[Need]:
    """Read needs from CSV or Excel (a column `besoin`) or JSONL (`{"id", "text", "suppliers"}`).

    Raises `MaillonError` naming file and line where a line holds no need.
    """
    if not path.is_file():
        raise MaillonError(f"{path}: no such file. Give a .csv, .xlsx or .jsonl file of needs.")
    jsonl = path.suffix.lower() in (".jsonl", ".ndjson")
    needs = list(_json_needs(path) if jsonl else _table_needs(path))
    if not needs:
        raise MaillonError(f"{path.name} : aucun besoin. Ajoutez au moins une ligne.")
    return needs


def write_ranking(path: Path, lines: Iterable[Ranked]) -> int:
    """Write ranked suggestions to .xlsx, .csv (`;`, for Excel) or .jsonl; returns how many.

    Text that a spreadsheet would run as a formula is written as text. Raises `MaillonError` for
    another ending, or more lines than a sheet holds.
    """
    writers = {".xlsx": _write_excel, ".csv": _write_csv, ".jsonl": _write_jsonl}
    if path.suffix.lower() not in writers:
        raise MaillonError(
            f"{path.name}: results are written as .xlsx, .csv or .jsonl, not {path.suffix!r}."
        )
    return writers[path.suffix.lower()](path, lines)


def _table_needs(path: Path) -> Iterator[Need]:
    for row in read_table(path, COLUMNS, required=("text",)).rows:
        texts = row.values.get("text")
        if not texts:
            raise MaillonError(
                f"{path.name}:{row.line}: besoin vide. Complétez ou retirez la ligne."
            )
        listed = "|".join(row.values.get("suppliers", [])).replace(",", "|").replace(";", "|")
        suppliers = tuple(part.strip() for part in listed.split("|") if part.strip())
        yield Need(row.values.get("id", [str(row.line)])[0], texts[0], suppliers)


def _json_needs(path: Path) -> Iterator[Need]:
    for line, text in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not text.strip():
            continue
        try:
            record = json.loads(text)
            yield _NEED.validate_python({"id": str(line)} | record)
        except (ValueError, TypeError) as error:
            raise MaillonError(
                f'{path.name}:{line}: {{"id": …, "text": …}} attendu, trouvé : {text[:60]}. '
                "Corrigez la ligne."
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
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Suggestions")
    sheet.freeze_panes = "A2"
    for letter, width in zip("BFHIJ", (50, 30, 20, 70, 30), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append(HEADER)
    count = 0
    for count, line in enumerate(lines, start=1):
        if count == _EXCEL_ROWS:
            raise MaillonError(
                f"{path.name}: more than {_EXCEL_ROWS - 1:,} lines do not fit an Excel sheet. "
                "Write to .csv, or keep fewer suggestions with -k."
            )
        cells = [WriteOnlyCell(sheet, value) for value in _cells(line)]
        for cell in cells:
            if cell.data_type == "f":
                cell.data_type = "s"  # text that begins with "=" is text
        sheet.append(cells)
    book.save(path)
    return count


def _write_csv(path: Path, lines: Iterable[Ranked]) -> int:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.writer(file, delimiter=";")
        sheet.writerow(HEADER)
        return sum(1 for line in lines if sheet.writerow(map(harmless, _cells(line))))


def _write_jsonl(path: Path, lines: Iterable[Ranked]) -> int:
    with path.open("w", encoding="utf-8") as file:
        return sum(1 for line in lines if file.write(as_json_line(line) + "\n"))
