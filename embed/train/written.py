"""Our own written data: the lexicon of trades and the needs answered by a sheet, with their splits.

The test part serves no training and no dev measure.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import embed
from embed.train.positives import Positives

WRITTEN = Path(embed.__path__[0])
"""Folder that holds `lexicon` and `pairs`."""

Split = Literal["train", "dev", "test"]


class Entry(NamedTuple):
    """What the lexicon says of one trade."""

    id: str
    branch: str
    label: str
    synonyms: list[str]
    definition: str
    products: list[str]
    materials: list[str]
    lay: list[str]

    @property
    def place(self) -> str:
        """The branch with its sector, which is the first half of the identifier."""
        return f"{self.id.partition('/')[0]}/{self.branch}"

    @property
    def names(self) -> str:
        """Label and synonyms in one text."""
        return ", ".join([self.label, *self.synonyms])

    @property
    def sheet(self) -> str:
        """Label, synonyms and definition in one text."""
        return f"{self.names}. {self.definition}"


class Answered(NamedTuple):
    """A workshop's sheet, needs that it meets, and sheets near it that do not meet them."""

    id: str
    sheet: str
    needs: list[str]
    negatives: list[str]


def split(key: str) -> Split:
    """Tell by hash the part of a key: one in ten is dev, one in ten test, the rest train."""
    digest = hashlib.blake2b(key.encode(), digest_size=4).digest()
    named: dict[int, Split] = {0: "dev", 1: "test"}
    return named.get(int.from_bytes(digest, "big") % 10, "train")


def lexicon(folder: Path) -> list[Entry]:
    """Read every entry, sector by sector; a branch has one split: `split(entry.place)`."""
    names = Entry._fields
    return [Entry(*(line[name] for name in names)) for line in _lines(folder / "lexicon")]


def answered(folder: Path) -> list[Answered]:
    """Read every sheet with its needs; a line has one split: `split(line.id)`."""
    return [
        Answered(line["id"], line["sheet"], [n["text"] for n in line["needs"]], line["negatives"])
        for line in _lines(folder / "pairs")
    ]


def texts(entries: list[Entry], pairs: list[Answered]) -> list[str]:
    """List the texts of the train parts, once each."""
    of_trades = [
        text
        for entry in entries
        if split(entry.place) == "train"
        for text in (entry.sheet, *entry.products, *entry.materials, *entry.lay)
    ]
    of_needs = [
        text
        for pair in pairs
        if split(pair.id) == "train"
        for text in (pair.sheet, *pair.needs, *pair.negatives)
    ]
    return list(dict.fromkeys(of_trades + of_needs))


def positives(entries: list[Entry], pairs: list[Answered]) -> list[Positives]:
    """List the pairs of the train parts that belong together, without negatives, by source."""
    kept = [entry for entry in entries if split(entry.place) == "train"]
    columns = {
        "lexicon-lay": [(text, entry.sheet) for entry in kept for text in entry.lay],
        "lexicon-lay-names": [(text, entry.names) for entry in kept for text in entry.lay],
        "lexicon-products": [(text, entry.label) for entry in kept for text in entry.products],
        "lexicon-names": [(text, entry.definition) for entry in kept for text in entry.synonyms],
        "needs": [
            (t, pair.sheet) for pair in pairs if split(pair.id) == "train" for t in pair.needs
        ],
    }
    return [
        Positives(source, [left for left, _ in rows], [right for _, right in rows])
        for source, rows in columns.items()
    ]


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Read the complete lines of the folder's JSONL files; one still being written is left out."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue
