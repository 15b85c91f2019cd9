"""Texts whose trades people know: what those near a text do, it is likely to be about too.

A trade is placed once, but asked for in a hundred ways: "la coque qui protège la batterie" is
nearer to somebody's "capot rigide autour d'une batterie" than to any account of thermoforming.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from embed.encoder import Vectors

NEAREST = 30
"""Examples that vote, at most."""

WARMTH = 0.06
"""How much nearer a neighbour must be to weigh e times more; see `python -m eval.fusion`."""

_SECOND = 0.3
"""The trades of an example count 1, 1 / 1.3, 1 / 1.6…: its author put the most fitting first."""

_TRADES = 4

Stored = NDArray[np.int8]
Places = NDArray[np.int16]


class Neighbours(NamedTuple):
    """What is nearest to some texts, nearest first: places, cosines, weights `(texts, count)`.

    The weights are a softmax of the cosines, with 1 for the nearest; those of a text are the same
    whatever texts stand beside it.
    """

    places: NDArray[np.int64]
    near: NDArray[np.float32]
    weights: NDArray[np.float32]


class Examples(NamedTuple):
    """Float32 unit rows `(examples, dim)`, and the places of their trades, int16 `(examples, 4)`.

    An example of fewer trades has -1 after them, one of more is left its first.
    """

    vectors: Vectors
    trades: Places

    @classmethod
    def gather(
        cls, vectors: Vectors, trades: Sequence[Sequence[str]], places: Mapping[str, int]
    ) -> "Examples":
        """The vectors of some texts and the ids of the trades of each."""
        held = np.full((len(vectors), _TRADES), -1, np.int16)
        for row, ids in zip(held, trades, strict=True):
            row[: len(ids)] = [places[one] for one in ids[:_TRADES]]
        return cls(vectors, held)

    def stored(self) -> tuple[Stored, Places]:
        """What `read` takes: each vector in 8 bits, to its own scale."""
        scales = 127 / np.abs(self.vectors).max(axis=1, keepdims=True)
        return np.rint(self.vectors * scales).astype(np.int8), self.trades

    @classmethod
    def read(cls, vectors: Stored, trades: Places) -> "Examples":
        """What `stored` gave, at unit length again."""
        rows = vectors.astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return cls(rows, trades)

    def votes(self, vectors: Vectors, trades: int) -> NDArray[np.float32]:
        """For unit rows `(texts, dim)`, what their nearest examples are about: `(texts, trades)`.

        Unit rows; that of a text is the same whatever texts stand beside it. After the nearest
        neighbours of Cover & Hart (1967), "Nearest neighbor pattern classification", weighed by
        their cosines.
        """
        found = neighbours(vectors, self.vectors, NEAREST)
        shares = found.weights[:, :, None] / (1 + _SECOND * np.arange(_TRADES))
        named = self.trades[found.places]
        text, *_ = np.nonzero(named >= 0)
        pairs = shares[named >= 0], (text, named[named >= 0])
        votes = csr_array(pairs, shape=(len(vectors), trades)).toarray()
        unit: NDArray[np.float32] = votes / np.linalg.norm(votes, axis=1, keepdims=True)
        return unit.astype(np.float32)


def neighbours(vectors: Vectors, among: Vectors, count: int) -> Neighbours:
    """The `count` nearest of `among`, `(others, dim)`, to each unit row `(texts, dim)`."""
    proposed = _proposed(vectors, among, 2 * count)
    near = np.einsum("ijk,ik->ij", among[proposed], vectors)
    order = np.argsort(-near, axis=1, kind="stable")[:, :count]
    places, near = (np.take_along_axis(of, order, axis=1) for of in (proposed, near))
    return Neighbours(places, near, np.exp((near - near[:, :1]) / WARMTH))


def _proposed(vectors: Vectors, among: Vectors, count: int) -> NDArray[np.int64]:
    """More than enough near rows, by a product whose last digits depend on its size."""
    count = min(count, len(among))
    found: NDArray[np.int64] = np.argpartition(vectors @ among.T, -count, axis=1)[:, -count:]
    return found
