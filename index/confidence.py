"""How sure a suggestion is: from a score to the probability that the supplier suits the need."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from embed.encoder import weights_folder
from embed.errors import MaillonError
from index.ranking import Scores

FILE = "calibration.json"


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve over a score and over how near the need is to a trade that is known.

    After Platt (1999), "Probabilistic outputs for support vector machines".
    """

    bias: float
    score: float
    nearest: float

    def probability(self, scores: Scores, nearest: float) -> Scores:
        """The probability that each score stands for something right, 0 to 1."""
        logits = self.bias + self.score * scores + self.nearest * nearest
        sure: Scores = (1 / (1 + np.exp(-logits))).astype(np.float32)
        return sure


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted on judged needs (`maillon eval calibrate`) for one encoder, with which it ships.

    `suits` gives the probability that a supplier suits the need; `answered`, from the best score,
    that anybody does: under `threshold`, nobody fits well.
    """

    suits: Curve
    answered: Curve
    threshold: float

    @classmethod
    def read(cls, file: Path) -> "Calibration":
        """Read what `write` wrote; raises ValueError, TypeError or KeyError if it is damaged."""
        content = json.loads(file.read_text(encoding="utf-8"))
        suits, answered = (Curve(**content[name]) for name in ("suits", "answered"))
        return cls(suits, answered, float(content["threshold"]))

    def write(self, file: Path) -> None:
        """Write the numbers as JSON, four decimals each."""
        content = json.loads(json.dumps(asdict(self)), parse_float=lambda x: round(float(x), 4))
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def calibration_of(encoder: str) -> Calibration | None:
    """The calibration that ships with an encoder, if one does; raises `MaillonError` if damaged."""
    folder = weights_folder(encoder)
    file = folder / FILE if folder else None
    if file is None or not file.exists():
        return None
    try:
        return Calibration.read(file)
    except (ValueError, TypeError, KeyError) as error:
        raise MaillonError(
            f"{file} is damaged. Fit it again: maillon eval calibrate --to {file}"
        ) from error
