"""The command line: each command parses, calls one function and prints."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from embed.errors import MaillonError
from eval import cli as evaluation

if TYPE_CHECKING:
    from embed.encoder import Encoder
    from index.engine import SupplierIndex
    from index.suppliers import Suggestion, Supplier

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Finds, in French, who can make what somebody needs.",
)

app.add_typer(evaluation.app, name="eval")

IndexFolder = Annotated[Path, typer.Option("--index", help="Folder written by `maillon index`.")]
EncoderName = Annotated[
    str | None, typer.Option("--encoder", help="Hub id or folder; by default the embedded one.")
]


def main() -> None:
    """Run the command; an error meant for a person is printed without a stack trace."""
    try:
        app()
    except (MaillonError, OSError) as error:
        print(f"maillon: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


@app.command()
def index(
    files: Annotated[list[Path], typer.Argument(help="Supplier files: .csv, .xlsx or .jsonl.")],
    to: Annotated[Path, typer.Option("--to", help="Folder of the index.")],
    encoder: EncoderName = None,
    strict: Annotated[bool, typer.Option(help="Stop at the first line that is wrong.")] = False,
) -> None:
    """Index the suppliers of FILES into a folder.

    Example: maillon index annuaire.csv --to annuaire.index
    """
    suppliers = _read(files, strict=strict)
    built = _build(suppliers, _load(encoder))
    built.save(to)
    capabilities = sum(len(supplier.capabilities) for supplier in suppliers)
    typer.echo(f"{to}: {len(built):,} suppliers, {capabilities:,} capabilities.")


@app.command()
def search(
    need: Annotated[str, typer.Argument(help="The need, in free French.")],
    index: IndexFolder,
    k: Annotated[int, typer.Option("-k", help="How many suggestions.")] = 10,
    encoder: EncoderName = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Suggest the suppliers who can best meet a need.

    Example: maillon search "anodisation de pièces alu" --index annuaire.index -k 3
    """
    opened = _open(index, encoder)
    suggestions = opened.search(need, k, explain=True)
    if json:
        _print_json(suggestions)
    else:
        reading = opened.reading(need)
        typer.echo(f"Read as: {reading.text}\nTrades evoked: {', '.join(reading.trades)}")
        _print_table(suggestions)


@app.command()
def rerank(
    needs: Annotated[Path, typer.Argument(help="Needs: .csv, .xlsx (column besoin) or .jsonl.")],
    suppliers: Annotated[Path, typer.Argument(help="Suppliers: .csv, .xlsx or .jsonl.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Result: .xlsx, .csv or .jsonl.")],
    k: Annotated[int | None, typer.Option("-k", min=1, help="Keep the first K of each.")] = None,
    encoder: EncoderName = None,
) -> None:
    """Put each need's suppliers in order, with score, best capability and words in common.

    Example: maillon rerank besoins.xlsx annuaire.csv -o classement.xlsx -k 5
    """
    from index.matching import rank_needs
    from index.needs import read_needs, write_ranking

    if out.resolve() in (needs.resolve(), suppliers.resolve()):
        raise MaillonError(f"{out} is read by this very command. Write the result elsewhere.")
    wanted = read_needs(needs)
    typer.echo(f"{needs} : {_count(wanted.needs, 'besoin')} ({wanted.detected}).")
    built = _build(_read([suppliers], strict=False), _load(encoder))
    count = write_ranking(out, rank_needs(built, _track("Ranking", wanted.needs), k))
    typer.echo(f"{out}: {count:,} lines for {_count(wanted.needs, 'need')}.")


@app.command()
def serve(
    index: Annotated[
        Path | None, typer.Option("--index", help="Folder written by `maillon index`.")
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Serve the invented directory.")] = False,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    encoder: EncoderName = None,
) -> None:
    """Serve the search page and the HTTP API of an index, or of the demo directory.

    Example: maillon serve --demo
    """
    if (index is None) != demo:
        raise typer.BadParameter("give either --index DIR or --demo")
    # One thread a request, in torch and FAISS alike: under load, four make each one slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import uvicorn

    from api.app import create_app

    served = _open(index, encoder) if index else _build(_demo(), _load(encoder))
    typer.echo(f"{len(served):,} suppliers, search page on http://{host}:{port}")
    uvicorn.run(create_app(served), host=host, port=port, log_level="warning")


@app.command()
def bench(
    capabilities: Annotated[int, typer.Option(min=100, help="Capabilities to index.")] = 10_000,
    encoder: EncoderName = None,
) -> None:
    """Measure start-up, index build and search on this machine, each beside its baseline."""
    from eval.bench import run_bench

    for line in run_bench(capabilities, _load(encoder)):
        typer.echo(line)


def _read(files: Sequence[Path], *, strict: bool) -> list["Supplier"]:
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
        typer.echo(f"{file} : {_count(directory.suppliers, 'fournisseur')} ({directory.detected}).")
        for reject in directory.rejects[:20]:
            typer.echo(f"  {reject}", err=True)
        if len(directory.rejects) > 20:
            typer.echo(f"  … et {len(directory.rejects) - 20} autres.", err=True)
        if rejected := directory.write_rejects():
            typer.echo(f"  {_count(directory.rejects, 'ligne rejetée')} : {rejected}", err=True)
        suppliers += directory.suppliers
    return suppliers


def _count(things: Sequence[object], noun: str) -> str:
    plural = " ".join(f"{word}s" for word in noun.split())
    return f"{len(things)} {noun if len(things) < 2 else plural}"


def _load(encoder: str | None) -> "Encoder":
    from embed.encoder import load_encoder

    return load_encoder(encoder)


def _build(suppliers: Sequence["Supplier"], encoder: "Encoder") -> "SupplierIndex":
    from index.engine import SupplierIndex

    return SupplierIndex.build(suppliers, encoder, lambda batches: _track("Encoding", batches))


def _open(folder: Path, encoder: str | None) -> "SupplierIndex":
    from index.engine import SupplierIndex
    from index.folder import read_manifest

    return SupplierIndex.open(folder, _load(encoder or read_manifest(folder).encoder))


def _demo() -> list["Supplier"]:
    from index.demo import demo_suppliers

    return demo_suppliers()


def _track(label: str, items: Sequence[T]) -> Iterable[T]:
    from rich.console import Console
    from rich.progress import track

    return track(items, label, console=Console(stderr=True), transient=True)


def _print_json(suggestions: Iterable["Suggestion"]) -> None:
    from index.folder import as_json_line

    for suggestion in suggestions:
        typer.echo(as_json_line(suggestion))


def _print_table(suggestions: Iterable["Suggestion"]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "Score", "Supplier", "Place", "Capability", box=None, padding=(0, 1))
    for found in suggestions:
        capability = Text(found.capability)
        for mark in found.highlights:
            capability.stylize("bold", mark.start, mark.end)
        supplier = found.supplier
        place = " ".join(filter(None, (supplier.department, supplier.city)))
        table.add_row(
            str(found.rank), f"{found.score:.2f}", Text(supplier.name), Text(place), capability
        )
    Console().print(table)


if __name__ == "__main__":
    main()
