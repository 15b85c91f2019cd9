"""What the rest of maillon knows of an embedding model."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""One unit row a text, shape `(n, dim)`: the dot product of two rows is their cosine."""

EMBEDDED = "maillon-pair-2"
"""Name of the default encoder: the two below, side by side. All three ship inside the package."""

FAST = "maillon-static-3"
"""Name of the static encoder, also `fast`: less sure, some fifty times quicker."""

DEEP = "maillon-transformer-1"
"""Name of the transformer encoder."""

DEEP_SHARE = 0.5
"""What the cosine of the transformer weighs in the default's; tuned on dev needs."""

_MODEL = Path(__file__).parent / "model"
_SHIPPED = {EMBEDDED: _MODEL, FAST: _MODEL / "static", DEEP: _MODEL / "transformer"}


class Encoder(Protocol):
    """Places needs and capabilities in one space, near when one can meet the other."""

    @property
    def name(self) -> str:
        """What `load_encoder` takes to load this encoder again."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    def encode_needs(self, texts: list[str]) -> Vectors:
        """Query side: float32 unit rows, shape `(len(texts), dim)`."""

    def encode_capabilities(self, texts: list[str]) -> Vectors:
        """Passage side: float32 unit rows, shape `(len(texts), dim)`."""


def weights_folder(name: str) -> Path | None:
    """The folder that holds the weights of an encoder; None for one of a hub."""
    if name in _SHIPPED:
        return _SHIPPED[name]
    return Path(name) if Path(name).is_dir() else None


def load_encoder(name: str | None = None) -> Encoder:
    """The embedded encoder, `fast` for its static half, or what a hub id or a local folder names.

    A folder is named by its whole path, so that an index built with it opens from anywhere.
    Raises `MaillonError` where nothing can be loaded under that name.
    """
    from embed.pair import PairEncoder
    from embed.sentence import sentence_encoder  # late: it imports torch

    if name in (None, EMBEDDED):
        return PairEncoder(EMBEDDED, sentence_encoder(FAST), sentence_encoder(DEEP), DEEP_SHARE)
    if name == "fast":
        return sentence_encoder(FAST)
    folder = Path(str(name))
    return sentence_encoder(str(folder.resolve()) if folder.is_dir() else str(name))


def load_pair(fast: str | None, deep: str) -> Encoder:
    """Two encoders that `load_encoder` takes, side by side as the halves of the default are."""
    from embed.pair import PairEncoder

    halves = load_encoder(fast), load_encoder(deep)
    return PairEncoder(f"{fast} + {deep}", *halves, DEEP_SHARE)
