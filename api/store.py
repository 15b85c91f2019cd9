"""A small SQLite file beside an index: what is written is on the disk when a call returns."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

from embed.errors import MaillonError
from index.catalogue import MEMORY

_WAIT_MS = 60_000


class Store:
    """One connection that threads share in turn; other processes may write to the same file."""

    def __init__(self, path: Path | str, schema: str) -> None:
        self.lock = RLock()
        if path != MEMORY:
            keep_private(Path(path))
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

    def forget(self, sql: str, *values: object) -> None:
        """Delete rows so that nothing of their texts is left in the files.

        `secure_delete` would leave what SQLite had copied while it moved rows between pages.
        """
        if self.run(f"{sql} RETURNING 1", *values):
            self.run("VACUUM")
            self.run("PRAGMA wal_checkpoint(TRUNCATE)")

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


def copy(source: Path, to: Path) -> None:
    """Copy a store as it stands to a new file, while it is used; `MaillonError` if damaged."""
    keep_private(to)
    with closing(sqlite3.connect(source)) as held, closing(sqlite3.connect(to)) as made:
        try:
            held.backup(made)
        except sqlite3.DatabaseError as error:
            raise MaillonError(f"{source} cannot be copied ({error}). Restore a backup.") from error


def keep_private(file: Path) -> None:
    """Make a file its owner's alone, whatever the umask; an empty one if there is none.

    SQLite gives its write-ahead log the same rights.
    """
    file.touch(0o600)
    file.chmod(0o600)


def now() -> str:
    """The time in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
