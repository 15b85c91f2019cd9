import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CONFECTION, DECOLLETEUR, THERMOFORMEUR

from embed.encoder import FAST, Encoder, Vectors, load_encoder, weights_folder
from index import generation, switching
from index.catalogue import FILE, Catalogue
from index.engine import SupplierIndex, encoder_of
from index.suppliers import Supplier
from index.switching import switch

FOUNDRY = Supplier("fonte", "Fonderie du Lac", ("Moulage de bronze à la cire perdue",))
TEXTS = [
    *DECOLLETEUR.capabilities,
    *THERMOFORMEUR.capabilities,
    *CONFECTION.capabilities,
]


class Other:
    """An encoder of 16 dimensions: it counts letters, and keeps what it was given."""

    name = "other"
    dim = 16

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode_needs(self, texts: list[str]) -> Vectors:
        counts = np.ones((len(texts), self.dim), np.float32)
        for row, text in zip(counts, texts, strict=True):
            for letter in text.lower():
                row[ord(letter) % self.dim] += 1
        unit: Vectors = counts / np.linalg.norm(counts, axis=1, keepdims=True)
        return unit

    def encode_capabilities(self, texts: list[str]) -> Vectors:
        self.texts += texts
        return self.encode_needs(texts)

    def given(self) -> list[str]:
        """What it was given of the three suppliers and the foundry since the last time."""
        known = {*TEXTS, *FOUNDRY.capabilities}
        texts = [text for text in self.texts if text in known]
        self.texts.clear()
        return texts


@pytest.fixture
def folder(encoder: Encoder, suppliers: list[Supplier], tmp_path: Path) -> Path:
    with closing(SupplierIndex.create(tmp_path / "index", encoder)) as index:
        index.upsert(suppliers)
    return tmp_path / "index"


def kept(folder: Path) -> dict[str, int]:
    """The number of vectors kept under each encoder."""
    with closing(Catalogue.open(folder / FILE)) as catalogue, catalogue.writing() as run:
        return dict(run("SELECT encoder, count(*) FROM vector GROUP BY encoder").fetchall())


def test_a_switched_index_answers_as_one_made_with_the_other_encoder(
    folder: Path, suppliers: list[Supplier]
) -> None:
    other = Other()
    assert switch(folder, other) == 4
    assert (other.given(), encoder_of(folder)) == (TEXTS, "other")
    with closing(SupplierIndex.open(folder, other)) as index:
        fresh = SupplierIndex.build(suppliers, Other())
        assert index.suppliers == suppliers
        assert index.search("coque inox", day=1) == fresh.search("coque inox", day=1)
    assert kept(folder) == {"other": 4}
    assert other.given() == []


def test_a_text_of_many_suppliers_is_encoded_once(encoder: Encoder, tmp_path: Path) -> None:
    with closing(SupplierIndex.create(tmp_path / "index", encoder)) as index:
        index.upsert([replace(CONFECTION, id=f"s{n}") for n in range(1_200)])
    other = Other()
    assert (switch(tmp_path / "index", other), other.given()) == (1, list(CONFECTION.capabilities))


def test_a_switch_that_was_interrupted_goes_on_from_there(
    folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(batches: Iterable[list[str]]) -> Iterator[list[str]]:
        yield from list(batches)[:1]
        raise KeyboardInterrupt

    monkeypatch.setattr(switching, "BATCH", 3)
    other = Other()
    with pytest.raises(KeyboardInterrupt):
        switch(folder, other, interrupted)
    assert (other.given(), encoder_of(folder)) == (TEXTS[:3], FAST)
    with closing(SupplierIndex.open(folder, encoder)) as index:
        index.upsert([FOUNDRY])
        assert index.search("bronze à la cire perdue", 1)[0].supplier == FOUNDRY
    generation.main(folder)  # a fold meanwhile keeps what was encoded
    assert kept(folder) == {FAST: 5, "other": 3}
    assert switch(folder, other) == 2
    assert (other.given(), encoder_of(folder)) == ([TEXTS[3], *FOUNDRY.capabilities], "other")
    assert kept(folder) == {"other": 5}


def test_suppliers_written_during_a_switch_are_part_of_it(
    folder: Path, encoder: Encoder, suppliers: list[Supplier]
) -> None:
    other = Other()

    with closing(SupplierIndex.open(folder, encoder)) as index:

        def writing(batches: Iterable[list[str]]) -> Iterator[list[str]]:
            for batch in batches:
                yield batch
                index.upsert([FOUNDRY])  # after its texts were listed, before the switch
                index.delete(["arve"])

        assert switch(folder, other, writing) == 5
    with closing(SupplierIndex.open(folder, other)) as switched:
        assert switched.suppliers == [THERMOFORMEUR, CONFECTION, FOUNDRY]
        found = {s.supplier.id for s in switched.search("bronze")}
        assert found == {"ain", "vendee", "fonte"}


@pytest.mark.parametrize("ids", [[], ["arve", "ain", "vendee"]], ids=["never filled", "emptied"])
def test_an_index_without_supplier_is_switched_too(
    encoder: Encoder, suppliers: list[Supplier], tmp_path: Path, ids: list[str]
) -> None:
    with closing(SupplierIndex.create(tmp_path / "index", encoder)) as index:
        index.upsert([s for s in suppliers if s.id in ids])
        index.delete(ids)
    assert switch(tmp_path / "index", Other()) == 0
    with closing(SupplierIndex.open(tmp_path / "index", Other())) as index:
        index.upsert([DECOLLETEUR])
        assert index.search("inox", 1)[0].supplier == DECOLLETEUR


def test_an_open_index_goes_on_answering_and_writing(
    folder: Path, suppliers: list[Supplier], tmp_path: Path
) -> None:
    weights = weights_folder(FAST)
    assert weights
    shutil.copytree(weights, tmp_path / "weights")
    copied = load_encoder(str(tmp_path / "weights"))
    with (
        closing(SupplierIndex.open(folder, load_encoder("fast"))) as reader,
        closing(SupplierIndex.open(folder, load_encoder("fast"))) as writer,
        closing(SupplierIndex.open(folder, load_encoder("fast"))) as deleter,
    ):
        before = reader.search("coque en plastique", day=1)
        assert switch(folder, copied) == 4
        after = reader.search("coque en plastique", day=1)
        assert (reader.encoder.name, before[0].supplier) == (copied.name, THERMOFORMEUR)
        fresh = SupplierIndex.build(suppliers, copied).search("coque en plastique", day=1)
        assert [(s.supplier, s.score) for s in after] == [(s.supplier, s.score) for s in fresh]
        writer.upsert([FOUNDRY])
        assert (writer.encoder.name, kept(folder)) == (copied.name, {copied.name: 5})
        assert reader.search("bronze à la cire perdue", 1)[0].supplier == FOUNDRY
        deleter.delete(["ain"])
        found = {s.supplier.id for s in deleter.search("coque en plastique")}
        assert found == {"arve", "vendee", "fonte"}
