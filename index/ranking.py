"""What the three signals weigh in a score, and the words that explain it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embed.encoder import Encoder, Vectors
from embed.occlusion import occluded
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


def highlights(
    need: Vectors,
    wanted: Wanted,
    capabilities: Sequence[str],
    encoder: Encoder,
    mix: Mix = HYBRID,
) -> list[tuple[Highlight, ...]]:
    """For each capability, the words that weighed in its score for a unit row, and how much.

    A word's dense weight is what the cosine loses when the word is taken out (`embed.occlusion`);
    its lexical weight is its share of BM25.
    """
    found = [words(capability)[:_READ] for capability in capabilities]
    spans = [[(word.start, word.end) for word in of] for of in found]
    return [
        _heaviest(of, mix.dense * _losses(vectors, need) + mix.lexical * _lexical(wanted, of))
        for of, vectors in zip(found, occluded(encoder, capabilities, spans), strict=True)
    ]


def _lexical(wanted: Wanted, found: Sequence[Word]) -> Scores:
    return np.array(word_shares(wanted, found), np.float32)


def _losses(vectors: Vectors, need: Vectors) -> Scores:
    """What the cosine of the first row loses in each of the others."""
    cosines = np.einsum("ij,j->i", vectors, need)
    losses: Scores = np.clip(cosines[0] - cosines[1:], 0, 1)
    return losses


def _heaviest(found: Sequence[Word], weights: Scores) -> tuple[Highlight, ...]:
    heaviest = float(weights.max(initial=0))
    if heaviest <= 0:
        return ()
    return tuple(
        Highlight(word.start, word.end, round(float(weight) / heaviest, 2))
        for word, weight in zip(found, weights, strict=True)
        if weight >= _SHOWN_FROM * heaviest
    )
