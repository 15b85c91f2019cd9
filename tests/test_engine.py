import random
from dataclasses import replace
from pathlib import Path

import pytest

from embed.encoder import Encoder
from embed.errors import MaillonError
from index.demo import demo_suppliers
from index.engine import SupplierIndex
from index.reading import MAX_NEED, NeedError
from index.suppliers import Supplier


def found(index: SupplierIndex, need: str, k: int = 10) -> list[tuple[str, float]]:
    return [(s.supplier.id, s.score) for s in index.search(need, k, day=1)]


@pytest.fixture(scope="module")
def demo(encoder: Encoder) -> SupplierIndex:
    return SupplierIndex.build(demo_suppliers(), encoder)


@pytest.mark.parametrize(
    ("need", "supplier", "capability"),
    [
        (
            "pièces tournées en inox 316L",
            "arve",
            "Décolletage inox 316L et laiton, Ø 3 à 32 mm",
        ),
        (
            "une coque en plastique pour ma batterie",
            "ain",
            "Thermoformage grand format ABS et PMMA, capots et coques en plastique",
        ),
        ("COUDRE DES SACS", "vendee", "Confection de sacs et housses en toile enduite"),
    ],
)
def test_the_supplier_who_can_comes_first_with_the_capability_that_says_so(
    index: SupplierIndex, need: str, supplier: str, capability: str
) -> None:
    first = index.search(need)[0]
    assert (first.rank, first.supplier.id, first.capability) == (1, supplier, capability)


def test_ten_of_three_suppliers_are_three(index: SupplierIndex) -> None:
    assert [s.rank for s in index.search("tournage", 10)] == [1, 2, 3]


def test_a_supplier_is_suggested_once_by_its_best_capability(index: SupplierIndex) -> None:
    assert index.search("tournage CN", 3)[0].capability == "Tournage CN petites séries"
    assert sorted(s.supplier.id for s in index.search("tournage CN", 3)) == [
        "ain",
        "arve",
        "vendee",
    ]


@pytest.mark.parametrize("k", [1, 3, 10, 100])
def test_the_first_of_many_are_the_first_of_all(demo: SupplierIndex, k: int) -> None:
    need = "coque plastique pour batterie"
    everything = [(s.supplier.id, s.score) for s in demo.rerank(need, day=1)]
    assert found(demo, need, k) == everything[:k]


def test_search_and_rerank_give_a_pair_one_score(demo: SupplierIndex) -> None:
    need = "usinage 5 axes de titane, EN 9100"
    searched = {s.supplier.id: (s.score, s.capability) for s in demo.search(need, 50)}
    listed = [s for s in demo.suppliers if s.id in searched]
    random.Random(0).shuffle(listed)
    reranked = demo.rerank(need, listed)
    assert {s.supplier.id: (s.score, s.capability) for s in reranked} == searched
    assert [s.supplier.id for s in reranked] == list(searched)


def test_rerank_takes_suppliers_that_are_not_indexed(index: SupplierIndex) -> None:
    other = Supplier("x", "Autre", ("Anodisation de l'aluminium",))
    assert index.rerank("anodisation", [*index.suppliers, other])[0].supplier == other
    assert index.rerank("anodisation", []) == []


def test_a_supplier_gains_nothing_by_repeating_itself(encoder: Encoder) -> None:
    one = Supplier("one", "Un", ("Forge libre",))
    many = Supplier("two", "Deux", ("Forge libre", "Forge libre ", "forge  libre"))
    scores = [score for _, score in found(SupplierIndex.build([one, many], encoder), "forge")]
    assert scores[0] == scores[1]


def test_two_suppliers_with_the_same_sentence_are_two(encoder: Encoder) -> None:
    twins = [Supplier(name, name, ("Forge libre",)) for name in ("b", "a")]
    assert [s for s, _ in found(SupplierIndex.build(twins, encoder), "forge")] == ["a", "b"]


def test_words_are_explained_on_request(index: SupplierIndex) -> None:
    first = index.search("sacs en toile", 1, explain=True)[0]
    shown = {first.capability[mark.start : mark.end] for mark in first.highlights}
    assert {"sacs", "toile"} <= shown
    assert index.search("sacs en toile", 1)[0].highlights == ()


@pytest.mark.parametrize(
    ("need", "message"),
    [
        ("", "the need holds no word"),
        (" \x00\n", "the need holds no word"),
        ("🚲🔋 !", "the need holds no word"),
        ("a" * 5_001, "the need has 5,001 characters, at most 5,000"),
        ("vis " * 25_000, "the need has 100,000 characters, at most 5,000"),
    ],
)
def test_a_need_that_cannot_be_searched(index: SupplierIndex, need: str, message: str) -> None:
    with pytest.raises(NeedError, match=message):
        index.search(need)
    with pytest.raises(NeedError, match=message):
        index.rerank(need)


@pytest.mark.parametrize(
    "need",
    ["\x00\x01vis\x02", "🚲 vélo 🔋", "أنا أبحث", "<script>alert(1)</script>", "a" * MAX_NEED],
)
def test_odd_needs_are_answered(index: SupplierIndex, need: str) -> None:
    suggestions = index.search(need, explain=True)
    assert len(suggestions) == 3
    assert all(0 <= s.score <= 1 for s in suggestions)


@pytest.mark.parametrize("k", [0, -1, 10_000])
def test_k_outside_its_bounds_is_refused(index: SupplierIndex, k: int) -> None:
    with pytest.raises(NeedError, match=f"k is {k}. Ask for 1 to 1,000 suggestions."):
        index.search("tournage", k)


def test_a_directory_without_supplier_is_refused(encoder: Encoder) -> None:
    with pytest.raises(MaillonError, match="no supplier to index"):
        SupplierIndex.build([], encoder)


def test_an_id_that_stands_twice_is_refused(encoder: Encoder, suppliers: list[Supplier]) -> None:
    with pytest.raises(MaillonError, match="supplier id 'arve' stands twice"):
        SupplierIndex.build([*suppliers, replace(suppliers[0], name="Autre")], encoder)


def test_what_is_saved_answers_the_same(
    index: SupplierIndex, encoder: Encoder, tmp_path: Path
) -> None:
    saved = SupplierIndex.create(tmp_path / "index", encoder)
    saved.upsert(index.suppliers)
    saved.close()
    again = SupplierIndex.open(tmp_path / "index", encoder)
    assert again.suppliers == index.suppliers
    assert again.search("coque inox", explain=True) == index.search("coque inox", explain=True)
    again.close()
