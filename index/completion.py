"""Completion of a need that is being typed: trades of the lexicon, sheets of a directory."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nsmallest
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from embed.lexicon import lexicon
from embed.stopwords import STOP_WORDS
from embed.text import fold
from index.postings import mapped

Kind = Literal["trade", "capability"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Rank = tuple[bool, int, int]
"""Whether it is a later word that is begun, the weight, negative, and the length: least first."""

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


class Terms:
    """Texts found by the beginning of any of their words.

    A suffix array (Manber & Myers 1993) that holds the beginnings of words alone: `_places`, int32,
    are sorted by the folded text that follows them. A term weighs as much as there are terms of
    which it is a part.
    """

    def __init__(
        self,
        texts: Sequence[str],
        places: NDArray[np.int32] | None = None,
        weights: NDArray[np.int32] | None = None,
    ) -> None:
        self.texts = texts
        self.folded = [_folded(text) for text in texts]
        self._whole = "\n".join(self.folded)
        self._starts = np.cumsum([0, *(len(text) + 1 for text in self.folded)])
        self._places = _sorted(self._whole) if places is None else places
        self._weights = self._weighed() if weights is None else weights

    def found(self, wanted: str) -> Iterator[tuple[Rank, int]]:
        """The rank and the place of each term in which a folded text begins a word."""
        places = self._beginning(wanted)
        terms = np.searchsorted(self._starts, places, side="right") - 1
        for late, one in zip((places > self._starts[terms]).tolist(), terms.tolist(), strict=True):
            yield (late, -int(self._weights[one]), len(self.texts[one])), one

    def save(self, folder: Path) -> None:
        """Write three files that `open` reads."""
        (folder / "completions.txt").write_text("\n".join(self.texts), encoding="utf-8")
        np.save(folder / "completions.npy", self._places, allow_pickle=False)
        np.save(folder / "completions.weights.npy", self._weights, allow_pickle=False)

    @classmethod
    def open(cls, folder: Path) -> "Terms":
        """Read what `save` wrote."""
        text = (folder / "completions.txt").read_text(encoding="utf-8")
        places, weights = (f"completions{of}.npy" for of in ("", ".weights"))
        return cls(
            text.split("\n") if text else [], mapped(folder / places), mapped(folder / weights)
        )

    def _weighed(self) -> NDArray[np.int32]:
        return np.array([len(self._beginning(term)) for term in self.folded], np.int32)

    def _beginning(self, wanted: str) -> NDArray[np.int32]:
        """The places at which a folded text stands."""
        size = len(wanted)

        def at(place: np.int32) -> str:
            return self._whole[place : place + size]

        first = bisect_left(self._places, wanted, key=at)
        return self._places[first : bisect_right(self._places, wanted, lo=first, key=at)]


class Completions:
    """The trades of the lexicon, and the short capabilities of a directory."""

    def __init__(self, capabilities: Terms) -> None:
        self._capabilities = capabilities

    @classmethod
    def learn(cls, capabilities: Iterable[str]) -> "Completions":
        """Know the capabilities that are short, and no trade's name."""
        known = set(_trades().folded)
        short = _once(text for text in capabilities if len(text) <= LONGEST)
        return cls(Terms([text for text in short[:_MOST] if _folded(text) not in known]))

    def complete(self, beginning: str, k: int = 8) -> list[Completion]:
        """At most `k` terms in which what is typed begins a word; nothing under two letters.

        Terms that begin so come before those in which it begins a later word; then the weightier.
        """
        wanted = _folded(beginning)
        if len(wanted) < _LEAST:
            return []
        sources = _trades(), self._capabilities
        found = (
            (rank, source, one)
            for source, terms in enumerate(sources)
            for rank, one in terms.found(wanted)
        )
        best = dict.fromkeys((source, one) for _, source, one in nsmallest(2 * k, found))
        return [Completion(sources[of].texts[one], KINDS[of]) for of, one in list(best)[:k]]

    def save(self, folder: Path) -> None:
        """Write three files that `open` reads."""
        self._capabilities.save(folder)

    @classmethod
    def open(cls, folder: Path) -> "Completions":
        """Read what `save` wrote."""
        return cls(Terms.open(folder))


@lru_cache(maxsize=1)
def _trades() -> Terms:
    """The names of trades, and before them the words that begin several."""
    names = [name for entry in lexicon() for name in (entry.label, *entry.synonyms)]
    return Terms(_once([*_heads(names), *names]))


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
