"""The static student: one vector a piece, a text is their sum, trained against the teacher.

A bag of learnt piece vectors whose norms weigh the pieces, after Wieting et al. (2016), "Towards
Universal Paraphrastic Sentence Embeddings", section 3 (the "paragram-phrase" model).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """What the training depends on besides the data."""

    dim: int = 256
    epochs: int = 4
    batch: int = 1024
    rate: float = 5e-3
    temperature: float = 0.1
    twin_temperature: float = 0.1
    dropout: float = 0.0
    positives: float = 0.5
    relations: float = 20.0
    sif: float = 1e-3

    def steps(self, rows: int) -> int:
        """Count the batches of the whole training on `rows` pairs."""
        return self.epochs * -(-rows // self.batch)


class Bags:
    """Tokenised texts, flat: the pieces of text i are `pieces[starts[i] : starts[i + 1]]`."""

    def __init__(self, tokenizer: Tokenizer, texts: Sequence[str]) -> None:
        encoded = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        lengths = [len(text.ids) for text in encoded]
        self.pieces: Integers = np.fromiter((i for t in encoded for i in t.ids), np.int64)
        self.starts: Integers = np.cumsum([0, *lengths], dtype=np.int64)

    def take(self, rows: Integers) -> tuple[Tensor, Tensor]:
        """Give the pieces and offsets of some texts, int64, as EmbeddingBag reads them."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        offsets = np.cumsum(lengths) - lengths
        places = np.repeat(self.starts[rows] - offsets, lengths) + np.arange(lengths.sum())
        return torch.from_numpy(self.pieces[places]), torch.from_numpy(offsets)


class Student(nn.Module):
    """Piece vectors (pieces, dim), float32; a text is the unit vector of their sum."""

    def __init__(self, table: Floats, dropout: float) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag.from_pretrained(
            torch.from_numpy(table), freeze=False, mode="sum"
        )
        self.dropout = dropout

    def forward(self, pieces: Tensor, offsets: Tensor) -> Tensor:
        """Give unit vectors (texts, dim); in training some pieces are dropped at random."""
        device = self.bag.weight.device
        keep = torch.ones(len(pieces))
        if self.training:
            keep = (torch.rand(len(pieces)) >= self.dropout).float()
        summed = self.bag(pieces.to(device), offsets.to(device), keep.to(device))
        return functional.normalize(summed, dim=1)


def first_table(bags: Bags, targets: Floats, pieces: int, sif: float) -> Floats:
    """Give the first piece vectors: mean teacher vector of the texts that hold the piece.

    Scaled by sif / (sif + frequency), the smooth inverse frequency of Arora, Liang and Ma (2017),
    "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", algorithm 1. `targets` is
    float32 (texts, dim), one row for each text of `bags`; pieces never met get small noise.
    """
    texts = np.repeat(np.arange(len(targets)), np.diff(bags.starts))
    counts = np.bincount(bags.pieces, minlength=pieces)
    table = np.zeros((pieces, targets.shape[1]), np.float32)
    centred = targets - targets.mean(axis=0)
    np.add.at(table, bags.pieces, centred[texts])
    table /= counts[:, None] + 1.0
    table *= (sif / (sif + counts / counts.sum()))[:, None].astype(np.float32)
    noise = np.random.default_rng(0).standard_normal(table.shape, np.float32)
    return table + np.float32(0.01) * noise


def contrast(queries: Tensor, answers: Tensor, groups: Tensor, temperature: float) -> Tensor:
    """Compute the symmetric InfoNCE of a batch of unit vectors (n, dim), float32.

    Rows of the same number in `groups`, int64 (n,), are no negatives of each other.

    After van den Oord, Li and Vinyals (2018), "Representation Learning with Contrastive
    Predictive Coding", section 2.3.
    """
    logits = queries @ answers.T / temperature
    same = groups[:, None] == groups[None, :]
    same.fill_diagonal_(False)
    logits = logits.masked_fill(same, float("-inf"))
    gold = torch.arange(len(logits), device=logits.device)
    forth, back = functional.cross_entropy(logits, gold), functional.cross_entropy(logits.T, gold)
    return (forth + back) / 2


def relations(student: Tensor, teacher: Tensor) -> Tensor:
    """Compute the mean squared gap between the two matrices of cosines of a batch of unit vectors.

    After Park et al. (2019), "Relational Knowledge Distillation", section 3, with cosines for
    distances.
    """
    return functional.mse_loss(student @ student.T, teacher @ teacher.T)


class Lesson(NamedTuple):
    """Texts and the unit vectors they should be near to: float32 (texts, dim)."""

    bags: Bags
    targets: Tensor
    groups: Tensor


class Twins(NamedTuple):
    """Texts that belong together, side by side; `groups` numbers the distinct right texts."""

    left: Bags
    right: Bags
    groups: Tensor


def batches(rows: int, batch: int, random: np.random.Generator) -> Iterator[Integers]:
    """Draw row numbers, int64 (at most batch,), shuffled, round after round without end."""
    while True:
        order = random.permutation(rows)
        yield from (order[start : start + batch] for start in range(0, rows, batch))


def train(
    student: Student, lesson: Lesson, twins: Twins, recipe: Recipe, seed: int
) -> Iterator[float]:
    """Train the student in place; yields the loss of each step.

    Adam with a linear warm-up over a twentieth of the steps and a cosine decay to zero.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    rows = len(lesson.targets)
    steps = recipe.steps(rows)
    optimiser = torch.optim.Adam(student.parameters(), lr=recipe.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=steps + 1, pct_start=0.05, cycle_momentum=False
    )
    lessons = batches(rows, recipe.batch, random)
    pairs = batches(len(twins.groups), recipe.batch, random)
    student.train()
    for _ in range(steps):
        loss = distillation(student, lesson, next(lessons), recipe)
        loss = loss + recipe.positives * likeness(student, twins, next(pairs), recipe)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        yield loss.item()


def distillation(student: Student, lesson: Lesson, rows: Integers, recipe: Recipe) -> Tensor:
    """Compute the loss of a batch against the teacher: contrast, and relations within it."""
    own = student(*lesson.bags.take(rows))
    told = lesson.targets[rows].to(own.device)
    groups = lesson.groups[rows].to(own.device)
    told_apart = contrast(own, told, groups, recipe.temperature)
    return told_apart + recipe.relations * relations(own, told)


def likeness(student: Student, twins: Twins, rows: Integers, recipe: Recipe) -> Tensor:
    """Compute the loss of a batch of French positive pairs."""
    left, right = student(*twins.left.take(rows)), student(*twins.right.take(rows))
    return contrast(left, right, twins.groups[rows].to(left.device), recipe.twin_temperature)
