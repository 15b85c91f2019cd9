"""The judging page, served to judges on this machine or the local network."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Annotated

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict, Field

from eval.judging import Judgement, Sitting
from eval.suite import Need, Suite
from index.suppliers import Supplier

JudgeName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]

_PAGE = Path(__file__).with_name("judge.html")


@dataclass(frozen=True, slots=True)
class Said:
    """A judgement as the page sends it."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    judge: JudgeName
    need: str
    supplier: str
    grade: Annotated[int | None, Field(ge=0, le=3)]
    reason: Annotated[str, Field(max_length=1_000)] = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """What a judge sees: the need and a supplier, nothing of who proposed it."""

    need: str
    text: str
    department: str | None
    supplier: str
    name: str
    place: str
    capabilities: tuple[str, ...]
    certifications: tuple[str, ...]
    series: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """Where a judge stands; `pair` is None when all is judged."""

    done: int
    total: int
    pair: Pair | None


def create_judging(suite: Suite, pools: dict[str, list[str]], folder: Path) -> FastAPI:
    """The app that lets judges judge `pools`, and keeps what they say under `folder`."""
    app = FastAPI(title="maillon eval judge", docs_url=None, redoc_url=None)
    sittings: dict[str, Sitting] = {}
    lock = Lock()
    needs = {need.id: need for need in suite.needs}
    suppliers = {supplier.id: supplier for supplier in suite.suppliers}

    def sitting(judge: str) -> Sitting:
        with lock:
            if judge not in sittings:
                sittings[judge] = Sitting(pools, judge, folder)
            return sittings[judge]

    def state(judge: str) -> State:
        total, left = len(sitting(judge).order), sitting(judge).left()
        pair = _shown(needs[left[0][0]], suppliers[left[0][1]]) if left else None
        return State(total - len(left), total, pair)

    @app.get("/state/{judge}")
    def read(judge: JudgeName) -> State:
        """Where the judge stands, and the next pair."""
        return state(judge)

    @app.post("/judgements")
    def judge(said: Said) -> State:
        """Keep a judgement, then give the next pair."""
        if said.supplier not in pools.get(said.need, ()):
            raise HTTPException(404, "cette paire n'est pas à juger.")
        sitting(said.judge).say(Judgement(said.need, said.supplier, said.grade, said.reason))
        return state(said.judge)

    @app.post("/undo/{judge}")
    def undo(judge: JudgeName) -> State:
        """Take back the judge's last standing judgement; it is asked again."""
        sitting(judge).undo()
        return state(judge)

    @app.get("/")
    def page() -> HTMLResponse:
        nonce = secrets.token_urlsafe(16)
        content = _PAGE.read_text(encoding="utf-8").replace("NONCE", nonce)
        policy = (
            "default-src 'none'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
            f"style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'"
        )
        return HTMLResponse(content, headers={"content-security-policy": policy})

    return app


def _shown(need: Need, supplier: Supplier) -> Pair:
    place = " ".join(filter(None, (supplier.postcode, supplier.city)))
    return Pair(
        need.id,
        need.text,
        need.department,
        supplier.id,
        supplier.name,
        place or supplier.department or "",
        supplier.capabilities,
        supplier.certifications,
        supplier.series,
    )
