"""The commands of a service: serve, and the keys of a directory."""

import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import EncoderName, IndexFolder, build, load
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
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING"},
    },
}
"""Requests as lines of JSON, and of uvicorn what went wrong."""

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
            help="Requests of one address under one key, of each worker: 300/minute.",
        ),
    ] = "300/minute",
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
    # One thread a request, in torch, FAISS and tokenizers: under load, four make each one slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if metrics and workers > 1:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="maillon-metrics-")
    import uvicorn

    from api.service import Settings, names_of, tell_workers

    if demo:
        app: ASGIApp | str = _demo(encoder, metrics)
    else:
        _check(index, rate)
        tell_workers(Settings(tuple(index), encoder, rate, keep_needs, metrics))
        app = "api.service:from_environment"
    where = f"http://{host}:{port}"
    for path in [f"/{name}/" for name in names_of(index)] if len(index) > 1 else ["/"]:
        typer.echo(f"search page on {where}{path}")
    uvicorn.run(
        app,
        factory=not demo,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_config=LOGS,
        timeout_graceful_shutdown=30,
    )


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
    with closing(_keys(index)) as held:
        typer.echo(_told(held.revoke(one)))


def _demo(encoder: str | None, metrics: bool) -> "ASGIApp":
    from api.app import create_app
    from api.service import Directory, create_service
    from index.demo import demo_suppliers

    index = build(demo_suppliers(), load(encoder or "fast"))
    return create_service([Directory("demo", index, create_app(index))], figures=metrics)


def _keys(folder: Path) -> "Keys":
    from api.keys import FILE, Keys
    from index.engine import existing

    return Keys(existing(folder).with_name(FILE))


def _told(key: "Key") -> str:
    origins = f" for {', '.join(key.origins)}" if key.origins else ""
    revoked = f", revoked {key.revoked}" if key.revoked else ""
    label = f" ({key.label})" if key.label else ""
    return f"{key.id} {key.kind}{label}{origins}, made {key.created}{revoked}"


def _check(folders: list[Path], rate: str) -> None:
    """Say what is wrong here rather than in each worker."""
    from limits import parse

    from index.engine import encoder_of

    for folder in folders:
        encoder_of(folder)
    try:
        parse(rate)
    except ValueError as error:
        raise MaillonError(f"rate is {rate!r}. Give a number a time: 300/minute.") from error
