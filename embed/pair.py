"""Two encoders side by side as one: the embedded default, of a static and a transformer model."""

import numpy as np

from embed.encoder import Encoder, Vectors


class PairEncoder:
    """The vectors of two encoders end to end, so that a cosine is a mean of both cosines.

    `share` is what the cosine of `deep` weighs in it, from 0 to 1; that of `fast` weighs the rest.
    """

    def __init__(self, name: str, fast: Encoder, deep: Encoder, share: float) -> None:
        self.name = name
        self.fast = fast
        self.dim = fast.dim + deep.dim
        self._deep = deep
        self._scales = np.sqrt(np.array([1 - share, share], np.float32))

    def encode_needs(self, texts: list[str]) -> Vectors:
        """Float32 unit rows, shape `(len(texts), dim)`."""
        return self._joined(self.fast.encode_needs(texts), self._deep.encode_needs(texts))

    def encode_capabilities(self, texts: list[str]) -> Vectors:
        """Float32 unit rows, shape `(len(texts), dim)`."""
        fast = self.fast.encode_capabilities(texts)
        return self._joined(fast, self._deep.encode_capabilities(texts))

    def _joined(self, fast: Vectors, deep: Vectors) -> Vectors:
        return np.hstack([self._scales[0] * fast, self._scales[1] * deep])


def fast_of(encoder: Encoder, vector: Vectors) -> tuple[Encoder, Vectors]:
    """What stands for an encoder where a great many texts are to be compared at once.

    And the unit row, float32 `(dim,)`, that it gives where the encoder gave `vector`.
    """
    if not isinstance(encoder, PairEncoder):
        return encoder, vector
    part = vector[: encoder.fast.dim]
    return encoder.fast, part / np.linalg.norm(part)
