"""The transformer student: BERT, mean of the last states, unit vectors; its batches; its folder."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from embed.encoder import WEIGHTS
from embed.train.graph import write_graph
from embed.train.static import Integers
from embed.train.transplant import PAD, reader

LENGTH = 256
"""Pieces of a text that the finished encoder reads."""


class Texts:
    """Tokenised texts, specials included, each cut at `length` pieces."""

    def __init__(self, tokenizer: Tokenizer, texts: Sequence[str], length: int) -> None:
        cut = Tokenizer.from_str(tokenizer.to_str())
        cut.enable_truncation(length)
        encoded = cut.encode_batch_fast(list(texts))
        self.rows = [np.array(text.ids, np.int32) for text in encoded]
        self.lengths: Integers = np.array([len(row) for row in self.rows], np.int64)
        self._pad = tokenizer.get_vocab()[PAD]

    def take(self, rows: Integers) -> tuple[Tensor, Tensor]:
        """Give the padded pieces of some texts and their mask, both int64 (texts, longest)."""
        longest = int(self.lengths[rows].max())
        pieces = np.full((len(rows), longest), self._pad, np.int64)
        for place, row in enumerate(rows):
            pieces[place, : self.lengths[row]] = self.rows[row]
        mask = np.arange(longest) < self.lengths[rows][:, None]
        return torch.from_numpy(pieces), torch.from_numpy(mask).long()


class Reader(nn.Module):
    """The student: a text is the unit mean of the last hidden states of its pieces."""

    def __init__(self, body: BertModel) -> None:
        super().__init__()
        self.body = body

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.body.device

    def forward(self, pieces: Tensor, mask: Tensor) -> Tensor:
        """Give unit vectors, float32 (texts, dim); the body works in bfloat16."""
        pieces, mask = pieces.to(self.device), mask.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            states = self.body(input_ids=pieces, attention_mask=mask).last_hidden_state
        weights = mask[:, :, None].float()
        return functional.normalize((states.float() * weights).sum(1) / weights.sum(1), dim=1)


def by_length(model: Reader, texts: Texts, batch: int = 32) -> Tensor:
    """Give the vectors of all the texts, float32 (texts, dim), read in batches of like lengths."""
    order = np.argsort(texts.lengths, kind="stable")
    parts = [order[start : start + batch] for start in range(0, len(order), batch)]
    vectors = torch.cat([model(*texts.take(rows)) for rows in parts])
    return vectors[torch.from_numpy(np.argsort(order)).to(vectors.device)]


def encode(model: Reader, texts: Texts) -> NDArray[np.float32]:
    """Encode all the texts without gradient nor dropout: float32 (texts, dim)."""
    training = model.training
    model.eval()
    with torch.inference_mode():
        vectors: NDArray[np.float32] = by_length(model, texts).cpu().numpy()
    model.train(training)
    return vectors


def course(
    lengths: Integers, batch: int, steps: int, random: np.random.Generator
) -> list[Integers]:
    """Draw `steps` batches of rows of like lengths, int64 (batch,), epoch after epoch.

    Each epoch shuffles the rows, sorts windows of fifty batches by length, then shuffles the
    batches; an incomplete batch is left out, unless there is no other.
    """
    drawn: list[Integers] = []
    while len(drawn) < steps:
        order = random.permutation(len(lengths))
        windows = np.split(order, range(50 * batch, len(order), 50 * batch))
        order = np.concatenate([w[np.argsort(lengths[w], kind="stable")] for w in windows])
        full = max(len(order) // batch, 1)
        epoch = np.array_split(order[: full * batch], full)
        drawn += [epoch[place] for place in random.permutation(full)]
    return drawn[:steps]


def save(folder: Path, model: Reader, tokenizer: Tokenizer) -> None:
    """Write a sentence-transformers folder (Transformer, Pooling, Normalize), float16 weights.

    With the graph by which ONNX Runtime runs it. A README.md already there is kept. Raises OSError
    if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as bare:
        model.body.save_pretrained(bare)
        reader(tokenizer, LENGTH).save_pretrained(bare)
        transformer = Transformer(bare, max_seq_length=LENGTH)
        pooling = Pooling(model.body.config.hidden_size, "mean")
        whole = SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")
        whole.half().save(str(folder), create_model_card=False)
    (folder / WEIGHTS).chmod(0o644)
    write_graph(folder)
