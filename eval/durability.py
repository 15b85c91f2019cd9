"""Whether an index keeps what it acknowledged when its process is killed at any instant.

`python -m eval.durability` has a child process change an index folder and note each change in a
journal once the call has returned, kills it with all that it started (SIGKILL), compares the folder
with the journal, and starts it again.
"""

import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from embed.encoder import Encoder, load_encoder
from embed.errors import MaillonError
from index import living
from index.demo import demo_suppliers
from index.engine import SupplierIndex
from index.suppliers import Supplier

DELTA = 150
"""Changed capabilities until a generation is written: few, so that kills meet the writing."""

_TEXTS = 1_000
_SIZES = (1,) * 12 + (5,) * 4 + (20,) * 3 + (200,)
_DELETED = 0.25
_SEARCHED = 60
_DEEP = 100
_PATIENCE = 120


class Call(NamedTuple):
    """A call of the child: suppliers that it writes, or else takes out."""

    number: int
    deletes: bool
    ids: tuple[str, ...]


@dataclass
class Faults:
    """What must not happen, in suppliers; a call whose return was not seen may count or not."""

    lost: int = 0
    resurrected: int = 0
    corrupted: int = 0
    halved: int = 0
    """Calls of which one part is there and another is not."""
    unfound: int = 0
    deleted_found: int = 0

    def __add__(self, other: "Faults") -> "Faults":
        pairs = ((getattr(self, one.name), getattr(other, one.name)) for one in fields(self))
        return Faults(*(a + b for a, b in pairs))


@dataclass
class Trial:
    """What was done to a folder, and what was found."""

    changes: int = 0
    calls: int = 0
    kills: int = 0
    while_folding: int = 0
    """Kills that left a half-written generation."""
    unseen: int = 0
    """Calls under way at a kill."""
    kept: int = 0
    """Those of them that are there whole."""
    searches: int = 0
    faults: Faults = field(default_factory=Faults)


