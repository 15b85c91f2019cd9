from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest

from embed.errors import MaillonError
from index.engine import SupplierIndex
from index.matching import in_lots, prepared, resumed, unknown_places, work
from index.needs import Answered, Need
from index.places import Near, PlaceError
from index.suppliers import Supplier

NEEDS = [Need("A", "coudre des sacs"), Need("B", "coque plastique"), Need("C", "tournage inox")]


class Asked:
    """Answers lots with a real index, and counts the needs that it was asked."""

    def __init__(self, index: SupplierIndex) -> None:
        self.index = index
        self.needs: list[str] = []

    def __call__(self, lot: Sequence[Need]) -> list[Answered]:
        self.needs += [need.id for need in lot]
        return self.index.answer(lot, 2)


def test_suppliers_of_a_need_are_named_by_id_or_by_name(index: SupplierIndex) -> None:
    needs = [Need("A", "des sacs", ("Coutures du Bocage", "ain")), Need("B", "une coque")]
    assert [need.suppliers for need in prepared(index, needs, None)] == [("vendee", "ain"), ()]


def test_a_supplier_that_is_not_there_names_the_need(index: SupplierIndex) -> None:
    with pytest.raises(MaillonError, match="besoin A : fournisseur « x » absent de l'annuaire"):
        prepared(index, [Need("A", "des sacs", ("x",))], None)


def test_a_place_for_all_is_for_those_that_give_none(index: SupplierIndex) -> None:
    lyon, ain = Near(city="Lyon"), Near(department="01")
    needs = [Need("A", "des sacs", (), (lyon,)), Need("B", "une coque")]
    assert [need.near for need in prepared(index, needs, "Ain")] == [(lyon,), (ain,)]
    with pytest.raises(PlaceError, match="lieu inconnu : « Trifouillis »"):
        prepared(index, needs, "Trifouillis")


def test_places_that_are_not_known_are_told_once(index: SupplierIndex) -> None:
    known, unknown = Near(city="Lyon"), Near(city="Trifouillis")
    needs = [Need("A", "a", (), (unknown,)), Need("B", "b", (), (unknown, known)), Need("C", "c")]
    assert unknown_places(index, [*needs, needs[0]]) == ["Trifouillis"]


def test_long_lists_make_small_lots() -> None:
    needs = [Need(str(n), "tournage") for n in range(600)]
    sizes = {each: [len(lot) for lot in in_lots(needs, each)] for each in (3, 1_000, 10**6)}
    assert sizes == {3: [256, 256, 88], 1_000: [50] * 12, 10**6: [1] * 600}


def test_what_is_kept_is_not_sought_again(index: SupplierIndex, tmp_path: Path) -> None:
    kept, lots = tmp_path / "kept.jsonl", in_lots(NEEDS, 50_000)
    expected = index.answer(NEEDS, 2)
    first = Asked(index)
    assert list(islice(resumed(kept, "work", lots, first), 2)) == expected[:2]
    again = Asked(index)
    assert list(resumed(kept, "work", lots, again)) == expected
    assert (first.needs, again.needs) == (["A", "B"], ["C"])
    once_more = Asked(index)
    assert list(resumed(kept, "work", lots, once_more)) == expected
    assert once_more.needs == []


def test_a_lot_that_was_being_written_is_sought_again(index: SupplierIndex, tmp_path: Path) -> None:
    kept, lots = tmp_path / "kept.jsonl", in_lots(NEEDS, 50_000)
    expected = list(resumed(kept, "work", lots, Asked(index)))
    whole = kept.read_bytes()
    for torn in (1, len(whole.splitlines()[-1]), len(whole) - 5, len(whole)):
        kept.write_bytes(whole[:-torn])
        assert list(resumed(kept, "work", lots, Asked(index))) == expected
        assert kept.read_bytes() == whole


def test_what_was_kept_of_other_work_is_not_used(index: SupplierIndex, tmp_path: Path) -> None:
    kept, lots = tmp_path / "kept.jsonl", in_lots(NEEDS, 50_000)
    list(resumed(kept, "work", lots, Asked(index)))
    asked = Asked(index)
    list(resumed(kept, "other", lots, asked))
    assert asked.needs == ["A", "B", "C"]
    assert kept.read_bytes().startswith(b"other\n")


def test_work_differs_by_file_directory_and_setting(index: SupplierIndex, tmp_path: Path) -> None:
    file = tmp_path / "besoins.csv"
    file.write_text("besoin\ndes sacs\n")
    first = work(index, [file], 3)
    assert work(index, [file], 3) == first
    assert work(index, [file], 4) != first
    file.write_text("besoin\ndes sacs !\n")
    second = work(index, [file], 3)
    assert second != first
    index.upsert([Supplier("new", "Neuf", ("Forge libre",))])
    assert work(index, [file], 3) != second
