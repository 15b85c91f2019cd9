"""The durable source of truth: suppliers, the vectors of their capabilities, and every change.

One SQLite file in WAL mode with full synchronous writes: what a call has returned from is on the
disk. Everything else in an index folder can be made again from it.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import numpy as np

from embed.encoder import Encoder, Vectors
from embed.errors import MaillonError
from index.concepts import Concepts
from index.dense import Fixed, fixed
from index.suppliers import Supplier, as_json_line

FILE = "catalogue.sqlite"
NEW = ".new"
"""Ending of a catalogue that is being made."""

FORMAT = 3
MEMORY = ":memory:"

_SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE encoder (name TEXT PRIMARY KEY, dim INTEGER NOT NULL, probe BLOB NOT NULL,
    labels TEXT NOT NULL, trades BLOB NOT NULL) STRICT;
CREATE TABLE supplier (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL) STRICT;
CREATE TABLE gone (number INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL) STRICT;
CREATE TABLE vector (encoder TEXT NOT NULL, text BLOB NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (encoder, text)) STRICT, WITHOUT ROWID;
CREATE TABLE place (key TEXT NOT NULL, department TEXT NOT NULL, name TEXT NOT NULL,
    population INTEGER NOT NULL, lat REAL NOT NULL, lon REAL NOT NULL) STRICT;
CREATE INDEX place_key ON place (key, population DESC);
CREATE TABLE postcode (code TEXT PRIMARY KEY, lat REAL NOT NULL, lon REAL NOT NULL) STRICT;
"""
_PROBE = "usinage de pièces mécaniques en petite série"
_MANY = 500
_PATIENCE = 60
"""Seconds that a change waits for another process to end its own."""

_PAUSE = 0.01
_WAITS = f"PRAGMA busy_timeout = {1_000 * _PATIENCE}"


class CatalogueError(MaillonError):
    """A folder that is no index, is damaged, or was made with another encoder."""


