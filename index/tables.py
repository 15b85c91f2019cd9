"""Tables with a header: which column is what, under the many names people give it."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from embed.errors import MaillonError
from embed.text import clean, fold
from index.dialects import Line, Reading, readings

_HEADER_WITHIN = 20


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
    """A table whose header was found: its columns as written, its rows, and what was detected."""

    header: tuple[str, ...]
    rows: list[Row]
    detected: str


def read_table(path: Path, columns: Columns) -> Table:
    """Read a CSV or Excel file; its header is the first line that names every required field.

    Titles above the header are skipped, delimiters and sheets tried in turn. Where two columns
    could be one field, the surer name is read and the other told as ignored. Raises
    `MaillonError` where there is no such table.
    """
    best: tuple[int, str] = (-1, "")
    unread: MaillonError | None = None
    for reading in readings(path):
        try:
            head = list(islice(reading.lines, _HEADER_WITHIN))
        except MaillonError as error:
            unread = unread or error
            continue
        for place, (_, header) in enumerate(head):
            fields = _fields(header, columns)
            if all(name in fields for name in columns.required):
                return _table(reading, header, fields, head[place + 1 :])
            known = sum(field is not None for field in fields)
            best = max(best, (known, " | ".join(header)[:80]), key=lambda found: found[0])
    if unread:
        raise unread
    raise MaillonError(
        f"{path.name} : aucune ligne de titres reconnue. Il faut {columns.example}. Ligne la plus "
        f"proche : « {best[1] or 'rien'} ». Renommez ses colonnes ou ajoutez des titres."
    )


def _table(
    reading: Reading, header: tuple[str, ...], fields: list[str | None], head: list[Line]
) -> Table:
    rows = [_row(line, cells, fields) for line, cells in (*head, *reading.lines) if any(cells)]
    ignored = [name for name, field in zip(header, fields, strict=True) if name and not field]
    told = f" ; colonnes ignorées : {', '.join(ignored)}" if ignored else ""
    return Table(header, rows, reading.detected + told)


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
