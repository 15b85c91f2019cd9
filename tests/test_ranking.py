import numpy as np

from embed.encoder import Encoder
from index.lexical import Lexical, count_terms
from index.ranking import highlights


def lexical(texts: list[str]) -> Lexical:
    vocabulary: dict[str, int] = {}
    return Lexical.build(count_terms(texts, vocabulary), vocabulary)


def test_the_words_that_weigh_are_the_ones_that_answer(encoder: Encoder) -> None:
    text = "🚲 Anodisation de l'aluminium, livraison rapide"
    need = "anodiser des pièces en aluminium"
    (vector,) = encoder.encode_needs([need])
    (marks,) = highlights(vector, lexical([text, "Forge"]).wanted(need), [text], encoder)
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

    wanted = lexical(["Forge"]).wanted("vis")
    (need,) = Apart().encode_needs(["vis"])
    assert highlights(need, wanted, ["Forge libre"], Apart()) == [()]
