"""The contrast of queries among documents, without the documents that may be right unmarked."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from embed.train.trade import Batch


@dataclass(frozen=True)
class Doubt:
    """How sharp the contrast is, and from where a negative is taken for an unmarked positive."""

    temperature: float = 0.05
    margin: float = 0.95
    same: float = 0.6


def refused(scores: Tensor, alike: Tensor, gold: Tensor, sure: Tensor, doubt: Doubt) -> Tensor:
    """Tell the negatives to drop, bool (queries, documents): perhaps positives nobody marked.

    A negative is dropped if its present score, float32 (queries, documents), reaches `margin` of
    the positive's and its cosine with the positive document, `alike`, float32 (documents,
    documents), reaches `same`: before the model knows a trade its positive scores low, and the
    score alone would drop every hard negative. `sure` negatives stay.

    After Moreira et al. (2024), "NV-Retriever: Improving text embedding models with effective
    hard-negative mining", section 3.2, the positive-aware share of the positive's score.
    """
    rows = torch.arange(len(scores), device=scores.device)
    near = scores >= doubt.margin * scores[rows, gold][:, None]
    dropped = near & (alike[gold] >= doubt.same) & ~sure
    dropped[rows, gold] = False
    return dropped


def matching(queries: Tensor, documents: Tensor, batch: Batch, doubt: Doubt) -> Tensor:
    """Compute the InfoNCE of queries (q, dim) among documents (d, dim), but for doubtful ones.

    After Karpukhin et al. (2020), "Dense Passage Retrieval", section 3.2.
    """
    gold, right, sure = (
        torch.from_numpy(of).to(queries.device) for of in (batch.gold, batch.right, batch.sure)
    )
    scores = queries @ documents.T
    with torch.no_grad():
        dropped = right | refused(scores, documents @ documents.T, gold, sure, doubt)
    logits = (scores / doubt.temperature).masked_fill(dropped, float("-inf"))
    return functional.cross_entropy(logits, gold)
