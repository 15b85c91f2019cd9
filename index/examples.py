"""Texts whose trades people know: what those near a text do, it is likely to be about too.

A trade is placed once, but asked for in a hundred ways: "la coque qui protège la batterie" is
nearer to somebody's "capot rigide autour d'une batterie" than to any account of thermoforming.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embed.encoder import Vectors, unit
from index.dense import Dense, Fixed, coded, fixed, floats

NEAREST = 30
"""Examples that vote, at most."""

WARMTH = 0.06
"""How much nearer a neighbour must be to weigh e times more; see `python -m eval.fusion`."""

DEPTH = 5 * NEAREST
"""Examples that are compared exactly, of those whose codes look nearest."""

_SECOND = 0.3
"""The trades of an example count 1, 1 / 1.3, 1 / 1.6…: its author put the most fitting first."""

_TRADES = 4

Places = NDArray[np.int16]
Stored = dict[str, NDArray[Any]]


class Neighbours(NamedTuple):
    """What is nearest to some texts, nearest first: places, cosines, weights `(texts, count)`.

    The weights are a softmax of the cosines, with 1 for the nearest; those of a text are the same
    whatever texts stand beside it.
    """

    places: NDArray[np.int64]
    near: NDArray[np.float32]
    weights: NDArray[np.float32]

    @classmethod
    def of(cls, places: NDArray[np.int64], near: NDArray[np.float32], count: int) -> "Neighbours":
        """The `count` nearest of some places, from the cosines of all of them."""
        order = np.argsort(-near, axis=1, kind="stable")[:, :count]
        near = np.take_along_axis(near, order, axis=1)
        places = np.take_along_axis(places, order, axis=1)
        return cls(places, near, np.exp((near - near[:, :1]) / WARMTH))


class Examples(NamedTuple):
    """The vectors of `(examples,)` texts, and the places of their trades, int16 `(examples, 4)`.

    An example of fewer trades has -1 after them, one of more is left its first.
    """

    dense: Dense
    trades: Places

    @classmethod
    def gather(
        cls, vectors: Vectors, trades: Sequence[Sequence[str]], places: Mapping[str, int]
    ) -> "Examples":
        """The unit rows, float32 `(examples, dim)`, of some texts and the ids of their trades."""
        held = np.full((len(vectors), _TRADES), -1, np.int16)
        for row, ids in zip(held, trades, strict=True):
            row[: len(ids)] = [places[one] for one in ids[:_TRADES]]
        return cls(_coded(fixed(vectors)), held)

    def stored(self, name: str, dims: Sequence[int]) -> Stored:
        """What `read` takes, as arrays named after `name`: each vector in 8 bits, to its scale.

        With the codes of the first so many dimensions, for each of some numbers of them.
        """
        vectors = floats(self.dense.vectors)
        scales = 127 / np.abs(vectors).max(axis=1, keepdims=True)
        codes = {_codes(name, dim): _part(self.dense.vectors, dim).codes() for dim in dims}
        eight = np.rint(vectors * scales).astype(np.int8)
        return {name: eight, f"{name}_trades": self.trades, **codes}

    @classmethod
    def read(cls, stored: Mapping[str, NDArray[Any]], name: str, dim: int) -> "Examples":
        """The first dimensions of what `stored` gave under a name, at unit length again."""
        rows = fixed(unit(stored[name][:, :dim].astype(np.float32)))
        return cls(Dense.read(rows, stored[_codes(name, dim)]), stored[f"{name}_trades"])

    def votes(self, vectors: Vectors, trades: int) -> NDArray[np.float32]:
        """For unit rows `(texts, dim)`, what their nearest examples are about: `(texts, trades)`.

        Unit rows. After the nearest neighbours of Cover & Hart (1967), "Nearest neighbor pattern
        classification", weighed by their cosines.
        """
        places = self.dense.nearest_each(vectors, DEPTH)
        pairs = zip(places, vectors, strict=True)
        near = np.array([self.dense.cosines(rows, vector) for rows, vector in pairs], np.float32)
        found = Neighbours.of(places, near.reshape(places.shape), NEAREST)
        shares = found.weights[:, :, None] / (1 + _SECOND * np.arange(_TRADES))
        named = self.trades[found.places]
        text, *_ = np.nonzero(named >= 0)
        cells = text * trades + named[named >= 0]
        sums = np.bincount(cells, shares[named >= 0], len(vectors) * trades)
        return unit(sums.reshape(len(vectors), trades).astype(np.float32))


def _coded(rows: Fixed) -> Dense:
    return Dense(rows, coded(rows) if len(rows) > DEPTH else None)


def _part(rows: Fixed, dim: int) -> Dense:
    return _coded(fixed(unit(floats(rows[:, :dim]))))


def _codes(name: str, dim: int) -> str:
    return f"{name}_codes_{dim}"
