"""Completion of a need that is being typed: trades of the lexicon, sheets of a directory."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from embed.lexicon import read_lexicon
from embed.stopwords import STOP_WORDS
from embed.text import fold
from index.postings import mapped

Kind = Literal["trade", "capability"]

LONGEST = 60
"""Characters of a capability that may complete a need: longer ones are sentences, not terms."""

_MOST = 100_000
"""Capabilities that may complete, of a large directory."""

_LEAST = 2
_SHARED = 3


@dataclass(frozen=True, slots=True)
class Completion:
    """What a need may become: a trade as the lexicon names it, or a capability of the directory."""

    text: str
    kind: Kind


class Completions:
    """Terms, found by the beginning of any of their words.

    A suffix array (Manber & Myers 1993) that holds the beginnings of words alone: `_places`, int32,
    are sorted by the folded text that follows them. A term weighs as much as there are terms of
    which it is a part.
    """

    def __init__(
        self,
        terms: Sequence[str],
        trades: int,
        places: NDArray[np.int32] | None = None,
        weights: NDArray[np.int32] | None = None,
    ) -> None:
        self._terms = terms
        self._trades = trades
        folded = [_folded(term) for term in terms]
        self._folded = "\n".join(folded)
        self._starts = np.cumsum([0, *(len(term) + 1 for term in folded)])
        self._places = _sorted(self._folded) if places is None else places
        self._weights = self._weighed(folded) if weights is None else weights

    @classmethod
    def learn(cls, capabilities: Iterable[str]) -> "Completions":
        """Know the trades and the words that begin several, then the short capabilities."""
        names = [name for entry in read_lexicon() for name in (entry.label, *entry.synonyms)]
        trades = _once([*_heads(names), *names])
        known = set(map(_folded, trades))
        short = _once(text for text in capabilities if len(text) <= LONGEST)
        others = [text for text in short[:_MOST] if _folded(text) not in known]
        return cls([*trades, *others], len(trades))

    def complete(self, beginning: str, k: int = 8) -> list[Completion]:
        """At most `k` terms in which what is typed begins a word; nothing under two letters.

        Terms that begin so come before those in which it begins a later word; then the weightier.
        """
        wanted = _folded(beginning)
        if len(wanted) < _LEAST:
            return []
        places = self._beginning(wanted)
        terms = np.searchsorted(self._starts, places, side="right") - 1
        ranked = zip((places > self._starts[terms]).tolist(), terms.tolist(), strict=True)
        order = ((late, -self._weights[one], len(self._terms[one]), one) for late, one in ranked)
        best = dict.fromkeys(one for *_, one in nsmallest(2 * k, order))
        return [
            Completion(self._terms[one], "trade" if one < self._trades else "capability")
            for one in list(best)[:k]
        ]

    def save(self, folder: Path) -> None:
        """Write three files that `open` reads."""
        lines = [str(self._trades), *self._terms]
        (folder / "completions.txt").write_text("\n".join(lines), encoding="utf-8")
        np.save(folder / "completions.npy", self._places, allow_pickle=False)
        np.save(folder / "completions.weights.npy", self._weights, allow_pickle=False)

    @classmethod
    def open(cls, folder: Path) -> "Completions":
        """Read what `save` wrote."""
        trades, *terms = (folder / "completions.txt").read_text(encoding="utf-8").split("\n")
        places, weights = (f"completions{of}.npy" for of in ("", ".weights"))
        return cls(terms, int(trades), mapped(folder / places), mapped(folder / weights))

    def _weighed(self, folded: Sequence[str]) -> NDArray[np.int32]:
        return np.array([len(self._beginning(term)) for term in folded], np.int32)

    def _beginning(self, wanted: str) -> NDArray[np.int32]:
        """The places at which a folded text stands."""
        size = len(wanted)

        def at(place: np.int32) -> str:
            return self._folded[place : place + size]

        first = bisect_left(self._places, wanted, key=at)
        return self._places[first : bisect_right(self._places, wanted, lo=first, key=at)]


def _sorted(text: str) -> NDArray[np.int32]:
    places = [at for at in range(len(text)) if text[at].isalnum() and _begins(text, at)]
    return np.array(sorted(places, key=lambda at: text[at : at + LONGEST]), np.int32)


def _heads(names: Sequence[str]) -> list[str]:
    """What several names begin with, in one word or two: "thermoformage", "découpe laser"."""
    split = [(_folded(name).split(), name.split()) for name in names]
    counts = Counter(tuple(words[:size]) for words, _ in split for size in (1, 2) if words[size:])
    written = {tuple(words[:size]): own[:size] for words, own in split for size in (1, 2)}
    return [
        " ".join(written[head])
        for head, count in counts.items()
        if count >= _SHARED and len(head[-1]) > 3 and head[-1] not in STOP_WORDS
    ]


def _begins(text: str, at: int) -> bool:
    return at == 0 or not text[at - 1].isalnum()


def _folded(term: str) -> str:
    return fold(" ".join(term.split()))


def _once(texts: Iterable[str]) -> list[str]:
    """Texts that differ by more than case and accents, in their order."""
    return list({_folded(text): text for text in reversed(list(texts))}.values())[::-1]
