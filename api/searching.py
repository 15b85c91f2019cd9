"""The routes that search: search, complete, facets, rerank, many needs at once."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from threading import BoundedSemaphore
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import ConfigDict, Field, TypeAdapter

from api.access import Access
from api.journal import Journal
from api.problems import documented
from api.sheets import XLSX
from index.completion import Completion
from index.engine import MAX_K, SupplierIndex
from index.facets import MAX_VALUES, Counted, Filters
from index.finding import EVERYBODY
from index.places import MAX_KM, Near
from index.reading import MAX_NEED
from index.suppliers import Suggestion, Supplier
from index.understanding import near_to
from index.wishes import Wish

MAX_RERANK = 1_000
MAX_RERANK_CAPABILITIES = 20_000
MAX_NEEDS = 200
MAX_COMPLETIONS = 20

_TURNS = BoundedSemaphore(2)
"""Searches take turns, two at once: more threads of one interpreter make each other slower."""

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
Offset = Annotated[int, Field(ge=0, lt=MAX_K, description="How many of the best to leave out")]
Day = Annotated[int | None, Field(ge=1, le=3_652_059, description="Whose turn equals take")]
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
    The next page is the same request with `offset` and the `day` of the first answer.
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
    offset: Offset = 0
    day: Day = None


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
class NeedsRequest:
    """Needs to be answered one by one, at most 200, each with the best `k` suppliers."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    needs: Annotated[list[NeedText], Field(max_length=MAX_NEEDS)]
    k: Annotated[int, Field(ge=1, le=50, description="How many suggestions for each")] = 3
    filters: Filters = EVERYBODY


@dataclass(frozen=True, slots=True)
class Answer:
    """Suggestions, best first; how the need was read; the milliseconds it took.

    `gap` says that nobody fits well, and the suggestions are only the nearest. `read_as` is the
    need with its slips mended, without the places that became filters; `trades` are those of the
    lexicon that it evokes. `wishes` are what its text asks besides the thing or rules out, at code
    points of the clean need; `applied` the labels of those that became filters. `facets` counts the
    suppliers that fit the filters, for each value of each field; of a field of which one value must
    fit, those that fit the other filters. Equals take turns by the `day`.
    """

    suggestions: Sequence[Suggestion]
    gap: bool
    read_as: str
    trades: Sequence[str]
    wishes: Sequence[Wish]
    applied: Sequence[str]
    facets: Mapping[str, Mapping[str, int]] | None
    day: int
    took_ms: float


@dataclass(frozen=True, slots=True)
class Answers:
    """One answer a need, in their order."""

    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class Completed:
    """What a need that is being typed may become."""

    completions: Sequence[Completion]


_WORKBOOK = {XLSX: {"schema": {"type": "string", "format": "binary"}}}
_ANSWER = TypeAdapter(Answer)
_ANSWERS = TypeAdapter(Answers)
_PROBLEMS = documented(400, 413, 415, 422)


def search_routes(index: SupplierIndex, access: Access, journal: Journal) -> APIRouter:
    """Search by POST and as a link, complete, facets: for any key."""
    routes = APIRouter(dependencies=[Depends(access.search)], responses=_PROBLEMS)

    @routes.post(
        "/v1/search",
        response_model=Answer,
        openapi_extra=_body({}, need=_NEED, k=5, near={"department": "38"}, proximity=0.3),
    )
    def search(request: SearchRequest) -> Response:
        """The suppliers who can best meet a need, and the words that weighed.

        `highlights` count code points of `capability`; `score` runs from 0 to 1 and depends on
        the need and the supplier alone.
        """
        return _as_json(_searched(index, request, journal))

    @routes.get("/v1/search", response_model=Answer)
    def search_by_query(
        q: Annotated[str, Query(openapi_examples={"coque": {"value": _NEED}})],
        filters: Annotated[Filters, Depends(_filters)],
        near: Annotated[Near | None, Depends(_near)],
        k: K = 10,
        explain: bool = True,
        proximity: Proximity = None,
        ignore: Annotated[list[str], Query(max_length=20)] = NONE,
        facets: bool = False,
        offset: Offset = 0,
        day: Day = None,
    ) -> Response:
        """The same as a link; `city` is a place to be near to, a commune or a département."""
        request = SearchRequest(
            q, k, explain, filters, near, proximity, tuple(ignore), facets, offset, day
        )
        return _as_json(_searched(index, request, journal))

    @routes.get("/v1/complete")
    def complete(
        q: Annotated[str, Query(max_length=MAX_NEED)],
        k: Annotated[int, Query(ge=1, le=MAX_COMPLETIONS)] = 8,
    ) -> Completed:
        """What a need that is being typed may become: trades, and capabilities of the directory."""
        return Completed(index.complete(q, k))

    @routes.get("/v1/facets")
    def facets(
        filters: Annotated[Filters, Depends(_filters)],
        near: Annotated[Near | None, Depends(_near)],
    ) -> Mapping[str, Mapping[str, int]]:
        """How many suppliers that fit the filters have each value of each field, most first."""
        return index.facets(filters, near)

    return routes


