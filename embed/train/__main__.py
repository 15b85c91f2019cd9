"""`python -m embed.train static|student --data DIR --out DIR`: make an encoder.

`static` makes the encoder of `embed/model/`; without a command name it is the one meant.
`student` makes the transformer.
"""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from embed.train import making, student, transformer, written
from embed.train.corpora import parallel
from embed.train.fitting import Pace
from embed.train.positives import positives
from embed.train.saving import finished, save
from embed.train.static import Recipe
from embed.train.teacher import Teacher
from embed.train.written import WRITTEN

PIECES = 27_000
WORK = Path(tempfile.gettempdir()) / "embed-train"
COMMANDS = ("static", "student")

app = typer.Typer(help=__doc__, add_completion=False)

Data = Annotated[Path, typer.Option(help="Folder of the data sets.", exists=True)]
Out = Annotated[Path, typer.Option(help="Folder to write the model in.")]
Seed = Annotated[int, typer.Option(help="Seed of every random draw.")]
Pairs = Annotated[int, typer.Option(help="French-English pairs, about.")]
Work = Annotated[Path, typer.Option(help="Folder of what a second run takes up.")]
Threads = Annotated[int, typer.Option(help="Threads of torch.")]
Ours = Annotated[Path, typer.Option(help="Folder of lexicon and pairs.", exists=True)]
Whole = Annotated[
    bool, typer.Option("--whole", help="Learn the held-out parts too, for a model that ships.")
]
Trades = Annotated[bool, typer.Option(help="Learn from lexicon, asks and pairs.")]
Vocabularies = Annotated[bool, typer.Option(help="Learn from French vocabularies and notices.")]
Steps = Annotated[int, typer.Option(help="Steps of distillation.")]
Tuning = Annotated[int, typer.Option(help="Steps on the trades; 0: none.")]
Rest = Annotated[
    int, typer.Option(help="Further steps with the held-out parts too, for a model that ships.")
]


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn())


@app.command(name="static")
def make_static(
    data: Data,
    out: Out,
    seed: Seed = 0,
    pairs: Pairs = 180_000,
    work: Work = WORK,
    threads: Threads = 3,
    ours: Ours = WRITTEN,
    vocabularies: Vocabularies = True,
    trades: Trades = True,
    whole: Whole = False,
) -> None:
    """Train the static French encoder and write it as a sentence-transformers folder.

    With --whole nothing of what we wrote is left to measure it on but the evaluation suite.
    Leave an ingredient out, with --no-vocabularies or --no-trades, to see what it brings.
    """
    if not (vocabularies or trades):
        raise typer.BadParameter(
            "leave out --no-vocabularies or --no-trades: French pairs are needed"
        )
    torch.set_num_threads(threads)
    recipe = Recipe()
    with _progress() as progress:
        progress.console.print(f"reading {data}")
        sample, twins = parallel(data, pairs, seed), positives(data) if vocabularies else []
        part = written.read(ours) if whole else written.taught(written.read(ours))
        if trades:
            twins += written.positives(part)
        tokenizer = making.tokenizer(data, sample, twins, PIECES)
        vectors = making.teach(Teacher(work), sample, progress)
        axes = making.projection(vectors, recipe.dim)
        np.save(work / "axes.npy", axes)
        lesson = making.lesson(sample, making.project(vectors, axes), tokenizer)
        model = making.student(lesson, tokenizer, recipe)
        siblings = making.twins(twins, tokenizer)
        table = making.fit(model, lesson, siblings, recipe, seed, progress)
        if trades:
            general = lesson, siblings
            table = making.tuned(model, tokenizer, part, general, recipe, seed, progress)
    save(out, tokenizer, finished(table))
    typer.echo(f"written: {out}")


@app.command(name="student")
def make_student(
    data: Data,
    out: Out,
    seed: Seed = 0,
    pairs: Pairs = 180_000,
    work: Work = WORK,
    threads: Threads = 3,
    ours: Ours = WRITTEN,
    steps: Steps = 1_600,
    tuning: Tuning = 1_400,
    rest: Rest = 0,
) -> None:
    """Distil the transformer student, tune it on our written data, write it in `out`.

    Stopped and started again with the same options, it goes on from the checkpoints of `work`; the
    encoders after stage 1 and 2 are in its folders stage1 and stage2.
    """
    torch.set_num_threads(threads)
    first, second = Pace(steps, 1e-3, 2e-4), Pace(tuning, 1e-3, 2e-4)
    third = Pace(rest, 4e-4, 8e-5)
    order = student.Order(data, ours, work, pairs, seed, first, second, third)
    with _progress() as progress:
        found = student.ready(order, progress)
        student.distil(order, found, progress)
        transformer.save(work / "stage1", found.model, found.using)
        if tuning:
            student.tune(order, found, progress)
            transformer.save(work / "stage2", found.model, found.using)
        if rest:
            student.finish(order, found, progress)
    transformer.save(out, found.model, found.using)
    typer.echo(f"written: {out}")


if __name__ == "__main__":
    named = sys.argv[1:2] in ([name] for name in (*COMMANDS, "--help"))
    app(sys.argv[1:] if named else ["static", *sys.argv[1:]])
