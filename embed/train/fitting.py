"""The loop that trains the transformer: two learning rates, one decay, and checkpoints."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from embed.train.transformer import Reader


@dataclass(frozen=True)
class Pace:
    """Steps and learning rates of a training."""

    steps: int
    embeddings: float
    body: float
    warmup: float = 0.05
    every: float = 240.0
    """Seconds between two checkpoints."""


def optimiser(model: Reader, pace: Pace) -> torch.optim.AdamW:
    """Make an AdamW with a rate for the word pieces and another for the rest."""
    pieces = model.body.embeddings.word_embeddings.weight
    others = [weight for weight in model.parameters() if weight is not pieces]
    groups = [
        {"params": [pieces], "lr": pace.embeddings, "weight_decay": 0.0},
        {"params": others, "lr": pace.body, "weight_decay": 0.01},
    ]
    return torch.optim.AdamW(groups, fused=True)


def decay(step: int, pace: Pace) -> float:
    """Give the share of the learning rates at a step: linear up, then linear to zero."""
    rising = max(round(pace.warmup * pace.steps), 1)
    return min((step + 1) / rising, (pace.steps - step) / max(pace.steps - rising, 1))


def fit(
    model: Reader, loss: Callable[[int], Tensor], pace: Pace, checkpoint: Path
) -> Iterator[tuple[int, float]]:
    """Train in place on `loss(step)`; yields the steps done and the loss of the last.

    Takes up `checkpoint` if it is there and leaves one every `pace.every` seconds and at the end.
    Dropout aside, a run taken up is the same as one left alone: batches go by the step.
    """
    adam = optimiser(model, pace)
    first = _resume(model, adam, checkpoint)
    told = time.monotonic()
    model.train()
    for step in range(first, pace.steps):
        for group, rate in zip(adam.param_groups, (pace.embeddings, pace.body), strict=True):
            group["lr"] = rate * decay(step, pace)
        value = loss(step)
        adam.zero_grad()
        torch.autograd.backward(value)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        if time.monotonic() - told > pace.every or step + 1 == pace.steps:
            _keep(model, adam, step + 1, checkpoint)
            told = time.monotonic()
        yield step + 1, value.item()


def _keep(model: Reader, adam: torch.optim.AdamW, done: int, checkpoint: Path) -> None:
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    state = {"model": model.state_dict(), "adam": adam.state_dict(), "done": done}
    partial = checkpoint.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(checkpoint)


def _resume(model: Reader, adam: torch.optim.AdamW, checkpoint: Path) -> int:
    """Load the checkpoint if there is one; give the number of steps it had done."""
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, map_location=model.device, weights_only=True)
    model.load_state_dict(state["model"])
    adam.load_state_dict(state["adam"])
    return int(state["done"])
