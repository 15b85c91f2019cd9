"""Tables as people have them: CSV in any of the usual dialects, Excel workbooks."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from embed.errors import MaillonError
from embed.text import clean, fold

Columns = dict[str, tuple[str, ...]]
"""Field name → the column names under which it is known, folded and without punctuation."""

_HEADER_WITHIN = 20
_TEXT = (".csv", ".tsv", ".txt")
_EXCEL = (".xlsx", ".xlsm")

csv.field_size_limit(10_000_000)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its number in the file, its cells, and the cells of known columns."""

    line: int
    cells: tuple[str, ...]
    values: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose header was found: its columns as written, its rows, and what was detected."""

    header: tuple[str, ...]
    rows: list[Row]
    detected: str


def read_table(path: Path, columns: Columns, required: tuple[str, ...]) -> Table:
    """Read a CSV or Excel file; its header is the first line that names every required field.

    Titles above the header are skipped. Columns numbered apart ("activité 1", "activité 2") are
    one field with several values. Raises `MaillonError` where there is no such table.
    """
    lines, encoding = _lines(path)
    head = list(islice(lines, _HEADER_WITHIN))
    for place, (_, header) in enumerate(head):
        fields = [_field(name, columns) for name in header]
        if all(name in fields for name in required):
            body = (*head[place + 1 :], *lines)
            rows = [_row(line, cells, fields) for line, cells in body if any(cells)]
            return Table(header, rows, _detected(encoding, header, fields))
    raise MaillonError(
        f"{path.name} : aucune ligne de titres avec {_names(required, columns)}. Trouvé en "
        f"première ligne : « {_first(head)} ». Renommez les colonnes ou ajoutez des titres."
    )


def harmless(value: str | float) -> str | float:
    """A cell for a CSV file that no spreadsheet will run as a formula."""
    formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if formula else value


def _lines(path: Path) -> tuple[Iterator[tuple[int, tuple[str, ...]]], str]:
    if path.suffix.lower() in _EXCEL:
        return _excel_lines(path), "classeur Excel, première feuille"
    if path.suffix.lower() not in _TEXT:
        raise MaillonError(
            f"{path.name} : format « {path.suffix or 'sans extension'} » non lu. Enregistrez le "
            "fichier en .xlsx, .csv ou .jsonl."
        )
    text, encoding = _decode(path)
    delimiter = _delimiter(text)
    shown = {"\t": "tabulation"}.get(delimiter, f"« {delimiter} »")
    return _csv_lines(path, text, delimiter), f"{encoding}, séparateur {shown}"


def _decode(path: Path) -> tuple[str, str]:
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace"), "UTF-16"
    if b"\0" in content:
        raise MaillonError(
            f"{path.name} : fichier binaire, et non un texte. Enregistrez-le en CSV UTF-8 ou .xlsx."
        )
    for encoding, shown in (("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252")):
        try:
            return content.decode(encoding), shown
        except UnicodeDecodeError as error:
            place = error.start
    line = content.count(b"\n", 0, place) + 1
    raise MaillonError(
        f"{path.name}:{line}: octet {content[place]:#x} illisible en UTF-8 comme en Windows-1252. "
        "Enregistrez le fichier en CSV UTF-8."
    )


def _delimiter(text: str) -> str:
    head = "\n".join(text.splitlines()[:_HEADER_WITHIN])
    return max(";\t,", key=head.count)


def _csv_lines(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, _cells(cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise MaillonError(
            f"{path.name}:{line}: ligne illisible ({error}). Vérifiez ses guillemets."
        ) from error


def _excel_lines(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    from openpyxl import load_workbook  # late: only for workbooks
    from openpyxl.utils.exceptions import InvalidFileException

    broken = (InvalidFileException, zipfile.BadZipFile, zlib.error, EOFError, SyntaxError)
    try:
        with closing(load_workbook(path, read_only=True, data_only=True)) as book:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # some programs write a wrong size, which would hide cells
            for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                yield line, _cells(map(_cell, cells))
    except (*broken, KeyError, IndexError, ValueError) as error:
        raise MaillonError(
            f"{path.name} : classeur illisible ({error}). Rouvrez-le et enregistrez-le en .xlsx."
        ) from error


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


def _cells(cells: Iterable[str]) -> tuple[str, ...]:
    texts = [cell.strip() for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def _field(column: str, columns: Columns) -> str | None:
    name = "".join(c if c.isalnum() else " " for c in fold(clean(column)))
    name = " ".join(name.split())
    for known in (name, name.rstrip("0123456789 ")):
        for field, aliases in columns.items():
            if known in aliases:
                return field
    return None


def _row(line: int, cells: tuple[str, ...], fields: list[str | None]) -> Row:
    values: dict[str, list[str]] = {}
    for field, cell in zip(fields, cells, strict=False):
        if field and cell:
            values.setdefault(field, []).append(cell)
    return Row(line, cells, values)


def _detected(encoding: str, header: tuple[str, ...], fields: list[str | None]) -> str:
    ignored = [name for name, field in zip(header, fields, strict=True) if name and not field]
    return f"{encoding}" + (f" ; colonnes ignorées : {', '.join(ignored)}" if ignored else "")


def _names(required: tuple[str, ...], columns: Columns) -> str:
    return " et ".join(f"« {columns[field][0]} »" for field in required)


def _first(head: list[tuple[int, tuple[str, ...]]]) -> str:
    text = " | ".join(head[0][1]) if head else ""
    return text[:80] or "rien"
