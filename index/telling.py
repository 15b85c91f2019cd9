"""Suppliers that were found as suggestions: how sure, by which words, how far, what is missing."""

from collections.abc import Sequence

import numpy as np

from embed.pair import fast_of
from index.certificates import certificate
from index.confidence import Calibration, calibration_of
from index.dense import floats
from index.departments import Nearness, nearness
from index.finding import Where
from index.living import Living, View
from index.places import distances, locate, points
from index.ranking import highlights
from index.reading import Reading
from index.ruled_out import named_in
from index.segment import Hit
from index.suppliers import Highlight, Suggestion, Supplier

MAX_EXPLAINED = 100


class Teller:
    """Words what is found in a directory; `calibrated`, it tells how sure that is."""

    def __init__(self, living: Living, calibrated: bool) -> None:
        self._living = living
        self._calibrated = calibrated
        self._known: tuple[str, Calibration | None] | None = None

    def suggestions(
        self,
        view: View,
        need: str,
        asked: Reading,
        pairs: Sequence[tuple[Supplier, Hit]],
        where: Where | None,
        explain: bool,
    ) -> list[Suggestion]:
        """Suppliers and how each was found, best first, as suggestions for a need."""
        texts = [supplier.capabilities[hit.matched[0]] for supplier, hit in pairs]
        some = [hit for _, hit in pairs[:MAX_EXPLAINED]]
        reasons = _explained(view, asked, texts[:MAX_EXPLAINED], some) if explain else []
        reasons += [((), ())] * (len(pairs) - len(reasons))
        sure = self.confidences(asked, [hit.score for _, hit in pairs])
        wished = view.reader.wishes(need)
        wanted = [wish.value for wish in wished if wish.kind == "certification"]
        return [
            Suggestion(
                rank,
                round(hit.score, 4),
                supplier,
                text,
                confidence,
                *reason,
                tuple(supplier.capabilities[place] for place in hit.matched[1:]),
                *self._placing(supplier, where),
                _missing(wanted, supplier),
                named_in(text, asked.ruled_out),
            )
            for rank, ((supplier, hit), text, confidence, reason) in enumerate(
                zip(pairs, texts, sure, reasons, strict=True), start=1
            )
        ]

    def gap(self, asked: Reading, suggestions: Sequence[Suggestion]) -> bool:
        """Whether it is likely that none of the suggestions suits the need."""
        known = self.calibration()
        if known is None:
            return False
        best = max((found.score for found in suggestions), default=0.0)
        sure = known.answered.probability(np.array([best], np.float32), asked.nearest)
        return float(sure[0]) < known.threshold

    def calibration(self) -> Calibration | None:
        """What ships with the encoder in use, if anything does."""
        if not self._calibrated:
            return None
        name = self._living.encoder.name
        if self._known is None or self._known[0] != name:
            self._known = name, calibration_of(name)
        return self._known[1]

    def confidences(self, asked: Reading, scores: Sequence[float]) -> list[float | None]:
        """The probability that each score stands for a supplier that suits; None if not known."""
        known = self.calibration()
        if known is None:
            return [None] * len(scores)
        rounded = np.array(scores, np.float32).round(4)
        return [round(float(p), 3) for p in known.suits.probability(rounded, asked.nearest)]

    def _placing(
        self, supplier: Supplier, where: Where | None
    ) -> tuple[float | None, Nearness | None]:
        if where is None:
            return None, None
        place = points([locate(supplier, self._living.places)])
        km = float(distances(place, where.spot)[0])
        side = nearness(where.spot.department, supplier.department)
        return (round(km, 1) if np.isfinite(km) else None), side


def _explained(
    view: View, asked: Reading, texts: list[str], hits: Sequence[Hit]
) -> list[tuple[tuple[Highlight, ...], tuple[str, ...]]]:
    if not texts:
        return []
    concepts, mix = view.reader.concepts, view.reader.mix
    fast, vector = fast_of(view.reader.encoder, asked.vector)
    marks = highlights(vector, asked.query.terms, texts, fast, mix)
    links = concepts.told(floats(np.stack([hit.vector for hit in hits])))
    return list(zip(marks, concepts.shared(asked.links, links), strict=True))


def _missing(wanted: Sequence[str], supplier: Supplier) -> tuple[str, ...]:
    held = {certificate(text) for text in supplier.certifications} if wanted else set()
    return tuple(text for text in wanted if text not in held)
