"""The French industrial lexicon: what a workshop can do, and how those who do not know it ask.

One JSONL file a sector, one entry a line, written from trade knowledge; in `asks`, one TSV file a
field of life, one ask a line. `python -m embed.lexicon` checks and counts both.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

from embed.errors import MaillonError
from embed.text import fold, words

FOLDER = Path(__file__).parent

LEAST_LAY = 5
MOST_TRADES = 4
ALIKE = 0.6
"""Share of common words in two definitions from which they are taken for one."""

_ID = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
_LISTS = ("synonyms", "products", "materials", "lay", "standards", "related")
_TEXTS = ("id", "branch", "label", "definition")


class LexiconError(MaillonError):
    """Every fault of a lexicon, a line each: file, line, what is wrong."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """What an entry is mistaken for, and why that is something else."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A capability concept. `lay` holds the ways in which people who ignore the trade ask for it.

    `id` is "sector/slug"; `branch` a family inside the sector; `related` ids of other entries.
    """

    id: str
    branch: str
    label: str
    synonyms: tuple[str, ...]
    definition: str
    products: tuple[str, ...]
    materials: tuple[str, ...]
    lay: tuple[str, ...]
    confusions: tuple[Confusion, ...]
    standards: tuple[str, ...]
    related: tuple[str, ...]

    @property
    def sector(self) -> str:
        """The file that holds the entry."""
        return self.id.partition("/")[0]

    @property
    def place(self) -> str:
        """The branch with its sector: "sector/branch"."""
        return f"{self.sector}/{self.branch}"

    @property
    def names(self) -> str:
        """Label and synonyms in one text."""
        return ", ".join([self.label, *self.synonyms])

    @property
    def sheet(self) -> str:
        """Label, synonyms and definition in one text, as a workshop might describe itself."""
        return f"{self.names}. {self.definition}"


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asks for, and the ids of the trades that make it, the most fitting first."""

    text: str
    ids: tuple[str, ...]


def read_lexicon(folder: Path = FOLDER) -> list[Entry]:
    """Every entry, sector by sector; raises `LexiconError` listing every fault found."""
    found = list(_lines(folder))
    faults = [fault for place, record in found for fault in _faults(place, record)]
    if faults:
        raise LexiconError("\n".join(faults))
    entries = [_entry(record) for _, record in found]
    faults = [*_twice(entries), *_dead(entries)]
    if faults:
        raise LexiconError("\n".join(faults))
    return entries


@cache
def lexicon() -> tuple[Entry, ...]:
    """Every entry of ours, read once."""
    return tuple(read_lexicon())


def read_asks(entries: Iterable[Entry], folder: Path = FOLDER) -> list[Ask]:
    """Every ask of `folder / "asks"`; raises `LexiconError` listing every fault found.

    A line is the ask, a tab, and the ids of one to four of the entries, a blank between them.
    """
    known = {entry.id for entry in entries}
    found: dict[str, Ask] = {}
    faults: list[str] = []
    for place, line in _ask_lines(folder / "asks"):
        text, _, ids = line.partition("\t")
        ask = Ask(text.strip(), tuple(ids.split()))
        faults += [f"{place}: {fault}" for fault in _ask_faults(ask, known)]
        if found.setdefault(fold(ask.text), ask) is not ask:
            faults.append(f"{place}: stands twice: {ask.text}")
    if faults:
        raise LexiconError("\n".join(faults))
    return list(found.values())


def near_duplicates(entries: Iterable[Entry]) -> list[tuple[str, str]]:
    """Pairs of ids with one label, one lay phrase, or definitions of mostly the same words."""
    read = [(e, fold(e.label), {fold(x) for x in e.lay}, _stems(e.definition)) for e in entries]
    return [
        (one.id, other.id)
        for (one, label, lay, stems), (other, label_2, lay_2, stems_2) in combinations(read, 2)
        if label == label_2 or lay & lay_2 or len(stems & stems_2) >= ALIKE * len(stems | stems_2)
    ]


def _lines(folder: Path) -> Iterator[tuple[str, Any]]:
    for file in sorted(folder.glob("*.jsonl")):
        for line, text in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
            if text:
                yield f"{file.name}:{line}", _json(text)


def _ask_lines(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.glob("*.tsv")):
        for line, text in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
            if text:
                yield f"{file.name}:{line}", text


def _ask_faults(ask: Ask, known: set[str]) -> Iterator[str]:
    if not ask.text:
        yield "no text before the tab"
    if not 1 <= len(ask.ids) <= MOST_TRADES:
        yield f"{len(ask.ids)} ids after the tab, 1 to {MOST_TRADES} are wanted"
    yield from (f"{one} is no entry" for one in ask.ids if one not in known)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _faults(place: str, record: object) -> Iterator[str]:
    if not isinstance(record, dict):
        yield f"{place}: no JSON object"
        return
    if odd := record.keys() ^ {*_TEXTS, *_LISTS, "not"}:
        yield f"{place}: fields missing or unknown: {', '.join(sorted(odd))}"
        return
    sector = place.partition(".jsonl")[0]
    if not (_ID.fullmatch(str(record["id"])) and record["id"].startswith(f"{sector}/")):
        yield f"{place}: id {record['id']!r} is not {sector}/slug"
    for name in _TEXTS:
        if not isinstance(record[name], str) or not record[name].strip():
            yield f"{place}: {name} is no text"
    for name in _LISTS:
        values = record[name]
        if not (isinstance(values, list) and all(isinstance(v, str) and v.strip() for v in values)):
            yield f"{place}: {name} is no list of texts"
    if len(record["lay"]) < LEAST_LAY:
        yield f"{place}: {len(record['lay'])} lay phrases, at least {LEAST_LAY} are wanted"
    if not all(isinstance(x, dict) and x.keys() == {"what", "why"} for x in record["not"]):
        yield f'{place}: "not" holds something else than what and why'


def _entry(record: dict[str, Any]) -> Entry:
    confusions = tuple(Confusion(**confusion) for confusion in record["not"])
    fields: dict[str, Any] = {name: record[name] for name in _TEXTS}
    fields |= {name: tuple(record[name]) for name in _LISTS}
    return Entry(**fields, confusions=confusions)


def _twice(entries: list[Entry]) -> Iterator[str]:
    counts = Counter(entry.id for entry in entries)
    yield from (f"{id_}: stands {count} times" for id_, count in counts.items() if count > 1)


def _dead(entries: list[Entry]) -> Iterator[str]:
    known = {entry.id for entry in entries}
    for entry in entries:
        for other in entry.related:
            if other not in known or other == entry.id:
                yield f"{entry.id}: related to {other}, which is no other entry"


def _stems(text: str) -> set[str]:
    return {word.stem for word in words(text)}
