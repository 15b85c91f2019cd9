"""The trades of the lexicon as a language that needs and capabilities share.

A need that has no word in common with a sheet may still evoke the same trades: "la coque qui
protège la batterie" evokes thermoforming, and so does a sheet of "formage sous vide de plaques".

`python -m index.concepts [ENCODER]` writes beside the weights where it places the trades, and
the examples of them, so that nobody else has to encode the lexicon. An encoder without that file
places the trades by itself, and does without examples.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embed.encoder import EMBEDDED, FAST, Encoder, Vectors, load_encoder, unit, weights_folder
from embed.lexicon import Entry, lexicon
from embed.pair import PairEncoder
from index.dense import fixed, floats
from index.examples import Examples, Neighbours
from index.postings import Postings

if TYPE_CHECKING:
    from embed.train.written import Written

FILE = "trades.npz"

EVOKED = 12
"""Trades that a text evokes, at most."""

VOTED = 0.5
"""What the examples weigh in what a text evokes, where there are any; tuned on dev needs."""

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

    A text evokes the trades nearest to it, by a softmax of the cosines, and those of the examples
    nearest to it: a need those of other asks, a capability those of other sheets. Two texts agree
    by the cosine of what they evoke, as in explicit semantic analysis (Gabrilovich & Markovitch
    2007, section 2) with trades for Wikipedia's articles.
    """

    def __init__(
        self,
        labels: Sequence[str],
        vectors: Vectors,
        asks: Examples | None = None,
        sheets: Examples | None = None,
    ) -> None:
        self.labels = labels
        self.vectors = vectors
        self.asks = asks
        self.sheets = sheets

    @classmethod
    def build(cls, encoder: Encoder) -> "Concepts":
        """Place every trade of the lexicon; the last encoder's are remembered."""
        return _placed(encoder)  # type: ignore[arg-type]  # any encoder hashes by identity

    @classmethod
    def learnt(cls, encoder: Encoder, written: "Written") -> "Concepts":
        """Place the trades of what we wrote, its asks and its sheets being the examples."""
        places = {entry.id: place for place, entry in enumerate(written.entries)}
        sheets = {
            sheet.text: sheet.ids for line in written.lines for sheet in line.sheets if sheet.ids
        }
        asks = {ask.text: ask.ids for ask in written.asks}
        return cls(
            [entry.label for entry in written.entries],
            _trades(encoder, written.entries),
            _examples(encoder.encode_needs, asks, places),
            _examples(encoder.encode_capabilities, sheets, places),
        )

    @classmethod
    def kept(cls, labels: Sequence[str], vectors: Vectors, encoder: str) -> "Concepts":
        """The trades as they were placed before, with the examples that ship with the encoder."""
        shipped = _shipped(encoder, vectors.shape[1])
        if shipped is None or shipped.labels != labels:
            return cls(labels, vectors)
        return cls(labels, vectors, shipped.asks, shipped.sheets)

    def asked(self, vectors: Vectors) -> Links:
        """The trades that needs evoke, from their unit vectors `(texts, dim)`."""
        return self._links(vectors, self.asks)

    def told(self, vectors: Vectors) -> Links:
        """The trades that capabilities evoke, from their unit vectors `(texts, dim)`."""
        return self._links(vectors, self.sheets)

    def evoked(self, need: Links) -> tuple[str, ...]:
        """The trades that one need evokes most, in the lexicon's words."""
        return self._heaviest(need.places[0], need.weights[0])

    def shared(self, need: Links, texts: Links) -> list[tuple[str, ...]]:
        """For each text, the trades by which it agrees with the need, heaviest first."""
        wanted = self._wanted(need)
        common = wanted[texts.places] * texts.weights
        return [self._heaviest(*row) for row in zip(texts.places, common, strict=True)]

    def _links(self, vectors: Vectors, examples: Examples | None) -> Links:
        starts = range(0, max(len(vectors), 1), _BATCH)
        parts = [self._evoked(vectors[start : start + _BATCH], examples) for start in starts]
        return Links(*map(np.concatenate, zip(*parts, strict=True)))

    def _evoked(self, vectors: Vectors, examples: Examples | None) -> Links:
        links = self._nearest(vectors)
        if examples is None:
            return links
        mixed = VOTED * examples.votes(vectors, len(self.labels))
        rows = np.arange(len(mixed))[:, None]
        mixed[rows, links.places] += (1 - VOTED) * links.weights
        count = links.places.shape[1]
        places = np.argpartition(-mixed, count - 1, axis=1)[:, :count]
        order = np.argsort(-mixed[rows, places], axis=1, kind="stable")
        places = np.take_along_axis(places, order, axis=1)
        return Links(places.astype(np.int32), unit(mixed[rows, places]), links.nearest)

    def _nearest(self, vectors: Vectors) -> Links:
        proposed = self._proposed(vectors)
        near = np.einsum("ijk,ik->ij", self.vectors[proposed], vectors)
        found = Neighbours.of(proposed, near, EVOKED)
        return Links(found.places.astype(np.int32), unit(found.weights), found.near[:, 0])

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
    shipped = _shipped(encoder.name, encoder.dim)
    if shipped:
        return shipped
    entries = lexicon()
    return Concepts([entry.label for entry in entries], _trades(encoder, entries))


