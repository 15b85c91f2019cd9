"""The commands of a service: serve, and the keys of a directory."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import EncoderName, IndexFolder, build, load
from api.settings import RATE, Settings
from embed.errors import MaillonError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from api.keys import Key, Keys

app = typer.Typer()
keys = typer.Typer(no_args_is_help=True, help="Who may search a directory, and who may write.")
app.add_typer(keys, name="keys")

LOGS = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        "maillon": {"handlers": ["stderr"], "level": "INFO"},
        "uvicorn": {"handlers": ["stderr"], "level": "INFO"},
    },
}
"""Requests as lines of JSON; of uvicorn starts, stops, workers that died, what went wrong."""

NONE: list[str] = []
NO_FOLDERS: list[Path] = []


@app.command()
def serve(
    index: Annotated[
        list[Path],
        typer.Option(
            "--index",
            envvar="MAILLON_INDEX",
            help="Folder written by `maillon index`; several: each under its name.",
        ),
    ] = NO_FOLDERS,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="Serve the invented directory, by default with the fast encoder."
        ),
    ] = False,
    host: Annotated[str, typer.Option(envvar="MAILLON_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, envvar="MAILLON_PORT")] = 8000,
    workers: Annotated[
        int,
        typer.Option(
            min=1, max=64, envvar="MAILLON_WORKERS", help="Processes that share the folders."
        ),
    ] = 1,
    rate: Annotated[
        str,
        typer.Option(
            envvar="MAILLON_RATE",
            help=f"Requests of one address under one key, of each worker: {RATE}.",
        ),
    ] = RATE,
    keep_needs: Annotated[
        int,
        typer.Option(
            min=0,
            max=3650,
            envvar="MAILLON_KEEP_NEEDS",
            help="Days for which the searched needs are kept, for /admin; 0: none is.",
        ),
    ] = 0,
    metrics: Annotated[
        bool,
        typer.Option(
            "--metrics", envvar="MAILLON_METRICS", help="Figures for Prometheus at /metrics."
        ),
    ] = False,
    encoder: EncoderName = None,
) -> None:
    """Serve the search page and the HTTP API of one or more directories, or of the demo.

    Example: maillon serve --demo
    """
    if bool(index) == demo:
        raise typer.BadParameter("give either --index DIR or --demo")
    if demo and workers > 1:
        raise typer.BadParameter("the demo directory is in memory: one worker serves it")
    if index and encoder:
        raise typer.BadParameter("an index is served with the encoder that made it: leave it out")
    _check_rate(rate)
    # One thread a request, in ONNX Runtime, FAISS and tokenizers: four slow each other down.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    settings = Settings(tuple(index), rate, keep_needs, metrics)
    with _figures_shared(metrics and workers > 1):
        app = _demo(encoder, settings) if demo else _told_workers(settings)
        for path in _paths(index):
            typer.echo(f"search page on http://{host}:{port}{path}")
        _run(app, host, port, workers)


@keys.command()
def create(
    index: IndexFolder,
    secret: Annotated[
        bool, typer.Option("--secret", help="May write and administer; never put it in a page.")
    ] = False,
    origins: Annotated[
        list[str], typer.Option("--origin", help="Site whose pages may use it: https://cci.example")
    ] = NONE,
    label: Annotated[str, typer.Option(help="What it is for, to know it again.")] = "",
) -> None:
    """Make a key and show it, this once; from the first one on, searching needs a key.

    Example: maillon keys create --index annuaire.index --origin https://www.cci.example
    """
    with closing(_keys(index)) as held:
        first = not held.closed()
        key, token = held.create("secret" if secret else "publishable", label, origins)
    typer.echo(token)
    typer.echo(f"{_told(key)}. It is not shown again.", err=True)
    if first:
        typer.echo("From now on searching this directory needs a key.", err=True)


@keys.command("list")
def list_(index: IndexFolder) -> None:
    """List the keys of a directory, without their secrets.

    Example: maillon keys list --index annuaire.index
    """
    with closing(_keys(index)) as held:
        found = held.all()
    typer.echo("\n".join(map(_told, found)) or "no key: anybody may search, nobody write.")


@keys.command()
def revoke(
    one: Annotated[str, typer.Argument(metavar="ID", help="As `maillon keys list` shows it.")],
    index: IndexFolder,
) -> None:
    """End a key; services that run stop taking it at once.

    Example: maillon keys revoke 3f9a01c2 --index annuaire.index
    """
    from api.keys import PAGE

    with closing(_keys(index)) as held:
        typer.echo(_told(held.revoke(one)))
    if one == PAGE:
        typer.echo("The search page is closed; maillon keys page opens it again.", err=True)


@keys.command()
def page(index: IndexFolder) -> None:
    """Give the service's own search page a new key: the one before ends, revoked or not.

    Example: maillon keys page --index annuaire.index
    """
    with closing(_keys(index)) as held:
        typer.echo(_told(held.renew_page()))


@contextmanager
def _figures_shared(several: bool) -> Iterator[None]:
    """Give several workers a folder in which they add up their figures."""
    if not several:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="maillon-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # before its client is imported
        yield


def _run(app: "ASGIApp | str", host: str, port: int, workers: int) -> None:
    """Serve until told to stop, then let the requests under way finish.

    The socket that workers share sends what it has at once: asyncio only sees to that for its own,
    and without it each answer waits 40 ms for the client's acknowledgement.
    """
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    config = uvicorn.Config(
        app,
        factory=isinstance(app, str),
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_config=LOGS,
        timeout_graceful_shutdown=30,
    )
    server = uvicorn.Server(config)
    if workers == 1:
        return server.run()
    shared = config.bind_socket()
    shared.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Multiprocess(config, sockets=[shared]).run()


def _demo(encoder: str | None, settings: Settings) -> "ASGIApp":
    from api.journal import Journal
    from api.keys import Keys
    from api.service import Directory, create_service
    from index.catalogue import MEMORY
    from index.demo import demo_suppliers

    index = build(demo_suppliers(), load(encoder or "fast"))
    journal = Journal(MEMORY, settings.keep_needs)
    demo = Directory.of("demo", index, Keys(MEMORY), journal, settings.rate)
    return create_service([demo], figures=settings.metrics)


def _told_workers(settings: Settings) -> str:
    """Check here rather than in each worker; gives what each of them starts from."""
    from api.service import tell_workers
    from index.engine import encoder_of

    for folder in settings.folders:
        encoder_of(folder)
    tell_workers(settings)
    return "api.service:from_environment"


def _keys(folder: Path) -> "Keys":
    from api.keys import FILE, Keys
    from index.engine import existing

    return Keys(existing(folder).with_name(FILE))


def _told(key: "Key") -> str:
    origins = f" for {', '.join(key.origins)}" if key.origins else ""
    revoked = f", revoked {key.revoked}" if key.revoked else ""
    label = f" ({key.label})" if key.label else ""
    return f"{key.id} {key.kind}{label}{origins}, made {key.created}{revoked}"


def _paths(folders: list[Path]) -> list[str]:
    """Where the search page of each directory is."""
    from api.service import names_of

    return [f"/{name}/" for name in names_of(folders)] if len(folders) > 1 else ["/"]


def _check_rate(rate: str) -> None:
    from limits import parse

    with suppress(ValueError):
        if parse(rate).amount > 0:
            return
    raise MaillonError(f"rate is {rate!r}. Give a number a time: {RATE}.")
