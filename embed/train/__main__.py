"""`python -m embed.train --data DIR --out DIR`: make the encoder of `embed/model/`."""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from embed.train import making
from embed.train.corpora import parallel
from embed.train.positives import positives
from embed.train.saving import finished, save
from embed.train.static import Recipe
from embed.train.teacher import Teacher

PIECES = 27_000
WORK = Path(tempfile.gettempdir()) / "embed-train"


def main(
    data: Annotated[Path, typer.Option(help="Folder of the data sets.", exists=True)],
    out: Annotated[Path, typer.Option(help="Folder to write the model in.")],
    seed: Annotated[int, typer.Option(help="Seed of every random draw.")] = 0,
    pairs: Annotated[int, typer.Option(help="French-English pairs, about.")] = 180_000,
    work: Annotated[Path, typer.Option(help="Folder of what a second run takes up.")] = WORK,
    threads: Annotated[int, typer.Option(help="Threads of torch.")] = 3,
) -> None:
    """Train the static French encoder and write it as a sentence-transformers folder."""
    torch.set_num_threads(threads)
    recipe = Recipe()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn()) as progress:
        progress.console.print(f"reading {data}")
        sample, twins = parallel(data, pairs, seed), positives(data)
        tokenizer = making.tokenizer(data, sample, twins, PIECES)
        vectors = making.teach(Teacher(work), sample, progress)
        axes = making.projection(vectors, recipe.dim)
        np.save(work / "axes.npy", axes)
        lesson = making.lesson(sample, making.project(vectors, axes), tokenizer)
        student = making.student(lesson, tokenizer, recipe)
        siblings = making.twins(twins, tokenizer)
        table = making.fit(student, lesson, siblings, recipe, seed, progress)
    save(out, tokenizer, finished(table))
    typer.echo(f"written: {out}")


if __name__ == "__main__":
    typer.run(main)
