"""The report that evaluators read with colleagues: one HTML file, pictures inside, in French."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

from eval.calibration import Check
from eval.measures import MEASURES, Run, interval, p_value, risk_coverage
from eval.report import MAIN, decimal, figures, values_of
from eval.suite import GRADES, Need, Suite
from index.qrels import SUITABLE

SHOWN = 5
"""Suggestions shown for each need and system."""

TIE = 0.02
"""Difference of nDCG@10 from which a need is won or lost."""

_SIDE = 240


@dataclass(frozen=True, slots=True)
class Suggested:
    """A supplier that a system gave, with its grade, None where nobody judged it."""

    name: str
    place: str
    grade: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """A need in the report: its nDCG@10 in each system, and what each suggested."""

    need: Need
    ndcg: list[float]
    suggested: list[list[Suggested]]
    wanted: list[str]

    @property
    def gap(self) -> float:
        """What the last system gains on the first."""
        return self.ndcg[-1] - self.ndcg[0]

    @property
    def outcome(self) -> str:
        """Won, lost or tied for the last system, as the page's classes say."""
        return "tied" if abs(self.gap) < TIE else "won" if self.gap > 0 else "lost"


def write_page(
    file: Path,
    suite: Suite,
    needs: Sequence[Need],
    runs: Mapping[str, Run],
    checks: Mapping[str, Check],
    split: str,
) -> None:
    """Write the report on one system or two; `checks` may hold the confidence of some of them."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"decimal": decimal, "percent": _percent}
    names = list(runs)
    lines = _lines(suite, needs, runs)
    page = environment.get_template("page.html").render(
        names=names,
        figures={name: figures(suite, needs, run) for name, run in runs.items()},
        measures=list(MEASURES),
        lines=sorted(lines, key=lambda line: (line.ndcg[-1], line.need.id)),
        difference=_difference(lines) if len(names) == 2 else None,
        outcomes={kind: sum(line.outcome == kind for line in lines) for kind in _OUTCOMES},
        labels=_OUTCOMES,
        checks={name: (check, _diagram(check)) for name, check in checks.items()},
        curves=[(name, *_curve(suite, needs, run)) for name, run in runs.items()],
        grades=GRADES,
        side=_SIDE,
        facts=_facts(suite, split, runs),
        needs=len(lines),
    )
    file.write_text(page, encoding="utf-8")


_OUTCOMES = {"won": "gagnés", "lost": "perdus", "tied": "à égalité"}


def _lines(suite: Suite, needs: Sequence[Need], runs: Mapping[str, Run]) -> list[Line]:
    plain = [need for need in needs if need.plain]
    main = [values_of(suite, plain, run)[MAIN] for run in runs.values()]
    names = {supplier.id: supplier.name for supplier in suite.suppliers}
    return [
        Line(
            need,
            [float(sample[at]) for sample in main],
            [_suggested(suite, need, run) for run in runs.values()],
            [names[one] for one, grade in suite.grades(need).items() if grade == max(GRADES)],
        )
        for at, need in enumerate(plain)
    ]


def _suggested(suite: Suite, need: Need, run: Run) -> list[Suggested]:
    suppliers = {supplier.id: supplier for supplier in suite.suppliers}
    best = sorted(run.get(need.id, {}).items(), key=lambda pair: -pair[1])[:SHOWN]
    grades = suite.grades(need)
    return [
        Suggested(suppliers[one].name, suppliers[one].department or "", grades.get(one))
        for one, _ in best
        if one in suppliers
    ]


def _difference(lines: Sequence[Line]) -> dict[str, float]:
    first, last = (np.array([line.ndcg[side] for line in lines]) for side in (0, -1))
    low, high = interval(last - first)
    mean = float((last - first).mean())
    return {"mean": mean, "low": low, "high": high, "p": p_value(last, first)}


def _curve(suite: Suite, needs: Sequence[Need], run: Run) -> tuple[str, float]:
    """The points of a risk-coverage curve, and the area under it."""
    plain = [need for need in needs if not need.twin_of]
    best = [
        max(run.get(need.id, {}).items(), key=lambda p: p[1], default=("", 0.0)) for need in plain
    ]
    right = [
        suite.grades(n).get(one, 0) >= SUITABLE for n, (one, _) in zip(plain, best, strict=True)
    ]
    coverage, risk = risk_coverage([score for _, score in best], right)
    return _points(coverage, risk), float(risk.mean())


def _first(scores: Mapping[str, float]) -> tuple[str, float]:
    return max(scores.items(), key=lambda pair: pair[1], default=("", 0.0))


def _diagram(check: Check) -> str:
    said = np.array([bin_[1] for bin_ in check.bins])
    return _points(said, np.array([bin_[2] for bin_ in check.bins]))


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """Points of an SVG of `_SIDE` units, both axes from 0 to 1."""
    return " ".join(
        f"{across * _SIDE:.1f},{(1 - up) * _SIDE:.1f}" for across, up in zip(x, y, strict=True)
    )


def _facts(suite: Suite, split: str, runs: Mapping[str, Run]) -> dict[str, str]:
    said = repr(sorted((name, sorted(run.items())) for name, run in runs.items()))
    return {
        "suite": f"{suite.digest}, partie {split}, {len(suite.suppliers)} fournisseurs",
        "réponses": hashlib.sha256(said.encode()).hexdigest()[:12],
        "maillon": version("maillon"),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "date": date.today().isoformat(),
    }


def _percent(value: float) -> str:
    return f"{100 * value:.0f}\u202f%"
