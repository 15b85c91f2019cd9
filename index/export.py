"""A whole catalogue out as a file that `index.directory.read_suppliers` reads back, identical."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embed.errors import MaillonError
from index.dialects import harmless
from index.outputs import write_whole
from index.records import joined
from index.suppliers import Supplier, as_json_line

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

HEADER = {
    "id": "identifiant", "name": "raison sociale", "capabilities": "capacités",
    "department": "département", "postcode": "code postal", "city": "commune", "lat": "latitude",
    "lon": "longitude", "certifications": "certifications", "series": "séries", "naf": "naf",
    "siret": "siret", "url": "site web", "tags": "étiquettes",
}  # fmt: skip
_LISTS = ("capabilities", "certifications", "series", "tags")
_EXCEL_ROWS = 1_048_576
_EXCEL_CELL = 32_767


def write_suppliers(path: Path, suppliers: Iterable[Supplier]) -> int:
    """Write suppliers to .jsonl, .csv (`;`, for Excel) or .xlsx; returns how many.

    An earlier file stays as it was until the new one is whole. Raises `MaillonError` for another
    ending, a folder that is missing, or more suppliers than a sheet has lines.
    """
    writers = {".jsonl": _write_jsonl, ".csv": _write_csv, ".xlsx": _write_excel}
    return write_whole(path, suppliers, writers)


def _cells(supplier: Supplier, capabilities: Sequence[str]) -> list[str]:
    values = {field.name: getattr(supplier, field.name) for field in fields(Supplier)}
    values["capabilities"] = capabilities
    return [_cell(values[name], name) for name in HEADER]


def _cell(value: Any, name: str) -> str:  # noqa: ANN401  # of any field of a supplier
    if name in _LISTS:
        return joined(value, name)
    return "" if value is None else str(value)


def _write_jsonl(path: Path, suppliers: Iterable[Supplier]) -> int:
    with path.open("w", encoding="utf-8") as file:
        return sum(1 for one in suppliers if file.write(as_json_line(one) + "\n"))


def _write_csv(path: Path, suppliers: Iterable[Supplier]) -> int:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.writer(file, delimiter=";")
        sheet.writerow(HEADER.values())
        rows = (map(harmless, _cells(one, one.capabilities)) for one in suppliers)
        return sum(1 for row in rows if sheet.writerow(row))


def _write_excel(path: Path, suppliers: Iterable[Supplier]) -> int:
    from openpyxl import Workbook  # late: only for workbooks

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Fournisseurs")
    sheet.freeze_panes = "A2"
    rows, count = 0, 0
    try:
        _append(sheet, HEADER.values())
        for count, supplier in enumerate(suppliers, start=1):  # noqa: B007
            for part in _parts(supplier.capabilities):
                _append(sheet, _cells(supplier, part))
                rows += 1
    finally:
        sheet.close()
    if rows >= _EXCEL_ROWS:
        raise MaillonError(f"{count:,} suppliers do not fit a sheet. Write to .csv or .jsonl.")
    book.save(path)
    return count


def _append(sheet: "WriteOnlyWorksheet", values: Iterable[str]) -> None:
    from openpyxl.cell import WriteOnlyCell

    cells = [WriteOnlyCell(sheet, value) for value in values]
    for cell in cells:
        cell.data_type = "s" if cell.value else cell.data_type
    sheet.append(cells)


def _parts(capabilities: Sequence[str]) -> Iterator[list[str]]:
    """Capabilities in parts that a cell holds: a supplier may take several lines."""
    part: list[str] = []
    for text in capabilities:
        if part and len(json.dumps([*part, text], ensure_ascii=False)) > _EXCEL_CELL:
            yield part
            part = []
        part.append(text)
    yield part
