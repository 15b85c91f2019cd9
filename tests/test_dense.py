from pathlib import Path

import numpy as np

from index.dense import Dense

VECTORS = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
NEED = np.array([1, 0], np.float32)


def test_nearest_first_and_never_more_than_there_are() -> None:
    assert Dense.build(VECTORS).search(NEED, 10).tolist() == [0, 2, 1]


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    Dense.build(VECTORS).save(tmp_path / "dense.faiss")
    again = Dense.load(tmp_path / "dense.faiss")
    assert again.search(NEED, 2).tolist() == [0, 2]
    assert again.vectors.tolist() == VECTORS.tolist()
