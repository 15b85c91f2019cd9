"""sentence-transformers behind the `Encoder` protocol; the only module that imports it."""

from threading import Lock

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from transformers.utils.logging import disable_progress_bar

from embed.encoder import EMBEDDED, Encoder, Vectors, unit, weights_folder
from embed.errors import MaillonError
from embed.static import StaticEncoder

_BATCH = 256


class SentenceEncoder:
    """Any sentence-transformers model; its query and passage prompts are used where it has them."""

    def __init__(self, name: str, model: SentenceTransformer) -> None:
        self.name = name
        self._model = model
        self._lock = Lock()  # a tokenizer in Rust refuses to be used by two threads at once
        self.dim = self._model.get_embedding_dimension() or len(self._model.encode("a"))

    def encode_needs(self, texts: list[str]) -> Vectors:
        """Float32 unit rows, shape `(len(texts), dim)`."""
        with self._lock:
            return self._unit(self._model.encode_query(texts, batch_size=_BATCH))

    def encode_capabilities(self, texts: list[str]) -> Vectors:
        """Float32 unit rows, shape `(len(texts), dim)`."""
        with self._lock:
            return self._unit(self._model.encode_document(texts, batch_size=_BATCH))

    def _unit(self, vectors: np.ndarray) -> Vectors:
        return unit(vectors.astype(np.float32).reshape(-1, self.dim))


def sentence_encoder(name: str) -> Encoder:
    """What a hub id or a folder loads; raises `MaillonError`."""
    model = _load(name)
    first = model[0]
    if isinstance(first, StaticEmbedding) and not any(model.prompts.values()):
        return StaticEncoder(name, first.tokenizer, first.embedding.weight.detach().numpy())
    return SentenceEncoder(name, model)


def _load(name: str) -> SentenceTransformer:
    folder = weights_folder(name)
    disable_progress_bar()  # type: ignore[no-untyped-call]  # that of reading the weights
    try:
        model = SentenceTransformer(
            str(folder or name),
            local_files_only=folder is not None,
            model_kwargs={"dtype": "float32"},  # weights stored in half precision are widened
        )
    except (OSError, ValueError) as error:
        raise MaillonError(
            f"encoder {name!r} cannot be loaded ({_first_line(error)}). Give a hub id that this "
            f"machine can reach, a folder saved by sentence-transformers, 'fast' or {EMBEDDED!r}."
        ) from error
    return model.float()


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
