"""Suggestions for many needs as one long list, a line a pair."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embed.errors import MaillonError
from index.dialects import harmless
from index.lexical import common_words
from index.needs import Answered, Need
from index.outputs import write_whole
from index.suppliers import Suggestion, as_json_line

if TYPE_CHECKING:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

HEADER = ("besoin_id", "besoin", "rang", "score", "fournisseur_id", "fournisseur", "departement",
          "commune", "capacite", "mots_communs", "site_web")  # fmt: skip

_EXCEL_ROWS = 1_048_576


@dataclass(frozen=True, slots=True)
class Ranked:
    """One line of the list: a suggestion for a need, with the words that the two share."""

    need: Need
    suggestion: Suggestion
    common: tuple[str, ...]

    @classmethod
    def of(cls, answered: Answered) -> "list[Ranked]":
        """The lines of one need, best first."""
        need = answered.need
        return [
            cls(need, found, tuple(common_words(need.text, found.capability)))
            for found in answered.suggestions
        ]


def write_ranking(path: Path, lines: Iterable[Ranked]) -> int:
    """Write ranked suggestions to .xlsx, .csv (`;`, for Excel) or .jsonl; returns how many.

    Text that a spreadsheet would run as a formula is written as text. Raises `MaillonError` for
    another ending, a folder that is missing, or more lines than a sheet holds: an earlier file of
    that name then stays as it was.
    """
    writers = {".xlsx": _write_excel, ".csv": _write_csv, ".jsonl": _write_jsonl}
    return write_whole(path, lines, writers)


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
