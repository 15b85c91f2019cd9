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
class Calibration:
    """A logistic curve over the score and over how near the need is to a trade that is known.

    It was fitted on judged needs (`maillon eval calibrate`) for one encoder, and ships with it
    (Platt 1999, "Probabilistic outputs for support vector machines"). Where the best confidence
    is under `threshold`, nobody fits well.
    """

    bias: float
    score: float
    nearest: float
    threshold: float

    def confidence(self, scores: Scores, nearest: float) -> Scores:
        """The probability, 0 to 1, that each supplier is one to send the need to."""
        logits = self.bias + self.score * scores + self.nearest * nearest
        sure: Scores = (1 / (1 + np.exp(-logits))).astype(np.float32)
        return sure

    def write(self, file: Path) -> None:
        """Write the four numbers as JSON."""
        rounded = {name: round(value, 4) for name, value in asdict(self).items()}
        file.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")


def calibration_of(encoder: str) -> Calibration | None:
    """The calibration that ships with an encoder, if one does; raises `MaillonError` if damaged."""
    folder = weights_folder(encoder)
    file = folder / FILE if folder else None
    if file is None or not file.exists():
        return None
    try:
        return Calibration(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise MaillonError(
            f"{file} is damaged. Fit it again: maillon eval calibrate --to {file}"
        ) from error
