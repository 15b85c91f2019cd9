"""`python -m eval.scale`: how the search grows from thousands to a million capabilities.

Texts are halves of real sentences joined at random, embedded by a real encoder; each figure stands
beside its baseline, measured in the same run. Without --data the sentences are those that we wrote.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import faiss
import numpy as np
import typer

from embed.encoder import Encoder, Vectors, load_encoder
from embed.lexicon import read_asks, read_lexicon
from embed.train.reading import records
from eval.bench import halved, machine, saved, timed
from index import segment
from index.demo import demo_suppliers
from index.dense import floats
from index.departments import DEPARTMENTS
from index.engine import SupplierIndex
from index.facets import Filters
from index.suppliers import Supplier

SHARES = {"no filter": 1.0, "50 %": 0.5, "10 %": 0.1, "1 %": 0.01, "0.1 %": 0.001}
SEARCHES = 300
COMPARED = 40
"""Needs for which every capability is compared exactly, for the recall."""

SIZE = 5
"""Capabilities of a supplier."""

app = typer.Typer(add_completion=False, help=__doc__)


class Figures(NamedTuple):
    """What was measured of one size; times in ms unless told, memory in bytes."""

    capabilities: int
    build_s: float
    encoding_s: float
    recall: dict[str, float]
    dense: float
    flat: float
    search: dict[str, tuple[float, float]]
    open_s: float
    upsert: float
    memory: int
    vectors: int


@app.command()
def main(
    sizes: Annotated[
        str, typer.Option(help="Capabilities, several split by commas.")
    ] = "10000,100000",
    data: Annotated[Path | None, typer.Option(help="Folder of the data sets.", exists=True)] = None,
    encoder: Annotated[str | None, typer.Option(help="Hub id or folder.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file of the figures.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture to draw of them.")] = None,
) -> None:
    """Measure each size and print its figures."""
    faiss.omp_set_num_threads(1)
    loaded = load_encoder(encoder)
    typer.echo(machine(loaded))
    sentences = real(data) if data else written()
    typer.echo(f"{len(sentences):,} sentences of {data or 'our own'}, halved and joined")
    found = []
    for size in map(int, sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            found.append(measured(Path(folder, "index"), sentences, size, loaded))
        for line in told(found[-1]):
            typer.echo(line)
    if out:
        out.write_text(json.dumps([figures._asdict() for figures in found], indent=1))
    if plot:
        drawn(found, machine(loaded), plot)


def written() -> list[str]:
    """The sentences that ship with maillon."""
    texts = [text for supplier in demo_suppliers() for text in supplier.capabilities]
    entries = read_lexicon()
    texts += [ask.text for ask in read_asks(entries)]
    return texts + [text for entry in entries for text in (entry.definition, *entry.lay)]


def real(data: Path) -> list[str]:
    """The activities of companies in a folder of data sets."""
    return [row["activite"] for row in records(data / "entreprises_bodacc" / "entreprises.tsv.gz")]


def recombined(sentences: Sequence[str], capabilities: int, seed: int = 0) -> Iterator[Supplier]:
    """Suppliers of five capabilities each; tags "50 %" and so on fit such a share of them."""
    draw = random.Random(seed)
    halves = [halved(text.split()[:40]) for text in sentences if len(text.split()) >= 4]
    places = list(DEPARTMENTS)
    for number in range(capabilities // SIZE):
        pairs = [(draw.choice(halves)[0], draw.choice(halves)[1]) for _ in range(SIZE)]
        chance = draw.random()
        tags = tuple(name for name, share in SHARES.items() if chance < share < 1)
        yield Supplier(
            f"b{number}",
            f"Atelier {number}",
            tuple(f"{one} {other}" for one, other in pairs),
            department=draw.choice(places),
            tags=tags,
        )


def measured(folder: Path, sentences: Sequence[str], size: int, encoder: Encoder) -> Figures:
    """Build an index of that size in a folder and measure it."""
    build, encoding = _built(folder, list(recombined(sentences, size)), encoder)
    opening = time.perf_counter()
    counting = Timed(encoder)
    index = SupplierIndex.open(folder, counting)
    draw = random.Random(1)
    needs = [" ".join(draw.choice(sentences).split()[:12]) for _ in range(SEARCHES)]
    needs = [need for need in needs if any(c.isalpha() for c in need)]
    index.search(needs[0])
    opened = time.perf_counter() - opening
    recall = {name: _recall(index, needs[:COMPARED], filters) for name, filters in _filters()}
    searched = {name: _searched(index, counting, needs, filters) for name, filters in _filters()}
    dense, flat = _dense(index, needs)
    upsert = _upserts(index, encoder)
    vectors = index.segments[0].rows * encoder.dim * 2
    index.close()
    memory = _memory(folder, encoder.name, needs[:50])
    return Figures(
        size, build, encoding, recall, dense, flat, searched, opened, upsert, memory, vectors
    )


def _built(folder: Path, suppliers: list[Supplier], encoder: Encoder) -> tuple[float, float]:
    counting = Timed(encoder)
    index = SupplierIndex.create(folder, counting)
    start, placed = time.perf_counter(), counting.seconds
    index.upsert(suppliers)
    whole = time.perf_counter() - start
    index.close()
    return whole, counting.seconds - placed


def told(figures: Figures) -> Iterator[str]:
    """The figures of one size, in words."""
    rest = 1 - figures.encoding_s / figures.build_s
    yield f"{figures.capabilities:,} capabilities"
    yield f"  build {figures.build_s:.1f} s, {rest:.0%} of it not encoding"
    yield f"  open and first search {figures.open_s:.2f} s"
    yield (
        f"  dense stage {figures.dense:.2f} ms, {figures.flat / figures.dense:.1f} × faster than "
        f"IndexFlatIP on one thread ({figures.flat:.2f} ms)"
    )
    for name, (p50, p99) in figures.search.items():
        yield (
            f"  search, {name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, recall@10 against exact "
            f"{figures.recall[name]:.4f}"
        )
    yield f"  upsert of one supplier, encoding apart: {figures.upsert:.1f} ms"
    beyond = (figures.memory - figures.vectors) / figures.vectors
    yield f"  memory beyond the 16-bit vectors: {beyond:.2f} × them ({figures.memory / 1e6:.0f} MB)"


def drawn(found: Sequence[Figures], title: str, path: Path) -> None:
    """Draw how each figure grows, on logarithmic scales; needs the extra `bench`."""
    from matplotlib.figure import Figure

    sizes = [figures.capabilities for figures in found]
    panels: dict[str, dict[str, list[float]]] = {
        "search, ms": {
            "p50": [figures.search["no filter"][0] for figures in found],
            "p99": [figures.search["no filter"][1] for figures in found],
            "p50, filtered to 1 %": [figures.search["1 %"][0] for figures in found],
        },
        "dense stage, ms": {
            "4-bit codes, then exact": [figures.dense for figures in found],
            "IndexFlatIP, one thread": [figures.flat for figures in found],
        },
        "memory, MB": {
            "resident": [figures.memory / 1e6 for figures in found],
            "vectors alone, 16 bits": [figures.vectors / 1e6 for figures in found],
        },
        "seconds": {
            "build": [figures.build_s for figures in found],
            "of it encoding": [figures.encoding_s for figures in found],
            "open, first search": [figures.open_s for figures in found],
        },
    }
    page = Figure(figsize=(11, 7), layout="constrained")
    page.suptitle(title, fontsize=9)
    for axes, (name, curves) in zip(page.subplots(2, 2).flat, panels.items(), strict=True):
        for label, values in curves.items():
            axes.loglog(sizes, values, marker="o", label=label)
        axes.set(title=name, xlabel="capabilities")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(fontsize=8)
    page.savefig(path, dpi=110)


class Timed:
    """An encoder that counts the seconds it takes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.dim = encoder.name, encoder.dim
        self.seconds = 0.0

    def encode_needs(self, texts: list[str]) -> Vectors:
        """As the encoder does."""
        return self._counted(self._encoder.encode_needs, texts)

    def encode_capabilities(self, texts: list[str]) -> Vectors:
        """As the encoder does."""
        return self._counted(self._encoder.encode_capabilities, texts)

    def _counted(self, encode: Callable[[list[str]], Vectors], texts: list[str]) -> Vectors:
        start = time.perf_counter()
        vectors = encode(texts)
        self.seconds += time.perf_counter() - start
        return vectors


