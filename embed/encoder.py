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

WEIGHTS = "model.safetensors"
"""What a folder of weights holds them in, as sentence-transformers saves them."""

GRAPH = "graph.onnx"
"""What a folder of weights holds beside them where ONNX Runtime can run it."""

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
    if name in (None, EMBEDDED):
        from embed.pair import PairEncoder

        return PairEncoder(EMBEDDED, load_encoder(FAST), load_encoder(DEEP), DEEP_SHARE)
    known = FAST if name == "fast" else str(name)
    if Path(known).is_dir():
        known = str(Path(known).resolve())
    return _loaded(known)


def _loaded(name: str) -> Encoder:
    folder = weights_folder(name)
    if folder is not None and name == FAST:
        from embed.static import StaticEncoder

        return StaticEncoder.read(name, folder)
    if folder is not None and (folder / GRAPH).is_file():
        from embed.transformer import TransformerEncoder

        return TransformerEncoder(name, folder)
    from embed.sentence import sentence_encoder  # late: it imports torch

    return sentence_encoder(name)


def load_pair(fast: str | None, deep: str) -> Encoder:
    """Two encoders that `load_encoder` takes, side by side as the halves of the default are."""
    from embed.pair import PairEncoder

    halves = load_encoder(fast), load_encoder(deep)
    return PairEncoder(f"{fast} + {deep}", *halves, DEEP_SHARE)


def unit(rows: Vectors) -> Vectors:
    """Rows at unit length, float32; one of zeros becomes a fixed unit row."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = np.divide(rows, np.where(norms > 0, norms, 1), dtype=np.float32)
    scaled[norms[:, 0] == 0, 0] = 1
    return scaled
