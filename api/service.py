"""A service: one or several directories in one process, or in several that share the index folders.

Every directory is an app of its own, with its own index, keys and journal, so that nothing of one
can be reached through another.
"""

import asyncio
import logging
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread
from typing import Self

from fastapi import FastAPI
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from api.journal import FILE as JOURNAL
from api.journal import Journal
from api.keys import FILE as KEYS
from api.keys import Keys
from api.settings import Settings
from api.telemetry import Telemetry, metrics, trace
from embed.encoder import load_encoder
from embed.errors import MaillonError
from index.engine import SupplierIndex, encoder_of

_LOG = logging.getLogger("maillon.errors")

VARIABLE = "MAILLON_SERVICE"
"""The environment variable that tells the settings to workers."""

_TAKEN = ("health", "metrics")

FIRST = "tournage de pièces en inox près de Lyon"
"""Searched before a service says that it is there: it loads what would make a visitor wait."""

_SETTINGS = TypeAdapter(Settings)


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that is served under a name."""

    name: str
    index: SupplierIndex
    keys: Keys
    journal: Journal
    app: FastAPI

    @classmethod
    def of(cls, name: str, index: SupplierIndex, keys: Keys, journal: Journal, rate: str) -> Self:
        """A directory and the app that serves it."""
        return cls(name, index, keys, journal, create_app(index, keys, journal, rate))

    def close(self) -> None:
        """Close its files."""
        self.index.close()
        self.keys.close()
        self.journal.close()


def names_of(folders: Sequence[Path]) -> list[str]:
    """The name of each folder in addresses: its own, without ending.

    Raises `MaillonError` where two have one name, or one that the service needs; a single folder
    is served without its name.
    """
    names = [folder.resolve().stem for folder in folders]
    for name, folder in zip(names, folders, strict=True):
        if names.count(name) > 1 or (len(names) > 1 and name in _TAKEN):
            raise MaillonError(f"{folder}: {name!r} is taken as an address. Rename the folder.")
    return names


def open_directories(settings: Settings) -> list[Directory]:
    """Open the directories of a service; encoders of one name are loaded once."""
    load = cache(load_encoder)
    directories = []
    for name, folder in zip(names_of(settings.folders), settings.folders, strict=True):
        index = SupplierIndex.open(folder, load(encoder_of(folder)))
        keys, journal = Keys(folder / KEYS), Journal(folder / JOURNAL, settings.keep_needs)
        directories.append(Directory.of(name, index, keys, journal, settings.rate))
    return directories


def create_service(directories: Sequence[Directory], *, figures: bool = False) -> Starlette:
    """One directory is served at the root; several under /NAME each, and the root names none."""
    for directory in directories:
        directory.index.search(directory.index.understand(FIRST).need)
        directory.index.complete(FIRST)
        trace(directory.app)
    routes: list[Route | Mount] = [Route("/health", _health)]
    if figures:
        routes.append(Route("/metrics", metrics))
    if len(directories) == 1:
        routes.append(Mount("/", _named(directories[0])))
    else:
        routes += [Mount(f"/{one.name}", _named(one)) for one in directories]
        routes.append(Route("/", _root))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for directory in directories:
                stack.callback(directory.close)
            forgetting = asyncio.create_task(_forget(directories))
            stack.callback(forgetting.cancel)
            yield

    return Starlette(routes=routes, middleware=[Middleware(Telemetry)], lifespan=lifespan)


def tell_workers(settings: Settings) -> None:
    """Leave the settings where `from_environment` finds them, in this process and its workers."""
    os.environ[VARIABLE] = _SETTINGS.dump_json(settings).decode()


def from_environment() -> Starlette:
    """The service of the settings in the environment: what each worker serves."""
    _end_with_parent()
    settings = _SETTINGS.validate_json(os.environ[VARIABLE])
    return create_service(open_directories(settings), figures=settings.metrics)


def _end_with_parent() -> None:
    """End a worker, as SIGTERM does, when the process that started it is gone, even killed."""
    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=wait, daemon=True).start()


async def _forget(directories: Sequence[Directory]) -> None:
    """Drop every hour the needs that were kept long enough, even where nobody searches."""
    while True:
        await asyncio.sleep(3600)
        for directory in directories:
            try:
                await asyncio.to_thread(directory.journal.forget)
            except sqlite3.Error as error:  # tried again in an hour
                _LOG.error("%s: old needs are still kept: %s", directory.name, error)


def _health(_: Request) -> Response:
    """Whether the process answers; a directory says more at its own /v1/health."""
    return PlainTextResponse("ok\n")


def _root(_: Request) -> Response:
    """A word for who strays here; strangers are not told the directories."""
    return PlainTextResponse(
        "Ce service de recherche fonctionne. Chaque annuaire y a sa propre adresse : demandez-la "
        "à qui vous l’a fait connaître.\n"
    )


def _named(directory: Directory) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["directory"] = directory.name
        await directory.app(scope, receive, send)

    return app
