"""What the three signals weigh in a score, and the words that explain it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embed.encoder import Encoder, Vectors
from embed.text import Word, words
from index.lexical import Wanted, word_shares
from index.suppliers import Highlight


class Mix(NamedTuple):
    """Shares of the cosine, of BM25 and of the trades in a score; they add up to 1.

    A convex combination (Bruch et al., arXiv 2210.11934, section 4.1). No signal is rescaled by the
    other results, so a pair has one score wherever it is met.
    """

    dense: float
    lexical: float
    concept: float


HYBRID = Mix(dense=0.5, lexical=0.3, concept=0.2)
"""Tuned on dev needs: see `python -m eval.fusion`."""

_SHOWN_FROM = 0.2
"""Words that weigh less than this share of the heaviest one are not highlighted."""

_READ = 100
"""Words of a capability that are weighed one by one, from its beginning."""

Scores = NDArray[np.float32]


def _cosines(vectors: Vectors, need: Vectors) -> Scores:
    products: Scores = np.einsum("ij,j->i", vectors, need)
    return products


def highlights(
    need: str,
    wanted: Wanted,
    capabilities: Sequence[str],
    encoder: Encoder,
    mix: Mix = HYBRID,
) -> list[tuple[Highlight, ...]]:
    """For each capability, the words that weighed in its score and how much.

    A word's dense weight is what the cosine loses when the word is taken out (occlusion, Zeiler
    & Fergus 2014, section 4.2); its lexical weight is its share of BM25. Works with any encoder, at
    the price of a text for each word.
    """
    found = [words(capability)[:_READ] for capability in capabilities]
    losses = _losses(encoder.encode_needs([need])[0], capabilities, found, encoder)
    return [
        _heaviest(of, mix.dense * loss + mix.lexical * _lexical(wanted, of))
        for of, loss in zip(found, losses, strict=True)
    ]


def _lexical(wanted: Wanted, found: Sequence[Word]) -> Scores:
    return np.array(word_shares(wanted, found), np.float32)


def _losses(
    need: Vectors, capabilities: Sequence[str], found: Sequence[list[Word]], encoder: Encoder
) -> list[Scores]:
    texts = [
        variant
        for capability, of in zip(capabilities, found, strict=True)
        for variant in (capability, *(_without(capability, word) for word in of))
    ]
    near = _cosines(encoder.encode_capabilities(texts), need)
    bounds = np.cumsum([1 + len(of) for of in found])[:-1]
    return [np.clip(part[0] - part[1:], 0, 1) for part in np.split(near, bounds)]


def _without(text: str, word: Word) -> str:
    return f"{text[: word.start]} {text[word.end :]}"


def _heaviest(found: Sequence[Word], weights: Scores) -> tuple[Highlight, ...]:
    heaviest = float(weights.max(initial=0))
    if heaviest <= 0:
        return ()
    return tuple(
        Highlight(word.start, word.end, round(float(weight) / heaviest, 2))
        for word, weight in zip(found, weights, strict=True)
        if weight >= _SHOWN_FROM * heaviest
    )
