"""The routes of what people say: visitors' feedback, judges' grades, and what they add up to."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from api.access import Access
from api.journal import Asked, Feedback, Journal, Judgement, need_id, ubi
from api.problems import documented
from api.sheets import NDJSON, found, lines
from index.engine import SupplierIndex
from index.qrels import SUITABLE, cell
from index.suppliers import as_json_line

MAX_JUDGEMENTS = 1_000

Source = Literal["judgement", "feedback"]

_Graded = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Stats:
    """A directory and what people do with it; needs are counted only where they are kept."""

    suppliers: int
    encoder: str
    needs_kept_days: int
    counts: Mapping[str, int]
    frequent: Sequence[Asked]
    unanswered: Sequence[Asked]


def feedback_routes(index: SupplierIndex, access: Access, journal: Journal) -> APIRouter:
    """Feedback of visitors: for any key."""
    routes = APIRouter(dependencies=[Depends(access.tell)], tags=["feedback"])

    @routes.post("/v1/feedback", status_code=204, responses=documented(400, 404, 413, 415, 422))
    def feedback(said: Feedback) -> None:
        """Keep what a visitor says of a suggestion: on the disk when this is answered."""
        found(index, said.supplier)
        journal.tell(said)

    return routes


def judging_routes(index: SupplierIndex, access: Access, journal: Journal) -> APIRouter:
    """Judgements, their export, and figures: for secret keys."""
    routes = APIRouter(dependencies=[Depends(access.write)], tags=["feedback"])

    @routes.post("/v1/judgements", status_code=204, responses=documented(400, 404, 413, 415, 422))
    def judge(
        judgements: Annotated[list[Judgement], Field(max_length=MAX_JUDGEMENTS)],
    ) -> None:
        """Keep grades, all or none: on the disk when this is answered."""
        for one in judgements:
            found(index, one.supplier)
        journal.judge(judgements)

    @routes.get(
        "/v1/judgements", response_class=StreamingResponse, responses=_text(NDJSON, "`Event`s")
    )
    def judgements() -> StreamingResponse:
        """All grades, one a line of NDJSON."""
        pages = (lines(map(as_json_line, page)) for page in journal.pages("judgement"))
        return StreamingResponse(pages, media_type=NDJSON)

    @routes.get(
        "/v1/qrels",
        response_class=Response,
        responses=_text("text/plain", "need, 0, supplier, grade") | documented(422),
    )
    def qrels(source: Source = "judgement") -> Response:
        """The last grade of each pair as TREC qrels; a visitor's "suits" counts as 2, else 0.

        Of suppliers that are still there. A blank in an id, which qrels cannot hold, is written
        %20, a % is %25.
        """
        return Response(lines(_qrels(_graded(index, journal, source))), media_type="text/plain")

    @routes.get(
        "/v1/qrels/needs",
        response_class=Response,
        responses=_text(NDJSON, "id, text, gap") | documented(422),
    )
    def needs(source: Source = "judgement") -> Response:
        """The needs of the qrels, as an evaluation suite has them in `needs.jsonl`.

        `gap` is true where no supplier is graded 2 or 3.
        """
        return Response(lines(_needs(_graded(index, journal, source))), media_type=NDJSON)

    @routes.get(
        "/v1/events",
        response_class=StreamingResponse,
        responses=_text(NDJSON, "Events") | documented(422),
    )
    def events(after: Annotated[int, Query(ge=0, lt=2**63)] = 0) -> StreamingResponse:
        """All events as User Behavior Insights lines, from a number on."""
        pages = (lines(map(ubi, page)) for page in journal.pages(after=after))
        return StreamingResponse(pages, media_type=NDJSON)

    @routes.get("/v1/stats", responses=documented())
    def stats() -> Stats:
        """What is searched most, what nobody answers, and how suggestions are judged."""
        return Stats(
            len(index),
            index.encoder.name,
            journal.days,
            journal.counts(),
            journal.asked(),
            journal.asked(only_gaps=True),
        )

    return routes


def _graded(index: SupplierIndex, journal: Journal, source: Source) -> _Graded:
    """For each need, the last grade of each supplier that is still there."""
    worth, there = 2 if source == "feedback" else 1, index.catalogue.ids()
    graded: _Graded = {}
    for event in journal.events(source):
        if event.supplier in there:
            graded.setdefault(event.need, {})[event.supplier] = event.value * worth
    return graded


def _qrels(graded: _Graded) -> Iterator[str]:
    for need, grades in graded.items():
        for supplier, grade in grades.items():
            yield f"{need_id(need)} 0 {cell(supplier)} {grade}"


def _needs(graded: _Graded) -> Iterator[str]:
    for need, grades in graded.items():
        line = {"id": need_id(need), "text": need, "gap": max(grades.values()) < SUITABLE}
        yield json.dumps(line, ensure_ascii=False)


def _text(media: str, said: str) -> dict[int | str, dict[str, Any]]:
    content = {media: {"schema": {"type": "string"}}}
    return {200: {"description": said, "content": content}, **documented()}
