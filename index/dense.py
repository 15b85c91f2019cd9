"""Nearest capabilities by cosine: FAISS proposes, the vectors themselves decide."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embed.encoder import Vectors
from index.postings import Sums, mapped

if TYPE_CHECKING:
    import faiss

Fixed = NDArray[np.int16]
"""Unit rows in 16-bit fixed point: half the memory of float32, and as exact as float16 at least."""

Bytes = NDArray[np.uint8]

CODED = 5_000
"""Rows from which short codes are worth their training."""

_SCALE = 32_767
_TRAINED_ON = 50_000


def fixed(vectors: Vectors) -> Fixed:
    """Unit float32 rows as fixed point; what is stored of a vector, and what its cosines use."""
    rounded: Fixed = np.rint(np.clip(vectors, -1, 1) * _SCALE).astype(np.int16)
    return rounded


class Dense:
    """Fixed-point vectors, and for many of them 4-bit product codes (FAISS fast scan).

    After André, Kermarrec & Le Scouarnec (2017), "Accelerated nearest neighbor search with
    Quick ADC": the codes of all rows are scanned in registers, and only those that look nearest
    are compared exactly. No row is left out of the scan, so rare ones are not lost.
    """

    def __init__(self, vectors: Fixed, codes: "faiss.IndexPQFastScan | None") -> None:
        self.vectors = vectors
        self._codes = codes

    @classmethod
    def build(cls, vectors: Fixed, lasting: bool = True) -> "Dense":
        """Index rows, int16 `(rows, dim)`, with codes if they last; numbers follow their order."""
        return cls(vectors, coded(vectors) if lasting and len(vectors) >= CODED else None)

    @classmethod
    def read(cls, vectors: Fixed, codes: Bytes) -> "Dense":
        """Rows with what `codes` gave for them."""
        import faiss

        read: Any = faiss.deserialize_index(codes) if len(codes) else None
        return cls(vectors, read)

    def codes(self) -> Bytes:
        """The codes as FAISS writes them; no byte where there are none."""
        import faiss

        held: Any = [] if self._codes is None else faiss.serialize_index(self._codes)
        return np.array(held, np.uint8)

    def nearest(self, vector: Vectors, depth: int) -> NDArray[np.int64]:
        """Rows that are probably the `depth` nearest, in no order; all of them where fewer."""
        found: NDArray[np.int64] = self.nearest_each(vector.reshape(1, -1), depth)[0]
        return found[found >= 0]

    def nearest_each(self, vectors: Vectors, depth: int) -> NDArray[np.int64]:
        """What `nearest` gives for each of `(texts, dim)`; -1 after them where they are fewer."""
        if self._codes is None or depth >= len(self.vectors):
            return np.tile(np.arange(len(self.vectors)), (len(vectors), 1))
        rows: NDArray[np.int64] = self._codes.search(vectors, depth)[1]
        return rows

    def cosines(self, rows: NDArray[np.int64], vector: Vectors) -> Sums:
        """Exact cosines of some rows; that of a row is the same whatever rows stand beside it."""
        return cosines(self.vectors[rows], vector)

    def save(self, folder: Path) -> None:
        """Write vectors and codes into a folder, beside others' files."""
        np.save(folder / "vectors.npy", self.vectors, allow_pickle=False)
        if self._codes is not None:
            import faiss

            faiss.write_index(self._codes, str(folder / "codes.faiss"))

    @classmethod
    def open(cls, folder: Path) -> "Dense":
        """Map what `save` wrote."""
        import faiss

        codes = folder / "codes.faiss"
        read: Any = faiss.read_index(str(codes)) if codes.exists() else None
        return cls(mapped(folder / "vectors.npy"), read)


def cosines(vectors: Fixed, others: Vectors) -> Sums:
    """Dot products of fixed-point rows with one float32 vector, or one each: float32 `(rows,)`."""
    against = np.broadcast_to(others / _SCALE, vectors.shape)
    products: Sums = np.einsum("ij,ij->i", vectors.astype(np.float32), against)
    return products


def coded(vectors: Fixed) -> "faiss.IndexPQFastScan":
    """Codes of rows, 4 bits for two dimensions, 240 rows or more to be trained on."""
    import faiss

    dim = vectors.shape[1]
    codes = faiss.IndexPQFastScan(dim, dim // 2, 4, faiss.METRIC_INNER_PRODUCT)
    step = max(len(vectors) // _TRAINED_ON, 1)
    codes.train(floats(vectors[::step][:_TRAINED_ON]))
    for start in range(0, len(vectors), _TRAINED_ON):
        codes.add(floats(vectors[start : start + _TRAINED_ON]))
    return codes


def floats(vectors: Fixed) -> Vectors:
    """Fixed-point rows as float32."""
    return vectors.astype(np.float32) / np.float32(_SCALE)