def batch_routes(index: SupplierIndex, access: Access) -> APIRouter:
    """Rerank, and many needs at once: for secret keys, where there are keys."""
    routes = APIRouter(dependencies=[Depends(access.search_much)], responses=_PROBLEMS)

    @routes.post(
        "/v1/rerank",
        response_model=Answer,
        responses={200: {"content": _WORKBOOK}},
        openapi_extra=_body(_WORKBOOK, need=_NEED, suppliers=[_EXAMPLE_SUPPLIER]),
    )
    def rerank(request: RerankRequest) -> Response:
        """All the given suppliers, best first, with the scores that a search gives them.

        A workbook of needs comes back with columns that answer each from the directory; parameters
        `k`, suppliers for each (3), `near` and `local_km` (100) as of `maillon rerank`.
        """
        start = time.perf_counter()
        found = index.rerank(request.need, request.suppliers, explain=request.explain)
        return _as_json(_answer(index, request.need, found, start))

    @routes.post("/v1/needs", response_model=Answers, openapi_extra=_body({}, needs=[_NEED], k=2))
    def needs(request: NeedsRequest) -> Response:
        """Every need answered as a search does, without explanations."""
        asked = (SearchRequest(need, request.k, False, request.filters) for need in request.needs)
        answers = Answers([_searched(index, one) for one in asked])
        return Response(_ANSWERS.dump_json(answers), media_type="application/json")

    return routes


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


def _near(
    city: str | None = None,
    max_km: Annotated[float | None, Query(ge=0, le=MAX_KM)] = None,
) -> Near | None:
    return near_to(city, max_km) if city else None


def _searched(
    index: SupplierIndex, request: SearchRequest, journal: Journal | None = None
) -> Answer:
    with _TURNS:
        answer, need = _in_turn(index, request)
    if journal and not request.offset:
        journal.searched(need, not answer.gap)
    rest = answer.suggestions[request.offset :]
    return replace(answer, suggestions=rest) if request.offset else answer


def _in_turn(index: SupplierIndex, request: SearchRequest) -> tuple[Answer, str]:
    """The answer, pages before it included, and the need without the places that it names."""
    start = time.perf_counter()
    near, ignored = request.near, request.ignore
    asked = index.understand(request.need, request.filters, near, request.proximity, ignored)
    day = request.day or date.today().toordinal()
    found = index.search(
        asked.need,
        min(request.offset + request.k, MAX_K),
        filters=asked.filters,
        near=asked.near,
        proximity=asked.proximity,
        explain=request.explain,
        day=day,
    )
    facets = index.facets(asked.filters, asked.near) if request.facets else None
    applied = [wish.label for wish in asked.applied]
    answer = _answer(index, asked.need, found, start, asked.wishes, applied, facets, day)
    return answer, asked.need


def _answer(
    index: SupplierIndex,
    need: str,
    found: Sequence[Suggestion],
    start: float,
    wishes: Sequence[Wish] = (),
    applied: Sequence[str] = (),
    facets: Counted | None = None,
    day: int | None = None,
) -> Answer:
    reading, gap = index.reading(need), index.nobody_fits(need, found)
    took_ms = round((time.perf_counter() - start) * 1000, 3)
    today = day or date.today().toordinal()
    return Answer(found, gap, reading.text, reading.trades, wishes, applied, facets, today, took_ms)


def _as_json(answer: Answer) -> Response:
    """What the index made needs no second check on its way out."""
    return Response(_ANSWER.dump_json(answer), media_type="application/json")


def _body(others: Mapping[str, Any], **example: object) -> dict[str, Any]:
    """A body of JSON for the OpenAPI description, and the other types that it may be of."""
    return {"requestBody": {"content": {"application/json": {"example": example}, **others}}}
