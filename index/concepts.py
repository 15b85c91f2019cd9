"""The trades of the lexicon as a language that needs and capabilities share.

A need that has no word in common with a sheet may still evoke the same trades: "la coque qui
protège la batterie" evokes thermoforming, and so does a sheet of "formage sous vide de plaques".

`python -m index.concepts [ENCODER]` writes beside the weights where it places the trades, so
that nobody else has to encode the lexicon.
"""

import sys
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embed.encoder import Encoder, Vectors, load_encoder, weights_folder
from embed.lexicon import Entry, read_lexicon
from index.dense import fixed, floats
from index.postings import Postings

FILE = "trades.npz"

EVOKED = 12
"""Trades that a text evokes, at most."""

WARMTH = 0.06
"""How much nearer a trade must be to weigh e times more; see `python -m eval.fusion`."""

SHOWN = 3
_SHOWN_FROM = 0.25
"""Trades are shown that weigh this share of the heaviest one, or more."""

_BATCH = 512

Weights = NDArray[np.float32]


class Links(NamedTuple):
    """The trades that texts evoke: int32 places and float32 weights, both `(texts, EVOKED)`.

    The weights of a text are a unit row, heaviest first; `nearest`, float32 `(texts,)`, is its
    cosine with the first.
    """

    places: NDArray[np.int32]
    weights: Weights
    nearest: Weights

    def postings(self, trades: int) -> Postings:
        """The texts that evoke each of so many trades, and how much."""
        rows = np.repeat(np.arange(len(self.places), dtype=np.int32), self.places.shape[1])
        return Postings.build(self.places.ravel(), rows, self.weights.ravel(), trades)

    def part(self, text: int) -> "Links":
        """The trades of one of the texts alone."""
        one = slice(text, text + 1)
        return Links(self.places[one], self.weights[one], self.nearest[one])

    def wanted(self, scale: float = 1.0) -> dict[int, float]:
        """The trades that the first text evokes, each with its weight times `scale`."""
        pairs = zip(self.places[0].tolist(), self.weights[0].tolist(), strict=True)
        return {place: scale * weight for place, weight in pairs}


class Concepts:
    """The trades and where each stands: the mean of its description and of how people ask for it.

    A text evokes the trades nearest to it, by a softmax of the cosines; two texts agree by the
    cosine of what they evoke, as in explicit semantic analysis (Gabrilovich & Markovitch 2007,
    section 2) with trades for Wikipedia's articles.
    """

    def __init__(self, labels: Sequence[str], vectors: Vectors) -> None:
        self.labels = labels
        self.vectors = vectors

    @classmethod
    def build(cls, encoder: Encoder) -> "Concepts":
        """Place every trade of the lexicon; the last encoder's are remembered."""
        return _placed(encoder)  # type: ignore[arg-type]  # any encoder hashes by identity

    def links(self, vectors: Vectors) -> Links:
        """The trades that texts evoke, from their unit vectors `(texts, dim)`."""
        starts = range(0, max(len(vectors), 1), _BATCH)
        parts = [self._links(vectors[start : start + _BATCH]) for start in starts]
        return Links(*map(np.concatenate, zip(*parts, strict=True)))

    def evoked(self, need: Links) -> tuple[str, ...]:
        """The trades that one need evokes most, in the lexicon's words."""
        return self._heaviest(need.places[0], need.weights[0])

    def shared(self, need: Links, texts: Links) -> list[tuple[str, ...]]:
        """For each text, the trades by which it agrees with the need, heaviest first."""
        wanted = self._wanted(need)
        common = wanted[texts.places] * texts.weights
        return [self._heaviest(*row) for row in zip(texts.places, common, strict=True)]

    def _links(self, vectors: Vectors) -> Links:
        nearest = self._proposed(vectors)
        near = np.einsum("ijk,ik->ij", self.vectors[nearest], vectors)
        order = np.argsort(-near, axis=1, kind="stable")[:, :EVOKED]
        near = np.take_along_axis(near, order, axis=1)
        weights = np.exp((near - near[:, :1]) / WARMTH)
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        places = np.take_along_axis(nearest, order, axis=1)
        return Links(places.astype(np.int32), weights.astype(np.float32), near[:, 0])

    def _proposed(self, vectors: Vectors) -> NDArray[np.int64]:
        """More than enough near trades, by a product whose last digits depend on its size."""
        cosines = vectors @ self.vectors.T
        count = min(2 * EVOKED, len(self.labels))
        found: NDArray[np.int64] = np.argpartition(cosines, -count, axis=1)[:, -count:]
        return found

    def _wanted(self, need: Links) -> Weights:
        wanted = np.zeros(len(self.labels), np.float32)
        wanted[need.places[0]] = need.weights[0]
        return wanted

    def _heaviest(self, places: NDArray[np.int32], weights: Weights) -> tuple[str, ...]:
        least = max(_SHOWN_FROM * float(weights.max(initial=0)), 0.05)
        order = np.argsort(-weights, kind="stable")
        found = [self.labels[places[at]] for at in order if weights[at] >= least]
        return tuple(dict.fromkeys(found))[:SHOWN]


@lru_cache(maxsize=1)
def _placed(encoder: Encoder) -> Concepts:
    entries = read_lexicon()
    shipped = _shipped(encoder.name, entries)
    vectors = _trades(encoder, entries) if shipped is None else shipped
    return Concepts([entry.label for entry in entries], vectors)


def _trades(encoder: Encoder, entries: Sequence[Entry]) -> Vectors:
    told = encoder.encode_capabilities([entry.sheet for entry in entries])
    asked = encoder.encode_needs([". ".join(entry.lay) for entry in entries])
    sums = told + asked
    vectors: Vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return vectors


def _shipped(encoder: str, entries: Sequence[Entry]) -> Vectors | None:
    """The trades as they were placed once for all, where the lexicon is the one of that time."""
    folder = weights_folder(encoder)
    if folder is None or not (folder / FILE).exists():
        return None
    with np.load(folder / FILE, allow_pickle=False) as arrays:
        same = arrays["lexicon"].tobytes() == _digest(entries)
        return floats(arrays["vectors"]) if same else None


def _digest(entries: Sequence[Entry]) -> bytes:
    texts = (text for entry in entries for text in (entry.label, entry.sheet, *entry.lay))
    return blake2b("\n".join(texts).encode(), digest_size=16).digest()


def ship(encoder: Encoder, folder: Path) -> Path:
    """Write where an encoder places the trades beside its weights; gives the file."""
    entries = read_lexicon()
    lexicon = np.frombuffer(_digest(entries), np.uint8)
    np.savez_compressed(folder / FILE, lexicon=lexicon, vectors=fixed(_trades(encoder, entries)))
    return folder / FILE


if __name__ == "__main__":
    named = load_encoder(sys.argv[1] if len(sys.argv) > 1 else None)
    home = weights_folder(named.name)
    print(ship(named, home) if home else f"{named.name} is of a hub")  # noqa: T201
