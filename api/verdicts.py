"""The routes of what people say: visitors' feedback, judges' grades, and what they add up to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from api.access import Access
from api.journal import Action, Asked, Feedback, Journal, Judgement, need_id, ubi
from api.problems import documented
from api.sheets import NDJSON, found, lines
from index.engine import SupplierIndex
from index.suppliers import as_json_line

MAX_JUDGEMENTS = 1_000


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

    @routes.post("/v1/feedback", status_code=204, responses=documented(400, 404, 413, 422))
    def feedback(said: Feedback) -> None:
        """Keep what a visitor says of a suggestion: on the disk when this is answered."""
        found(index, said.supplier)
        journal.tell(said)

    return routes


def judging_routes(index: SupplierIndex, access: Access, journal: Journal) -> APIRouter:
    """Judgements, their export, and figures: for secret keys."""
    routes = APIRouter(dependencies=[Depends(access.write)], tags=["feedback"])

    @routes.post("/v1/judgements", status_code=204, responses=documented(400, 413, 422))
    def judge(
        judgements: Annotated[list[Judgement], Field(max_length=MAX_JUDGEMENTS)],
    ) -> None:
        """Keep grades, all or none: on the disk when this is answered."""
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
    def qrels(source: Literal["judgement", "feedback"] = "judgement") -> Response:
        """The last grade of each pair as TREC qrels; a visitor's "suits" counts as 2, else 0.

        A space in an id of a supplier, which qrels cannot hold, is written %20.
        """
        return Response(lines(_qrels(journal, source)), media_type="text/plain")

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


def _qrels(journal: Journal, source: Action) -> Iterator[str]:
    worth = 2 if source == "feedback" else 1
    grades = {
        (need_id(event.need), str(event.supplier).replace(" ", "%20")): event.value * worth
        for event in journal.events(source)
    }
    return (f"{need} 0 {supplier} {grade}" for (need, supplier), grade in grades.items())


def _text(media: str, said: str) -> dict[int | str, dict[str, Any]]:
    content = {media: {"schema": {"type": "string"}}}
    return {200: {"description": said, "content": content}, **documented()}
