"""`maillon eval`: measure a system on a suite, compare systems, say how far judges agree.

Evaluators read what is printed: it is in French.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from embed.errors import MaillonError

if TYPE_CHECKING:
    from eval.calibration import Check
    from eval.measures import Run
    from eval.suite import Need, Suite

app = typer.Typer(no_args_is_help=True, help="Measure the quality of suggestions, and compare.")

SuiteFolder = Annotated[
    Path | None, typer.Argument(metavar="SUITE", help="Folder of the suite; by default ours.")
]
SuiteOption = Annotated[
    Path | None, typer.Option("--suite", help="Folder of the suite; by default ours.")
]
System = Literal["lexical", "dense", "hybrid"]
PartName = Literal["dev", "test", "all"]
Part = Annotated[
    PartName,
    typer.Option("--split", help="dev to tune; test once a release."),
]
EncoderName = Annotated[
    str | None, typer.Option("--encoder", help="Hub id or folder; by default the embedded one.")
]


@app.command()
def run(
    suite: SuiteFolder = None,
    system: Annotated[System, typer.Option(help="Which signals rank.")] = "hybrid",
    encoder: EncoderName = None,
    split: Part = "dev",
    json: Annotated[Path | None, typer.Option(help="Write the figures as JSON.")] = None,
    out: Annotated[Path | None, typer.Option("--run", help="Write the run as TREC does.")] = None,
) -> None:
    """Measure a system on the needs of a suite.

    Example: maillon eval run --system hybrid --split dev
    """
    from eval.report import figures, print_figures, write_json
    from eval.systems import write_run

    judged, needs = _suite(suite, split)
    found = _answers(f"{system}:{encoder or ''}", judged, needs)
    if out:
        write_run(out, found, system)
    measured = figures(judged, needs, found)
    if json:
        write_json(json, measured, judged, system)
    print_figures(measured, f"{system}, {split}, suite {judged.digest}")


@app.command()
def compare(
    systems: Annotated[
        list[str],
        typer.Argument(help="lexical, dense, hybrid, each with :ENCODER or not; or .trec runs."),
    ],
    suite: SuiteOption = None,
    split: Part = "dev",
) -> None:
    """Compare systems on one suite; the first is the one that the others must beat.

    Example: maillon eval compare lexical dense hybrid --split dev
    """
    from eval.report import print_comparison

    if len(set(systems)) < max(2, len(systems)):
        raise MaillonError("donnez au moins deux systèmes différents à comparer.")
    judged, needs = _suite(suite, split)
    runs = {name: _answers(name, judged, needs) for name in systems}
    print_comparison(judged, needs, runs, f"{split}, suite {judged.digest}")


@app.command()
def report(
    to: Annotated[Path, typer.Argument(help="HTML file to write.")],
    systems: Annotated[
        list[str], typer.Argument(help="One or two, as for compare; by default lexical hybrid.")
    ] = ["lexical", "hybrid"],  # noqa: B006
    suite: SuiteOption = None,
    split: Part = "dev",
) -> None:
    """Write a report to read with colleagues: one HTML file, in French.

    Example: maillon eval report rapport.html lexical hybrid --split dev
    """
    from eval.page import write_page

    if not 1 <= len(set(systems)) == len(systems) <= 2:
        raise MaillonError("donnez un système, ou deux différents.")
    judged, needs = _suite(suite, split)
    runs = {name: _answers(name, judged, needs) for name in systems}
    checks = {name: found for name in systems if (found := _check(name, judged, needs))}
    write_page(to, judged, needs, runs, checks, split)
    typer.echo(f"{to} : {len(needs)} besoins, {' et '.join(systems)}.")


def _check(name: str, suite: "Suite", needs: "Sequence[Need]") -> "Check | None":
    """How sure a hybrid system's confidence may be, where its encoder has one."""
    from eval.calibration import check, pairs
    from eval.systems import encoder_of
    from index.confidence import calibration_of

    system, _, encoder = name.partition(":")
    if system != "hybrid":
        return None
    loaded = encoder_of(encoder or None)
    curve = calibration_of(loaded.name)
    return check(curve, pairs(suite, needs, loaded)) if curve else None


@app.command()
def export(
    to: Annotated[Path, typer.Argument(help="A .xlsx workbook, or a folder (BEIR).")],
    suite: SuiteOption = None,
) -> None:
    """Write a suite as a workbook or as a BEIR folder.

    Example: maillon eval export jugements.xlsx
    """
    from eval.exchange import write_beir, write_workbook

    judged, needs = _suite(suite, "all")
    (write_workbook if to.suffix == ".xlsx" else write_beir)(to, judged)
    typer.echo(f"{to} : {len(needs)} besoins, {len(judged.suppliers)} fournisseurs.")


@app.command(name="import")
def import_(
    source: Annotated[
        Path, typer.Argument(help=".xlsx or .csv file, or BEIR folder.", exists=True)
    ],
    to: Annotated[Path, typer.Argument(help="Qrels file to write, or folder of the new suite.")],
    suppliers: Annotated[
        Path | None, typer.Option("--suppliers", help="Directory of which the needs are asked.")
    ] = None,
) -> None:
    """Read the judgements of a workbook, a table of needs, or a whole BEIR folder.

    Examples: maillon eval import jugements.xlsx ma-suite/qrels.tsv; maillon eval import
    besoins.xlsx ma-suite --suppliers annuaire.csv
    """
    from eval.exchange import read_beir, read_needs_table, read_workbook, write_qrels
    from eval.suite import read_suite

    _free(to)
    if suppliers:
        read_needs_table(source, suppliers, to)
        needs = read_suite(to, judged=False).needs
        typer.echo(f"{to} : {len(needs)} besoins ; à juger : maillon eval judge {to}")
    elif source.suffix == ".xlsx":
        write_qrels(to, read_workbook(source))
        typer.echo(f"{to} : {len(to.read_text().splitlines())} jugements.")
    else:
        read_beir(source, to)
        typer.echo(f"{to} : {len(read_suite(to).needs)} besoins.")