def _filters() -> Iterator[tuple[str, Filters]]:
    for name, share in SHARES.items():
        yield name, Filters(tags=(name,)) if share < 1 else Filters()


def _recall(index: SupplierIndex, needs: Sequence[str], filters: Filters) -> float:
    """The share of the ten best, found by comparing every capability, that a search finds."""
    shares = []
    for need in needs:
        found = {one.supplier.id for one in index.search(need, 10, filters=filters, day=0)}
        limit, segment.EXACT = segment.EXACT, sys.maxsize
        exact = {one.supplier.id for one in index.search(need, 10, filters=filters, day=0)}
        segment.EXACT = limit
        shares.append(len(found & exact) / max(len(exact), 1))
    return float(np.mean(shares))


def _searched(
    index: SupplierIndex, encoder: Timed, needs: Sequence[str], filters: Filters
) -> tuple[float, float]:
    """Median and 99th percentile of whole searches without the encoder's own time, in ms."""
    times = []
    for need in needs:
        encoding = encoder.seconds
        whole = timed(lambda n=need: index.search(n, 10, filters=filters))  # type: ignore[misc]
        times.append(1000 * (whole - (encoder.seconds - encoding)))
    return float(np.median(times)), float(np.percentile(times, 99))


def _dense(index: SupplierIndex, needs: Sequence[str]) -> tuple[float, float]:
    """The median time of the nearest 10 by the segment, exact cosines included, and by FAISS."""
    dense = index.segments[0].dense
    vectors = index.encoder.encode_needs(list(needs[:100]))
    flat = faiss.IndexFlatIP(vectors.shape[1])
    for start in range(0, len(dense.vectors), 50_000):
        flat.add(floats(dense.vectors[start : start + 50_000]))

    def ours(vector: Vectors) -> None:
        rows = dense.nearest(vector, 100)
        rows[np.argsort(-dense.cosines(rows, vector))[:10]]

    return _median(ours, vectors), _median(lambda v: flat.search(v[None], 10), vectors[:30])


