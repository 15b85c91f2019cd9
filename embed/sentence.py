"""sentence-transformers behind the `Encoder` protocol; the only module that imports it."""

from collections.abc import Sequence
from threading import Lock

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from transformers.utils.logging import disable_progress_bar

from embed.encoder import EMBEDDED, Vectors, weights_folder
from embed.errors import MaillonError
from embed.occlusion import Span

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
        rows = vectors.astype(np.float32).reshape(-1, self.dim)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        rows /= np.where(norms > 0, norms, 1)
        rows[norms[:, 0] == 0, 0] = 1  # a text without any known piece still has a unit row
        return rows


class StaticEncoder(SentenceEncoder):
    """A model whose vector of a text is the mean of those of its pieces, each taken by itself."""

    def __init__(self, name: str, model: SentenceTransformer, bag: StaticEmbedding) -> None:
        super().__init__(name, model)
        self._tokenizer = bag.tokenizer
        self._pieces = bag.embedding.weight.detach().numpy()

    def occluded(self, text: str, spans: Sequence[Span]) -> Vectors:
        """The vector of a capability, then those without each span, by leaving out its pieces."""
        with self._lock:
            read = self._tokenizer.encode(text, add_special_tokens=False)
        starts = np.array([start for start, _ in read.offsets])
        kept = np.ones((1 + len(spans), len(starts)), np.float32)
        for row, (start, end) in zip(kept[1:], spans, strict=True):
            row[(starts >= start) & (starts < end)] = 0
        return self._unit(kept @ self._pieces[read.ids])


def sentence_encoder(name: str) -> SentenceEncoder:
    """What a hub id, a folder or one of our own names loads; raises `MaillonError`."""
    model = _load(name)
    first = model[0]
    if isinstance(first, StaticEmbedding) and not any(model.prompts.values()):
        return StaticEncoder(name, model, first)
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
