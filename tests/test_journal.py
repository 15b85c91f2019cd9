"""What a journal keeps of what people say, and what it forgets."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.journal import MAX_FEEDBACK, Feedback, Journal

ROW = "INSERT INTO event (at, action, need, supplier, value) VALUES (?, ?, ?, ?, ?)"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal.sqlite", days=30)) as journal:
        yield journal


def fill(folder: Path, rows: list[tuple[str, str, str, str | None, int]]) -> None:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as other, other:
        other.executemany(ROW, rows)


def test_nothing_of_a_need_that_was_forgotten_is_left_in_the_files(
    journal: Journal, tmp_path: Path
) -> None:
    chance = random.Random(2)  # one that leaves copies which `secure_delete` misses
    now = datetime.now(UTC)
    days = [chance.choice((2, 31)) for _ in range(2_000)]
    needs = [f"besoin-{n:04d} {'x' * chance.choice((5, 40, 1_500))}" for n in range(2_000)]
    fill(tmp_path, [
        ((now - timedelta(days=ago)).isoformat(), "search", need, None, 1)
        for ago, need in zip(days, needs, strict=True)
    ])  # fmt: skip
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [
        "journal.sqlite", "journal.sqlite-shm", "journal.sqlite-wal",
    ]  # fmt: skip
    journal.forget()
    held = b"".join(file.read_bytes() for file in files)
    found = [n for n in range(2_000) if f"besoin-{n:04d}".encode() in held]
    assert found == [n for n in range(2_000) if days[n] == 2]


def test_of_the_verdicts_of_visitors_the_last_ones_are_kept(
    journal: Journal, tmp_path: Path
) -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    verdicts = [(at, "feedback", "vis", f"s{n}", 1) for n in range(MAX_FEEDBACK)]
    fill(tmp_path, [(at, "judgement", "vis", "arve", 3), *verdicts])
    journal.tell(Feedback("vis", "neuf", relevant=True))
    journal.forget()
    counts = journal.counts()
    assert (counts["relevant"], counts["judgements"]) == (MAX_FEEDBACK, 1)
    first, *_, last = journal.events("feedback")
    assert (first.supplier, last.supplier) == ("s1", "neuf")
