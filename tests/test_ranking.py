import numpy as np

from embed.encoder import Encoder
from index.lexical import Lexical
from index.ranking import Mix, fuse, highlights


def test_fusion_is_convex_and_a_negative_cosine_is_nothing() -> None:
    fused = fuse(
        np.array([1, 0.5, -0.3], np.float32),
        np.array([1, 0, 0.4], np.float32),
        np.array([1, 0.2, 0], np.float32),
        Mix(dense=0.5, lexical=0.3, concept=0.2),
    )
    np.testing.assert_allclose(fused, [1, 0.29, 0.12], rtol=1e-6)


def test_the_words_that_weigh_are_the_ones_that_answer(encoder: Encoder) -> None:
    text = "🚲 Anodisation de l'aluminium, livraison rapide"
    need = "anodiser des pièces en aluminium"
    vector = encoder.encode_needs([need])[0]
    (marks,) = highlights(need, vector, [text], encoder, Lexical.build([text, "Forge"]))
    words = {text[mark.start : mark.end]: mark.weight for mark in marks}
    assert {"Anodisation", "aluminium"} <= words.keys()
    assert max(words.values()) == 1
    assert "livraison" not in words


def test_a_capability_that_shares_nothing_has_no_word_to_show() -> None:
    class Apart:
        name, dim = "apart", 2

        def encode_needs(self, texts: list[str]) -> np.ndarray:
            return np.tile(np.array([1, 0], np.float32), (len(texts), 1))

        def encode_capabilities(self, texts: list[str]) -> np.ndarray:
            return np.tile(np.array([0, 1], np.float32), (len(texts), 1))

    need = np.array([1, 0], np.float32)
    assert highlights("vis", need, ["Forge libre"], Apart(), Lexical.build(["Forge"])) == [()]
