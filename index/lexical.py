"""French BM25: how much of what the words of a need say is also said by a capability."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log1p
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embed.text import Word, words
from index.postings import Postings, Sums

K1 = 1.2
B = 0.75
STRICT_WEIGHT = 0.25
"""What the very form of a word adds, as a share of what its stem weighs."""

_STRICT = "="
"""Prefix of a strict form, so that "=tours" and "tour" are two terms of one vocabulary."""

Vocabulary = dict[str, int]
Wanted = Mapping[str, float]
"""The terms of a need and the share of it that each one is: they sum to 1."""


class Counts(NamedTuple):
    """The terms of some texts: term, row and count, one value each a pair; words in each text."""

    terms: NDArray[np.int32]
    rows: NDArray[np.int32]
    counts: NDArray[np.int32]
    lengths: NDArray[np.int32]


def count_terms(texts: Iterable[str], vocabulary: Vocabulary) -> Counts:
    """Count the terms of clean texts; new terms are added to the vocabulary."""
    terms: list[int] = []
    rows: list[int] = []
    counts: list[int] = []
    lengths: list[int] = []
    for row, text in enumerate(texts):
        found = words(text)
        counted = _terms(found)
        lengths.append(len(found))
        terms += (vocabulary.setdefault(term, len(vocabulary)) for term in counted)
        rows += [row] * len(counted)
        counts += counted.values()
    return Counts(*(np.array(column, np.int32) for column in (terms, rows, counts, lengths)))


def joined(parts: Sequence[Counts], starts: Iterable[int]) -> Counts:
    """The counts of several lots of texts as one, whose rows begin at `starts`."""
    shifted = [
        part._replace(rows=part.rows + start) for part, start in zip(parts, starts, strict=False)
    ]
    return Counts(*(np.concatenate(columns) for columns in zip(*shifted, strict=True)))


class Lexical:
    """BM25 (Robertson & Zaragoza 2009, section 3.5) over capabilities, as a share from 0 to 1.

    A word weighs the rarity of its light stem, and a quarter more where its very form is found. A
    share is the BM25 sum divided by what it would be if every word of the need were there without
    end: it depends on the need, the capability and the collection, never on the other results, and
    words unknown to the whole collection lower it.
    """

    def __init__(self, vocabulary: Vocabulary, postings: Postings, mean: float, size: int) -> None:
        self._vocabulary = vocabulary
        self._postings = postings
        self._known = len(postings.offsets) - 1  # the vocabulary of a delta grows beyond it
        self.mean = mean
        self.size = size

    @classmethod
    def build(cls, counted: Counts, vocabulary: Vocabulary, mean: float | None = None) -> "Lexical":
        """Index counted texts; `mean` is the words of a text in the collection (default: these)."""
        lengths = counted.lengths
        typical = float(lengths.mean()) if mean is None and len(lengths) else mean or 1.0
        weights = _saturation(counted.counts, lengths[counted.rows], typical)
        postings = Postings.build(counted.terms, counted.rows, weights, len(vocabulary))
        return cls(vocabulary, postings, typical, len(lengths))

    def wanted(self, need: str) -> Wanted:
        """What each term of a need weighs in this collection."""
        found: dict[str, float] = {}
        for word in words(need):
            idf = self._idf(word.stem)
            found |= {word.stem: idf, _STRICT + word.strict: STRICT_WEIGHT * idf}
        total = sum(found.values()) or 1.0
        return {term: weight / total for term, weight in found.items()}

    def shares(self, wanted: Wanted, scale: float = 1.0) -> Sums:
        """The share of a need that each text says, times `scale`: float32 `(texts,)`."""
        return self._postings.dot(self._places(wanted, scale), self.size)

    def shares_of_each(self, wanted: Iterable[Wanted], scale: float = 1.0) -> Sums:
        """`shares` for each of several needs, where texts are few: float32 `(needs, texts)`."""
        return self._postings.dots([self._places(one, scale) for one in wanted], self.size)

    def save(self, folder: Path) -> None:
        """Write vocabulary and postings into a folder, beside others' files."""
        terms = list(self._vocabulary)[: self._known]
        (folder / "terms.txt").write_text("\n".join(terms), encoding="utf-8")
        np.save(folder / "lexical.json.npy", np.array([self.mean, self.size]), allow_pickle=False)
        self._postings.save(folder / "lexical")

    @classmethod
    def open(cls, folder: Path) -> "Lexical":
        """Map what `save` wrote; only the vocabulary is read."""
        text = (folder / "terms.txt").read_text(encoding="utf-8")
        vocabulary = {term: place for place, term in enumerate(text.split("\n"))} if text else {}
        mean, size = np.load(folder / "lexical.json.npy", allow_pickle=False)
        return cls(vocabulary, Postings.open(folder / "lexical"), float(mean), int(size))

    def _places(self, wanted: Wanted, scale: float) -> dict[int, float]:
        places, known = self._vocabulary, self._known
        return {
            places[term]: scale * weight
            for term, weight in wanted.items()
            if places.get(term, known) < known
        }

    def _idf(self, term: str) -> float:
        place = self._vocabulary.get(term, self._known)
        known = self._postings.held(place) if place < self._known else 0
        return log1p((self.size - known + 0.5) / (known + 0.5))


def word_shares(wanted: Wanted, found: Sequence[Word]) -> list[float]:
    """How much of a need's information each word of a capability carries, 0 to 1."""
    return [sum(wanted.get(term, 0.0) for term in _terms([word])) for word in found]


def common_words(need: str, capability: str) -> list[str]:
    """The words of the capability that the need has too, as the capability writes them."""
    stems = {word.stem for word in words(need)}
    shared = (w for w in words(capability) if w.stem in stems)
    return list(dict.fromkeys(capability[w.start : w.end] for w in shared))


def _terms(found: Iterable[Word]) -> Counter[str]:
    return Counter(term for word in found for term in (word.stem, _STRICT + word.strict))


def _saturation(tf: NDArray[np.int32], sizes: NDArray[np.int32], mean: float) -> Sums:
    shares: Sums = (tf / (tf + K1 * (1 - B + B * sizes / mean))).astype(np.float32)
    return shares
