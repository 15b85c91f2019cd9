import numpy as np

from embed.encoder import Encoder
from index.concepts import Concepts, Links
from index.examples import WARMTH

AXES = np.eye(3, dtype=np.float32)
THREE = Concepts(["Fonderie", "Forge", "Couture"], AXES)


def agreements(need: Links, texts: Links, trades: int = 3) -> np.ndarray:
    return texts.postings(trades).dot(need.wanted(), len(texts.places))


def test_a_text_evokes_the_trades_nearest_to_it() -> None:
    near = np.array([[0.8, 0.6, 0.0]], np.float32)
    links = THREE.asked(near)
    assert links.places.tolist() == [[0, 1, 2]]
    raw = np.exp((np.array([0.8, 0.6, 0.0]) - 0.8) / WARMTH)
    np.testing.assert_allclose(links.weights, [raw / np.linalg.norm(raw)], rtol=1e-5)
    assert THREE.evoked(links) == ("Fonderie",)


def test_texts_agree_by_what_they_evoke() -> None:
    need = THREE.asked(AXES[:1])
    texts = THREE.asked(AXES)
    np.testing.assert_allclose(agreements(need, texts), [1, 0, 0], atol=1e-3)
    assert THREE.shared(need, texts) == [("Fonderie",), (), ()]
    both = THREE.asked(np.array([[0.7, 0.7, 0.1]], np.float32))
    np.testing.assert_allclose(agreements(need, both), [2**-0.5], atol=1e-3)


def test_the_lexicon_knows_what_a_lay_need_evokes(encoder: Encoder) -> None:
    concepts = Concepts.build(encoder)
    need = "la coque en plastique qui protège la batterie de mon vélo, 500 par an"
    sheet = "Formage sous vide de plaques ABS et PMMA, petites et moyennes séries"
    need_links = concepts.asked(encoder.encode_needs([need]))
    sheets = concepts.told(encoder.encode_capabilities([sheet, "Broderie de logos sur polos"]))
    good, bad = agreements(need_links, sheets, len(concepts.labels))
    assert good > bad + 0.1
    (shared, _) = concepts.shared(need_links, sheets)
    assert any("hermoform" in label for label in shared)
