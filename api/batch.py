"""The command for many needs at once: `maillon rerank`."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import EncoderName, build, counted, load, open_index, read_directories, track
from embed.errors import MaillonError

if TYPE_CHECKING:
    from index.engine import SupplierIndex
    from index.needs import Answered, Needs

app = typer.Typer()

_SUGGESTED = 3
"""Suppliers that a workbook names for a need."""

_TOLD = 20


@app.command()
def rerank(
    needs: Annotated[Path, typer.Argument(help="Needs: .xlsx, .csv (column besoin) or .jsonl.")],
    suppliers: Annotated[
        Path | None, typer.Argument(help="Suppliers: .csv, .xlsx or .jsonl; or give --index.")
    ] = None,
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="Result: .xlsx, .csv or .jsonl.")],
    index: Annotated[
        Path | None, typer.Option("--index", help="Folder written by `maillon index`.")
    ] = None,
    k: Annotated[
        int | None,
        typer.Option("-k", min=1, help="Keep the K best; by default 3 in a workbook, else all."),
    ] = None,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="List a line a pair, even from .xlsx to .xlsx.")
    ] = False,
    near: Annotated[
        str | None, typer.Option(help="Place of the needs whose line gives none.")
    ] = None,
    local_km: Annotated[
        float, typer.Option(min=0, max=20_000, help="How near a local supplier is.")
    ] = 100,
    encoder: EncoderName = None,
) -> None:
    """Answer every line of a purchase programme, or list all suppliers of each need in order.

    From .xlsx to .xlsx the same workbook comes back, with columns to the right of its needs.
    Stopped and started again, it goes on where it was. Example: maillon rerank programme.xlsx
    --index annuaire.index -o programme-complete.xlsx
    """
    from index.matching import in_lots, prepared, resumed, unknown_places, work
    from index.needs import read_needs

    files = [needs, suppliers] if suppliers else [needs]
    if out.resolve() in {file.resolve() for file in files}:
        raise MaillonError(f"{out} is read by this very command. Write the result elsewhere.")
    wanted = read_needs(needs)
    typer.echo(f"{needs} : {counted(len(wanted.needs), 'besoin')} ({wanted.detected}).")
    _tell([f"{needs.name}:{line}: {why}, ligne laissée." for line, why in wanted.left])
    opened = _opened(suppliers, index, encoder)
    asked = prepared(opened, wanted.needs, near)
    _tell([f"lieu inconnu : « {name} »." for name in unknown_places(opened, asked)])
    in_place = wanted.in_workbook and out.suffix.lower() == ".xlsx" and not pairs
    best = k or (_SUGGESTED if in_place else max(len(opened), 1))
    kept = out.with_name(f"{out.name}.reprise.jsonl")
    of = work(opened, files, str(index), near, best, local_km)
    lots = track("Ranking", in_lots(asked, best))
    answers = resumed(kept, of, lots, lambda lot: opened.answer(lot, best, local_km))
    if in_place:
        _complete(out, needs, wanted, answers, best, local_km)
    else:
        _list(out, wanted, answers)
    kept.unlink()


def _opened(suppliers: Path | None, index: Path | None, encoder: str | None) -> "SupplierIndex":
    if suppliers and not index:
        return build(read_directories([suppliers], strict=False)[0], load(encoder))
    if index and not suppliers:
        return open_index(index, encoder)
    raise typer.BadParameter("give either a file of suppliers or --index DIR")


def _tell(faults: "Sequence[str]") -> None:
    for fault in faults[:_TOLD]:
        typer.echo(f"  {fault}", err=True)
    if len(faults) > _TOLD:
        typer.echo(f"  … et {len(faults) - _TOLD} autres.", err=True)


def _complete(
    out: Path,
    programme: Path,
    needs: "Needs",
    answers: "Iterable[Answered]",
    k: int,
    local_km: float,
) -> None:
    from index.programme import lost, write_programme

    gaps = write_programme(out, programme, needs, answers, k, local_km)
    typer.echo(f"{out}: {counted(len(needs.needs), 'need')}, {gaps:,} that nobody meets.")
    if gone := lost(programme, out):
        typer.echo(f"  non repris de {programme.name} : {', '.join(gone)}.", err=True)


def _list(out: Path, needs: "Needs", answers: "Iterable[Answered]") -> None:
    from index.ranked import Ranked, write_ranking

    count = write_ranking(out, (line for answered in answers for line in Ranked.of(answered)))
    typer.echo(f"{out}: {count:,} lines for {counted(len(needs.needs), 'need')}.")
