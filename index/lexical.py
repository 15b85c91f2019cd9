"""French BM25: how much of what the words of a need say is also said by a capability."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embed.text import Word, words

K1 = 1.2
B = 0.75
STRICT_WEIGHT = 0.25
"""What the very form of a word adds, as a share of what its stem weighs."""

_STRICT = "="
"""Prefix of a strict form, so that "=tours" and "tour" are two terms of one vocabulary."""


class Lexical:
    """BM25 (Robertson & Zaragoza 2009, section 3.5) over capabilities, as a share from 0 to 1.

    A word weighs the rarity of its light stem, and a quarter more where its very form is found. A
    share is the BM25 sum divided by what it would be if every word of the need were there without
    end: it depends on the need, the capability and the collection, never on the other results, and
    words unknown to the whole collection lower it.
    """

    def __init__(
        self,
        vocabulary: dict[str, int],
        offsets: NDArray[np.int64],
        rows: NDArray[np.int32],
        weights: NDArray[np.float32],
        lengths: NDArray[np.int32],
    ) -> None:
        self._vocabulary = vocabulary
        self._offsets = offsets
        self._rows = rows
        self._weights = weights
        self._lengths = lengths
        self._mean = float(lengths.mean())

    @classmethod
    def build(cls, texts: Iterable[str]) -> "Lexical":
        """Index clean texts; row numbers follow their order."""
        vocabulary: dict[str, int] = {}
        postings: list[tuple[int, int, int]] = []
        lengths: list[int] = []
        for row, text in enumerate(texts):
            found = words(text)
            counts = _terms(found)
            lengths.append(len(found))
            postings += (
                (vocabulary.setdefault(term, len(vocabulary)), row, count)
                for term, count in counts.items()
            )
        table = np.array(sorted(postings), np.int64).reshape(-1, 3)
        offsets = np.searchsorted(table[:, 0], np.arange(len(vocabulary) + 1))
        sizes = np.array(lengths, np.int32)
        weights = _saturation(table[:, 2], sizes[table[:, 1]], float(sizes.mean()))
        return cls(vocabulary, offsets, table[:, 1].astype(np.int32), weights, sizes)

    def shares(self, need: str) -> NDArray[np.float32]:
        """The share of the need that each indexed capability says, shape `(capabilities,)`."""
        found = np.zeros(len(self._lengths), np.float32)
        wanted = self._wanted(need)
        for term, weight in wanted.items():
            postings = self._postings(term)
            found[self._rows[postings]] += weight * self._weights[postings]
        return found / _total(wanted)

    def shares_of(self, need: str, capabilities: Iterable[str]) -> NDArray[np.float32]:
        """The same for any capabilities, indexed or not, from this collection's statistics."""
        wanted = self._wanted(need)
        return np.array([self._share(wanted, text) for text in capabilities], np.float32)

    def _share(self, wanted: dict[str, float], capability: str) -> float:
        found = words(capability)
        counts = _terms(found)
        common = wanted.keys() & counts.keys()
        tf = np.array([counts[term] for term in common])
        weights = np.array([wanted[term] for term in common])
        sizes = np.full(len(common), len(found))
        return float(weights @ _saturation(tf, sizes, self._mean)) / _total(wanted)

    def word_shares(self, need: str, capability_words: Sequence[Word]) -> list[float]:
        """How much of the need's information each word of a capability carries, 0 to 1."""
        wanted = self._wanted(need)
        total = _total(wanted)
        return [
            sum(wanted.get(term, 0.0) for term in _terms([word])) / total
            for word in capability_words
        ]

    def save(self, path: Path) -> None:
        """Write the postings as one .npz file without pickled objects."""
        terms = "\n".join(self._vocabulary).encode()
        np.savez(
            path,
            terms=np.frombuffer(terms, np.uint8),
            offsets=self._offsets,
            rows=self._rows,
            weights=self._weights,
            lengths=self._lengths,
        )

    @classmethod
    def load(cls, path: Path) -> "Lexical":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            terms = arrays["terms"].tobytes().decode().split("\n")
            vocabulary = {term: place for place, term in enumerate(terms)}
            return cls(vocabulary, *(arrays[n] for n in ("offsets", "rows", "weights", "lengths")))

    def _postings(self, term: str) -> slice:
        place = self._vocabulary.get(term)
        if place is None:
            return slice(0, 0)
        return slice(int(self._offsets[place]), int(self._offsets[place + 1]))

    def _wanted(self, need: str) -> dict[str, float]:
        """The terms of a need and what each weighs."""
        wanted: dict[str, float] = {}
        for word in words(need):
            idf = self._idf(word.stem)
            wanted |= {word.stem: idf, _STRICT + word.strict: STRICT_WEIGHT * idf}
        return wanted

    def _idf(self, term: str) -> float:
        postings = self._postings(term)
        known = postings.stop - postings.start
        return float(np.log1p((len(self._lengths) - known + 0.5) / (known + 0.5)))


def common_words(need: str, capability: str) -> list[str]:
    """The words of the capability that the need has too, as the capability writes them."""
    stems = {word.stem for word in words(need)}
    shared = (w for w in words(capability) if w.stem in stems)
    return list(dict.fromkeys(capability[w.start : w.end] for w in shared))


def _terms(found: Iterable[Word]) -> Counter[str]:
    return Counter(term for word in found for term in (word.stem, _STRICT + word.strict))


def _total(wanted: dict[str, float]) -> float:
    return sum(wanted.values()) or 1.0


def _saturation(
    tf: NDArray[np.int64], sizes: NDArray[np.int32], mean: float
) -> NDArray[np.float32]:
    return (tf / (tf + K1 * (1 - B + B * sizes / mean))).astype(np.float32)