def call_of(seed: int, number: int, ids: int) -> Call:
    """The call of a number: the child makes it, the parent knows it."""
    draw = random.Random(f"{seed}/{number}")
    deletes = draw.random() < _DELETED
    size = min(draw.choice(_SIZES), 10 if deletes else ids // 2)
    chosen = draw.sample(range(ids), size)
    return Call(number, deletes, tuple(f"s{one}" for one in chosen))


def supplier_of(seed: int, one: str, number: int) -> Supplier:
    """What a call writes under an id; its name says which call."""
    draw = random.Random(f"{seed}/{one}/{number}")
    texts = dict.fromkeys(draw.choices(_texts(), k=draw.randint(1, 4)))
    return Supplier(one, f"Atelier {one} {number}", tuple(texts))


@cache
def _texts() -> list[str]:
    draw = random.Random(0)
    parts = [text.split() for supplier in demo_suppliers() for text in supplier.capabilities]
    pairs = ((draw.choice(parts), draw.choice(parts)) for _ in range(_TEXTS))
    return [" ".join(a[: len(a) // 2 + 1] + b[len(b) // 2 :]) for a, b in pairs]


def change(folder: Path, journal: Path, seed: int, number: int, ids: int, delta: int) -> None:
    """The child: make one call after another, from a number on, until it is killed."""
    living.DELTA = delta
    noted = os.open(journal, os.O_WRONLY | os.O_APPEND)
    index = SupplierIndex.open(folder, load_encoder("fast"))
    while True:
        call = call_of(seed, number, ids)
        os.write(noted, f"begun {number}\n".encode())
        if call.deletes:
            index.delete(call.ids)
        else:
            index.upsert([supplier_of(seed, one, number) for one in call.ids])
        os.write(noted, f"done {number}\n".encode())
        number += 1


class Trying:
    """The parent: it kills, looks, and starts again."""

    def __init__(
        self, home: Path, encoder: Encoder, seed: int, ids: int, delta: int = DELTA
    ) -> None:
        self.folder = home / "index"
        self.trial = Trial()
        self._journal = home / "journal"
        self._journal.touch()
        self._encoder = encoder
        self._draw = random.Random(seed)
        self._seed = seed
        self._ids = ids
        self._delta = delta
        self._held: dict[str, int] = {}
        self._gone: dict[str, int] = {}
        SupplierIndex.create(self.folder, encoder).close()

    def run(self, changes: int, kills: int) -> Iterator[int]:
        """Kill so many times, spread over so many acknowledged changes; gives these as they grow.

        One kill in three waits for a generation that is being written, one in four may come before
        the child has opened the folder.
        """
        for kill in range(1, kills + 1):
            child = self._start()
            try:
                if kill % 4 or kill == kills:
                    self._await(child, changes * kill // kills)
                    if kill % 3 == 1:
                        self._await_folding(child)
                    time.sleep(self._draw.random())
                else:
                    time.sleep(self._draw.random() * 8)
                if child.poll() is not None:
                    raise MaillonError(f"the child ended by itself, with {child.returncode}.")
            finally:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            self.trial.kills += 1
            self.trial.while_folding += any(self.folder.glob(".generation-*"))
            self._look(everything=kill == kills)
            yield self.trial.changes

    def _start(self) -> subprocess.Popen[bytes]:
        given = (self._seed, self.trial.calls + self.trial.unseen, self._ids, self._delta)
        code = (
            "import pathlib, sys; from eval.durability import change; "
            "change(*map(pathlib.Path, sys.argv[1:3]), *map(int, sys.argv[3:]))"
        )
        places = str(self.folder), str(self._journal)
        command = [sys.executable, "-c", code, *places, *map(str, given)]
        return subprocess.Popen(command, start_new_session=True)

    def _await(self, child: subprocess.Popen[bytes], changes: int) -> None:
        end = time.monotonic() + _PATIENCE
        while child.poll() is None and self._acknowledged() < changes:
            if time.monotonic() > end:
                raise MaillonError(f"the child acknowledged too little within {_PATIENCE} s.")
            time.sleep(0.02)

    def _await_folding(self, child: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + 10
        while child.poll() is None and time.monotonic() < end:
            if any(self.folder.glob(".generation-*")):
                time.sleep(self._draw.random() / 20)
                os.killpg(child.pid, signal.SIGSTOP)  # it shall not end before it is killed
                return
            time.sleep(0.001)

    def _acknowledged(self) -> int:
        done = [number for word, number in self._noted() if word == "done"]
        return self.trial.changes + sum(self._size(number) for number in done)

    def _size(self, number: int) -> int:
        return len(call_of(self._seed, number, self._ids).ids)

    def _noted(self) -> list[tuple[str, int]]:
        """What the journal says since the last look; a line that was cut off was never said."""
        lines = self._journal.read_bytes().split(b"\n")[:-1]
        return [(line.split()[0].decode(), int(line.split()[1])) for line in lines]

    def _look(self, everything: bool) -> None:
        """Compare the folder with what the journal says."""
        flight = self._take_note()
        with closing(SupplierIndex.open(self.folder, self._encoder)) as index:
            found = {supplier.id: supplier for supplier in index.suppliers}
            faults = Faults()
            if flight:
                self._settle(flight, found, faults)
            for one in found.keys() | self._held.keys():
                if not flight or one not in flight.ids:
                    _compare(found.get(one), self._expected(one), faults)
            self._search(index, everything, faults)
        self.trial.faults += faults

    def _take_note(self) -> Call | None:
        """Count what was acknowledged; gives the call whose return was not seen, if any."""
        noted = self._noted()
        os.truncate(self._journal, 0)
        for word, number in noted:
            if word == "done":
                self._apply(call_of(self._seed, number, self._ids))
                self.trial.calls += 1
                self.trial.changes += self._size(number)
        begun = [number for word, number in noted if word == "begun"]
        if begun and ("done", begun[-1]) not in noted:
            self.trial.unseen += 1
            return call_of(self._seed, begun[-1], self._ids)
        return None

    def _apply(self, call: Call) -> None:
        for one in call.ids:
            if not call.deletes:
                self._held[one] = call.number
                self._gone.pop(one, None)
            elif one in self._held:
                self._gone[one] = self._held.pop(one)

    def _settle(self, flight: Call, found: dict[str, Supplier], faults: Faults) -> None:
        """A call under way at the kill is there whole, or not at all."""
        before = all(found.get(one) == self._expected(one) for one in flight.ids)
        whole = [None if flight.deletes else supplier_of(self._seed, one, flight.number)
                 for one in flight.ids]  # fmt: skip
        if [found.get(one) for one in flight.ids] == whole:
            self.trial.kept += not before
            self._apply(flight)
        elif not before:
            faults.halved += 1

    def _expected(self, one: str) -> Supplier | None:
        number = self._held.get(one)
        return None if number is None else supplier_of(self._seed, one, number)

    def _search(self, index: SupplierIndex, everything: bool, faults: Faults) -> None:
        for ids, there in ((self._held, True), (self._gone, False)):
            chosen = sorted(ids)
            if not everything:
                chosen = self._draw.sample(chosen, min(_SEARCHED, len(chosen)))
            for one in chosen:
                need = supplier_of(self._seed, one, ids[one]).capabilities[0]
                suggested = {s.supplier.id: s.supplier for s in index.search(need, _DEEP)}
                self.trial.searches += 1
                faults.unfound += there and one not in suggested
                faults.deleted_found += not there and one in suggested
                faults.corrupted += any(s != self._expected(i) for i, s in suggested.items())


def _compare(found: Supplier | None, expected: Supplier | None, faults: Faults) -> None:
    if found == expected:
        return
    if found is None:
        faults.lost += 1
    elif expected is None:
        faults.resurrected += 1
    elif found.name in {f"Atelier {found.id} {n}" for n in range(_number(expected))}:
        faults.lost += 1
    else:
        faults.corrupted += 1


def _number(supplier: Supplier) -> int:
    return int(supplier.name.split()[-1])


def report(trial: Trial, seconds: float) -> Sequence[str]:
    """The lines of the report."""
    faults = trial.faults
    return (
        f"{trial.changes:,} changes acknowledged in {trial.calls:,} calls; {trial.kills} kills, "
        f"{trial.while_folding} of them while a generation was being written",
        f"{trial.unseen} calls under way at a kill: {trial.kept} kept whole, {faults.halved} in "
        f"part, the others not at all",
        f"of what was acknowledged: {faults.lost} lost, {faults.resurrected} resurrected, "
        f"{faults.corrupted} corrupted",
        f"{trial.searches:,} searches for a supplier's own text: {faults.unfound} not found, "
        f"{faults.deleted_found} found though deleted",
        f"{seconds:.0f} s",
    )


def main(
    changes: Annotated[int, typer.Option(help="Acknowledged changes, at least.")] = 10_000,
    kills: Annotated[int, typer.Option(help="How often the process is killed.")] = 40,
    seed: Annotated[int, typer.Option(help="Another one makes other changes.")] = 0,
) -> None:
    """Kill a process that changes an index, again and again, and count what is lost."""
    from rich.console import Console
    from rich.progress import Progress

    typer.echo(f"{platform.machine()}, {os.cpu_count()} cores, {platform.platform()}; seed {seed}")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        trying = Trying(Path(home), load_encoder("fast"), seed, ids=max(changes // 5, 20))
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("changes", total=changes)
            for acknowledged in trying.run(changes, kills):
                progress.update(task, completed=acknowledged)
    for line in report(trying.trial, time.monotonic() - begun):
        typer.echo(line)
    if trying.trial.faults != Faults():
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
