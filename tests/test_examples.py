import numpy as np

from embed.encoder import Encoder
from embed.lexicon import read_asks, read_lexicon
from index.concepts import VOTED, Concepts
from index.dense import floats
from index.examples import WARMTH, Examples

AXES = np.eye(3, dtype=np.float32)
PLACES = {"forge": 0, "couture": 1}
CLOSE = np.array([[0.8, 0.6, 0.0]], np.float32)
TAUGHT = Examples.gather(AXES[:2], [["couture"], ["forge", "couture"]], PLACES)


def unit(*row: float) -> np.ndarray:
    return np.array([row], np.float32) / np.linalg.norm(row)


def test_examples_vote_for_their_trades_the_nearest_loudest() -> None:
    second = np.exp((0.6 - 0.8) / WARMTH)
    np.testing.assert_allclose(TAUGHT.votes(CLOSE, 2), unit(second, 1 + second / 1.3), rtol=1e-5)


def test_what_a_text_evokes_is_half_its_own_trades_half_those_of_examples() -> None:
    alone = Concepts(["Forge", "Couture"], AXES[:2])
    both = Concepts(["Forge", "Couture"], AXES[:2], asks=TAUGHT)
    own, votes = np.zeros((1, 2), np.float32), TAUGHT.votes(CLOSE, 2)
    links = alone.asked(CLOSE)
    np.put_along_axis(own, links.places, links.weights, axis=1)
    assert links.places.tolist() == [[0, 1]]
    mixed = (1 - VOTED) * own + VOTED * votes
    found = both.asked(CLOSE)
    assert found.places.tolist() == [np.argsort(-mixed[0]).tolist()]
    np.testing.assert_allclose(found.weights, unit(*sorted(mixed[0], reverse=True)), rtol=1e-5)
    assert found.nearest.tolist() == links.nearest.tolist()
    assert both.told(CLOSE).places.tolist() == links.places.tolist()  # no sheet was given


def test_examples_are_stored_in_eight_bits() -> None:
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(50, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    given = Examples.gather(vectors, [["forge"]] * 50, PLACES)
    stored = given.stored("asks", [64, 16])
    assert stored["asks"].dtype == np.int8
    assert stored["asks_trades"][0].tolist() == [0, -1, -1, -1]
    read = Examples.read(stored, "asks", 64)
    assert np.einsum("ij,ij->i", floats(read.dense.vectors), vectors).min() > 0.9995


def test_the_shipped_examples_are_all_that_people_ask_and_vote_alike_in_company(
    encoder: Encoder,
) -> None:
    concepts = Concepts.build(encoder)
    assert concepts.asks is not None
    assert concepts.sheets is not None
    assert len(concepts.asks.trades) == len(read_asks(read_lexicon()))
    vectors = encoder.encode_needs(["un panier en osier", "des vis en inox", "coudre des voiles"])
    together = concepts.asks.votes(vectors, len(concepts.labels))
    alone = [concepts.asks.votes(row[None], len(concepts.labels))[0] for row in vectors]
    assert together.tolist() == [row.tolist() for row in alone]
    best = [concepts.labels[row.argmax()] for row in together]
    assert best[0].startswith("Vannerie")