def _trades(encoder: Encoder, entries: Sequence[Entry]) -> Vectors:
    told = encoder.encode_capabilities([entry.sheet for entry in entries])
    asked = encoder.encode_needs([". ".join(entry.lay) for entry in entries])
    return unit(told + asked)


def _examples(
    encode: Callable[[list[str]], Vectors],
    trades: Mapping[str, Sequence[str]],
    places: Mapping[str, int],
) -> Examples | None:
    """The examples that some texts are, from the ids of their trades; None where there is none."""
    if not trades:
        return None
    return Examples.gather(encode(list(trades)), list(trades.values()), places)


@lru_cache(maxsize=2)
def _shipped(encoder: str, dim: int) -> Concepts | None:
    """The trades as they were placed once for all, where the lexicon is the one of that time.

    The fast encoder's are the first dimensions of the default's.
    """
    file = _file(encoder)
    if file is None or not file.exists():
        return None
    entries = lexicon()
    with np.load(file, allow_pickle=False) as arrays:
        if f"asks_codes_{dim}" not in arrays or arrays["lexicon"].tobytes() != _digest(entries):
            return None
        asks, sheets = (Examples.read(arrays, name, dim) for name in ("asks", "sheets"))
        labels = [entry.label for entry in entries]
        return Concepts(labels, unit(floats(arrays["vectors"][:, :dim])), asks, sheets)


def _file(encoder: str) -> Path | None:
    folder = weights_folder(EMBEDDED if encoder == FAST else encoder)
    return folder / FILE if folder else None


def _digest(entries: Sequence[Entry]) -> bytes:
    texts = (text for entry in entries for text in (entry.label, entry.sheet, *entry.lay))
    return blake2b("\n".join(texts).encode(), digest_size=16).digest()


def ship(encoder: Encoder, file: Path) -> None:
    """Write where an encoder places the trades, and our examples, for `Concepts.build` to read."""
    from embed.train.written import WRITTEN, read

    written = read(WRITTEN)
    placed = Concepts.learnt(encoder, written)
    arrays = {
        "lexicon": np.frombuffer(_digest(written.entries), np.uint8),
        "vectors": fixed(placed.vectors),
    }
    dims = [encoder.dim, *([encoder.fast.dim] if isinstance(encoder, PairEncoder) else [])]
    for name, of in (("asks", placed.asks), ("sheets", placed.sheets)):
        arrays |= of.stored(name, dims) if of else {}
    np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's own stub is too narrow


if __name__ == "__main__":
    named = load_encoder(sys.argv[1] if len(sys.argv) > 1 else None)
    target = _file(named.name)
    if target is None or named.name == FAST:
        sys.exit(f"{named.name} has no folder of its own to write {FILE} in")
    ship(named, target)
    print(target)  # noqa: T201
