"""What the commands share: their common options, how they open things and count them aloud."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from embed.errors import MaillonError

if TYPE_CHECKING:
    from embed.encoder import Encoder
    from index.engine import SupplierIndex
    from index.suppliers import Supplier

T = TypeVar("T")

IndexFolder = Annotated[Path, typer.Option("--index", help="Folder written by `maillon index`.")]
EncoderName = Annotated[
    str | None, typer.Option("--encoder", help="Hub id or folder; by default the embedded one.")
]


def load(encoder: str | None) -> "Encoder":
    """Load an encoder by its name, or the embedded one."""
    from embed.encoder import load_encoder

    return load_encoder(encoder)


def open_index(folder: Path, encoder: str | None = None) -> "SupplierIndex":
    """Open an index folder with the encoder that made it."""
    from index.engine import SupplierIndex, encoder_of

    return SupplierIndex.open(folder, load(encoder or encoder_of(folder)))


def build(suppliers: Sequence["Supplier"], encoder: "Encoder") -> "SupplierIndex":
    """Index suppliers in memory, with a progress bar."""
    from index.engine import SupplierIndex

    return SupplierIndex.build(suppliers, encoder, lambda batches: track("Encoding", batches))


def read_directories(files: Sequence[Path], *, strict: bool) -> tuple[list["Supplier"], int]:
    """Read supplier files and tell, in French, what was found, rejected and put aside.

    Gives the suppliers and the number of lines that were rejected.
    """
    from index.directory import Known, read_suppliers

    known: Known = {}
    directories = [read_suppliers(file, strict=strict, known=known) for file in files]
    suppliers = []
    for file, directory in zip(files, directories, strict=True):
        if directory.rejects and directory.rejects_path() in files:
            raise MaillonError(
                f"{directory.rejects_path()} is read by this command, and is where the rejects of "
                f"{file} go. Give the mended file another name."
            )
        found = counted(len(directory.suppliers), "fournisseur")
        typer.echo(f"{file} : {found} ({directory.detected}).")
        for reject in directory.rejects[:20]:
            typer.echo(f"  {reject}", err=True)
        if len(directory.rejects) > 20:
            typer.echo(f"  … et {len(directory.rejects) - 20} autres.", err=True)
        if rejected := directory.write_rejects():
            lines = counted(len(directory.rejects), "ligne rejetée")
            typer.echo(f"  {lines} : {rejected}", err=True)
        suppliers += directory.suppliers
    return suppliers, sum(len(directory.rejects) for directory in directories)


def counted(count: int, noun: str) -> str:
    """A count and its noun, each word in the plural from two on."""
    plural = " ".join(f"{word}s" for word in noun.split())
    return f"{count:,} {noun if count < 2 else plural}"


def track(label: str, items: Sequence[T]) -> Iterable[T]:
    """Show on the error stream how far a long work is."""
    from rich.console import Console
    from rich.progress import track as shown

    return shown(items, label, console=Console(stderr=True), transient=True)