@app.command()
def judge(
    suite: Annotated[Path, typer.Argument(help="Folder of the suite; it may have no qrels yet.")],
    depth: Annotated[int, typer.Option(min=1, help="Suppliers taken from each system.")] = 20,
    encoder: EncoderName = None,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8001,
) -> None:
    """Serve the page on which judges grade a blind pool; judgements go into SUITE/judgements.

    Example: maillon eval judge ma-suite
    """
    import uvicorn

    from eval.judge import create_judging
    from eval.judging import pool
    from eval.suite import read_suite
    from eval.systems import SYSTEMS, encoder_of, run_system

    read = read_suite(suite, judged=False)
    loaded = encoder_of(encoder)
    runs = [run_system(system, read.suppliers, read.needs, loaded) for system in SYSTEMS]
    pools = pool(read, read.needs, runs, depth)
    pairs = sum(map(len, pools.values()))
    typer.echo(f"{pairs} paires à juger sur http://{host}:{port} (Ctrl-C pour arrêter)")
    uvicorn.run(create_judging(read, pools, suite), host=host, port=port, log_level="warning")


@app.command()
def qrels(
    suite: Annotated[Path, typer.Argument(help="Folder of the suite that was judged.")],
    to: Annotated[Path, typer.Argument(help="Qrels file to write.")],
) -> None:
    """Put the judgements of every judge together: the median grade, the lower of two.

    Example: maillon eval qrels ma-suite ma-suite/qrels.tsv
    """
    from eval.exchange import write_qrels
    from eval.judging import merged

    _free(to)
    found = merged(suite)
    rows = [(need, one, grade) for need in found for one, grade in found[need].items()]
    write_qrels(to, rows)
    typer.echo(f"{to} : {len(rows)} jugements.")


@app.command()
def agreement(
    second: Annotated[Path, typer.Argument(help="A second judgement, as qrels.tsv.")],
    suite: SuiteOption = None,
) -> None:
    """Say how far a second judge agrees with the judgements of a suite: weighted kappa."""
    from eval.suite import OURS, agreed, read_suite

    judged = read_suite(suite or OURS)
    pairs, kappa = agreed(judged, second)
    typer.echo(f"{pairs} paires jugées deux fois, kappa pondéré (quadratique) {kappa:.3f}")


@app.command()
def calibrate(
    to: Annotated[Path, typer.Option(help="File to write, beside the weights of the encoder.")],
    suite: SuiteOption = None,
    encoder: EncoderName = None,
) -> None:
    """Fit the confidence of an encoder on the dev part of a suite.

    Example: maillon eval calibrate --to embed/model/calibration.json
    """
    from eval.calibration import check, fit, pairs
    from eval.report import print_check
    from eval.systems import encoder_of

    judged, needs = _suite(suite, "dev")
    found = pairs(judged, needs, encoder_of(encoder))
    curve = fit(found)
    curve.write(to)
    print_check(check(curve, found), f"{to}, sur les besoins qui l'ont réglé")


@app.command()
def confidence(suite: SuiteFolder = None, encoder: EncoderName = None, split: Part = "dev") -> None:
    """Compare the confidence that suggestions give with what the judges said.

    Example: maillon eval confidence --split dev
    """
    from eval.calibration import check, pairs
    from eval.report import print_check
    from eval.systems import encoder_of
    from index.confidence import calibration_of

    judged, needs = _suite(suite, split)
    loaded = encoder_of(encoder)
    curve = calibration_of(loaded.name)
    if curve is None:
        raise MaillonError(
            f"l'encodeur {loaded.name} n'a pas de confiance réglée. Lancez maillon eval calibrate."
        )
    print_check(check(curve, pairs(judged, needs, loaded)), f"{split}, suite {judged.digest}")


def _free(to: Path) -> None:
    """Refuse to write over a file, or into a folder that holds anything."""
    if to.exists() and (to.is_file() or any(to.iterdir())):
        raise MaillonError(f"{to} existe déjà : rien n'est écrit. Donnez un autre nom.")


def _suite(folder: Path | None, split: PartName) -> "tuple[Suite, list[Need]]":
    from eval.suite import OURS, read_suite

    suite = read_suite(folder or OURS)
    needs = suite.part(split)
    if not needs:
        raise MaillonError(f"la suite n'a aucun besoin dans la partie {split}. Donnez --split all.")
    return suite, needs


def _answers(name: str, suite: "Suite", needs: "Sequence[Need]") -> "Run":
    from rich.console import Console
    from rich.progress import track

    from eval.systems import SYSTEMS, encoder_of, read_run, run_system

    if name.endswith(".trec"):
        return read_run(Path(name))
    system, _, encoder = name.partition(":")
    if system not in SYSTEMS:
        raise MaillonError(f"système {system} inconnu. Choisissez parmi {', '.join(SYSTEMS)}.")

    def shown(of: "Sequence[Need]") -> "Iterable[Need]":
        return track(of, name, console=Console(stderr=True), transient=True)

    return run_system(system, suite.suppliers, needs, encoder_of(encoder or None), shown)
