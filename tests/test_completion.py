from pathlib import Path

import pytest

from index.completion import Completion, Completions
from index.engine import SupplierIndex

SHEETS = [
    "Thermoformage de capots",
    "Brunissage de canons",
    "Tournage long de barres de 3 m, reprise de centres, dressage et contrôle par ultrasons",
]


@pytest.fixture(scope="module")
def completions() -> Completions:
    return Completions.learn(SHEETS)


def texts(found: list[Completion]) -> list[str]:
    return [one.text for one in found]


def test_what_is_typed_becomes_a_trade_that_begins_so(completions: Completions) -> None:
    first = completions.complete("thermof", 1)
    assert first == [Completion("thermoformage", "trade")]
    assert texts(completions.complete("découpe la", 1)) == ["découpe laser"]


def test_accents_case_and_spaces_are_as_one_likes(completions: Completions) -> None:
    wanted = completions.complete("découpe la")
    assert completions.complete("DECOUPE  la") == wanted


def test_sheets_of_the_directory_complete_too(completions: Completions) -> None:
    assert completions.complete("brunissage de can") == [
        Completion("Brunissage de canons", "capability")
    ]
    assert texts(completions.complete("canons")) == ["canons", "Brunissage de canons"]
    assert completions.complete("tournage long de barres de 3 m") == []  # a sentence, no term


@pytest.mark.parametrize("typed", ["", " ", "t", "\n", "zzzz", "\ud83d", "th" * 3_000])
def test_nothing_is_completed_from_nothing(completions: Completions, typed: str) -> None:
    assert completions.complete(typed) == []


def test_at_most_k_each_once(completions: Completions) -> None:
    found = texts(completions.complete("soud", 20))
    assert len(found) == len(set(found)) == 20


def test_they_are_kept_beside_the_generation(completions: Completions, tmp_path: Path) -> None:
    completions.save(tmp_path)
    opened = Completions.open(tmp_path)
    for typed in ("th", "usinage", "brun", "découpe l"):
        assert opened.complete(typed) == completions.complete(typed)


def test_an_index_completes_by_its_own_sheets(index: SupplierIndex) -> None:
    assert "Tournage CN petites séries" in texts(index.complete("petites sér", 20))


def test_suppliers_like_another_leave_it_out(index: SupplierIndex) -> None:
    supplier = index.catalogue.get("vendee")
    assert supplier
    found = index.similar(supplier, 2)
    assert [one.rank for one in found] == [1, 2]
    assert {one.supplier.id for one in found} == {"arve", "ain"}
