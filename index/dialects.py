"""CSV in any of the usual dialects and Excel workbooks, down to lines of cells."""

import csv
import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embed.errors import MaillonError

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

Line = tuple[int, tuple[str, ...]]
"""A line's number in its file, and its cells without empty ones at the end."""

_TEXT = (".csv", ".tsv", ".txt")
_EXCEL = (".xlsx", ".xlsm")
WIDEST = 1_000
"""Columns of a sheet that are read; a lone cell far to the right makes every line as wide."""

_FORMULA = ("=", "+", "-", "@")

csv.field_size_limit(10_000_000)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a file (a delimiter, a sheet), said in French, and the lines it gives."""

    detected: str
    lines: Iterator[Line]
    sheet: str = ""


def readings(path: Path) -> Iterator[Reading]:
    """The ways in which a file may be read, most usual first.

    Raises `MaillonError` where it is no CSV or Excel file; taking lines may raise it too.
    """
    suffix = path.suffix.lower()
    if suffix in _EXCEL:
        return _excel_readings(path)
    if suffix in _TEXT:
        return _csv_readings(path)
    raise MaillonError(
        f"{path.name} : format « {suffix or 'sans extension'} » non lu. Enregistrez le fichier en "
        ".xlsx, .csv ou .jsonl."
    )


def harmless(value: str | float) -> str | float:
    """A cell for a CSV file that no spreadsheet will run as a formula."""
    formula = isinstance(value, str) and value.startswith((*_FORMULA, "\t", "\r"))
    return f"'{value}" if formula else value


def _csv_readings(path: Path) -> Iterator[Reading]:
    text, encoding = _decode(path)
    for delimiter, shown in ((";", "« ; »"), ("\t", "tabulation"), (",", "« , »")):
        yield Reading(f"{encoding}, séparateur {shown}", _csv_lines(path, text, delimiter))


def _decode(path: Path) -> tuple[str, str]:
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = [("utf-16", "UTF-16")]
    elif b"\0" in content:
        raise MaillonError(
            f"{path.name} : fichier binaire, et non un texte. Enregistrez-le en CSV UTF-8 ou .xlsx."
        )
    else:
        encodings = [("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252")]
    for encoding, shown in encodings:
        try:
            return content.decode(encoding), shown
        except UnicodeDecodeError as error:
            place = error.start
    line = content.count(b"\n", 0, place) + 1
    raise MaillonError(
        f"{path.name}:{line}: octet {content[place]:#x} illisible en "
        f"{' comme en '.join(shown for _, shown in encodings)}. "
        "Enregistrez le fichier en CSV UTF-8."
    )


def _csv_lines(path: Path, text: str, delimiter: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, _cells(cells)
            line = reader.line_num + 1
    except csv.Error as error:
        open_quote = "unexpected end" in str(error)
        what = "guillemet ouvert et jamais refermé" if open_quote else "guillemet mal placé"
        raise MaillonError(
            f"{path.name}:{line}: ligne illisible, {what}. Corrigez ses guillemets."
        ) from error


def _excel_readings(path: Path) -> Iterator[Reading]:
    from openpyxl import load_workbook  # late: only for workbooks

    with (
        path.open("rb") as file,
        legible(path),
        closing(load_workbook(file, read_only=True, data_only=True)) as book,
    ):
        yield from _sheets(path, book)


@contextmanager
def legible(path: Path) -> Iterator[None]:
    """Tell of a workbook that openpyxl cannot read as `MaillonError`."""
    # What it cannot keep of a workbook is no concern of those who read values.
    warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
    try:
        yield
    except MaillonError:
        raise
    except Exception as error:  # openpyxl meets damage with whatever it stumbles over
        raise MaillonError(
            f"{path.name} : classeur illisible ({error}). Rouvrez-le et enregistrez-le en .xlsx."
        ) from error


def _sheets(path: Path, book: "Workbook") -> Iterator[Reading]:
    names = [sheet.title for sheet in book.worksheets]
    for sheet in sorted(book.worksheets, key=lambda sheet: sheet.sheet_state != "visible"):
        sheet.reset_dimensions()  # some programs write a wrong size, which would hide cells
        others = ", ".join(f"« {name} »" for name in names if name != sheet.title)
        unread = f" ; feuilles non lues : {others}" if others else ""
        detected = f"classeur Excel, feuille « {sheet.title} »{unread}"
        yield Reading(detected, _excel_lines(path, sheet), sheet.title)


def _excel_lines(path: Path, sheet: "ReadOnlyWorksheet") -> Iterator[Line]:
    with legible(path):
        for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield line, _cells(map(_cell, cells[:WIDEST]))


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


def _cells(cells: Iterable[str]) -> tuple[str, ...]:
    texts = [_unguarded(cell.strip()) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def _unguarded(text: str) -> str:
    """The text of a cell without the apostrophe that `harmless` or Excel put before a formula."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA) else text
