from pathlib import Path

import numpy as np
import pytest

from index.dense import CODED, Dense, fixed, floats


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    drawn = np.random.default_rng(0).normal(size=(CODED, 64)).astype(np.float32)
    return fixed(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def test_fixed_point_keeps_four_decimals() -> None:
    unit = np.array([[0.6, -0.8, 0.0, 1.0]], np.float32)
    np.testing.assert_allclose(floats(fixed(unit)), unit, atol=2e-5)


def test_few_rows_are_all_candidates() -> None:
    three = fixed(np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32))
    need = np.array([1, 0], np.float32)
    dense = Dense.build(three)
    rows = dense.nearest(need, 1)
    assert rows.tolist() == [0, 1, 2]
    np.testing.assert_allclose(dense.cosines(rows, need), [1, 0, 0.6], atol=1e-4)


def test_the_nearest_of_many_are_among_the_candidates(vectors: np.ndarray) -> None:
    dense = Dense.build(vectors)
    for need in floats(vectors[:50]):
        exact = np.argsort(-dense.cosines(np.arange(len(vectors)), need))[:10]
        assert set(exact) <= set(dense.nearest(need, 500))


def test_a_cosine_is_the_same_whatever_stands_beside(vectors: np.ndarray) -> None:
    dense, need = Dense.build(vectors), floats(vectors[7:8])[0]
    alone = [float(dense.cosines(np.array([row]), need)[0]) for row in range(20)]
    assert dense.cosines(np.arange(20), need).tolist() == alone


def test_what_is_saved_is_mapped_again(tmp_path: Path, vectors: np.ndarray) -> None:
    built = Dense.build(vectors)
    built.save(tmp_path)
    again = Dense.open(tmp_path)
    need = floats(vectors[3:4])[0]
    assert again.nearest(need, 100).tolist() == built.nearest(need, 100).tolist()
    np.testing.assert_array_equal(again.vectors, vectors)
