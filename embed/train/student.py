"""From the data folder to the transformer student: the steps of `python -m embed.train student`."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.progress import Progress
from tokenizers import Tokenizer

from embed.train import distilling, making, tokens, transplant, tuning, written
from embed.train.corpora import Parallel, parallel
from embed.train.distilling import Lesson, Twins
from embed.train.fitting import Pace, fit
from embed.train.positives import Positives, positives
from embed.train.reading import records
from embed.train.static import Floats, Recipe
from embed.train.teacher import Teacher
from embed.train.trade import Sheets, Trades
from embed.train.transformer import Reader

PIECES = 30_000
STATIC = Recipe(dim=384, epochs=3)


@dataclass(frozen=True)
class Order:
    """What to train on, where to keep what a second run takes up, and how long."""

    data: Path
    ours: Path
    work: Path
    pairs: int
    seed: int
    first: Pace
    second: Pace
    third: Pace

    def checkpoint(self, *stages: Pace) -> Path:
        """Name the checkpoint after the seed and the steps of the stages it went through."""
        steps = "-".join(str(stage.steps) for stage in stages)
        return self.work / f"stage{len(stages)}-{steps}-seed{self.seed}.pt"


class Ready(NamedTuple):
    """What both stages need: the student, its tokenizer, the French it is taught."""

    model: Reader
    using: Tokenizer
    lesson: Lesson
    twins: Twins


def pieces(order: Order, sample: list[Parallel], twins: list[Positives], count: int) -> Tokenizer:
    """Learn the tokenizer on every French training text, ours included, once for a work folder."""
    path = order.work / "pieces.json"
    if not path.exists():
        ours = written.texts(written.taught(written.read(order.ours)))
        activities = order.data / "entreprises_bodacc" / "entreprises.tsv.gz"
        found = [text for source in sample for text in source.fr] + ours
        found += [text for source in twins for text in source.left + source.right]
        found += [record["activite"] for record in records(activities)]
        tokens.train(found, count).save(str(path), pretty=False)
    return Tokenizer.from_file(str(path))


def aligned(
    order: Order,
    material: tuple[list[Parallel], Floats, list[Positives]],
    using: Tokenizer,
    progress: Progress,
) -> Floats:
    """Train the static student whose piece vectors stand in the teacher's space: (pieces, 384).

    `material` is the parallel sample, its teacher vectors and the French positive pairs.
    """
    spelt = hashlib.blake2b(using.to_str().encode(), digest_size=6).hexdigest()
    path = order.work / f"aligned-{spelt}-{order.seed}.npy"
    if not path.exists():
        sample, targets, kin = material
        lesson, twins = making.lesson(sample, targets, using), making.twins(kin, using)
        model = making.student(lesson, using, STATIC)
        np.save(path, making.fit(model, lesson, twins, STATIC, order.seed, progress))
    table: Floats = np.load(path)
    return table


def transplanted(teacher: Teacher, using: Tokenizer, table: Floats) -> Reader:
    """Put the French pieces under the teacher's body, on a GPU if there is one; no dropout yet."""
    given = transplant.donor()
    first = transplant.embeddings(using, table, given, transplant.taught(teacher, given))
    body = transplant.graft(given, first)
    return Reader(body).to("cuda" if torch.cuda.is_available() else "cpu")


def dropout(model: Reader, share: float) -> None:
    """Set the share of states and attentions dropped while training."""
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = share


def ready(order: Order, progress: Progress) -> Ready:
    """Read the data and make the student as transplanted, before any training of its body."""
    progress.console.print(f"reading {order.data}")
    sample, kin = parallel(order.data, order.pairs, order.seed), positives(order.data)
    teacher = Teacher(order.work)
    targets = making.teach(teacher, sample, progress)
    bare = pieces(order, sample, kin, PIECES)
    table = aligned(order, (sample, targets, kin), bare, progress)
    using, length = transplant.framed(bare), distilling.Distil().length
    lesson = distilling.lesson(sample, targets, using, length)
    model = transplanted(teacher, using, table)
    return Ready(model, using, lesson, distilling.twins(kin, using, length))


def distil(order: Order, found: Ready, progress: Progress) -> None:
    """Train stage 1 in place, from its checkpoint if `order.work` holds one."""
    steps, recipe = order.first.steps, distilling.Distil()
    dropout(found.model, 0.0)
    loss = distilling.losses(found.model, found.lesson, found.twins, recipe, steps, order.seed)
    taken = fit(found.model, loss, order.first, order.checkpoint(order.first))
    _follow("stage 1", taken, steps, progress)


def tune(order: Order, found: Ready, progress: Progress) -> None:
    """Train stage 2 in place on the train parts of our written data, from its checkpoint if any."""
    part = written.taught(written.read(order.ours))
    kept = order.checkpoint(order.first, order.second)
    _tuned("stage 2", order.second, part, kept, order.seed, found, progress)


def finish(order: Order, found: Ready, progress: Progress) -> None:
    """Train stage 3 in place on all our written data, held-out parts included, from checkpoints."""
    kept = order.checkpoint(order.first, order.second, order.third)
    whole = written.read(order.ours)
    _tuned("stage 3", order.third, whole, kept, order.seed + 1, found, progress)


def _tuned(
    name: str,
    pace: Pace,
    part: written.Written,
    kept: Path,
    seed: int,
    found: Ready,
    progress: Progress,
) -> None:
    ours = Trades(part), Sheets(part)
    told = f"{len(ours[0])} entries, {len(part.asks)} asks, {len(ours[1])} sheets to learn"
    progress.console.print(told)
    dropout(found.model, 0.1)
    general = found.lesson, found.twins
    loss = tuning.losses(found.model, found.using, ours, general, tuning.Tune(), pace.steps, seed)
    _follow(name, fit(found.model, loss, pace, kept), pace.steps, progress)


def _follow(name: str, taken: Iterator[tuple[int, float]], total: int, progress: Progress) -> None:
    task = progress.add_task(name, total=total)
    losses: list[float] = []
    for step, loss in taken:
        losses.append(loss)
        progress.update(task, completed=step, description=f"{name}, loss {loss:.3f}")
        if step % 100 == 0:
            progress.console.print(f"{name}, step {step}, mean loss {np.mean(losses[-100:]):.3f}")
