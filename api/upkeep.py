"""The commands that keep a directory: index, delete, places, export, backup, restore."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import (
    EncoderName,
    IndexFolder,
    counted,
    load,
    open_index,
    read_directories,
    track,
)
from embed.errors import MaillonError

if TYPE_CHECKING:
    from index.catalogue import Changes
    from index.engine import SupplierIndex

app = typer.Typer()


@app.command()
def index(
    files: Annotated[list[Path], typer.Argument(help="Supplier files: .csv, .xlsx or .jsonl.")],
    to: Annotated[Path, typer.Option("--to", help="Folder of the index.")],
    encoder: EncoderName = None,
    strict: Annotated[bool, typer.Option(help="Stop at the first line that is wrong.")] = False,
    sync: Annotated[
        bool, typer.Option("--sync", help="Take out the suppliers that the files do not hold.")
    ] = False,
) -> None:
    """Index the suppliers of FILES into a folder, or bring the folder up to date with them.

    Example: maillon index annuaire.csv --to annuaire.index
    """
    suppliers, rejected = read_directories(files, strict=strict)
    if not suppliers:
        raise MaillonError("no supplier to index. Give a file with at least one valid line.")
    with closing(_opened(to, encoder)) as opened:
        changes = opened.upsert(suppliers, lambda batches: track("Encoding", batches))
        if sync and rejected:
            raise MaillonError(
                f"{counted(rejected, 'line')} could not be read: {to} was brought up to date, but "
                "nothing was taken out, lest their suppliers go. Mend the lines and run it again."
            )
        if sync:
            changes += opened.keep_only(suppliers)
        typer.echo(f"{to}: {_told(changes)}; {counted(len(opened), 'supplier')} in all.")


@app.command()
def delete(
    ids: Annotated[list[str], typer.Argument(help="Ids of suppliers.")], index: IndexFolder
) -> None:
    """Take suppliers out of an index.

    Example: maillon delete arve-74300 --index annuaire.index
    """
    with closing(open_index(index)) as opened:
        unknown = sorted(set(ids) - opened.catalogue.ids())
        if unknown:
            raise MaillonError(f"{index} holds no supplier {unknown[0]!r}. Nothing was taken out.")
        typer.echo(f"{index}: {_told(opened.delete(ids))}; {len(opened):,} suppliers in all.")


@app.command()
def places(
    file: Annotated[Path, typer.Argument(help="The official table of communes: .csv, .tsv, .gz.")],
    index: IndexFolder,
) -> None:
    """Load the communes and postcodes of France, for distances and "near …".

    Example: maillon places communes-france-2025.csv --index annuaire.index
    """
    with closing(open_index(index)) as opened:
        typer.echo(f"{index}: {opened.learn_places(file):,} communes.")


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="File to write: .jsonl, .csv or .xlsx.")],
    index: IndexFolder,
) -> None:
    """Write all suppliers of an index to a file that `maillon index` reads back, identical.

    Example: maillon export annuaire.xlsx --index annuaire.index
    """
    from index.catalogue import Catalogue
    from index.engine import existing
    from index.export import write_suppliers

    with closing(Catalogue.open(existing(index))) as catalogue:
        typer.echo(f"{out}: {write_suppliers(out, catalogue.suppliers()):,} suppliers.")


@app.command()
def backup(
    to: Annotated[Path, typer.Argument(help="Folder to write; new or empty.")],
    index: IndexFolder,
) -> None:
    """Copy an index, its keys and what people said, as they stand, while they are used.

    Example: maillon backup annuaire-2026-11-22 --index annuaire.index
    """
    _copy(index, to)
    files = sorted(to.iterdir())
    size = sum(file.stat().st_size for file in files)
    typer.echo(f"{to}: {', '.join(file.name for file in files)}; {size:,} bytes.")


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="Folder written by `maillon backup`.")],
    to: Annotated[Path, typer.Option("--to", help="Folder of the index; new or empty.")],
) -> None:
    """Make an index folder again from a backup, with its keys and what people said.

    Example: maillon restore annuaire-2026-11-22 --to annuaire.index
    """
    _copy(backup, to)
    with closing(open_index(to)) as opened:
        typer.echo(f"{to}: {counted(len(opened), 'supplier')}.")


def _copy(source: Path, to: Path) -> None:
    """Copy what cannot be made again of an index folder.

    The catalogue comes last: without it a folder is no index, and none is ever without its keys.
    """
    from api.journal import FILE as JOURNAL
    from api.keys import FILE as KEYS
    from api.store import copy
    from index.catalogue import FILE, Catalogue
    from index.engine import existing

    if to.exists() and (to.is_file() or any(to.iterdir())):
        raise MaillonError(f"{to} exists and is not empty. Name a new folder.")
    with closing(Catalogue.open(existing(source))) as catalogue:
        to.mkdir(parents=True, exist_ok=True)
        for name in (KEYS, JOURNAL):
            if (source / name).exists():
                copy(source / name, to / name)
        catalogue.backup(to / FILE)


def _opened(folder: Path, encoder: str | None) -> "SupplierIndex":
    """The index of a folder, made if the folder is new or empty."""
    from index.catalogue import FILE
    from index.engine import SupplierIndex

    if (folder / FILE).exists():
        return open_index(folder, encoder)
    return SupplierIndex.create(folder, load(encoder))


def _told(changes: "Changes") -> str:
    parts = {name: getattr(changes, name) for name in ("added", "changed", "unchanged", "removed")}
    return ", ".join(f"{count:,} {name}" for name, count in parts.items() if count) or "no change"
