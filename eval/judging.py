"""Blind judging: who judges what next, and judgements that survive a crash."""

import json
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from eval.measures import Run
from eval.suite import Need, Qrels, Suite, SuiteError

FOLDER = "judgements"
"""Folder of a suite that holds one file a judge."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge said of a pair, and when; a grade of None takes the last one back."""

    need: str
    supplier: str
    grade: int | None
    reason: str = ""
    at: str = ""


class Journal:
    """The judgements of one judge, one a line, each on the disk before it is acknowledged."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        _end_line(file)

    def append(self, judgement: Judgement) -> None:
        """Add a judgement; when this returns it survives a crash. Raises OSError if it cannot."""
        dated = {**asdict(judgement), "at": datetime.now(UTC).isoformat(timespec="seconds")}
        with self._lock, self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(dated, ensure_ascii=False) + "\n")
            lines.flush()
            os.fsync(lines.fileno())

    def read(self) -> list[Judgement]:
        """Every judgement in the order it was made; a line cut by a crash is left out."""
        found = []
        exists = self._file.exists()
        lines = self._file.read_text(encoding="utf-8", errors="replace") if exists else ""
        for line in lines.splitlines():
            try:
                found.append(Judgement(**json.loads(line)))
            except (ValueError, TypeError):
                continue
        return found

    def grades(self) -> Qrels:
        """The grades that stand: the last of each pair that was not taken back."""
        standing: Qrels = {}
        for said in self.read():
            own = standing.setdefault(said.need, {})
            if said.grade is None:
                own.pop(said.supplier, None)
            else:
                own[said.supplier] = said.grade
        return standing


def _end_line(file: Path) -> None:
    """Close a line that a crash cut, so that the next one stands alone."""
    if file.exists() and (content := file.read_bytes()) and not content.endswith(b"\n"):
        with file.open("ab") as lines:
            lines.write(b"\n")


def pool(
    suite: Suite, needs: Sequence[Need], runs: Sequence[Run], depth: int
) -> dict[str, list[str]]:
    """For each need the suppliers to judge: the first of each run, and those judged already.

    `depth` suppliers of each run are taken; twins are left out. The order says nothing of who gave
    a supplier or at what rank; a judge gets another with `shuffled`.
    """
    found: dict[str, list[str]] = {}
    for need in needs:
        if need.twin_of:
            continue
        best = {
            one
            for run in runs
            for one in sorted(run.get(need.id, {}), key=lambda s: -run[need.id][s])[:depth]
        }
        found[need.id] = sorted(best | set(suite.grades(need)))
    return found


def shuffled(pools: Mapping[str, list[str]], judge: str) -> list[tuple[str, str]]:
    """All the pairs in the order of one judge, need after need; the same on every call."""
    needs = random.Random(judge).sample(sorted(pools), len(pools))
    return [
        (need, supplier)
        for need in needs
        for supplier in random.Random(f"{judge} {need}").sample(pools[need], len(pools[need]))
    ]


class Sitting:
    """One judge at work: the pairs in his order, and what he said of them."""

    def __init__(self, pools: Mapping[str, list[str]], judge: str, folder: Path) -> None:
        self.order = shuffled(pools, judge)
        self._journal = Journal(folder / FOLDER / f"{judge}.jsonl")

    def left(self) -> list[tuple[str, str]]:
        """The pairs that he has not judged, or took back, in his order."""
        grades = self._journal.grades()
        return [(need, one) for need, one in self.order if one not in grades.get(need, {})]

    def say(self, judgement: Judgement) -> None:
        """Keep a judgement, as `Journal.append` does."""
        self._journal.append(judgement)

    def undo(self) -> None:
        """Take back the last judgement that stands, if there is one."""
        standing = self._journal.grades()
        for last in reversed(self._journal.read()):
            if last.grade is not None and last.supplier in standing.get(last.need, {}):
                self._journal.append(Judgement(last.need, last.supplier, None))
                return


def merged(folder: Path) -> Qrels:
    """The judgements of every judge of a suite: the median grade of a pair, the lower of two.

    Raises `SuiteError` where nobody has judged.
    """
    said: dict[tuple[str, str], list[int]] = {}
    for file in sorted((folder / FOLDER).glob("*.jsonl")):
        for need, grades in Journal(file).grades().items():
            for supplier, grade in grades.items():
                said.setdefault((need, supplier), []).append(grade)
    if not said:
        raise SuiteError(f"{folder / FOLDER} : aucun jugement. Lancez d'abord maillon eval judge.")
    qrels: Qrels = {}
    for (need, supplier), several in said.items():
        qrels.setdefault(need, {})[supplier] = sorted(several)[(len(several) - 1) // 2]
    return qrels
