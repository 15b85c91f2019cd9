"""The command line: each command parses, calls one function and prints."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api import batch, serving, upkeep
from api.options import (
    EncoderName,
    IndexFolder,
    load,
    open_index,
    track,
)
from embed.errors import MaillonError
from eval import cli as evaluation

if TYPE_CHECKING:
    from index.reading import Reading
    from index.suppliers import Suggestion

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Finds, in French, who can make what somebody needs.",
)

app.add_typer(evaluation.app, name="eval")

app.add_typer(batch.app)
app.add_typer(upkeep.app)
app.add_typer(serving.app)

NONE: list[str] = []


def main() -> None:
    """Run the command; an error meant for a person is printed without a stack trace."""
    try:
        app()
    except (MaillonError, OSError) as error:
        print(f"maillon: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


@app.command()
def search(
    need: Annotated[str, typer.Argument(help="The need, in free French.")],
    index: IndexFolder,
    k: Annotated[int, typer.Option("-k", help="How many suggestions.")] = 10,
    encoder: EncoderName = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    departments: Annotated[
        list[str], typer.Option("--department", help="Only there: 74, 2A, Isère.")
    ] = NONE,
    regions: Annotated[
        list[str], typer.Option("--region", help="Only there: Bretagne, 53.")
    ] = NONE,
    certifications: Annotated[
        list[str], typer.Option("--certification", help="Only with all of these.")
    ] = NONE,
    series: Annotated[
        list[str],
        typer.Option("--series", help="Only for one of: prototype, petite, moyenne, grande."),
    ] = NONE,
    naf: Annotated[
        list[str], typer.Option("--naf", help="Only with a NAF code that begins so: 25, 25.62A.")
    ] = NONE,
    tags: Annotated[list[str], typer.Option("--tag", help="Only with one of these labels.")] = NONE,
    near: Annotated[str | None, typer.Option(help="Département or commune to be near to.")] = None,
    max_km: Annotated[float | None, typer.Option(help="At most so far from --near.")] = None,
    proximity: Annotated[
        float | None, typer.Option(min=0, max=1, help="How much nearness weighs; 0: not at all.")
    ] = None,
    literal: Annotated[
        bool, typer.Option("--literal", help="Take no place of the text for a filter.")
    ] = False,
) -> None:
    """Suggest the suppliers who can best meet a need.

    Example: maillon search "anodisation de pièces alu près de Lyon" --index annuaire.index -k 3
    """
    from index.facets import Filters
    from index.understanding import Understood, near_to

    filters = Filters.of(departments, regions, certifications, series, naf, tags)
    around = near_to(near, max_km) if near else None
    opened = open_index(index, encoder)
    asked = (
        Understood(need, filters, around, proximity or 0.0, (), ())
        if literal
        else opened.understand(need, filters, around, proximity)
    )
    suggestions = opened.search(
        asked.need,
        k,
        filters=asked.filters,
        near=asked.near,
        proximity=asked.proximity,
        explain=True,
    )
    if json:
        _print_json(suggestions)
    else:
        _print_reading(opened.reading(asked.need), [wish.label for wish in asked.applied])
        _print_table(suggestions)


@app.command()
def reindex(
    index: IndexFolder,
    encoder: Annotated[str, typer.Option("--encoder", help="Hub id, folder, or embedded name.")],
    gate: Annotated[
        Path | None,
        typer.Option("--gate", help="Suite on which the new one must not be worse.", exists=True),
    ] = None,
) -> None:
    """Switch an index to another encoder while it is being searched.

    Stopped and started again, it goes on where it was. Example: maillon reindex --index
    annuaire.index --encoder sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2
    """
    from index.engine import encoder_of
    from index.switching import switch

    old = encoder_of(index)
    new = load(encoder)
    if gate:
        from eval.gate import check_gate

        for line in check_gate(gate, old, new):
            typer.echo(line)
    count = switch(index, new, lambda batches: track("Encoding", batches))
    typer.echo(f"{index}: {count:,} capabilities, encoder {new.name}.")


@app.command()
def bench(
    capabilities: Annotated[int, typer.Option(min=100, help="Capabilities to index.")] = 10_000,
    encoder: EncoderName = None,
) -> None:
    """Measure start-up, index build and search on this machine, each beside its baseline."""
    from eval.bench import run_bench

    for line in run_bench(capabilities, load(encoder)):
        typer.echo(line)


def _print_json(suggestions: Iterable["Suggestion"]) -> None:
    from index.suppliers import as_json_line

    for suggestion in suggestions:
        typer.echo(as_json_line(suggestion))


def _print_reading(reading: "Reading", applied: Sequence[str]) -> None:
    typer.echo(f"Read as: {reading.text}\nTrades evoked: {', '.join(reading.trades)}")
    if applied:
        typer.echo(f"Places taken from the text: {', '.join(applied)} (--literal: take none)")


def _print_table(suggestions: Iterable["Suggestion"]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "Score", "Supplier", "Place", "Capability", box=None, padding=(0, 1))
    for found in suggestions:
        capability = Text(found.capability)
        for mark in found.highlights:
            capability.stylize("bold", mark.start, mark.end)
        place = Text(" ".join(_place(found)))
        score = f"{found.score:.2f}"
        table.add_row(str(found.rank), score, Text(found.supplier.name), place, capability)
    Console().print(table)


def _place(found: "Suggestion") -> Iterator[str]:
    yield from filter(None, (found.supplier.department, found.supplier.city))
    if found.distance_km is not None:
        yield f"({found.distance_km:.0f} km)"


if __name__ == "__main__":
    main()
