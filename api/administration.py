"""The routes of administrators: the state of an index, and a change of its encoder."""

import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, Field
from starlette.exceptions import HTTPException

from api.access import Access
from api.problems import documented
from embed.encoder import DEEP, EMBEDDED, FAST
from index.engine import SupplierIndex

LOG = "switching.log"
_SUITE = Path(__file__).parents[1] / "eval" / "data"
_TAIL = 4_000

Shipped = Annotated[
    Literal["maillon-pair-2", "maillon-static-3", "maillon-transformer-1"],
    Field(description="One that ships with maillon; others by `maillon reindex`"),
]


@dataclass(frozen=True, slots=True)
class Switch:
    """The encoder to change to; with `gate`, only if it is no worse on the French suite."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    encoder: Shipped
    gate: bool = True


@dataclass(frozen=True, slots=True)
class Switching:
    """The last change of encoder: whether it still runs, and what it has said."""

    running: bool
    said: str


@dataclass(frozen=True, slots=True)
class State:
    """An index as it stands: capabilities that are searched, those of the delta among them."""

    suppliers: int
    encoder: str
    encoders: tuple[str, ...]
    capabilities: int
    delta: int
    switching: Switching | None


def admin_routes(index: SupplierIndex, access: Access) -> APIRouter:
    """The state of an index and its encoder: for secret keys."""
    routes = APIRouter(dependencies=[Depends(access.write)], tags=["administration"])

    @routes.get("/v1/state", responses=documented())
    def state() -> State:
        """The index, its encoder, and how a change of encoder goes."""
        rows = [segment.rows for segment in index.segments]
        switching = _switching(index.folder) if index.folder else None
        encoders = (EMBEDDED, FAST, DEEP)
        return State(len(index), index.encoder.name, encoders, sum(rows), sum(rows[1:]), switching)

    @routes.post("/v1/encoder", status_code=202, responses=documented(400, 409, 413, 415, 422))
    def change(switch: Switch) -> Switching:
        """Begin to change the encoder beside the searches; `GET /v1/state` tells how it goes."""
        if index.folder is None:
            raise HTTPException(409, "This directory is in memory only: serve an index folder.")
        _begin(index.folder, switch)
        return Switching(True, "")

    return routes


def _begin(folder: Path, switch: Switch) -> None:
    command = [sys.executable, "-m", "api.cli", "reindex", "--index", str(folder)]
    command += ["--encoder", switch.encoder, *(["--gate", str(_SUITE)] if switch.gate else [])]
    with (folder / LOG).open("a+b") as log:
        if not any(_locked(log, fcntl.LOCK_EX) for _ in _tries()):
            raise HTTPException(409, "The encoder is being changed already.")
        log.truncate(0)
        # It holds the lock as long as it runs.
        process = subprocess.Popen(command, stdout=log, stderr=log)
    Thread(target=process.wait, daemon=True).start()  # or it would stay as a zombie


def _tries() -> Iterator[None]:
    """A few moments, since whoever looks at the state holds the lock for one."""
    for _ in range(10):
        yield
        time.sleep(0.02)


def _switching(folder: Path) -> Switching | None:
    try:
        with (folder / LOG).open("rb") as log:
            said = log.read()[-_TAIL:].decode(errors="replace").strip()
            return Switching(not _locked(log, fcntl.LOCK_SH), said)
    except FileNotFoundError:
        return None


def _locked(log: IO[bytes], kind: int) -> bool:
    """Whether this process got a lock of the log, of its own or shared."""
    try:
        fcntl.flock(log, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