def _upserts(index: SupplierIndex, encoder: Encoder) -> float:
    texts = [f"Tournage de bagues, lot {n}, plan {n * 7}" for n in range(60)]
    alone = [timed(lambda t=text: encoder.encode_capabilities([t])) for text in texts]  # type: ignore[misc]
    whole = [
        timed(lambda n=n, t=text: index.upsert([Supplier(f"u{n}", "Un", (t,))]))  # type: ignore[misc]
        for n, text in enumerate(texts)
    ]
    return 1000 * float(np.median(whole) - np.median(alone))


def _memory(folder: Path, encoder: str, needs: Sequence[str]) -> int:
    """Resident bytes of a process that opens the folder and searches, less those of a tiny one."""
    with tempfile.TemporaryDirectory() as tiny:
        one = [Supplier("a", "A", ("Tournage",))]
        saved(one, load_encoder(encoder), Path(tiny, "index"))
        floor = _resident(Path(tiny, "index"), encoder, needs)
    return _resident(folder, encoder, needs) - floor


def _resident(folder: Path, encoder: str, needs: Sequence[str]) -> int:
    code = (
        "import sys, json, pathlib\nfrom embed.encoder import load_encoder\n"
        "from index.engine import SupplierIndex\n"
        "folder, encoder, needs = json.loads(sys.argv[1])\n"
        "index = SupplierIndex.open(pathlib.Path(folder), load_encoder(encoder))\n"
        "for need in needs: index.search(need)\n"
        "pages = pathlib.Path('/proc/self/statm').read_text().split()[1]\n"
        "print(int(pages))"
    )
    given = json.dumps([str(folder), encoder, list(needs)])
    done = subprocess.run(
        [sys.executable, "-c", code, given], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1]) * os.sysconf("SC_PAGE_SIZE")


def _median(action: Callable[[Vectors], object], vectors: Vectors) -> float:
    action(vectors[0])
    return 1000 * float(np.median([timed(lambda v=v: action(v)) for v in vectors]))  # type: ignore[misc]


if __name__ == "__main__":
    app()
