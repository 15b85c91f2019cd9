"""Sparse columns: for each term, the rows that hold it and how heavily."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

Places = NDArray[np.int32]
Weights = NDArray[np.float16]
Sums = NDArray[np.float32]

_SAMPLE = 20_000


class Postings(NamedTuple):
    """A matrix of rows by terms, by columns: `rows[offsets[t]:offsets[t + 1]]` hold the term t.

    `offsets` is int64 (terms + 1,); `rows` int32 and `weights` float16 have one value a posting.
    """

    offsets: NDArray[np.int64]
    rows: Places
    weights: Weights

    @classmethod
    def build(
        cls, terms: NDArray[np.integer], rows: NDArray[np.integer], weights: Sums, count: int
    ) -> "Postings":
        """Gather (term, row, weight) triples, in any order, into `count` columns."""
        order = np.argsort(terms, kind="stable")
        offsets = np.zeros(count + 1, np.int64)
        np.cumsum(np.bincount(terms, minlength=count), out=offsets[1:])
        return cls(offsets, rows[order].astype(np.int32), weights[order].astype(np.float16))

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
        sums: Sums = table @ np.array(list(wanted.values()), np.float32)
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
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except ValueError:
        return np.load(file, allow_pickle=False)


def largest(values: Sums, count: int) -> NDArray[np.int64]:
    """Places of the `count` largest values, in no order; all of them where there are fewer.

    The cut is estimated on a sample, so that a million values cost little more than one pass.
    """
    if count >= len(values):
        return np.arange(len(values))
    step = max(len(values) // _SAMPLE, 1)
    sample = values[::step]
    beyond = min(3 * count // step + 10, len(sample) - 1)
    cut = np.partition(sample, len(sample) - 1 - beyond)[len(sample) - 1 - beyond]
    places = np.flatnonzero(values >= cut) if step > 1 else np.arange(len(values))
    if len(places) < count:
        places = np.arange(len(values))
    found: NDArray[np.int64] = places[np.argpartition(-values[places], count - 1)[:count]]
    return found
