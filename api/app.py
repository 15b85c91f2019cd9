"""The HTTP door of one directory: JSON API, its documentation, the search and admin pages."""

from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from api.access import Access
from api.administration import admin_routes
from api.journal import Journal
from api.keys import Keys
from api.limits import SecurityHeaders, SizeLimit
from api.problems import add_problems
from api.programme import programme_routes
from api.searching import batch_routes, search_routes
from api.settings import RATE
from api.sheets import reading_routes, writing_routes
from api.verdicts import feedback_routes, judging_routes
from index.catalogue import MEMORY
from index.engine import SupplierIndex

_STATIC = Path(__file__).parent / "static"
_NO_KEY = 'key=""'


@dataclass(frozen=True, slots=True)
class Health:
    """What is being served."""

    status: str
    encoder: str
    suppliers: int


def create_app(
    index: SupplierIndex,
    keys: Keys | None = None,
    journal: Journal | None = None,
    rate: str = RATE,
) -> FastAPI:
    """The app that serves one index; nothing is global, so that several can live in a process.

    Without `keys` it is open to search and closed to writing; without a `journal`, feedback is
    kept until the process ends.
    """
    app = FastAPI(
        title="maillon",
        summary="Finds, in French, who can make what somebody needs",
        version="1",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    keys, journal = keys or Keys(MEMORY), journal or Journal(MEMORY)
    access = Access.of(keys, rate)
    app.add_middleware(SizeLimit)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],  # which page may ask is the key's to say
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type"],
        expose_headers=["retry-after", "x-request-id"],
    )
    add_problems(app)
    app.include_router(search_routes(index, access, journal))
    app.include_router(programme_routes(index, access))  # before JSON on the same path
    app.include_router(batch_routes(index, access))
    app.include_router(reading_routes(index, access))
    app.include_router(writing_routes(index, access))
    app.include_router(feedback_routes(index, access, journal))
    app.include_router(judging_routes(index, access, journal))
    app.include_router(admin_routes(index, access))
    _add_pages(app, index, keys)
    return app


def _add_pages(app: FastAPI, index: SupplierIndex, keys: Keys) -> None:
    @app.get("/v1/health")
    def health() -> Health:
        """Whether the service answers, with which encoder and how many suppliers."""
        return Health("ok", index.encoder.name, len(index))

    @app.get("/", include_in_schema=False)
    def page() -> HTMLResponse:
        token = keys.page_token()
        if keys.closed() and not token:
            said = "The key of this search page was revoked. maillon keys page makes another."
            raise HTTPException(404, said)
        text = (_STATIC / "index.html").read_text(encoding="utf-8")
        return HTMLResponse(text.replace(_NO_KEY, f'key="{token}"'))

    @app.get("/admin", include_in_schema=False)
    def admin() -> FileResponse:
        return FileResponse(_STATIC / "admin.html")

    app.mount("/static", StaticFiles(directory=_STATIC))
