"""`OMP_NUM_THREADS=1 python -m eval.batch`: many needs against one list of suppliers.

Needs and capabilities are halves of sentences that we wrote, joined at random and really embedded.
Each figure stands beside its baseline, measured in the same run.
"""

import random
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated

import numpy as np
import typer

from embed.encoder import load_encoder
from eval.bench import halved, machine, recombined, timed
from eval.scale import written
from index.concepts import Concepts
from index.dense import floats
from index.engine import SupplierIndex
from index.many import best_of_each
from index.matching import in_lots
from index.needs import Need
from index.reading import Reading
from index.segment import Hit

EACH = 5
"""Capabilities of a supplier."""

_DAY = 739_000
_TIMES = 3


def main(
    needs: Annotated[int, typer.Option(min=100)] = 20_000,
    suppliers: Annotated[int, typer.Option(min=10)] = 200,
    k: Annotated[int, typer.Option("-k", min=1)] = 3,
    sample: Annotated[int, typer.Option(min=1, help="Needs of the loop of `rerank`.")] = 200,
    encoder: str = "fast",
) -> None:
    """Rank suppliers for many needs at once, and in a loop, and compare."""
    loaded = load_encoder(encoder)
    typer.echo(machine(loaded))
    typer.echo(f"{needs:,} needs × {suppliers:,} suppliers of {EACH} capabilities, the best {k}")
    index = SupplierIndex.build(recombined(EACH * suppliers), loaded)
    for line in measured(index, asked(needs), k, sample):
        typer.echo(f"  {line}")
    index.close()


def asked(count: int, seed: int = 1) -> list[str]:
    """So many needs: halves of what we wrote, joined."""
    draw = random.Random(seed)
    halves = [halved(text.split()[:24]) for text in written() if len(text.split()) >= 4]
    return [f"{draw.choice(halves)[0]} {draw.choice(halves)[1]}" for _ in range(count)]


def measured(index: SupplierIndex, needs: list[str], k: int, sample: int) -> Iterator[str]:
    """The figures, in words."""
    readings: list[Reading] = []
    reading = timed(lambda: readings.extend(index.readings(needs)))
    yield f"reading the needs (slips, vectors, words, trades): {reading:.2f} s"
    yield f"  of it words and trades: {_after_encoding(index, readings):.2f} s"
    seconds = min(timed(lambda: _ranked(index, readings, k)) for _ in range(_TIMES))
    pairs = len(needs) * len(index) / 1e6
    yield f"ranking what was read: {seconds:.2f} s, {pairs / seconds:.1f} million pairs a second"
    yield f"  memory for it, results included: {_held(index, readings, k):.0f} MB at most"
    alone = min(timed(partial(_product, index, readings)) for _ in range(_TIMES))
    yield f"  numpy's product of the vectors alone: {alone:.2f} s"
    loops: dict[str, Callable[[str], object]] = {
        f"search, the best {k}": partial(index.search, k=k),
        "rerank, all": index.rerank,
    }
    for name, one in loops.items():
        loop = _looped(index, one, needs[:sample])
        times = loop * len(needs) / seconds
        yield f"  a loop of {name}: {1000 * loop:.2f} ms a need, {times:.0f} × as long"
    yield f"  scored and ordered as by rerank: {_same(index, needs[:sample], k)} of {sample}"
    lots = in_lots([Need("", need) for need in needs], k)
    whole = timed(lambda: [index.answer(lot, k) for lot in lots])
    yield f"reading, ranking, certificates and confidence, in lots: {whole:.1f} s"


def _after_encoding(index: SupplierIndex, readings: list[Reading]) -> float:
    (segment,) = index.segments
    vectors = np.stack([one.vector for one in readings])
    trades = timed(lambda: Concepts.build(index.encoder).asked(vectors))
    return trades + timed(lambda: [segment.lexical.wanted(one.text) for one in readings])


def _ranked(index: SupplierIndex, readings: list[Reading], k: int) -> list[list[Hit]]:
    (segment,) = index.segments
    queries = [one.query for one in readings]
    return list(best_of_each(segment, queries, k, [None] * len(queries), _DAY))


def _product(index: SupplierIndex, readings: list[Reading]) -> None:
    (segment,) = index.segments
    needs, held = np.stack([one.vector for one in readings]), floats(segment.dense.vectors)
    for start in range(0, len(needs), 1_000):
        needs[start : start + 1_000] @ held.T


def _looped(index: SupplierIndex, one: Callable[[str], object], needs: list[str]) -> float:
    """The seconds that a need takes in a loop; reading it is apart."""
    total = 0.0
    one(needs[0])  # what is loaded once
    for need in needs:
        index.reading(need)  # remembered
        total += timed(partial(one, need))
    return total / len(needs)


def _same(index: SupplierIndex, needs: list[str], k: int) -> int:
    answers = index.answer([Need("", need) for need in needs], k)
    pairs = zip(answers, (index.rerank(need)[:k] for need in needs), strict=True)
    return sum(answered.suggestions == one for answered, one in pairs)


def _held(index: SupplierIndex, readings: list[Reading], k: int) -> float:
    """The most that a ranking allocates, in MB."""
    tracemalloc.start()
    _ranked(index, readings, k)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


if __name__ == "__main__":
    typer.run(main)
