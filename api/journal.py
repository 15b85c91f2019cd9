"""What visitors say of suggestions, what judges grade, and, where asked, what is searched.

One SQLite file in the directory's folder. Feedback and judgements are on the disk when they are
acknowledged. Nothing tells who a visitor was.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from api.store import Store, now
from embed.text import clean
from index.reading import check_need
from index.suppliers import MAX_NAME

FILE = "journal.sqlite"

Action = Literal["search", "feedback", "judgement"]

MAX_REASON = 1_000
MAX_JUDGE = 100
MAX_RANK = 1_000
MAX_FEEDBACK = 100_000
"""Verdicts of visitors that are kept, the last ones: anybody may send some."""

_MOST = 50
_MANY = 1_000
_PATIENCE_MS = 50
"""What keeping a search may cost its answer, at most."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL,
    action TEXT NOT NULL, need TEXT NOT NULL, supplier TEXT, value INTEGER NOT NULL, judge TEXT,
    reason TEXT, rank INTEGER) STRICT;
CREATE INDEX IF NOT EXISTS event_action ON event (action, at);
"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `value` is 1 for a need that was answered or a supplier that suits.

    Of a judgement it is the grade, 0 to 3. `at` is UTC, ISO 8601.
    """

    number: int
    at: str
    action: Action
    need: str
    supplier: str | None
    value: int
    judge: str | None
    reason: str | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a visitor says of a suggestion: whether it suits, and why if he says."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    need: str
    supplier: str
    relevant: bool
    reason: str | None = None
    rank: Annotated[int | None, Field(ge=1, le=MAX_RANK)] = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "need", check_need(self.need))
        object.__setattr__(self, "supplier", _bounded("supplier", self.supplier, MAX_NAME))
        object.__setattr__(self, "reason", _bounded("reason", self.reason, MAX_REASON))


@dataclass(frozen=True, slots=True)
class Judgement:
    """The grade of a supplier for a need by a judge: 0 (no) to 3 (could quote tomorrow)."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    need: str
    supplier: str
    grade: Literal[0, 1, 2, 3]
    judge: str
    reason: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "need", check_need(self.need))
        object.__setattr__(self, "supplier", _bounded("supplier", self.supplier, MAX_NAME))
        object.__setattr__(self, "judge", _bounded("judge", self.judge, MAX_JUDGE))
        object.__setattr__(self, "reason", _bounded("reason", self.reason, MAX_REASON))


@dataclass(frozen=True, slots=True)
class Asked:
    """A need, how often it was searched, and how often nobody fitted."""

    need: str
    times: int
    gaps: int
    last: str


class Journal:
    """The events of one directory; processes and threads may share it.

    Searches are kept for `days`, and none where it is 0.
    """

    def __init__(self, path: Path | str, days: int = 0) -> None:
        self.days = days
        self._store = Store(path, _SCHEMA)
        self.forget()

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def searched(self, need: str, answered: bool) -> None:
        """Keep a need that was searched, if needs are kept and it costs next to no time.

        The last ones may go with the power, and those that meet a long reading or writing.
        """
        if not self.days:
            return
        with self._store.hurried(_PATIENCE_MS) as free, suppress(sqlite3.OperationalError):
            if free:
                self._add("search", need, None, int(answered), None, None, None)

    def tell(self, said: Feedback) -> None:
        """Keep what a visitor said: on the disk when it returns."""
        self._add("feedback", said.need, said.supplier, said.relevant, None, said.reason, said.rank)

    def judge(self, judged: Sequence[Judgement]) -> None:
        """Keep judgements, all or none: on the disk when it returns."""
        with self._store.writing():
            for one in judged:
                self._add(
                    "judgement", one.need, one.supplier, one.grade, one.judge, one.reason, None
                )

    def forget(self) -> None:
        """Drop searches older than they may be kept, and verdicts of visitors that are too many."""
        until = (datetime.now(UTC) - timedelta(days=self.days)).isoformat(timespec="seconds")
        self._store.forget(
            "DELETE FROM event WHERE action = 'search' AND at < ? OR action = 'feedback' AND "
            "number <= (SELECT number FROM event WHERE action = 'feedback' "
            "ORDER BY at DESC, number DESC LIMIT 1 OFFSET ?)",
            until, MAX_FEEDBACK,
        )  # fmt: skip

    def events(self, action: Action | None = None, after: int = 0) -> Iterator[Event]:
        """All events, or those of an action, in their order, from a number on."""
        return (event for page in self.pages(action, after) for event in page)

    def pages(self, action: Action | None = None, after: int = 0) -> Iterator[list[Event]]:
        """The same, up to 1,000 at a time."""
        sql = "SELECT * FROM event WHERE number > ? AND ? IN (action, '') ORDER BY number LIMIT ?"
        self.forget()
        while rows := self._store.run(sql, after, action or "", _MANY):
            after = rows[-1][0]
            yield [Event(*row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many searches, gaps, verdicts for and against, and judgements are held."""
        wanted = {
            "searches": "action = 'search'",
            "gaps": "action = 'search' AND NOT value",
            "relevant": "action = 'feedback' AND value",
            "irrelevant": "action = 'feedback' AND NOT value",
            "judgements": "action = 'judgement'",
        }
        columns = ", ".join(f"count(*) FILTER (WHERE {test})" for test in wanted.values())
        (row,) = self._store.run(f"SELECT {columns} FROM event")
        return dict(zip(wanted, row, strict=True))

    def asked(self, only_gaps: bool = False) -> list[Asked]:
        """The needs that were searched most, or most often without anybody who fits."""
        self.forget()
        rows = self._store.run(
            "SELECT need, count(*) AS times, sum(NOT value) AS gaps, max(at) FROM event "
            "WHERE action = 'search' GROUP BY need COLLATE NOCASE HAVING gaps >= ? "
            f"ORDER BY {'gaps' if only_gaps else 'times'} DESC, max(at) DESC LIMIT ?",
            int(only_gaps), _MOST,
        )  # fmt: skip
        return [Asked(*row) for row in rows]

    def _add(self, *values: object) -> None:
        self._store.run(
            "INSERT INTO event (at, action, need, supplier, value, judge, reason, rank) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            now(), *values,
        )  # fmt: skip


def ubi(event: Event, application: str = "maillon") -> str:
    """An event as a line of User Behavior Insights 1.3: a query, or an action on its object."""
    line: dict[str, object] = {
        "application": application,
        "query_id": need_id(event.need),
        "user_query": event.need,
        "timestamp": event.at,
    }
    if event.action == "search":
        return json.dumps(line | {"query_attributes": {"gap": not event.value}}, ensure_ascii=False)
    said = {"value": event.value, "judge": event.judge, "reason": event.reason}
    attributes = {
        "object": {"object_id": event.supplier, "object_id_field": "supplier"},
        "position": {"ordinal": event.rank},
        **{name: value for name, value in said.items() if value is not None},
    }
    line |= {"action_name": event.action, "event_attributes": attributes}
    return json.dumps(line, ensure_ascii=False)


def need_id(need: str) -> str:
    """A short name of a need's text, the same everywhere."""
    return hashlib.sha256(need.encode()).hexdigest()[:12]


def _bounded(name: str, text: str | None, most: int) -> str | None:
    cleaned = None if text is None else clean(text)
    if cleaned is not None and not 0 < len(cleaned) <= most:
        raise ValueError(f"{name} holds {len(cleaned):,} characters. Give 1 to {most:,}.")
    return cleaned
