"""From the data folder to the trained student: the steps of `python -m embed.train`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress
from tokenizers import Tokenizer

from embed.train import static, tokens
from embed.train.corpora import Parallel
from embed.train.positives import Positives
from embed.train.reading import key, records
from embed.train.static_tuning import Tune, tune
from embed.train.teacher import Teacher
from embed.train.trade import Sheets, Trades
from embed.train.written import Written

Floats = NDArray[np.float32]


def tokenizer(
    data: Path, sample: Sequence[Parallel], pairs: Sequence[Positives], pieces: int
) -> Tokenizer:
    """Learn the tokenizer on every French training text and on what companies say they do."""
    path = data / "entreprises_bodacc" / "entreprises.tsv.gz"
    texts = [text for source in sample for text in source.fr]
    texts += [text for source in pairs for text in source.left + source.right]
    texts += [record["activite"] for record in records(path)]
    return tokens.train(texts, pieces)


def teach(teacher: Teacher, sample: Sequence[Parallel], progress: Progress) -> Floats:
    """Give the teacher vectors of the English side of the sample, float32 (pairs, 384)."""
    total = sum(len(source.en) for source in sample)
    task = progress.add_task("teacher", total=total)
    found: list[NDArray[np.float16]] = []
    for source in sample:
        for vectors in teacher.chunks(source.en):
            found.append(vectors)
            progress.advance(task, len(vectors))
    return np.concatenate(found).astype(np.float32)


def projection(vectors: Floats, dim: int) -> Floats:
    """Find the `dim` first principal axes of the teacher's vectors, float32 (384, dim)."""
    _, axes = np.linalg.eigh(np.cov(vectors, rowvar=False))
    return np.ascontiguousarray(axes[:, ::-1][:, :dim], np.float32)


def project(vectors: Floats, axes: Floats) -> Floats:
    """Give the unit vectors in the student's space, float32 (texts, dim)."""
    reduced = vectors @ axes
    unit: Floats = reduced / np.linalg.norm(reduced, axis=1, keepdims=True)
    return unit


def groups(texts: Sequence[str]) -> torch.Tensor:
    """Give a number for each distinct text, case, accents and punctuation aside, int64 (texts,)."""
    known: dict[str, int] = {}
    return torch.tensor([known.setdefault(key(text), len(known)) for text in texts])


def lesson(sample: Sequence[Parallel], targets: Floats, using: Tokenizer) -> static.Lesson:
    """Put the French texts with the reduced teacher vectors of their English sides."""
    fr = [text for source in sample for text in source.fr]
    en = [text for source in sample for text in source.en]
    return static.Lesson(static.Bags(using, fr), torch.from_numpy(targets), groups(en))


def twins(pairs: Sequence[Positives], using: Tokenizer) -> static.Twins:
    """Tokenise the French positive pairs."""
    left = [text for source in pairs for text in source.left]
    right = [text for source in pairs for text in source.right]
    return static.Twins(static.Bags(using, left), static.Bags(using, right), groups(right))


def student(lessons: static.Lesson, using: Tokenizer, recipe: static.Recipe) -> static.Student:
    """Make the untrained student, on a GPU if there is one."""
    pieces = using.get_vocab_size()
    table = static.first_table(lessons.bags, lessons.targets.numpy(), pieces, recipe.sif)
    model = static.Student(table / np.linalg.norm(table, axis=1).mean(), recipe.dropout)
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def fit(
    model: static.Student,
    lessons: static.Lesson,
    pairs: static.Twins,
    recipe: static.Recipe,
    seed: int,
    progress: Progress,
) -> Floats:
    """Train the student; return its piece vectors, float32 (pieces, dim)."""
    task = progress.add_task("student", total=recipe.steps(len(lessons.targets)))
    for loss in static.train(model, lessons, pairs, recipe, seed):
        progress.update(task, advance=1, description=f"student, loss {loss:.3f}")
    return table(model)


def tuned(
    model: static.Student,
    using: Tokenizer,
    ours: Written,
    general: tuple[static.Lesson, static.Twins],
    recipe: static.Recipe,
    seed: int,
    progress: Progress,
) -> Floats:
    """Teach the student our trades; return its piece vectors, float32 (pieces, dim)."""
    own = Tune()
    task = progress.add_task("trades", total=own.steps)
    batches = Trades(ours), Sheets(ours)
    for loss in tune(model, using, batches, general, (own, recipe), seed):
        progress.update(task, advance=1, description=f"trades, loss {loss:.3f}")
    return table(model)


def table(model: static.Student) -> Floats:
    """Give the piece vectors of a student, float32 (pieces, dim)."""
    vectors: Floats = model.bag.weight.detach().cpu().numpy()
    return vectors
