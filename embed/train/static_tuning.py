"""What trades know, taught to the static student: every query among every document.

A bag of pieces is read so fast that no document need be left out of a batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from embed.train import static
from embed.train.matching import Doubt, matching
from embed.train.static import Bags, Lesson, Recipe, Student, Twins
from embed.train.trade import Draw, Exercise, Places, courses


@dataclass(frozen=True)
class Tune:
    """Settings of the tuning of the static student."""

    steps: int = 300
    rows: int = 256
    rate: float = 3e-3
    dropout: float = 0.2
    doubt: Doubt = field(default_factory=lambda: Doubt(temperature=0.07))


def tune(
    student: Student,
    using: Tokenizer,
    ours: Sequence[Exercise],
    general: tuple[Lesson, Twins],
    recipe: tuple[Tune, Recipe],
    seed: int,
) -> Iterator[float]:
    """Train the student in place on trades, sheets and general French; yields each step's loss.

    Adam with a warm-up of twenty steps and a linear decay to zero.
    """
    own, kept = recipe
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    student.dropout = own.dropout
    adam = torch.optim.Adam(student.parameters(), lr=own.rate)
    asked = [courses(len(of), own.rows, draw) for of in ours]
    lessons = static.batches(len(general[0].targets), kept.batch, draw)
    pairs = static.batches(len(general[1].groups), kept.batch, draw)

    def read(texts: list[str]) -> Tensor:
        vectors: Tensor = student(*Bags(using, texts).take(np.arange(len(texts))))
        return vectors

    def contrast(of: Exercise, rows: Places, draw: Draw) -> Tensor:
        others = np.setdiff1d(np.arange(len(of)), rows)
        batch = of.batch(rows, others, draw)
        return matching(read(batch.queries), read(batch.documents), batch, own.doubt)

    student.train()
    for step in range(own.steps):
        for group in adam.param_groups:
            group["lr"] = own.rate * min(1.0, (step + 1) / 20) * (1 - step / own.steps)
        loss = static.distillation(student, general[0], next(lessons), kept)
        loss = loss + kept.positives * static.likeness(student, general[1], next(pairs), kept)
        for of, rows in zip(ours, asked, strict=True):
            loss = loss + contrast(of, next(rows), draw)
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()
        yield loss.item()
