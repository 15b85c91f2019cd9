"""Whether another encoder may go live: it must not be worse than today's on judged needs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from embed.encoder import Encoder
from embed.errors import MaillonError
from eval.measures import values
from eval.suite import Suite, read_suite
from eval.systems import encoder_of, run_system

MARGIN = 0.01
"""nDCG@10 that the new encoder may lose: less is within what a suite of this size can tell."""


def check_gate(folder: Path, old: str | None, new: Encoder) -> Iterator[str]:
    """Tell the nDCG@10 of both encoders on a suite; raises `MaillonError` where the new loses."""
    suite = read_suite(folder)
    before, after = (_ndcg(suite, encoder) for encoder in (encoder_of(old), new))
    yield f"{folder}: nDCG@10 {before:.3f} today, {after:.3f} with {new.name}."
    if after < before - MARGIN:
        raise MaillonError(
            f"{new.name} loses {before - after:.3f} of nDCG@10 on {folder}, more than {MARGIN}. "
            "The index stays as it is; without --gate it would be switched."
        )


def _ndcg(suite: Suite, encoder: Encoder) -> float:
    needs = [need for need in suite.part("all") if need.plain]
    run = run_system("hybrid", suite.suppliers, needs, encoder)
    found = values(suite.qrels, run, [need.id for need in needs])
    return float(np.mean(found["nDCG@10"]))
