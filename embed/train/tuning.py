"""Stage 2: what trades know, by contrast with hard negatives, and general French kept meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from embed.train import distilling, trade
from embed.train.distilling import Distil, Lesson, Twins
from embed.train.static import contrast
from embed.train.trade import Batch
from embed.train.transformer import Reader, Texts, by_length, course
from embed.train.written import Answered, Entry


@dataclass(frozen=True)
class Tune:
    """Settings of stage 2 besides its pace."""

    entries: int = 64
    lines: int = 32
    length: int = 128
    temperature: float = 0.05
    margin: float = 0.95
    same: float = 0.6
    phrases: float = 0.2
    general: float = 0.5
    needs: int = 2
    """One step in this many is on needs and sheets, the others on trades."""
    distil: Distil = field(default_factory=lambda: Distil(batch=64))


def refused(scores: Tensor, alike: Tensor, gold: Tensor, sure: Tensor, recipe: Tune) -> Tensor:
    """Tell the negatives to drop, bool (queries, documents): perhaps positives nobody marked.

    A negative is dropped if its present score, float32 (queries, documents), reaches `margin` of
    the positive's and its cosine with the positive document, `alike`, float32 (documents,
    documents), reaches `same`: before the model knows a trade its positive scores low, and the
    score alone would drop every hard negative. `sure` negatives stay.

    After Moreira et al. (2024), "NV-Retriever: Improving text embedding models with effective
    hard-negative mining", section 3.2, the positive-aware share of the positive's score.
    """
    rows = torch.arange(len(scores), device=scores.device)
    near = scores >= recipe.margin * scores[rows, gold][:, None]
    dropped = near & (alike[gold] >= recipe.same) & ~sure
    dropped[rows, gold] = False
    return dropped


def matching(queries: Tensor, documents: Tensor, batch: Batch, recipe: Tune) -> Tensor:
    """Compute the InfoNCE of queries (q, dim) among documents (d, dim), filtered negatives out.

    After Karpukhin et al. (2020), "Dense Passage Retrieval", section 3.2.
    """
    gold = torch.from_numpy(batch.gold).to(queries.device)
    sure = torch.from_numpy(batch.sure).to(queries.device)
    scores = queries @ documents.T
    with torch.no_grad():
        dropped = refused(scores, documents @ documents.T, gold, sure, recipe)
    logits = (scores / recipe.temperature).masked_fill(dropped, float("-inf"))
    return functional.cross_entropy(logits, gold)


def lesson_of(model: Reader, batch: Batch, using: Tokenizer, recipe: Tune) -> Tensor:
    """Compute the loss of a batch of trades or needs."""
    queries, documents = (
        by_length(model, Texts(using, column, recipe.length))
        for column in (batch.queries, batch.documents)
    )
    loss = matching(queries, documents, batch, recipe)
    if batch.phrases:
        twos = queries[: batch.phrases]
        entries = torch.arange(len(twos) // 2, device=twos.device)
        kin = contrast(twos[::2], twos[1::2], entries, recipe.temperature)
        loss = loss + recipe.phrases * kin
    return loss


def losses(
    model: Reader,
    using: Tokenizer,
    ours: tuple[list[Entry], list[Answered]],
    general: tuple[Lesson, Twins],
    recipe: Tune,
    steps: int,
    seed: int,
) -> Callable[[int], Tensor]:
    """Give the loss of each step: trades or needs, and a share of general French as in stage 1.

    Batches are drawn ahead, so that a training taken up midway sees the same ones.
    """
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    entries, lines = ours
    phrases = trade.trades(entries, recipe.entries, random)
    asked = trade.needs(lines, recipe.lines, random)
    batches = [
        trade.of_needs(next(asked), random)
        if step % recipe.needs == recipe.needs - 1
        else trade.of_trades(next(phrases), random)
        for step in range(steps)
    ]
    lessons, twins = general
    told = course(lessons.texts.lengths, recipe.distil.batch, steps, random)
    both = np.maximum(twins.left.lengths, twins.right.lengths)
    kin = course(both, recipe.distil.batch, steps, random)

    def loss(step: int) -> Tensor:
        own = lesson_of(model, batches[step], using, recipe)
        if step % recipe.distil.twins == recipe.distil.twins - 1:
            return own + recipe.general * distilling.kinship(model, twins, kin[step], recipe.distil)
        kept = distilling.likeness(model, lessons, told[step], recipe.distil)
        return own + recipe.general * kept

    return loss
