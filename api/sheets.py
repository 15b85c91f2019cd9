"""The routes of supplier sheets: one, many at once, a whole file, and those like another."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from api.access import Access
from api.limits import check_unpacked, media_type
from api.problems import documented
from embed.errors import MaillonError
from index.catalogue import Changes
from index.directory import Reject, json_record, read_suppliers
from index.engine import SupplierIndex
from index.suppliers import Suggestion, Supplier, SupplierError, as_json_line, parse_supplier

MAX_LINES = 10_000
NDJSON = "application/x-ndjson"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MAX_UNPACKED = 60_000_000
"""Bytes of all parts of a workbook that holds a directory."""

_TOLD = 500
"""Rejected lines of a file that are told one by one."""

_CELLS = 4_000_000
"""Characters of their cells that are told: a workbook may hold one long text for many cells."""


@dataclass(frozen=True, slots=True)
class Line:
    """What became of a line of NDJSON; `detail` says in French why it was rejected."""

    line: int
    status: Literal["stored", "unchanged", "rejected"]
    id: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line of a file that is no supplier: why, in French, and its cells, to be mended."""

    line: int
    reason: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held and what it changed, in suppliers; how it was read, in French.

    `header` holds the titles of the columns, `rejects` the first 500 of `rejected` lines; their
    cells are empty from where they would be more than 4,000,000 characters.
    """

    detected: str
    header: Sequence[str]
    read: int
    changes: Changes
    rejected: int
    rejects: Sequence[Rejected]


@dataclass(frozen=True, slots=True)
class Similar:
    """Suppliers that can do much the same, the most alike first."""

    suggestions: Sequence[Suggestion]


async def _read(request: Request) -> bytes:
    return await request.body()


Content = Annotated[bytes, Depends(_read)]


class _SimilarRoute(APIRoute):
    """A route for what ends in /similar; with %2Fsimilar an id does, and a sheet is meant."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for this route."""
        of_an_id = (scope.get("raw_path") or b"").lower().endswith(b"%2fsimilar")
        return (Match.NONE, {}) if of_an_id else super().matches(scope)


def reading_routes(index: SupplierIndex, access: Access) -> APIRouter:
    """A sheet and those like it: for any key."""
    routes = APIRouter(
        dependencies=[Depends(access.search)], responses=documented(404, 422), tags=["suppliers"]
    )

    def similar(one: str, k: Annotated[int, Query(ge=1, le=100)] = 10) -> Similar:
        """The suppliers who can do most of what a supplier can."""
        return Similar(index.similar(found(index, one), k))

    routes.add_api_route(
        "/v1/suppliers/{one:path}/similar", similar, route_class_override=_SimilarRoute
    )

    @routes.get("/v1/suppliers/{one:path}")
    def supplier(one: str) -> Supplier:
        """The sheet of a supplier."""
        return found(index, one)

    return routes


def writing_routes(index: SupplierIndex, access: Access) -> APIRouter:
    """Write and take out sheets: for secret keys."""
    routes = APIRouter(dependencies=[Depends(access.write)], tags=["suppliers"])

    @routes.put("/v1/suppliers/{one:path}", responses=documented(400, 413, 415, 422))
    def put(one: str, supplier: Supplier) -> Changes:
        """Write a sheet: durable, and found by the next search, when this is answered."""
        if supplier.id != one:
            raise SupplierError(f"the id in the path is {one!r}, in the sheet {supplier.id!r}.")
        return index.upsert([supplier])

    @routes.delete("/v1/suppliers/{one:path}", responses=documented(404))
    def delete(one: str) -> Changes:
        """Take a supplier out: no longer found when this is answered."""
        changes = index.delete([one])
        if not changes.removed:
            raise _unknown(one)
        return changes

    @routes.post(
        "/v1/suppliers",
        responses={
            200: {"content": {NDJSON: {"schema": {"type": "string"}}}, "description": "`Line`s"},
            **documented(413, 415, 422),
        },
        response_class=Response,
        openapi_extra={
            "requestBody": {"content": {NDJSON: {"schema": {"type": "string"}}}, "required": True}
        },
    )
    def bulk(request: Request, content: Content) -> Response:
        """Write many sheets, one a line of NDJSON; answers a line for each, in their order.

        The good ones are written at once, all or none; the others are told and change nothing.
        """
        if media_type(request.headers) != NDJSON:
            raise HTTPException(415, f"Send the sheets as {NDJSON}, one a line.")
        return Response(lines(map(as_json_line, _bulk(index, content))), media_type=NDJSON)

    @routes.post(
        "/v1/directory",
        responses=documented(409, 413, 422),
        openapi_extra={
            "requestBody": {
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                },
                "required": True,
            }
        },
    )
    def load(
        content: Content,
        kind: Literal["csv", "tsv", "xlsx", "jsonl"],
        sync: bool = False,
    ) -> Imported:
        """Bring the directory up to date with a file, as `maillon index` does.

        With `sync`, suppliers that the file does not hold are taken out,
        unless a line was rejected.
        """
        return _imported(index, content, kind, sync)

    return routes


def found(index: SupplierIndex, one: str) -> Supplier:
    """The supplier of an id; raises 404 where there is none."""
    supplier = index.catalogue.get(one)
    if supplier is None:
        raise _unknown(one)
    return supplier


def lines(texts: Iterable[str]) -> str:
    """Texts one a line."""
    return "".join(f"{text}\n" for text in texts)


def _unknown(one: str) -> HTTPException:
    return HTTPException(404, f"No supplier has the id {one[:100]!r}.")


def _bulk(index: SupplierIndex, content: bytes) -> list[Line]:
    read = [(n, _parsed(text)) for n, text in enumerate(content.split(b"\n"), 1) if text.strip()]
    if len(read) > MAX_LINES:
        raise HTTPException(413, f"{len(read):,} lines, at most {MAX_LINES:,} at once.")
    last = {one.id: number for number, one in read if isinstance(one, Supplier)}
    good = [one for number, one in read if isinstance(one, Supplier) and last[one.id] == number]
    held = {one.id: index.catalogue.get(one.id) for one in good}
    index.upsert(good)
    return [_told(number, one, last, held) for number, one in read]


def _told(
    number: int,
    one: Supplier | SupplierError,
    last: Mapping[str, int],
    held: Mapping[str, Supplier | None],
) -> Line:
    if isinstance(one, SupplierError):
        return Line(number, "rejected", None, str(one))
    if last[one.id] != number:
        said = f"identifiant redonné ligne {last[one.id]}, qui seule compte."
        return Line(number, "rejected", one.id, said)
    return Line(number, "unchanged" if held[one.id] == one else "stored", one.id)


def _parsed(line: bytes) -> Supplier | SupplierError:
    record = json_record(line)
    try:
        return record if isinstance(record, SupplierError) else parse_supplier(record)
    except SupplierError as error:
        return error


def _imported(index: SupplierIndex, content: bytes, kind: str, sync: bool) -> Imported:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"annuaire.{kind}")
        file.write_bytes(content)
        try:
            if kind == "xlsx":
                check_unpacked(file, MAX_UNPACKED)
            directory = read_suppliers(file)
        except MaillonError as error:
            raise HTTPException(422, str(error)) from error
    if not directory.suppliers and not directory.rejects:
        raise HTTPException(422, f"{file.name} : aucun fournisseur. Rien n'a été changé.")
    changes = index.upsert(directory.suppliers)
    if sync and not directory.rejects:
        changes += index.keep_only(directory.suppliers)
    read, rejected = len(directory.suppliers), len(directory.rejects)
    rejects = _rejects(directory.rejects[:_TOLD])
    return Imported(directory.detected, directory.header, read, changes, rejected, rejects)


def _rejects(rejects: Sequence[Reject]) -> list[Rejected]:
    lengths = accumulate(sum(map(len, one.cells)) for one in rejects)
    return [
        Rejected(one.line, one.reason, one.cells if length <= _CELLS else ())
        for one, length in zip(rejects, lengths, strict=True)
    ]