class EncoderChangedError(CatalogueError):
    """The encoder was switched by another process meanwhile."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an upsert or a deletion did, in suppliers."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(*(getattr(self, n) + getattr(other, n) for n in Changes.__slots__))


class Moment(NamedTuple):
    """How far the changes were read: the last supplier written, the last one taken out."""

    seq: int = 0
    gone: int = 0


START = Moment()


class Catalogue:
    """Suppliers and vectors in SQLite; one connection, that threads share in turn."""

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self._lock = RLock()
        self._file: Path | None = None
        self._node: int | None = None
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute(_WAITS)

    @classmethod
    def create(cls, path: Path | str) -> "Catalogue":
        """Make an empty catalogue; on the disk, it is there whole or not at all."""
        aside = path if path == MEMORY else Path(f"{path}{NEW}")
        if isinstance(aside, Path):
            aside.unlink(missing_ok=True)
        catalogue = cls(aside)
        kept = f"INSERT INTO setting VALUES ('format', {FORMAT});"
        catalogue._connection.executescript(f"BEGIN;{_SCHEMA}{kept}COMMIT;")
        if isinstance(aside, Path):
            catalogue.close()
            catalogue = cls(aside.rename(path))
        catalogue._connection.execute("PRAGMA journal_mode = WAL")
        catalogue._set_up()
        return catalogue

    @classmethod
    def open(cls, path: Path) -> "Catalogue":
        """Open a catalogue; raises `CatalogueError` where it is damaged or of another format."""
        catalogue = cls(path)
        try:
            catalogue._set_up()
            found = catalogue.setting("format")
        except sqlite3.DatabaseError as error:
            catalogue.close()
            raise CatalogueError(
                f"{path} is damaged ({error}). Restore a backup: maillon restore BACKUP --to "
                f"{path.parent}"
            ) from error
        if found != FORMAT:
            catalogue.close()
            raise CatalogueError(
                f"{path} has format {found}, this version reads {FORMAT}. Index the directory "
                "again into a new folder."
            )
        return catalogue

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def setting(self, name: str) -> Any:  # noqa: ANN401
        """A value kept under a name, or None."""
        row = self._one("SELECT value FROM setting WHERE name = ?", name)
        return row[0] if row else None

    def keep(self, **values: str | int) -> None:
        """Keep values under their names, all at once."""
        with self.writing() as run:
            for name, value in values.items():
                run("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def version(self) -> int:
        """A number that changes when another process has written."""
        return int(self._one("PRAGMA data_version")[0])

    def moment(self) -> Moment:
        """How far changes have gone."""
        found = dict(self._all("SELECT name, seq FROM sqlite_sequence"))
        return Moment(found.get("supplier", 0), found.get("gone", 0))

    def __len__(self) -> int:
        """The number of suppliers."""
        return int(self._one("SELECT count(*) FROM supplier")[0])

    def know(self, encoder: Encoder, concepts: Concepts) -> None:
        """Keep what tells an encoder from others, and where it places the trades."""
        row = (encoder.name, encoder.dim, _bytes(probe(encoder)))
        trades = "\n".join(concepts.labels), _bytes(concepts.vectors)
        with self.writing() as run:
            run("INSERT OR REPLACE INTO encoder VALUES (?, ?, ?, ?, ?)", (*row, *trades))

    def concepts(self, encoder: str) -> Concepts | None:
        """Where an encoder places the trades; None for one that was never used here."""
        row = self._one("SELECT dim, labels, trades FROM encoder WHERE name = ?", encoder)
        if row is None:
            return None
        return Concepts.kept(row[1].split("\n"), _floats(row[2]).reshape(-1, row[0]), encoder)

    def check(self, encoder: Encoder) -> None:
        """Raise `CatalogueError` for an encoder of a known name that has other weights."""
        row = self._one("SELECT dim, probe FROM encoder WHERE name = ?", encoder.name)
        if row and (row[0] != encoder.dim or float(probe(encoder) @ _floats(row[1])) < 0.99):
            raise CatalogueError(
                f"{self.path} was made with other weights of encoder {encoder.name!r}. Give the "
                "new ones a folder of another name, then: maillon reindex --encoder FOLDER"
            )

    def missing(self, encoder: str, texts: Iterable[str]) -> list[str]:
        """The texts, each once, whose vector is not known under an encoder."""
        wanted = {_key(text): text for text in texts}
        known = self._known(encoder, wanted)
        return [text for key, text in wanted.items() if key not in known]

    def learn(self, encoder: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Keep the vectors of texts, float32 `(texts, dim)`, for as long as suppliers have them."""
        rows = zip(map(_key, texts), fixed(vectors), strict=True)
        with self.writing() as run:
            for key, vector in rows:
                run(
                    "INSERT OR IGNORE INTO vector VALUES (?, ?, ?)",
                    (encoder, key, vector.tobytes()),
                )

    def vectors(self, encoder: str, dim: int, texts: Sequence[str]) -> Fixed:
        """The vectors of texts that are known, int16 `(texts, dim)`; KeyError for others."""
        keys = [_key(text) for text in texts]
        known = self._known(encoder, keys)
        joined = b"".join(known[key] for key in keys)
        return np.frombuffer(joined, np.int16).reshape(-1, dim)

    def upsert(self, suppliers: Iterable[Supplier], encoder: str) -> Changes:
        """Write suppliers, all or none of them; the same id replaces what stood under it.

        Raises `EncoderChangedError` where another encoder than the one that knows their texts has
        become the current one.
        """
        added = changed = unchanged = 0
        with self.writing() as run:
            if self.setting("encoder") != encoder:
                raise EncoderChangedError(f"{self.path}: the encoder is no longer {encoder!r}.")
            for supplier in suppliers:
                record = as_json_line(supplier)
                was = run(
                    "SELECT seq, record FROM supplier WHERE id = ?", (supplier.id,)
                ).fetchone()
                if was and was[1] == record:
                    unchanged += 1
                    continue
                if was:
                    _take_out(run, was[0])
                run("INSERT INTO supplier (id, record) VALUES (?, ?)", (supplier.id, record))
                added, changed = added + (not was), changed + bool(was)
        return Changes(added, changed, unchanged)

    def delete(self, ids: Iterable[str]) -> Changes:
        """Take suppliers out, all or none of them; ids that are unknown are no error."""
        removed = 0
        with self.writing() as run:
            for one in ids:
                was = run("SELECT seq FROM supplier WHERE id = ?", (one,)).fetchone()
                if was:
                    _take_out(run, was[0])
                    removed += 1
        return Changes(removed=removed)

    def ids(self) -> set[str]:
        """The ids of all suppliers."""
        return {row[0] for row in self._all("SELECT id FROM supplier")}

    def get(self, one: str) -> Supplier | None:
        """The supplier of an id."""
        row = self._one("SELECT record FROM supplier WHERE id = ?", one)
        return _supplier(row[0]) if row else None

    def fetch(self, seqs: Sequence[int]) -> dict[int, Supplier]:
        """The suppliers under these numbers that are still there."""
        found: dict[int, Supplier] = {}
        for some in _chunks(list(seqs)):
            marks = ",".join("?" * len(some))
            sql = f"SELECT seq, record FROM supplier WHERE seq IN ({marks})"
            found |= {seq: _supplier(record) for seq, record in self._all(sql, *some)}
        return found

    def since(self, moment: Moment, until: Moment) -> Iterator[list[tuple[int, Supplier]]]:
        """Suppliers written after a moment and still there, numbered, some hundreds at a time."""
        last = moment.seq
        while True:
            rows = self._all(
                "SELECT seq, record FROM supplier WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                last, until.seq, _MANY,
            )  # fmt: skip
            if not rows:
                return
            last = rows[-1][0]
            yield [(seq, _supplier(record)) for seq, record in rows]

    def suppliers(self) -> Iterator[Supplier]:
        """All suppliers, in the order in which they were last written."""
        for some in self.since(START, self.moment()):
            yield from (supplier for _, supplier in some)

    def gone(self, moment: Moment, until: Moment) -> list[int]:
        """The numbers of suppliers taken out or replaced after a moment."""
        sql = "SELECT seq FROM gone WHERE number > ? AND number <= ?"
        return [row[0] for row in self._all(sql, moment.gone, until.gone)]

    def capabilities(self, since: Moment = START) -> Iterator[list[str]]:
        """The texts of all capabilities, those of some hundred suppliers at a time.

        Or only of suppliers written after a moment.
        """
        for some in self.since(since, self.moment()):
            yield [text for _, supplier in some for text in supplier.capabilities]

    def commune(self, key: str, department: str | None) -> tuple[float, float, str] | None:
        """Degrees and département of the most populous commune of a `place_key`."""
        sql = "SELECT lat, lon, department FROM place WHERE key = ?"
        if department:
            return self._one(f"{sql} AND department = ?", key, department)  # type: ignore[no-any-return]
        return self._one(f"{sql} ORDER BY population DESC", key)  # type: ignore[no-any-return]

    def postcode(self, code: str) -> tuple[float, float] | None:
        """Degrees of a postcode."""
        return self._one("SELECT lat, lon FROM postcode WHERE code = ?", code)  # type: ignore[no-any-return]

    def place(
        self,
        communes: Iterable[tuple[str, str, str, int, float, float]],
        postcodes: Iterable[tuple[str, float, float]],
    ) -> None:
        """Replace (key, département, name, population, lat, lon) and (code, lat, lon)."""
        with self.writing() as run:
            run("DELETE FROM place")
            run("DELETE FROM postcode")
            for commune in communes:
                run("INSERT INTO place VALUES (?, ?, ?, ?, ?, ?)", commune)
            for postcode in postcodes:
                run("INSERT OR REPLACE INTO postcode VALUES (?, ?, ?)", postcode)

    def switch(self, generation: str, encoder: str, moment: Moment) -> bool:
        """Make a generation the current one; another encoder only if nothing changed meanwhile.

        The encoder before is then known no longer.
        """
        with self.writing() as run:
            if self.setting("encoder") not in (None, encoder):
                if self.moment() != moment:
                    return False
                run("DELETE FROM encoder WHERE name != ?", (encoder,))
            self.keep(generation=generation, encoder=encoder)
            return True

    def forget(self, encoder: str, until: Moment) -> None:
        """Drop the vectors that no supplier or no known encoder needs, and read changes.

        Those of an encoder that is being switched to stay.
        """
        seen = self.moment()
        used = {_key(text) for texts in self.capabilities() for text in texts}
        held = {row[0] for row in self._all("SELECT text FROM vector WHERE encoder = ?", encoder)}
        with self.writing() as run:
            run("DELETE FROM gone WHERE number <= ?", (until.gone,))
            run("DELETE FROM vector WHERE encoder NOT IN (SELECT name FROM encoder)")
            used |= {_key(text) for texts in self.capabilities(seen) for text in texts}
            for key in held - used:
                run("DELETE FROM vector WHERE encoder = ? AND text = ?", (encoder, key))

    def backup(self, to: Path) -> None:
        """Copy the catalogue as it stands to a new file, while it is used."""
        other = sqlite3.connect(to)
        with self._lock:
            self._connection.backup(other)
        other.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """All that the block reads is of one moment, whatever other processes write meanwhile."""
        with self._lock:
            run = self._connection.execute
            run("BEGIN")
            try:
                yield
            finally:
                run("COMMIT")

    def _check_place(self) -> None:
        """Raise `CatalogueError` where the file is gone or another one: writes would be lost."""
        if self._file and self._node != _node(self._file):
            raise CatalogueError(f"{self.path} is gone, or another file. Open the folder again.")

    def _set_up(self) -> None:
        for pragma in ("synchronous = FULL", "mmap_size = 268435456", "cache_size = -16000"):
            self._connection.execute(f"PRAGMA {pragma}")
        if self.path != MEMORY:
            self._file = Path(self.path).resolve()
            self._node = _node(self._file)

    def _known(self, encoder: str, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for some in _chunks(list(dict.fromkeys(keys))):
            marks = ",".join("?" * len(some))
            sql = f"SELECT text, vector FROM vector WHERE encoder = ? AND text IN ({marks})"
            found |= dict(self._all(sql, encoder, *some))
        return found

    def _one(self, sql: str, *values: object) -> Any:  # noqa: ANN401
        with self._lock:
            return self._connection.execute(sql, values).fetchone()

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A transaction: what it wrote is on the disk when the block is left, or nothing is.

        One within another is part of it.
        """
        run = self._connection.execute
        with self._lock:
            if self._connection.in_transaction:
                yield run
                return
        with self._begun():
            try:
                yield run
                run("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite ends it itself where the disk is full
                    run("ROLLBACK")
                raise

    @contextmanager
    def _begun(self) -> Iterator[None]:
        """A turn that begins a transaction; while another process has its own, others may read."""
        end = time.monotonic() + _PATIENCE
        while True:
            with self._lock:
                if self._begin(last=time.monotonic() >= end):
                    yield
                    return
            time.sleep(_PAUSE)

    def _begin(self, *, last: bool) -> bool:
        """Begin to write, at once or not; raises, at `last`, where another process is writing."""
        self._check_place()
        run = self._connection.execute
        run("PRAGMA busy_timeout = 0")
        try:
            run("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if last or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        finally:
            run(_WAITS)
        return True


def _node(file: Path) -> int | None:
    """The number of a file on its disk; None where there is none."""
    with suppress(FileNotFoundError):
        return file.stat().st_ino
    return None


def probe(encoder: Encoder) -> Vectors:
    """The vector of a fixed sentence: it tells trained weights from others of the same name."""
    vector: Vectors = encoder.encode_capabilities([_PROBE])[0]
    return vector


def _take_out(run: Any, seq: int) -> None:  # noqa: ANN401
    run("DELETE FROM supplier WHERE seq = ?", (seq,))
    run("INSERT INTO gone (seq) VALUES (?)", (seq,))


def _supplier(record: str) -> Supplier:
    return Supplier.checked(json.loads(record))


def _key(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _bytes(vectors: Vectors) -> bytes:
    return vectors.astype(np.float32).tobytes()


def _floats(content: bytes) -> Vectors:
    return np.frombuffer(content, np.float32)


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    return (values[start : start + _MANY] for start in range(0, len(values), _MANY))
