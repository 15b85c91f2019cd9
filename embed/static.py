"""The static encoder: a text is the mean of the vectors of its pieces."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file
from scipy.sparse import csr_array
from tokenizers import Tokenizer

from embed.encoder import WEIGHTS, Vectors, unit
from embed.occlusion import Span


class StaticEncoder:
    """A model whose vector of a text is the mean of those of its pieces, each taken by itself.

    `pieces` is float32 `(pieces, dim)`; no prompt is put before a need or a capability.
    """

    def __init__(self, name: str, tokenizer: Tokenizer, pieces: Vectors) -> None:
        self.name = name
        self.dim = pieces.shape[1]
        self._tokenizer = tokenizer
        self._pieces = pieces

    @classmethod
    def read(cls, name: str, folder: Path) -> Self:
        """From a folder that sentence-transformers saved."""
        weights = load_file(folder / WEIGHTS)["embedding.weight"]
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        return cls(name, tokenizer, weights.astype(np.float32))

    def encode_needs(self, texts: list[str]) -> Vectors:
        """Float32 unit rows, shape `(len(texts), dim)`."""
        read = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        ids = [one.ids for one in read]
        ends = np.cumsum([0, *map(len, ids)])
        places = np.fromiter(chain.from_iterable(ids), np.int64, ends[-1])
        counts = csr_array(
            (np.ones(len(places), np.float32), places, ends), (len(texts), len(self._pieces))
        )
        return unit(counts @ self._pieces)

    encode_capabilities = encode_needs

    def occluded(self, text: str, spans: Sequence[Span]) -> Vectors:
        """The vector of a capability, then those without each span, by leaving out its pieces."""
        read = self._tokenizer.encode(text, add_special_tokens=False)
        starts = np.array([start for start, _ in read.offsets])
        kept = np.ones((1 + len(spans), len(starts)), np.float32)
        for row, (start, end) in zip(kept[1:], spans, strict=True):
            row[(starts >= start) & (starts < end)] = 0
        return unit(kept @ self._pieces[read.ids])
