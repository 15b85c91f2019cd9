"""The student as a folder that sentence-transformers loads."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from tokenizers import Tokenizer

from embed.encoder import WEIGHTS

UNKNOWN_NORM = 1e-2
"""Norm of the vector of unknown pieces; the mean norm of a piece is one."""


def finished(table: NDArray[np.float32]) -> NDArray[np.float16]:
    """Give the piece vectors (pieces, dim) as shipped: mean norm one, unknown small, float16.

    The unknown piece gets a fixed random direction: a text of unknown words has a finite vector
    and is near to nothing.
    """
    shipped: NDArray[np.float32] = table / np.linalg.norm(table, axis=1).mean()
    direction = np.random.default_rng(0).standard_normal(table.shape[1])
    shipped[0] = UNKNOWN_NORM * direction / np.linalg.norm(direction)
    return shipped.astype(np.float16)


def save(folder: Path, tokenizer: Tokenizer, table: NDArray[np.float16]) -> None:
    """Write the modules StaticEmbedding and Normalize; weights stay in float16.

    A README.md already there is kept. Raises OSError if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    embedding = StaticEmbedding(tokenizer, embedding_weights=table.astype(np.float32))
    model = SentenceTransformer(modules=[embedding, Normalize()], device="cpu")
    model.save(str(folder), create_model_card=False)
    weights = {"embedding.weight": torch.from_numpy(table)}
    path = folder / WEIGHTS
    save_file(weights, path, metadata={"format": "pt"})
    path.chmod(0o644)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
