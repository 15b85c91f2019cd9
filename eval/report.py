"""What an evaluator reads of a run or a comparison, in French."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from eval.calibration import Check
from eval.measures import (
    DRAWS,
    Run,
    Values,
    auroc,
    best_scores,
    false_alarms,
    holm,
    interval,
    p_value,
    values,
)
from eval.suite import Need, Suite

MAIN = "nDCG@10"
LENGTHS = {6: "6 mots au plus", 20: "7 à 20 mots"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean and its 95 % interval over `needs` needs."""

    name: str
    mean: float
    low: float
    high: float
    needs: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The measures over the needs that have an answer, slices of nDCG@10, twins, and gaps.

    `twin_loss` is the share of nDCG@10 that twins lose against the needs they repeat.
    """

    measures: list[Figure]
    styles: list[Figure]
    sectors: list[Figure]
    lengths: list[Figure]
    twins: list[Figure]
    twin_loss: float | None
    gap_auroc: float | None
    gap_false_alarms: float | None


def figures(suite: Suite, needs: Sequence[Need], run: Run) -> Figures:
    """Measure a run; twins count in their own slice only, gaps in theirs."""
    plain = [need for need in needs if need.plain]
    measured = values_of(suite, plain, run)
    main = measured[MAIN]
    gaps = [need.id for need in needs if need.gap and not need.twin_of]
    answered, unanswered = best_scores(run, [n.id for n in plain]), best_scores(run, gaps)
    twins, loss = _twins(suite, needs, run)
    return Figures(
        measures=[_figure(name, sample) for name, sample in measured.items()],
        styles=_slices([need.style for need in plain], main),
        sectors=_slices([need.sector for need in plain], main),
        lengths=_slices([_length(need.text) for need in plain], main),
        twins=twins,
        twin_loss=loss,
        gap_auroc=auroc(answered, unanswered) if gaps else None,
        gap_false_alarms=false_alarms(answered, unanswered) if gaps else None,
    )


def print_figures(found: Figures, title: str) -> None:
    """Print what `figures` found as a table."""
    table = Table("mesure", "moyenne", "intervalle à 95 %", "besoins", title=title)
    for figure in found.measures:
        table.add_row(*_cells(figure))
    for name, slices in (
        ("style", found.styles),
        ("longueur", found.lengths),
        ("secteur", found.sectors),
        ("jumeaux", found.twins),
    ):
        table.add_section()
        for figure in slices:
            table.add_row(f"{MAIN}, {name} {figure.name}", *_cells(figure)[1:])
    table.add_section()
    extra = {
        "perte relative des jumeaux": found.twin_loss,
        "besoins sans fournisseur : AUROC du premier score": found.gap_auroc,
        "fausses réponses à 90 % de besoins servis": found.gap_false_alarms,
    }
    for name, value in extra.items():
        if value is not None:
            table.add_row(name, decimal(value), "", "")
    Console().print(table)


def write_json(file: Path, found: Figures, suite: Suite, system: str) -> None:
    """Write the figures with what was measured."""
    content = {"suite": suite.digest, "system": system, **asdict(found)}
    file.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")


def print_comparison(
    suite: Suite, needs: Sequence[Need], runs: Mapping[str, Run], title: str
) -> None:
    """Print nDCG@10 of each system, and its difference with the first, with Holm's p-values."""
    plain = [need for need in needs if need.plain]
    main = {name: values_of(suite, plain, run)[MAIN] for name, run in runs.items()}
    first, *others = main
    p_values = holm([p_value(main[name], main[first]) for name in others])
    table = Table("système", MAIN, f"écart avec {first}", "intervalle à 95 %", "p", title=title)
    table.add_row(first, decimal(main[first].mean()), "", "", "")
    for name, p in zip(others, p_values, strict=True):
        gap = main[name] - main[first]
        low, high = interval(gap)
        between = f"{low:+.3f} à {high:+.3f}".replace(".", ",")
        shown = f"{gap.mean():+.3f}".replace(".", ",")
        table.add_row(name, decimal(main[name].mean()), shown, between, decimal(p, 4))
    Console().print(table)
    Console().print(
        f"{len(plain)} besoins ; test apparié de randomisation, {DRAWS} tirages, p selon Holm."
    )


def print_check(found: Check, title: str) -> None:
    """Print what a confidence says beside what the judges said, and what the threshold does."""
    table = Table("paires", "confiance moyenne", "part convenable", title=title)
    for count, said, was in found.bins:
        table.add_row(str(count), decimal(said), decimal(was))
    Console().print(table)
    told = [
        f"erreur de calibration (ECE) {decimal(found.ece)}",
        f"besoins servis {decimal(found.served)}",
    ]
    if found.gap_auroc is not None and found.gaps_answered is not None:
        told.append(f"AUROC des besoins sans fournisseur {decimal(found.gap_auroc)}")
        told.append(f"dont servis à tort {decimal(found.gaps_answered)}")
    Console().print(" ; ".join(told))


def decimal(value: float, digits: int = 3) -> str:
    """A number as French writes it."""
    return f"{value:.{digits}f}".replace(".", ",")


def values_of(suite: Suite, needs: Sequence[Need], run: Run) -> Values:
    """Every measure for every one of some needs of a suite."""
    qrels = {need.id: suite.grades(need) for need in needs}
    return values(qrels, run, [need.id for need in needs])


def _twins(suite: Suite, needs: Sequence[Need], run: Run) -> tuple[list[Figure], float | None]:
    twins = [need for need in needs if need.twin_of and not need.gap]
    if not twins:
        return [], None
    own = values_of(suite, twins, run)[MAIN]
    known = {need.id: need for need in needs}
    originals = [known[need.twin_of] for need in twins if need.twin_of]
    theirs = values_of(suite, list(dict.fromkeys(originals)), run)[MAIN]
    place = {need.id: at for at, need in enumerate(dict.fromkeys(originals))}
    repeated = np.array([theirs[place[need.id]] for need in originals])
    loss = 1 - own.mean() / repeated.mean()
    return _slices([need.twist or "" for need in twins], own), float(loss)


def _slices(names: Sequence[str], sample: NDArray[np.float64]) -> list[Figure]:
    labels = np.array(names)
    return [_figure(name, sample[labels == name]) for name in dict.fromkeys(names)]


def _length(text: str) -> str:
    count = len(text.split())
    return next((told for most, told in LENGTHS.items() if count <= most), "plus long")


def _figure(name: str, sample: NDArray[np.float64]) -> Figure:
    return Figure(name, float(sample.mean()), *interval(sample), len(sample))


def _cells(figure: Figure) -> tuple[str, str, str, str]:
    between = f"{decimal(figure.low)} à {decimal(figure.high)}"
    return figure.name, decimal(figure.mean), between, str(figure.needs)
