"""Stage 2: what trades know, by contrast with hard negatives, and general French kept meanwhile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from embed.train import distilling
from embed.train.distilling import Distil, Lesson, Twins
from embed.train.matching import Doubt, matching
from embed.train.trade import Exercise, courses
from embed.train.transformer import Reader, Texts, by_length, course


@dataclass(frozen=True)
class Tune:
    """Settings of stage 2 besides its pace."""

    entries: int = 40
    lines: int = 16
    length: int = 64
    doubt: Doubt = field(default_factory=Doubt)
    general: float = 0.5
    needs: int = 3
    """One step in this many is on needs and sheets, the others on trades."""
    distil: Distil = field(default_factory=lambda: Distil(batch=48, twins=8))


def losses(
    model: Reader,
    using: Tokenizer,
    ours: Sequence[Exercise],
    general: tuple[Lesson, Twins],
    recipe: Tune,
    steps: int,
    seed: int,
) -> Callable[[int], Tensor]:
    """Give the loss of each step: trades or needs, and a share of general French as in stage 1.

    A step's batch goes by its number, so that a training taken up midway sees the same ones.
    """
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    sizes = (recipe.entries, recipe.lines)
    courses_of = [courses(len(of), size, random) for of, size in zip(ours, sizes, strict=True)]
    turns = [int(step % recipe.needs == recipe.needs - 1) for step in range(steps)]
    drawn = [next(courses_of[turn]) for turn in turns]
    lessons, twins = general
    told = course(lessons.texts.lengths, recipe.distil.batch, steps, random)
    both = np.maximum(twins.left.lengths, twins.right.lengths)
    kin = course(both, recipe.distil.batch, steps, random)

    def read(texts: list[str]) -> Tensor:
        return by_length(model, Texts(using, texts, recipe.length))

    def own(step: int) -> Tensor:
        draw, rows, of = np.random.default_rng([seed, step]), drawn[step], ours[turns[step]]
        batch = of.batch(rows, of.alike(rows, draw), draw)
        queries, documents = read(batch.queries), read(batch.documents)
        return matching(queries, documents, batch, recipe.doubt)

    def loss(step: int) -> Tensor:
        if step % recipe.distil.twins == recipe.distil.twins - 1:
            kept = distilling.kinship(model, twins, kin[step], recipe.distil)
        else:
            kept = distilling.likeness(model, lessons, told[step], recipe.distil)
        return own(step) + recipe.general * kept

    return loss
