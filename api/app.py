"""The HTTP door: JSON API, its documentation, and the search page."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import ConfigDict, Field, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from api.limits import SecurityHeaders, SizeLimit
from index.engine import MAX_K, MAX_NEED, NeedError, SupplierIndex
from index.suppliers import Suggestion, Supplier

MAX_RERANK = 1_000
MAX_RERANK_CAPABILITIES = 20_000

_STATIC = Path(__file__).parent / "static"

_NEED = "la coque qui protège la batterie de mon vélo cargo, 500 par an"
_EXAMPLE_SUPPLIER = {
    "id": "s1",
    "name": "Formes & Plaques",
    "capabilities": ["thermoformage grand format ABS/PMMA, petites et moyennes séries"],
    "department": "01",
}

NeedText = Annotated[
    str, Field(description=f"A need in free French, up to {MAX_NEED:,} characters")
]
K = Annotated[int, Field(ge=1, le=MAX_K, description="How many suggestions to return")]


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A need to be answered from the directory."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    need: NeedText
    k: K = 10
    explain: bool = True


@dataclass(frozen=True, slots=True)
class RerankRequest:
    """A need, and the suppliers to put in order; they need not be in the directory.

    At most 1,000 of them, with at most 20,000 capabilities in all, each id once.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    need: NeedText
    suppliers: Annotated[list[Supplier], Field(max_length=MAX_RERANK)]
    explain: bool = True

    def __post_init__(self) -> None:
        if len({supplier.id for supplier in self.suppliers}) < len(self.suppliers):
            raise ValueError("an id stands twice among the suppliers. Give each its own.")
        capabilities = sum(len(supplier.capabilities) for supplier in self.suppliers)
        if capabilities > MAX_RERANK_CAPABILITIES:
            raise ValueError(
                f"{capabilities:,} capabilities, at most {MAX_RERANK_CAPABILITIES:,} are ranked at "
                "once. Send fewer suppliers."
            )


@dataclass(frozen=True, slots=True)
class Answer:
    """Suggestions, best first; how the need was read; the milliseconds it took.

    `gap` says that nobody fits well, and the suggestions are only the nearest. `read_as` is the
    need with its slips mended; `trades` are those of the lexicon that it evokes.
    """

    suggestions: Sequence[Suggestion]
    gap: bool
    read_as: str
    trades: Sequence[str]
    took_ms: float


@dataclass(frozen=True, slots=True)
class Health:
    """What is being served."""

    status: str
    encoder: str
    suppliers: int


@dataclass(frozen=True, slots=True)
class Problem:
    """An error (RFC 9457): what is wrong, where, and what to do."""

    title: str
    status: int
    detail: str


def _problem_of(description: str) -> dict[str, Any]:
    schema = TypeAdapter(Problem).json_schema()
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


_ANSWER = TypeAdapter(Answer)
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _problem_of("The body is not text that can be read"),
    413: _problem_of("The body is larger than the service reads"),
    422: _problem_of("The need, `k` or a supplier cannot be used"),
}


def create_app(index: SupplierIndex) -> FastAPI:
    """The app that serves one index; nothing is global, so that several can live in a process."""
    app = FastAPI(
        title="maillon",
        summary="Finds, in French, who can make what somebody needs",
        version="1",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(SizeLimit)
    app.add_middleware(SecurityHeaders)
    app.exception_handler(NeedError)(_need_error)
    app.exception_handler(RequestValidationError)(_validation_error)
    app.exception_handler(HTTPException)(_http_error)
    _add_search(app, index)
    _add_rerank(app, index)

    @app.get("/v1/health")
    def health() -> Health:
        """Whether the service answers, with which encoder and how many suppliers."""
        return Health("ok", index.encoder.name, len(index))

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(_STATIC / "index.html")

    app.mount("/static", StaticFiles(directory=_STATIC))
    return app


def _add_search(app: FastAPI, index: SupplierIndex) -> None:
    def answer(need: str, k: int, explain: bool) -> Response:
        start = time.perf_counter()
        return _answer(index, need, index.search(need, k, explain=explain), start)

    @app.post(
        "/v1/search",
        response_model=Answer,
        responses=_PROBLEMS,
        openapi_extra=_example(need=_NEED, k=5),
    )
    def search(request: SearchRequest) -> Response:
        """The suppliers who can best meet a need, and the words that weighed.

        `highlights` count code points of `capability`; `score` runs from 0 to 1 and depends on
        the need and the supplier alone.
        """
        return answer(request.need, request.k, request.explain)

    @app.get("/v1/search", response_model=Answer, responses=_PROBLEMS)
    def search_by_query(
        q: Annotated[str, Query(openapi_examples={"coque": {"value": _NEED}})],
        k: Annotated[int, Query(ge=1, le=MAX_K)] = 10,
        explain: bool = True,
    ) -> Response:
        """The same as a link."""
        return answer(q, k, explain)


def _add_rerank(app: FastAPI, index: SupplierIndex) -> None:
    @app.post(
        "/v1/rerank",
        response_model=Answer,
        responses=_PROBLEMS,
        openapi_extra=_example(need=_NEED, suppliers=[_EXAMPLE_SUPPLIER]),
    )
    def rerank(request: RerankRequest) -> Response:
        """All the given suppliers, best first, with the scores that a search gives them."""
        start = time.perf_counter()
        found = index.rerank(request.need, request.suppliers, explain=request.explain)
        return _answer(index, request.need, found, start)


def _answer(index: SupplierIndex, need: str, found: Sequence[Suggestion], start: float) -> Response:
    """The answer as JSON at once: what the index made needs no second check on its way out."""
    reading = index.reading(need)
    took_ms = round((time.perf_counter() - start) * 1000, 3)
    answer = Answer(found, index.nobody_fits(need, found), reading.text, reading.trades, took_ms)
    return Response(_ANSWER.dump_json(answer), media_type="application/json")


def _example(**body: object) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


def _problem(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    content = {"title": title, "status": status, "detail": detail}
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def _need_error(_: Request, error: NeedError) -> JSONResponse:
    return _problem(422, "The need cannot be searched", str(error))


def _validation_error(_: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return _problem(422, "The request cannot be read", f"{place}: {said}")


def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    title = HTTPStatus(error.status_code).phrase
    return _problem(error.status_code, title, str(error.detail), error.headers)
