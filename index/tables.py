"""Tables with a header: which column is what, under the many names people give it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from math import inf
from pathlib import Path

from embed.errors import MaillonError
from embed.text import clean, fold
from index.dialects import Line, Reading, readings

_HEADER_WITHIN = 20
_WIDE = 30
"""Columns that lines may have on average, where their number is bounded."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The fields of a kind of table.

    `names` gives for each field the column names under which it is known, folded and without
    punctuation, the surest first; `required` the fields that a header must have; `several` those
    that many columns may fill together; `example` how to write the required ones, for people.
    """

    names: dict[str, tuple[str, ...]]
    required: tuple[str, ...]
    several: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its number in the file, its cells, and the cells of known columns."""

    line: int
    cells: tuple[str, ...]
    values: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose header was found: its columns as written, its rows, and what was detected.

    `line` is where the header stands, in the `sheet` of a workbook or in a file without any.
    """

    header: tuple[str, ...]
    rows: list[Row]
    detected: str
    line: int
    sheet: str


def read_table(path: Path, columns: Columns, last: float = inf) -> Table:
    """Read a CSV or Excel file; its header is the first line that names every required field.

    Titles above the header are skipped, delimiters and sheets tried in turn. Where two columns
    could be one field, the surer name is read and the other told as ignored. Raises
    `MaillonError` where there is no such table, or the file has lines after the `last`, or very
    wide ones.
    """
    best: tuple[int, str] = (-1, "")
    unread: MaillonError | None = None
    for reading in readings(path):
        try:
            head = list(islice(reading.lines, _HEADER_WITHIN))
        except MaillonError as error:
            unread = unread or error
            continue
        for place, (line, header) in enumerate(head):
            fields = _fields(header, columns)
            if all(name in fields for name in columns.required):
                lines = _until(path, last, chain(head[place + 1 :], reading.lines))
                rows = [_row(number, cells, fields) for number, cells in lines if any(cells)]
                return Table(header, rows, _told(reading, header, fields), line, reading.sheet)
            known = sum(field is not None for field in fields)
            best = max(best, (known, " | ".join(header)[:80]), key=lambda found: found[0])
    if unread:
        raise unread
    raise MaillonError(
        f"{path.name} : aucune ligne de titres reconnue. Il faut {columns.example}. Ligne la plus "
        f"proche : « {best[1] or 'rien'} ». Renommez ses colonnes ou ajoutez des titres."
    )


def _until(path: Path, last: float, lines: Iterable[Line]) -> Iterator[Line]:
    read = 0
    for line, cells in lines:
        read += len(cells)
        if line > last or read > last * _WIDE:
            raise MaillonError(
                f"{path.name} : plus de {last} lignes (vides comprises) de {_WIDE} colonnes en "
                "moyenne. Scindez le fichier ou retirez-en ce qui ne sert pas."
            )
        yield line, cells


def _told(reading: Reading, header: tuple[str, ...], fields: list[str | None]) -> str:
    ignored = [name for name, field in zip(header, fields, strict=True) if name and not field]
    return reading.detected + (f" ; colonnes ignorées : {', '.join(ignored)}" if ignored else "")


def _fields(header: tuple[str, ...], columns: Columns) -> list[str | None]:
    found = [_field(name, columns) for name in header]
    surest: dict[str, int] = {}
    for match in found:
        if match:
            surest[match[0]] = min(match[1], surest.get(match[0], match[1]))
    taken: set[str] = set()
    fields: list[str | None] = []
    for match in found:
        field = match[0] if match else None
        if field and field not in columns.several:
            second = match and match[1] > surest[field]
            field = None if second or field in taken else field
            taken |= {field} if field else set()
        fields.append(field)
    return fields


def _field(column: str, columns: Columns) -> tuple[str, int] | None:
    """The field that a column name means, and how sure the name is (0 is surest)."""
    name = " ".join("".join(c if c.isalnum() else " " for c in fold(clean(column))).split())
    for known in (name, name.rstrip("0123456789 ")):
        for field, aliases in columns.names.items():
            if known in aliases:
                return field, aliases.index(known)
    return None


def _row(line: int, cells: tuple[str, ...], fields: list[str | None]) -> Row:
    values: dict[str, list[str]] = {}
    for field, cell in zip(fields, cells, strict=False):
        if field and cell:
            values.setdefault(field, []).append(cell)
    return Row(line, cells, values)
