"""Sparse columns: for each term, the rows that hold it and how heavily."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

Places = NDArray[np.int32]
Weights = NDArray[np.uint16]
"""Weights from 0 to 1 in 16-bit fixed point."""
Sums = NDArray[np.float32]

_SAMPLE = 4_000
_SCALE = np.float32(65_535)


class Postings(NamedTuple):
    """A matrix of rows by terms, by columns: `rows[offsets[t]:offsets[t + 1]]` hold the term t.

    `offsets` is int64 (terms + 1,); `rows` int32 and `weights` uint16 have one value a posting.
    """

    offsets: NDArray[np.int64]
    rows: Places
    weights: Weights

    @classmethod
    def build(
        cls, terms: NDArray[np.integer], rows: NDArray[np.integer], weights: Sums, count: int
    ) -> "Postings":
        """Gather (term, row, weight from 0 to 1) triples, in any order, into `count` columns."""
        order = np.argsort(terms, kind="stable")
        offsets = np.zeros(count + 1, np.int64)
        np.cumsum(np.bincount(terms, minlength=count), out=offsets[1:])
        whole = np.rint(weights[order] * _SCALE).astype(np.uint16)
        return cls(offsets, rows[order].astype(np.int32), whole)

    def column(self, term: int) -> tuple[Places, Weights]:
        """The rows that hold a term and its weight in each."""
        part = slice(self.offsets[term], self.offsets[term + 1])
        return self.rows[part], self.weights[part]

    def held(self, term: int) -> int:
        """How many rows hold a term."""
        return int(self.offsets[term + 1] - self.offsets[term])

    def dot(self, wanted: Mapping[int, float], size: int) -> Sums:
        """Sum the wanted terms, each times its weight, in every row: float32 `(size,)`."""
        if not wanted:
            return np.zeros(size, np.float32)
        columns = [self.column(term) for term in wanted]
        rows = np.concatenate([rows for rows, _ in columns])
        weights = np.concatenate([weights for _, weights in columns]).astype(np.float32)
        bounds = np.cumsum([0, *(len(rows) for rows, _ in columns)])
        table = csc_array((weights, rows, bounds), shape=(size, len(wanted)))
        sums: Sums = table @ (np.array(list(wanted.values()), np.float32) / _SCALE)
        return sums

    def dots(self, wanted: Sequence[Mapping[int, float]], size: int) -> Sums:
        """As `dot` for each of several, to the last bit: float32 `(len(wanted), size)`.

        All weights are read: meant for matrices of few rows.
        """
        terms = [term for terms in wanted for term in terms]
        shares = np.array([share for shares in wanted for share in shares.values()], np.float32)
        bounds = np.cumsum([0, *map(len, wanted)])
        shape = len(self.offsets) - 1, size
        asked = csr_array((shares / _SCALE, terms, bounds), shape=(len(wanted), shape[0]))
        table = csr_array((self.weights.astype(np.float32), self.rows, self.offsets), shape=shape)
        sums: Sums = (asked @ table).toarray()
        return sums

    def save(self, path: Path) -> None:
        """Write three .npy files that `open` maps into memory, named after `path`."""
        for name, array in self._asdict().items():
            np.save(path.with_suffix(f".{name}.npy"), array, allow_pickle=False)

    @classmethod
    def open(cls, path: Path) -> "Postings":
        """Map what `save` wrote."""
        return cls(*(mapped(path.with_suffix(f".{name}.npy")) for name in cls._fields))


def mapped(file: Path) -> Any:  # noqa: ANN401  # an array of the dtype that was saved
    """Map an array of a .npy file, read-only; one without values cannot be mapped, and is read."""
    try:
        return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
    except ValueError:
        return np.load(file, allow_pickle=False)


def largest(values: Sums, count: int) -> NDArray[np.int64]:
    """Places of the `count` largest of the values above 0, in no order; fewer where there are.

    The cut is estimated on a sample, so that a million values cost little more than one pass.
    """
    step = max(len(values) // _SAMPLE, 1)
    sample = values[::step]
    sample = sample[sample > 0]
    beyond = 3 * count // step + 10
    cut = np.partition(sample, -beyond)[-beyond] if beyond < len(sample) else 0
    places = np.flatnonzero(values >= cut) if cut else np.flatnonzero(values)
    if len(places) < count and cut:
        places = np.flatnonzero(values)
    if len(places) <= count:
        return places
    found: NDArray[np.int64] = places[np.argpartition(values[places], -count)[-count:]]
    return found
