"""Nearest capabilities by cosine, through FAISS."""

from pathlib import Path
from typing import cast

import faiss
import numpy as np
from numpy.typing import NDArray

from embed.encoder import Vectors


class Dense:
    """Exact inner-product search over unit vectors."""

    def __init__(self, index: faiss.IndexFlat) -> None:
        self._index = index
        self.vectors: Vectors = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(
            index.ntotal, index.d
        )

    @classmethod
    def build(cls, vectors: Vectors) -> "Dense":
        """Index unit rows, shape `(n, dim)`; row numbers follow their order."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        return cls(index)

    def search(self, vector: Vectors, depth: int) -> NDArray[np.int64]:
        """Rows of the `depth` nearest capabilities, or of all there are; nearest first."""
        _, rows = self._index.search(vector.reshape(1, -1), min(depth, self._index.ntotal))
        nearest: NDArray[np.int64] = rows[0]
        return nearest

    def save(self, path: Path) -> None:
        """Write FAISS's own file format."""
        faiss.write_index(self._index, str(path))

    @classmethod
    def load(cls, path: Path) -> "Dense":
        """Read what `save` wrote."""
        return cls(cast("faiss.IndexFlat", faiss.read_index(str(path))))
