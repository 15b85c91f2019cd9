"""Stage 1: the transformer learns to place French where the teacher places the English side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from embed.train.corpora import Parallel
from embed.train.making import groups
from embed.train.positives import Positives
from embed.train.static import Floats, Integers, contrast
from embed.train.transformer import Reader, Texts, course


@dataclass(frozen=True)
class Distil:
    """Settings of stage 1 besides its pace."""

    batch: int = 128
    length: int = 64
    temperature: float = 0.05
    cosine: float = 4.0
    twins: int = 4
    """One step in this many is on French positive pairs."""


class Lesson(NamedTuple):
    """French texts and the teacher's unit vectors of their English sides, float32 (texts, 384)."""

    texts: Texts
    targets: Tensor
    groups: Tensor


class Twins(NamedTuple):
    """French texts that belong together; `groups` numbers the distinct right ones."""

    left: Texts
    right: Texts
    groups: Tensor


def lesson(sample: Sequence[Parallel], targets: Floats, using: Tokenizer, length: int) -> Lesson:
    """Put French texts with the teacher's vectors of their English sides, float32 (pairs, 384)."""
    french = Texts(using, [text for source in sample for text in source.fr], length)
    english = groups([text for source in sample for text in source.en])
    return Lesson(french, torch.from_numpy(targets), english)


def twins(pairs: Sequence[Positives], using: Tokenizer, length: int) -> Twins:
    """Tokenise the French positive pairs."""
    left = [text for source in pairs for text in source.left]
    right = [text for source in pairs for text in source.right]
    return Twins(Texts(using, left, length), Texts(using, right, length), groups(right))


def likeness(model: Reader, lessons: Lesson, rows: Integers, recipe: Distil) -> Tensor:
    """Compute the gap to the teacher on some rows: cosine, and contrast within the batch."""
    own = model(*lessons.texts.take(rows))
    told = lessons.targets[rows].to(own.device)
    alike = lessons.groups[rows].to(own.device)
    away = 1 - (own * told).sum(dim=1).mean()
    gap: Tensor = contrast(own, told, alike, recipe.temperature) + recipe.cosine * away
    return gap


def kinship(model: Reader, pairs: Twins, rows: Integers, recipe: Distil) -> Tensor:
    """Compute the contrast of a batch of French positive pairs."""
    left, right = model(*pairs.left.take(rows)), model(*pairs.right.take(rows))
    return contrast(left, right, pairs.groups[rows].to(left.device), recipe.temperature)


def losses(
    model: Reader, lessons: Lesson, pairs: Twins, recipe: Distil, steps: int, seed: int
) -> Callable[[int], Tensor]:
    """Give the loss of each step: distillation, and every so often French positive pairs."""
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    told = course(lessons.texts.lengths, recipe.batch, steps, random)
    both = np.maximum(pairs.left.lengths, pairs.right.lengths)
    kin = course(both, recipe.batch, steps // recipe.twins, random)

    def loss(step: int) -> Tensor:
        turn, rest = divmod(step, recipe.twins)
        if rest == recipe.twins - 1 and kin:
            return kinship(model, pairs, kin[turn], recipe)
        return likeness(model, lessons, told[step], recipe)

    return loss
