"""Measures of a run against judgements, their intervals, and the comparison of two systems."""

from collections.abc import Mapping, Sequence

import ir_measures
import numpy as np
from ir_measures import RR, Bpref, Judged, P, R, Success, nDCG
from numpy.typing import NDArray

from eval.suite import Qrels
from index.qrels import SUITABLE

Run = dict[str, dict[str, float]]
"""For each need its suppliers and their scores, the higher the better."""

Values = dict[str, NDArray[np.float64]]
"""For each measure its value for each need, in the order of the needs."""

MEASURES = {
    "nDCG@10": nDCG @ 10,
    "rappel@10": R(rel=SUITABLE) @ 10,
    "rappel@100": R(rel=SUITABLE) @ 100,
    "RR": RR(rel=SUITABLE),
    "P@5": P(rel=SUITABLE) @ 5,
    "succès@5": Success(rel=SUITABLE) @ 5,
    "jugés@10": Judged @ 10,
    "bpref": Bpref(rel=SUITABLE),
}
"""As trec_eval computes them; nDCG with graded gains, the others from grade 2."""

DRAWS = 10_000


def values(qrels: Qrels, run: Run, needs: Sequence[str]) -> Values:
    """Every measure for every need; one that the run leaves unanswered counts 0."""
    place = {need: at for at, need in enumerate(needs)}
    found = {name: np.zeros(len(needs)) for name in MEASURES}
    names = {measure: name for name, measure in MEASURES.items()}
    judged = {need: qrels[need] for need in needs}
    for metric in ir_measures.iter_calc(list(names), judged, run):
        found[names[metric.measure]][place[metric.query_id]] = metric.value
    return found


def interval(sample: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean (Efron & Tibshirani 1993, chapter 13)."""
    draw = np.random.default_rng(seed).integers(0, len(sample), (DRAWS, len(sample)))
    low, high = np.percentile(sample[draw].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def p_value(one: NDArray[np.float64], other: NDArray[np.float64], seed: int = 0) -> float:
    """How often chance alone makes the mean difference as large: a paired randomization test.

    After Smucker, Allan & Carterette (2007), "A comparison of statistical significance tests for
    information retrieval evaluation", section 3.1; two-sided, 10,000 sign flips.
    """
    gaps = one - other
    flips = np.random.default_rng(seed).choice((-1.0, 1.0), (DRAWS, len(gaps)))
    extreme = np.abs((flips * gaps).mean(axis=1)) >= abs(gaps.mean()) - 1e-12
    return float((1 + extreme.sum()) / (1 + DRAWS))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for several comparisons (Holm 1979), in the order given."""
    order = np.argsort(p_values)
    adjusted = np.zeros(len(p_values))
    highest = 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = highest
    return adjusted.tolist()


def auroc(answered: Sequence[float], gaps: Sequence[float]) -> float:
    """The chance that a need with an answer scores above one without; ties count half."""
    above = np.array(answered)[:, None] - np.array(gaps)[None, :]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def false_alarms(answered: Sequence[float], gaps: Sequence[float], coverage: float = 0.9) -> float:
    """The share of gaps that still get an answer where `coverage` of the other needs get one."""
    threshold = np.quantile(np.array(answered), 1 - coverage, method="lower")
    return float((np.array(gaps) >= threshold).mean())


def risk_coverage(
    scores: Sequence[float], right: Sequence[bool]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share of needs served, best scores first, and the share of those served wrongly.

    After El-Yaniv & Wiener (2010), "On the foundations of noise-free selective classification",
    JMLR 11, section 2; both arrays are float64 (needs,).
    """
    order = np.argsort(-np.array(scores), kind="stable")
    served = np.arange(1, len(order) + 1)
    wrong = np.cumsum(~np.array(right, np.bool_)[order])
    return served / len(order), wrong / served


def best_scores(run: Mapping[str, Mapping[str, float]], needs: Sequence[str]) -> list[float]:
    """The score of the first suggestion of each need, 0 without one."""
    return [max(run.get(need, {}).values(), default=0.0) for need in needs]
