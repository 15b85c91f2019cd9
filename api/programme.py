"""Purchase programmes over HTTP: a workbook in, the same workbook answered out."""

from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from api.access import Access
from api.limits import check_unpacked, media_type
from api.sheets import XLSX, Content
from embed.errors import MaillonError
from index.engine import SupplierIndex
from index.matching import in_lots, prepared
from index.needs import read_needs
from index.places import MAX_KM
from index.programme import write_programme

MAX_PROGRAMME = 5_000
"""Needs of a workbook."""

MAX_LINES = 20_000
"""Lines of a sheet, empty ones included."""

MAX_UNPACKED = 25_000_000
"""Bytes of all parts of a workbook: it is a ZIP archive, which may grow a thousandfold."""


class _WorkbookRoute(APIRoute):
    """A route for workbooks alone: JSON on the same path goes on to the next route."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for this route."""
        match, child = super().matches(scope)
        sent = media_type(Headers(scope=scope))
        return (match, child) if sent == XLSX else (Match.NONE, {})


def programme_routes(index: SupplierIndex, access: Access) -> APIRouter:
    """Answer a purchase programme: for secret keys, where there are keys.

    To be included before the route that takes JSON on the same path.
    """
    routes = APIRouter(route_class=_WorkbookRoute, dependencies=[Depends(access.search_much)])
    busy = Lock()

    @routes.post("/v1/rerank", response_class=Response, include_in_schema=False)
    def programme(
        content: Content,
        k: Annotated[int, Query(ge=1, le=20)] = 3,
        near: str | None = None,
        local_km: Annotated[float, Query(ge=0, le=MAX_KM)] = 100,
    ) -> Response:
        """The workbook with its needs answered, one at a time: it may take minutes."""
        if not busy.acquire(blocking=False):
            raise HTTPException(429, "A programme is being answered.", {"retry-after": "30"})
        try:
            answered = _answered(index, content, k, near, local_km)
        except MaillonError as error:
            raise HTTPException(422, str(error)) from error
        finally:
            busy.release()
        return Response(answered, media_type=XLSX)

    return routes


def _answered(
    index: SupplierIndex, content: bytes, k: int, near: str | None, local_km: float
) -> bytes:
    with TemporaryDirectory() as folder:
        source, result = Path(folder, "programme.xlsx"), Path(folder, "complet.xlsx")
        source.write_bytes(content)
        check_unpacked(source, MAX_UNPACKED)
        wanted = read_needs(source, MAX_LINES)
        if len(wanted.needs) > MAX_PROGRAMME:
            raise MaillonError(
                f"{len(wanted.needs)} besoins, {MAX_PROGRAMME} au plus. Scindez le classeur, ou "
                "servez-vous de maillon rerank."
            )
        lots = in_lots(prepared(index, wanted.needs, near), k)
        answers = (one for lot in lots for one in index.answer(lot, k, local_km))
        write_programme(result, source, wanted, answers, k, local_km)
        return result.read_bytes()
