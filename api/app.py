"""The HTTP door: JSON API, its documentation, and the search page."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import ConfigDict, Field, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from api.limits import SecurityHeaders, SizeLimit
from index.engine import EVERYBODY, MAX_K, SupplierIndex
from index.facets import MAX_VALUES, Counted, FilterError, Filters
from index.places import MAX_KM, Near, PlaceError
from index.reading import MAX_NEED, NeedError
from index.suppliers import Suggestion, Supplier
from index.understanding import near_to
from index.wishes import Wish

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
Proximity = Annotated[float | None, Field(ge=0, le=1, description="How much nearness weighs")]
Values = Annotated[list[str], Query(max_length=MAX_VALUES)]
NONE: list[str] = []
Ignored = Annotated[tuple[str, ...], Field(max_length=20, description="Labels not to apply")]


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A need to be answered from the directory.

    Places that the need's text names become filters, said in `applied`, unless `filters` or `near`
    name places; `ignore` lists those that the visitor has removed, by their labels. `proximity` is
    how much nearness weighs: 0 ignores it; by default 0.3 where the text says "autour de", else 0.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    need: NeedText
    k: K = 10
    explain: bool = True
    filters: Filters = EVERYBODY
    near: Near | None = None
    proximity: Proximity = None
    ignore: Ignored = ()
    facets: bool = False


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
    need with its slips mended, without the places that became filters; `trades` are those of the
    lexicon that it evokes. `wishes` are what its text asks besides the thing, at code points of the
    clean need; `applied` the labels of those that became filters. `facets` counts the suppliers
    that fit the filters, for each value of each field; of a field of which one value must fit,
    those that fit the other filters.
    """

    suggestions: Sequence[Suggestion]
    gap: bool
    read_as: str
    trades: Sequence[str]
    wishes: Sequence[Wish]
    applied: Sequence[str]
    facets: Mapping[str, Mapping[str, int]] | None
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
    app.exception_handler(PlaceError)(_choice_error)
    app.exception_handler(FilterError)(_choice_error)
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


def _filters(
    departments: Values = NONE,
    regions: Values = NONE,
    certifications: Values = NONE,
    series: Values = NONE,
    naf: Values = NONE,
    tags: Values = NONE,
) -> Filters:
    """`Filters` as parameters of a link, each as often as it has values."""
    return Filters.of(departments, regions, certifications, series, naf, tags)


def _add_search(app: FastAPI, index: SupplierIndex) -> None:
    @app.post(
        "/v1/search",
        response_model=Answer,
        responses=_PROBLEMS,
        openapi_extra=_example(need=_NEED, k=5, near={"department": "38"}, proximity=0.3),
    )
    def search(request: SearchRequest) -> Response:
        """The suppliers who can best meet a need, and the words that weighed.

        `highlights` count code points of `capability`; `score` runs from 0 to 1 and depends on
        the need and the supplier alone.
        """
        return _search(index, request)

    @app.get("/v1/search", response_model=Answer, responses=_PROBLEMS)
    def search_by_query(
        q: Annotated[str, Query(openapi_examples={"coque": {"value": _NEED}})],
        filters: Annotated[Filters, Depends(_filters)],
        k: Annotated[int, Query(ge=1, le=MAX_K)] = 10,
        explain: bool = True,
        city: str | None = None,
        max_km: Annotated[float | None, Query(ge=0, le=MAX_KM)] = None,
        proximity: Annotated[float | None, Query(ge=0, le=1)] = None,
        ignore: Annotated[list[str], Query(max_length=20)] = NONE,
        facets: bool = False,
    ) -> Response:
        """The same as a link; `city` is a place to be near to, a commune or a département."""
        near = near_to(city, max_km) if city else None
        return _search(
            index,
            SearchRequest(q, k, explain, filters, near, proximity, tuple(ignore), facets),
        )


def _search(index: SupplierIndex, request: SearchRequest) -> Response:
    start = time.perf_counter()
    near, ignored = request.near, request.ignore
    asked = index.understand(request.need, request.filters, near, request.proximity, ignored)
    found = index.search(
        asked.need,
        request.k,
        filters=asked.filters,
        near=asked.near,
        proximity=asked.proximity,
        explain=request.explain,
    )
    facets = index.facets(asked.filters, asked.near) if request.facets else None
    applied = [wish.label for wish in asked.applied]
    return _answer(index, asked.need, found, start, asked.wishes, applied, facets)


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


def _answer(
    index: SupplierIndex,
    need: str,
    found: Sequence[Suggestion],
    start: float,
    wishes: Sequence[Wish] = (),
    applied: Sequence[str] = (),
    facets: Counted | None = None,
) -> Response:
    """The answer as JSON at once: what the index made needs no second check on its way out."""
    reading, gap = index.reading(need), index.nobody_fits(need, found)
    took_ms = round((time.perf_counter() - start) * 1000, 3)
    answer = Answer(found, gap, reading.text, reading.trades, wishes, applied, facets, took_ms)
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


def _choice_error(_: Request, error: PlaceError | FilterError) -> JSONResponse:
    return _problem(422, "The place or filter is not known", str(error))


def _validation_error(_: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return _problem(422, "The request cannot be read", f"{place}: {said}")


def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    title = HTTPStatus(error.status_code).phrase
    return _problem(error.status_code, title, str(error.detail), error.headers)
