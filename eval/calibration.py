"""Confidence: fitted on the dev needs of a suite, and checked on any part of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from embed.encoder import Encoder
from eval.measures import auroc
from eval.suite import Need, Suite
from index.confidence import Calibration, Curve
from index.engine import SupplierIndex
from index.qrels import SUITABLE

FIRST = 10
"""Suggestions of each need that are looked at, as many as a page shows."""

SERVED = 0.9
"""Share of the needs with an answer that the threshold lets pass, on the needs it is fitted on."""

BINS = 10


@dataclass(frozen=True, slots=True)
class Pairs:
    """The first suggestions of needs: scores float32 (needs, FIRST).

    `suited`, bool of that shape, says which are judged suitable; `nearest`, float32 (needs,), how
    near each need is to a known trade; `gap`, bool (needs,), which needs nobody meets.
    """

    scores: NDArray[np.float32]
    nearest: NDArray[np.float32]
    suited: NDArray[np.bool_]
    gap: NDArray[np.bool_]


def pairs(suite: Suite, needs: Sequence[Need], encoder: Encoder) -> Pairs:
    """Search every need; twins are left out, as they repeat others."""
    index = SupplierIndex.build(suite.suppliers, encoder, calibrated=False)
    asked = [need for need in needs if not need.twin_of]
    first = min(FIRST, len(suite.suppliers))
    found = [index.search(need.text, first) for need in asked]
    grades = [suite.grades(need) for need in asked]
    suited = [
        [grade.get(one.supplier.id, 0) >= SUITABLE for one in row]
        for row, grade in zip(found, grades, strict=True)
    ]
    return Pairs(
        np.array([[one.score for one in row] for row in found], np.float32),
        np.array([index.reading(need.text).nearest for need in asked], np.float32),
        np.array(suited, np.bool_),
        np.array([need.gap for need in asked], np.bool_),
    )


def fit(of: Pairs) -> Calibration:
    """Fit both curves, and the threshold that serves `SERVED` of the needs that have an answer.

    Needs that nobody meets are few, so they weigh as much as all the others together.
    """
    nearest = np.repeat(of.nearest, of.scores.shape[1])
    suits = _curve(of.scores.ravel(), nearest, of.suited.ravel())
    best = of.scores.max(axis=1)
    answered = _curve(best, of.nearest, ~of.gap, class_weight="balanced")
    sure = _sure(answered, best, of.nearest)[~of.gap]
    return Calibration(suits, answered, float(np.quantile(sure, 1 - SERVED)))


def _curve(
    scores: NDArray[np.float32],
    nearest: NDArray[np.float32],
    right: NDArray[np.bool_],
    class_weight: str | None = None,
) -> Curve:
    model = LogisticRegression(C=100.0, max_iter=1_000, class_weight=class_weight)
    model.fit(np.column_stack([scores, nearest]), right)
    return Curve(float(model.intercept_[0]), *map(float, model.coef_[0]))


def _sure(
    curve: Curve, scores: NDArray[np.float32], nearest: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Probabilities in the shape of the scores, the first axis of which is the needs."""
    rows = zip(scores.reshape(len(nearest), -1), nearest, strict=True)
    sure = [curve.probability(row, float(near)) for row, near in rows]
    return np.array(sure, np.float32).reshape(scores.shape)


@dataclass(frozen=True, slots=True)
class Check:
    """How a calibration does on needs.

    `bins` holds, for each tenth of the confidence that occurs: its pairs, their mean confidence and
    the share that is suitable. `ece` is the expected calibration error (Naeini et al. 2015,
    "Obtaining well calibrated probabilities using Bayesian binning", section 4).
    """

    bins: list[tuple[int, float, float]]
    ece: float
    gap_auroc: float | None
    served: float
    gaps_answered: float | None


def check(calibration: Calibration, of: Pairs) -> Check:
    """Compare what a calibration says with what the judges said."""
    sure, suited = _sure(calibration.suits, of.scores, of.nearest), of.suited.ravel()
    bins = np.minimum((sure.ravel() * BINS).astype(int), BINS - 1)
    rows = [
        (int(own.sum()), float(sure.ravel()[own].mean()), float(suited[own].mean()))
        for own in (bins == number for number in range(BINS))
        if own.any()
    ]
    best = _sure(calibration.answered, of.scores.max(axis=1), of.nearest)
    answered, gaps = best[~of.gap], best[of.gap]
    return Check(
        bins=rows,
        ece=sum(count * abs(said - was) for count, said, was in rows) / len(suited),
        gap_auroc=auroc(answered.tolist(), gaps.tolist()) if len(gaps) else None,
        served=float((answered >= calibration.threshold).mean()),
        gaps_answered=float((gaps >= calibration.threshold).mean()) if len(gaps) else None,
    )
