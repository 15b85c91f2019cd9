"""A small SQLite file beside an index: what is written is on the disk when a call returns."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

_WAIT_MS = 60_000


class Store:
    """One connection that threads share in turn; other processes may write to the same file."""

    def __init__(self, path: Path | str, schema: str) -> None:
        self.lock = RLock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in (f"busy_timeout = {_WAIT_MS}", "journal_mode = WAL", "synchronous = FULL"):
            self.run(f"PRAGMA {pragma}")
        self._connection.executescript(schema)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def run(self, sql: str, *values: object) -> list[Any]:
        """Run a statement and give its rows."""
        with self.lock:
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All that the block writes, or nothing."""
        with self.lock:
            self.run("BEGIN IMMEDIATE")
            try:
                yield
                self.run("COMMIT")
            except BaseException:
                self.run("ROLLBACK")
                raise

    @contextmanager
    def hurried(self, ms: int) -> Iterator[bool]:
        """A block that waits so long at most, and not for the disk; False where it must not run."""
        free = self.lock.acquire(timeout=ms / 1000)
        if not free:
            yield False
            return
        try:
            self.run(f"PRAGMA busy_timeout = {ms}")
            self.run("PRAGMA synchronous = NORMAL")
            yield True
        finally:
            self.run("PRAGMA synchronous = FULL")
            self.run(f"PRAGMA busy_timeout = {_WAIT_MS}")
            self.lock.release()


def now() -> str:
    """The time in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
