"""The written training pairs: what holds for every line."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from embed.lexicon import read_lexicon
from embed.text import fold
from index.demo import demo_suppliers

FOLDER = Path(__file__).parents[1] / "embed" / "pairs"
REGISTERS = {"mots-clés", "phrase", "détaillé", "profane", "mail", "asie"}
LINES = [
    json.loads(line)
    for file in sorted(FOLDER.glob("*.jsonl"))
    for line in file.read_text(encoding="utf-8").split("\n")
    if line
]


def _sheets(line: dict[str, Any]) -> list[str]:
    return [line["sheet"], *(near["text"] for near in line["negatives"])]


def test_each_line_is_a_sheet_with_needs_in_different_registers_and_hard_negatives() -> None:
    for line in LINES:
        assert line.keys() == {"id", "sector", "sheet", "trades", "needs", "negatives"}, line["id"]
        registers = [need["register"] for need in line["needs"]]
        assert len(registers) >= 2, line["id"]
        assert len(set(registers)) == len(registers), line["id"]
        assert set(registers) <= REGISTERS, line["id"]
        assert all(need.keys() == {"register", "text"} for need in line["needs"]), line["id"]
        assert line["negatives"], line["id"]
        assert all(near.keys() == {"text", "trades"} for near in line["negatives"]), line["id"]


def test_there_are_three_thousand_pairs_and_every_register_is_well_represented() -> None:
    counts = Counter(need["register"] for line in LINES for need in line["needs"])
    assert counts.total() >= 3_000
    assert min(counts.values()) >= counts.total() / 10


def test_every_trade_that_a_sheet_names_is_in_the_lexicon() -> None:
    known = {entry.id for entry in read_lexicon()}
    for line in LINES:
        trades = [*line["trades"], *(one for near in line["negatives"] for one in near["trades"])]
        assert known.issuperset(trades), line["id"]


def test_no_text_stands_twice() -> None:
    texts = Counter(fold(line["sheet"]) for line in LINES)
    texts += Counter(fold(need["text"]) for line in LINES for need in line["needs"])
    assert [text for text, count in texts.items() if count > 1] == []
    assert len({line["id"] for line in LINES}) == len(LINES)


def test_nothing_is_taken_from_the_demo_directory() -> None:
    demo = {fold(text) for supplier in demo_suppliers() for text in supplier.capabilities}
    written = {fold(text) for line in LINES for text in _sheets(line)}
    assert demo & written == set()
