"""What is left of a text when a word is taken out of it.

Occlusion (Zeiler & Fergus, "Visualizing and understanding convolutional networks", 2014, section
4.2) shows which words a vector owes its place to, with any encoder.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from embed.encoder import Encoder, Vectors

Span = tuple[int, int]
"""Where a word begins and ends in its text, in code points."""


@runtime_checkable
class Occluding(Protocol):
    """An encoder that knows what each word brings without reading the text anew."""

    def occluded(self, text: str, spans: Sequence[Span]) -> Vectors:
        """What `occluded` gives for one text."""


def occluded(encoder: Encoder, texts: Sequence[str], spans: Sequence[list[Span]]) -> list[Vectors]:
    """For each capability, its vector, then those without each of its spans.

    Float32 unit rows `(1 + spans, dim)`. An encoder that is not `Occluding` reads a text a span.
    """
    if isinstance(encoder, Occluding):
        return [encoder.occluded(text, of) for text, of in zip(texts, spans, strict=True)]
    variants = [
        variant
        for text, of in zip(texts, spans, strict=True)
        for variant in (text, *(f"{text[:start]} {text[end:]}" for start, end in of))
    ]
    vectors = encoder.encode_capabilities(variants)
    ends = np.cumsum([1 + len(of) for of in spans])
    return np.split(vectors, ends[:-1])
