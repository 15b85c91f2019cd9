"""Measures of search on held-out parts, and the time that one need takes."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from embed.train.reading import key
from embed.train.written import Split, Written, split

Floats = NDArray[np.float32]
Encode = Callable[[list[str]], Floats]


class Figure(NamedTuple):
    """One line of the report."""

    name: str
    value: float
    unit: str


def rank(scores: Floats, answers: list[int]) -> int:
    """Give the rank, from 1, of the best of the right answers among float32 scores (n,)."""
    best = scores[answers].max()
    return 1 + int((np.delete(scores, answers) >= best).sum())


def gain(ranks: NDArray[np.int64]) -> float:
    """Give the mean nDCG@10 of needs whose only right answer has these ranks, int64 (n,)."""
    return float(np.where(ranks <= 10, 1 / np.log2(1 + ranks), 0).mean())


def trades(encode: Encode, whole: Written, part: Split = "dev") -> list[Figure]:
    """Let the lay phrases of held-out branches find their entry among all the entries."""
    asked = [
        (text, [place])
        for place, entry in enumerate(whole.entries)
        if split(entry.place) == part
        for text in entry.lay
    ]
    return _found(f"{part} lay phrases to entries", encode, asked, [e.sheet for e in whole.entries])


def asks(encode: Encode, whole: Written, part: Split = "dev") -> list[Figure]:
    """Let held-out asks find an entry of theirs, be its branch held out or not, among them all."""
    places = {entry.id: place for place, entry in enumerate(whole.entries)}
    asked = [
        (ask.text, [places[one] for one in ask.ids])
        for ask in whole.asks
        if split(ask.text) == part
    ]
    return _found(f"{part} asks to entries", encode, asked, [e.sheet for e in whole.entries])


def sheets(encode: Encode, whole: Written, part: Split = "dev") -> list[Figure]:
    """Let the needs of held-out lines find their sheet among the sheets of all lines."""
    held = {key(sheet.text): sheet.text for line in whole.lines for sheet in line.sheets}
    places = {name: place for place, name in enumerate(held)}
    asked = [
        (need, [places[key(line.sheet.text)]])
        for line in whole.lines
        if split(line.id) == part
        for need in line.needs
    ]
    return _found(f"{part} needs to sheets", encode, asked, list(held.values()))


def _found(
    name: str, encode: Encode, asked: list[tuple[str, list[int]]], documents: list[str]
) -> list[Figure]:
    """Give recall@10 of the best right answer and nDCG@10 as if it were the only one, in %."""
    if not asked:
        return []
    scores = encode([text for text, _ in asked]) @ encode(documents).T
    ranks = np.array([rank(row, gold) for row, (_, gold) in zip(scores, asked, strict=True)])
    name = f"{name} ({len(asked)} of {len(documents)})"
    return [
        Figure(f"{name}, recall@10", 100 * float((ranks <= 10).mean()), "%"),
        Figure(f"{name}, nDCG@10", 100 * gain(ranks), "%"),
    ]


def latency(encode: Encode, needs: list[str], count: int = 200) -> Figure:
    """Give the median time of one need in milliseconds, one thread, after twenty to warm up."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    timed = [_seconds(encode, [need]) for need in needs[: count + 20]][20:]
    torch.set_num_threads(threads)
    return Figure(f"one need, 1 thread, p50 of {len(timed)}", 1000 * float(np.median(timed)), "ms")


def speed(encode: Encode, texts: list[str]) -> Figure:
    """Count the texts encoded a second, best of three runs."""
    best = min(_seconds(encode, texts) for _ in range(3))
    name = f"encode, {torch.get_num_threads()} threads ({len(texts)} needs)"
    return Figure(name, len(texts) / best, "texts/s")


def _seconds(encode: Encode, texts: list[str]) -> float:
    start = time.perf_counter()
    encode(texts)
    return time.perf_counter() - start
