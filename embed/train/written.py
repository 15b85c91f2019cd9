"""Our own written data: the lexicon, what people ask for, needs answered by a sheet; their splits.

The test part serves no training and no dev measure.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import embed
from embed.lexicon import Ask, Entry, read_asks, read_lexicon
from embed.train.positives import Positives

WRITTEN = Path(embed.__path__[0])
"""Folder that holds `lexicon` and `pairs`."""

Split = Literal["train", "dev", "test"]


class Sheet(NamedTuple):
    """What a workshop says of itself, and the ids of its trades, the main one first."""

    text: str
    ids: tuple[str, ...]


class Answered(NamedTuple):
    """A workshop's sheet, needs that it meets, and sheets near it that do not meet them."""

    id: str
    sheet: Sheet
    needs: list[str]
    negatives: list[Sheet]

    @property
    def sheets(self) -> list[Sheet]:
        """The right sheet, then those near it."""
        return [self.sheet, *self.negatives]


class Written(NamedTuple):
    """All that we wrote, or a part of it."""

    entries: list[Entry]
    asks: list[Ask]
    lines: list[Answered]


def split(key: str) -> Split:
    """Tell by hash the part of a key: one in ten is dev, one in ten test, the rest train."""
    digest = hashlib.blake2b(key.encode(), digest_size=4).digest()
    named: dict[int, Split] = {0: "dev", 1: "test"}
    return named.get(int.from_bytes(digest, "big") % 10, "train")


def read(folder: Path) -> Written:
    """Read all parts. Raises `LexiconError` if the lexicon has a fault."""
    entries = read_lexicon(folder / "lexicon")
    asks = read_asks(entries, folder / "lexicon")
    return Written(entries, asks, [_answered(line) for line in _lines(folder / "pairs")])


def taught(whole: Written) -> Written:
    """Keep the train part.

    A whole branch of trades has one split, by its `place`, so has an ask, by its text, and a sheet
    with its needs, by its id. What is kept does not name the trades of the branches held out.
    """
    entries = [entry for entry in whole.entries if split(entry.place) == "train"]
    known = {entry.id for entry in entries}

    def named(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(one for one in ids if one in known)

    asks = [Ask(a.text, named(a.ids)) for a in whole.asks if split(a.text) == "train"]
    lines = [
        line._replace(
            sheet=line.sheet._replace(ids=named(line.sheet.ids)),
            negatives=[near._replace(ids=named(near.ids)) for near in line.negatives],
        )
        for line in whole.lines
        if split(line.id) == "train"
    ]
    return Written(entries, [ask for ask in asks if ask.ids], lines)


def texts(part: Written) -> list[str]:
    """List the texts of a part, once each."""
    found = [
        text
        for entry in part.entries
        for text in (entry.sheet, *entry.products, *entry.materials, *entry.lay)
    ]
    found += [ask.text for ask in part.asks]
    for line in part.lines:
        found += [*(sheet.text for sheet in line.sheets), *line.needs]
    return list(dict.fromkeys(found))


def positives(part: Written) -> list[Positives]:
    """List the pairs of a part that belong together, without negatives, by source."""
    entries, names = part.entries, {entry.id: entry.names for entry in part.entries}
    columns = {
        "lexicon-lay": [(text, entry.sheet) for entry in entries for text in entry.lay],
        "lexicon-lay-names": [(text, entry.names) for entry in entries for text in entry.lay],
        "asks": [(ask.text, names[ask.ids[0]]) for ask in part.asks],
        "lexicon-products": [(text, entry.label) for entry in entries for text in entry.products],
        "lexicon-names": [(text, entry.definition) for entry in entries for text in entry.synonyms],
        "needs": [(need, line.sheet.text) for line in part.lines for need in line.needs],
    }
    return [
        Positives(source, [left for left, _ in rows], [right for _, right in rows])
        for source, rows in columns.items()
    ]


def _answered(line: dict[str, Any]) -> Answered:
    needs = [need["text"] for need in line["needs"]]
    negatives = [Sheet(near["text"], tuple(near["trades"])) for near in line["negatives"]]
    return Answered(line["id"], Sheet(line["sheet"], tuple(line["trades"])), needs, negatives)


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.jsonl")):
        yield from map(json.loads, path.read_text("utf-8").splitlines())
