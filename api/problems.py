"""Errors as clients read them: problem details (RFC 9457)."""

import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException

from index.catalogue import CatalogueError
from index.facets import FilterError
from index.places import PlaceError
from index.reading import NeedError
from index.suppliers import SupplierError

_LOG = logging.getLogger("maillon.errors")

_SAID = {
    400: "The body is not text that can be read",
    401: "A key is needed, or is not known",
    403: "The key may not do this",
    404: "There is no such supplier",
    409: "Another change is under way",
    413: "The body is larger than the service reads",
    415: "The body is of another type than the service reads",
    422: "A value cannot be used",
    503: "The directory cannot be read or written: its disk is full, or its folder gone",
    429: "Too many requests: `Retry-After` says how many seconds to wait",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error: what is wrong, where, and what to do."""

    title: str
    status: int
    detail: str


def documented(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Problems of a route for its OpenAPI description; any may have 401, 403, 429 and 503."""
    schema = TypeAdapter(Problem).json_schema()
    content = {"application/problem+json": {"schema": schema}}
    return {
        code: {"description": _SAID[code], "content": content}
        for code in sorted({*codes, 401, 403, 429, 503})
    }


def add_problems(app: FastAPI) -> None:
    """Answer every error of an app as a problem."""
    app.exception_handler(NeedError)(_need_error)
    app.exception_handler(SupplierError)(_supplier_error)
    app.exception_handler(PlaceError)(_choice_error)
    app.exception_handler(FilterError)(_choice_error)
    app.exception_handler(RequestValidationError)(_validation_error)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(CatalogueError)(_storage_error)
    app.exception_handler(sqlite3.Error)(_storage_error)


def _problem(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    sendable = detail.encode(errors="replace").decode()  # it may cite half a surrogate pair
    content = {"title": title, "status": status, "detail": sendable}
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def _need_error(_: Request, error: NeedError) -> JSONResponse:
    return _problem(422, "The need cannot be searched", str(error))


def _supplier_error(_: Request, error: SupplierError) -> JSONResponse:
    return _problem(422, "The supplier cannot be used", str(error))


def _choice_error(_: Request, error: PlaceError | FilterError) -> JSONResponse:
    return _problem(422, "The place or filter is not known", str(error))


def _validation_error(_: Request, error: RequestValidationError) -> JSONResponse:
    if isinstance(error.body, bytes):  # left as it came: its type is not JSON's
        return _problem(415, "Unsupported Media Type", "Send JSON: Content-Type: application/json.")
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return _problem(422, "The request cannot be read", f"{place}: {said}")


def _storage_error(request: Request, error: CatalogueError | sqlite3.Error) -> JSONResponse:
    _LOG.error("%s: %s", request.scope.get("directory", ""), error)
    return _problem(503, "The directory cannot be read or written", str(error))


def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    title = HTTPStatus(error.status_code).phrase
    return _problem(error.status_code, title, str(error.detail), error.headers)
