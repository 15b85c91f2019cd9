"""A purchase programme that comes back answered: the same workbook, with columns to its right."""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from embed.errors import MaillonError
from index.dialects import WIDEST, legible
from index.needs import Answered, Needs
from index.outputs import write_whole
from index.suppliers import Supplier
from index.tables import Table

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

Value = str | int | float | None

_FORMATS = {float: "0 %", int: "0"}
_WIDE, _NARROW = 38, 13
_COLUMNS = 16_384
_GREY = "FF808080"
_BESIDES = {
    "media": "images", "drawings": "dessins", "charts": "graphiques", "diagrams": "SmartArt",
    "ctrlProps": "contrôles de formulaire", "activeX": "contrôles ActiveX",
    "slicers": "segments", "timelines": "chronologies", "embeddings": "objets incorporés",
    "connections.xml": "connexions de données", "queryTables": "requêtes",
    "threadedComments": "fils de commentaires", "vbaProject.bin": "macros",
    ":dataValidations": "listes déroulantes tirées d'une autre feuille",
    ":conditionalFormattings": "mises en forme conditionnelles récentes",
    ":sparklineGroups": "graphiques sparkline",
}  # fmt: skip
"""What a workbook may hold besides cells, by the part of the file, or by the element of a sheet."""

_ELEMENTS = [name for name in _BESIDES if name.startswith(":")]


def write_programme(
    path: Path, source: Path, needs: Needs, answers: Iterable[Answered], k: int, local_km: float
) -> int:
    """Write the workbook `source` with its needs answered; returns how many of them nobody meets.

    Columns are added to the right of the needs, in the style of their neighbours: the `k` best
    suppliers, their confidence, how many suit within `local_km`, and whether nobody does. Raises
    `MaillonError` where `path` is no .xlsx or its folder is missing, or `source` no workbook.
    """
    if needs.table is None or source.suffix.lower() != ".xlsx":
        raise MaillonError(
            f"{source.name} : seul un classeur .xlsx est rendu complété. Enregistrez-le en .xlsx "
            "(sans macros), ou demandez une liste : --pairs."
        )
    fill = partial(_filled, source, needs, needs.table, k, local_km)
    return write_whole(path, answers, {".xlsx": fill})


def lost(source: Path, result: Path) -> list[str]:
    """What `source` holds besides cells and `result` no longer does, in French."""
    gone = _parts(source) - _parts(result)
    return [name for part, name in _BESIDES.items() if part in gone]


def _filled(
    source: Path,
    needs: Needs,
    table: Table,
    k: int,
    local_km: float,
    path: Path,
    answers: Iterable[Answered],
) -> int:
    from openpyxl import load_workbook  # late: only for workbooks

    with source.open("rb") as file, legible(source):
        book = load_workbook(file, rich_text=True)
    sheet = book[table.sheet]
    first = _free(sheet, table)
    if first + 2 * k + 1 > _COLUMNS:
        raise MaillonError(
            f"{source.name} : pas de place pour {2 * k + 2} colonnes après la colonne {first - 1}. "
            "Videz les cellules loin à droite, ou demandez moins de fournisseurs."
        )
    _make_room(sheet, table.line, first, 2 * k + 2)
    _write(sheet, table, table.line, first, _titles(k, local_km))
    gaps = 0
    for line, answered in zip(needs.lines, answers, strict=True):
        cells = _write(sheet, table, line, first, list(_values(answered, k)))
        if answered.gap:
            _dim(cells[:-1])
        gaps += answered.gap
    book.save(path)
    return gaps


def _titles(k: int, local_km: float) -> list[Value]:
    pairs = [(f"Fournisseur {n}", f"Confiance {n}") for n in range(1, k + 1)]
    names = [name for pair in pairs for name in pair]
    return [*names, f"Fournisseurs locaux ({local_km:g} km)", "Sans réponse"]


def _values(answered: Answered, k: int) -> Iterator[Value]:
    for found in answered.suggestions[:k]:
        yield _named(found.supplier)
        yield found.confidence
    yield from [None] * (2 * (k - len(answered.suggestions[:k])))
    yield answered.local
    yield "oui" if answered.gap else None


def _named(supplier: Supplier) -> str:
    place = ", ".join(filter(None, (supplier.city, supplier.department)))
    return f"{supplier.name} ({place})" if place else supplier.name


def _free(sheet: "Worksheet", table: Table) -> int:
    """The first column to the right of all that stands beside or under the header."""
    widths = [len(row.cells) for row in table.rows]
    widths += [sheet.max_column] * (sheet.max_column > WIDEST)  # nobody has read so far
    areas = sheet.merged_cells.ranges
    merged: list[int] = [area.max_col for area in areas if area.max_row >= table.line]
    return max(len(table.header), *widths, *merged) + 1


def _make_room(sheet: "Worksheet", line: int, first: int, count: int) -> None:
    """Give new columns their width, and take them into the filter that the header has."""
    from openpyxl.utils import get_column_letter, range_boundaries

    for name, shape in list(sheet.column_dimensions.items()):
        if shape.min >= first:  # it may hide, or be one for all columns up to the last
            del sheet.column_dimensions[name]
        else:
            shape.max = min(shape.max, first - 1)
    for place in range(count):
        wide = place % 2 == 0 and place < count - 2
        letter = get_column_letter(first + place)
        sheet.column_dimensions[letter].width = _WIDE if wide else _NARROW
    if sheet.auto_filter.ref:
        left, top, _, bottom = range_boundaries(sheet.auto_filter.ref)
        if top == line:
            last = get_column_letter(first + count - 1)
            sheet.auto_filter.ref = f"{get_column_letter(left)}{top}:{last}{bottom}"


def _write(
    sheet: "Worksheet", table: Table, line: int, first: int, values: Sequence[Value]
) -> "list[Cell]":
    """Write values beside a line, as text even where a spreadsheet would run them."""
    like = sheet.cell(line, len(table.header))
    cells = [sheet.cell(line, first + place) for place in range(len(values))]
    for cell, value in zip(cells, values, strict=True):
        cell.value = value
        cell.data_type = "s" if isinstance(value, str) else cell.data_type
        cell._style = copy(like._style)
        cell.number_format = _FORMATS.get(type(value), "General")
    return cells


def _dim(cells: "Sequence[Cell]") -> None:
    """Grey what is only nearest to a need that nobody meets."""
    for cell in cells:
        font = copy(cell.font)
        font.color = _GREY
        cell.font = font


def _parts(path: Path) -> set[str]:
    with ZipFile(path) as file:
        names = [name for name in file.namelist() if name.startswith("xl/")]
        sheets = [file.read(name) for name in names if name.startswith("xl/worksheets/sheet")]
    held = {name for name in _ELEMENTS if any(name.encode() in sheet for sheet in sheets)}
    return {name.split("/")[1] for name in names} | held
