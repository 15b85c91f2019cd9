"""`python -m embed.train.measure MODEL --data DIR`: the figures that an encoder is tuned on.

With --test those of the parts that nothing was tuned on, to be looked at once a release.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from embed.encoder import load_encoder, load_pair
from embed.train.__main__ import WORK
from embed.train.making import project
from embed.train.positives import filed, needs
from embed.train.reading import records, rows
from embed.train.retrieval import Encode, Figure, Floats, asks, latency, rank, sheets, speed, trades
from embed.train.teacher import Teacher
from embed.train.written import WRITTEN, Split, read


def similarity(encode: Encode, data: Path, split: str) -> Figure:
    """Correlate, after Spearman, cosines with the human scores of STSb-fr, in hundredths."""
    table = list(records(data / "eval-public" / "stsb-fr" / f"stsb-fr-{split}.tsv.gz"))
    sides = [encode([row[f"phrase{side}_fr"] for row in table]) for side in (1, 2)]
    cosines = (sides[0] * sides[1]).sum(axis=1)
    gold = [float(row["score_0_5"]) for row in table]
    rho = spearmanr(cosines, gold).statistic
    return Figure(f"STSb-fr {split}, Spearman ({len(table)} pairs)", 100 * float(rho), "")


def procurement(encode: Encode, data: Path) -> list[Figure]:
    """Search for held-out needs among the 9,454 CPV labels: hit@10 and mean reciprocal rank, in %.

    The best right answer counts. Ties are counted against the encoder.
    """
    asked, answers, labels = filed(data)
    cosines = encode([row["objet"] for row in asked]) @ encode(labels).T
    pairs = zip(cosines, answers, strict=True)
    ranks = np.array([rank(line, sorted(right)) for line, right in pairs])
    name = f"dev needs to CPV labels ({len(ranks)} of {len(labels)})"
    return [
        Figure(f"{name}, hit@10", 100 * float((ranks <= 10).mean()), "%"),
        Figure(f"{name}, MRR", 100 * float((1 / ranks).mean()), "%"),
    ]


def bitexts(encode: Encode, data: Path, work: Path) -> list[Figure]:
    """Let French sentences find their English side, as the reduced teacher reads it: accuracy in %.

    An encoder of fewer dimensions needs the axes that its training left in `work`; without them,
    or for a pair, there is no figure.
    """
    teacher, dim, kept = Teacher(work), encode([""]).shape[1], work / "axes.npy"
    axes = np.eye(teacher.dim, dtype=np.float32)
    if dim < teacher.dim and kept.exists():
        axes = np.load(kept)
    if axes.shape[1] != dim:
        return []
    folder = data / "eval-public" / "bitexte-dev-interne"
    return [bitext(encode, teacher, axes, path) for path in sorted(folder.glob("*.tsv.gz"))]


def bitext(encode: Encode, teacher: Teacher, axes: Floats, path: Path) -> Figure:
    """Give the accuracy of one bitext, in %."""
    fr, en, *_ = map(list, zip(*rows(path), strict=True))
    targets = project(teacher.encode(en).astype(np.float32), axes)
    found = (encode(fr) @ targets.T).argmax(axis=1)
    right = np.array([en[place] == text for place, text in zip(found, en, strict=True)])
    return Figure(f"{path.name.removesuffix('.tsv.gz')}, fr to teacher", 100 * right.mean(), "%")


def main(
    model: Annotated[str, typer.Argument(help="Name or folder of the encoder.")],
    data: Annotated[Path, typer.Option(help="Folder of the data sets.", exists=True)],
    beside: Annotated[
        str | None, typer.Option(help="Another, whose vectors are put beside, as in the default.")
    ] = None,
    work: Annotated[Path, typer.Option(help="The folder --work of the training.")] = WORK,
    ours: Annotated[Path, typer.Option(help="Folder of lexicon and pairs.")] = WRITTEN,
    threads: Annotated[int, typer.Option(help="Threads of torch.")] = 3,
    timed: Annotated[int, typer.Option(help="Needs whose encoding is timed.")] = 3_000,
    test: Annotated[bool, typer.Option("--test", help="The test parts, once a release.")] = False,
) -> None:
    """Print the dev measures of an encoder, any sentence-transformers folder."""
    torch.set_num_threads(threads)
    loaded = load_pair(model, beside) if beside else load_encoder(model)
    encode = loaded.encode_needs
    part: Split = "test" if test else "dev"
    figures, whole = [similarity(encode, data, part)], read(ours)
    for measured in (trades, asks, sheets):
        figures += measured(encode, whole, part)
    if not test:
        figures += [*procurement(encode, data), *bitexts(encode, data, work)]
        asked = [row["objet"] for held in (True, False) for row in needs(data, dev=held)]
        figures += [latency(encode, asked), speed(encode, asked[:timed])]
    table = Table("measure", "figure", "", title=loaded.name)
    for figure in figures:
        table.add_row(figure.name, f"{figure.value:.1f}", figure.unit)
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
