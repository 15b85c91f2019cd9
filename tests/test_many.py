"""Many needs at once are answered to the last digit as one after the other."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from embed.encoder import Encoder
from eval.batch import asked, measured
from eval.bench import recombined
from index import many, segment
from index.demo import demo_suppliers
from index.engine import SUITABLE, SupplierIndex
from index.needs import Answered, Need
from index.places import Near
from index.reading import NeedError
from index.suppliers import Supplier

JUDGED = Path(__file__).parents[1] / "eval" / "data" / "needs.jsonl"
LYON = Near(city="Lyon")


@pytest.fixture(scope="module")
def demo(encoder: Encoder) -> Iterator[SupplierIndex]:
    """The demo directory, a tenth of it written again after the rest was put in order."""
    suppliers = demo_suppliers()
    built = SupplierIndex.build(suppliers[40:], encoder)
    built.upsert(suppliers[:40])
    built.delete([suppliers[0].id, suppliers[100].id])
    assert len(built.segments) == 2
    yield built
    built.close()


@pytest.fixture(scope="module")
def needs() -> list[Need]:
    lines = [json.loads(line) for line in JUDGED.read_text(encoding="utf-8").splitlines()]
    return [Need(line["id"], line["text"]) for line in lines]


def test_every_judged_need_has_the_suggestions_of_a_search(
    demo: SupplierIndex, needs: list[Need]
) -> None:
    answers = demo.answer(needs, 3)
    found = [demo.search(need.text, 3) for need in needs]
    gaps = [demo.nobody_fits(need.text, one) for need, one in zip(needs, found, strict=True)]
    assert answers == [
        Answered(need, one, gap, None) for need, one, gap in zip(needs, found, gaps, strict=True)
    ]
    assert 10 < sum(gaps) < len(needs) / 2


def test_all_suppliers_come_in_the_order_of_a_rerank(
    demo: SupplierIndex, needs: list[Need]
) -> None:
    some = needs[::12]
    assert [answered.suggestions for answered in demo.answer(some)] == [
        demo.rerank(need.text) for need in some
    ]


def test_a_need_is_answered_from_its_own_list(demo: SupplierIndex, needs: list[Need]) -> None:
    lists = [demo.suppliers[start : start + 30] for start in range(0, 300, 3)]
    given = [
        Need(need.id, need.text, tuple(supplier.id for supplier in own))
        for need, own in zip(needs, lists, strict=False)
    ]
    assert [answered.suggestions for answered in demo.answer(given)] == [
        demo.rerank(need.text, own) for need, own in zip(needs, lists, strict=False)
    ]


@pytest.mark.parametrize("cells", [1, 5_000, 10**9])
def test_what_is_in_memory_at_once_changes_nothing(
    demo: SupplierIndex, needs: list[Need], cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = demo.answer(needs[:40], 5)
    monkeypatch.setattr(many, "CELLS", cells)
    assert demo.answer(needs[:40], 5) == answers


def test_neither_does_the_size_of_the_directory(
    demo: SupplierIndex, needs: list[Need], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = demo.answer(needs[:40], 3)
    monkeypatch.setattr(segment, "EXACT", 100)  # each need by itself
    assert demo.answer(needs[:40], 3) == answers


def test_local_suppliers_that_suit_are_counted(demo: SupplierIndex, needs: list[Need]) -> None:
    placed = [Need(need.id, need.text, (), (LYON,)) for need in needs[:150]]
    expected = []
    for need in placed:
        near = demo.search(need.text, 100, near=Near(city="Lyon", max_km=150))
        suited = [found for found in near if (found.confidence or 0) >= SUITABLE]
        expected.append(0 if demo.nobody_fits(need.text, demo.search(need.text)) else len(suited))
    assert [answered.local for answered in demo.answer(placed, 3, local_km=150)] == expected
    assert {0, 1, 2} <= set(expected)


def test_the_first_place_that_is_known_counts(demo: SupplierIndex) -> None:
    unknown = Near(city="Trifouillis-les-Oies")
    lyon = demo.first_known([LYON])
    assert lyon is not None
    assert demo.first_known([unknown, LYON]) == lyon
    assert demo.first_known([unknown]) is None
    (answered,) = demo.answer([Need("", "tournage", (), (unknown,))], 1)
    assert answered.local is None


def test_an_encoder_without_calibration_counts_nobody_and_sees_no_gap(
    encoder: Encoder,
) -> None:
    built = SupplierIndex.build([Supplier("a", "A", ("Tournage",))], encoder, calibrated=False)
    (answered,) = built.answer([Need("1", "des pandas", (), (LYON,))])
    assert (answered.gap, answered.local, answered.suggestions[0].confidence) == (False, None, None)


def test_no_need_and_no_supplier_are_no_error(demo: SupplierIndex, encoder: Encoder) -> None:
    assert demo.answer([], 3) == []
    (nobody,) = demo.answer([Need("1", "tournage", ("inconnu",))], 3)
    assert (nobody.suggestions, nobody.gap) == ([], True)
    one = SupplierIndex.build([Supplier("a", "A", ("Tournage",))], encoder)
    one.delete(["a"])
    assert one.answer([Need("1", "tournage")])[0].suggestions == []


def test_the_benchmark_compares_like_with_like(encoder: Encoder) -> None:
    built = SupplierIndex.build(recombined(100), encoder)
    told = list(measured(built, asked(50), 3, 20))
    assert "  scored and ordered as by rerank: 20 of 20" in told


def test_a_need_without_words_is_refused(demo: SupplierIndex) -> None:
    with pytest.raises(NeedError, match="the need holds no word"):
        demo.answer([Need("1", "tournage"), Need("2", "!")])
