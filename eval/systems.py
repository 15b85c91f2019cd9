"""What can be compared: the words alone, the vectors alone, or all signals; and runs of others."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from embed.encoder import Encoder, load_encoder
from embed.errors import MaillonError
from eval.measures import Run
from eval.suite import Need
from index.engine import SupplierIndex
from index.qrels import cell, supplier_of
from index.ranking import HYBRID, Mix
from index.suppliers import Supplier

SYSTEMS = {"lexical": Mix(0, 1, 0), "dense": Mix(1, 0, 0), "hybrid": HYBRID}

DEPTH = 100
"""Suppliers that a run holds for each need, at most."""

Track = Callable[[Sequence[Need]], Iterable[Need]]


@cache
def encoder_of(name: str | None) -> Encoder:
    """Load an encoder once a process, and with it the trades that it places."""
    return load_encoder(name)


def run_system(
    system: str,
    suppliers: Sequence[Supplier],
    needs: Sequence[Need],
    encoder: Encoder,
    track: Track = iter,
) -> Run:
    """Answer every need with a system of `SYSTEMS`; scores are those of the search."""
    index = SupplierIndex.build(suppliers, encoder, mix=SYSTEMS[system])
    depth = min(DEPTH, len(suppliers))
    return {
        need.id: {found.supplier.id: found.score for found in index.search(need.text, depth, day=0)}
        for need in track(needs)
    }


def read_run(file: Path) -> Run:
    """Read a TREC run: need Q0 supplier rank score system. Raises `MaillonError` in French."""
    run: Run = {}
    for line, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        cells = text.split()
        if not cells:
            continue
        try:
            need, _, supplier, _, score, _ = cells
            run.setdefault(need, {})[supplier_of(supplier)] = float(score)
        except ValueError as error:
            raise MaillonError(
                f"{file.name}:{line}: attendu « besoin Q0 fournisseur rang score système »."
            ) from error
    return run


def write_run(file: Path, run: Run, system: str) -> None:
    """Write a run as TREC does, best first; equal scores in the order of the run."""
    lines = [
        f"{need} Q0 {cell(supplier)} {rank} {score:.4f} {system}"
        for need, scores in run.items()
        for rank, (supplier, score) in enumerate(
            sorted(scores.items(), key=lambda pair: -pair[1]), start=1
        )
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
