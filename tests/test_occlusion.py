import numpy as np
import pytest

from embed.encoder import Encoder, Vectors
from embed.occlusion import Occluding, occluded

TEXTS = ["Usinage d'œuvre, Éléments-inox", "Vis"]
SPANS = [[(0, 7), (10, 15), (17, 25), (26, 30)], [(0, 3)]]
WITHOUT = [
    [
        TEXTS[0],
        " d'œuvre, Éléments-inox",
        "Usinage d' , Éléments-inox",
        "Usinage d'œuvre,  -inox",
        "Usinage d'œuvre, Éléments- ",
    ],
    ["Vis", " "],
]


class Reading:
    """An encoder that must read every text."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.dim = "reading", encoder.dim
        self.encode_needs = encoder.encode_needs
        self.encode_capabilities = encoder.encode_capabilities


@pytest.mark.parametrize("reads", [False, True])
def test_each_word_is_taken_out_of_its_text(encoder: Encoder, reads: bool) -> None:
    found: list[Vectors] = occluded(Reading(encoder) if reads else encoder, TEXTS, SPANS)
    for vectors, texts in zip(found, WITHOUT, strict=True):
        np.testing.assert_allclose(vectors, encoder.encode_capabilities(texts), atol=1e-6)


def test_the_static_encoder_reads_each_text_once(encoder: Encoder) -> None:
    assert isinstance(encoder, Occluding)
    assert not isinstance(Reading(encoder), Occluding)
