import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CONFECTION, DECOLLETEUR, THERMOFORMEUR

from embed.encoder import Encoder, Vectors
from embed.errors import MaillonError
from index.catalogue import (
    FILE,
    NEW,
    START,
    Catalogue,
    CatalogueError,
    Changes,
    EncoderChangedError,
)
from index.concepts import Concepts
from index.engine import SupplierIndex, encoder_of
from index.suppliers import Supplier

NAME = "maillon-static-3"
ODD = Supplier(
    "'); DROP TABLE supplier; --",
    'Dupont "100 %" & Fils \\',
    ("Découpe ? de tôles : 3 % de chutes'); DELETE FROM vector; --", "NULL", "* OR 1=1 _%"),
)


class Other:
    """An encoder of two dimensions, that places every text at one point."""

    name = "other"
    dim = 2

    def __init__(self, x: float = 0.6, y: float = 0.8) -> None:
        self._point = np.array([x, y], np.float32)

    def encode_needs(self, texts: list[str]) -> Vectors:
        return np.tile(self._point, (len(texts), 1))

    encode_capabilities = encode_needs


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    made = Catalogue.create(tmp_path / FILE)
    made.keep(encoder=NAME)
    yield made
    made.close()


def filled(folder: Path, encoder: Encoder, suppliers: list[Supplier]) -> None:
    with closing(SupplierIndex.create(folder, encoder)) as index:
        index.upsert(suppliers)


def settled(path: Path) -> None:
    """Bring what stands in the write-ahead log into the file, and cut the log."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_what_a_call_returned_from_is_on_the_disk(catalogue: Catalogue, tmp_path: Path) -> None:
    with catalogue.writing() as run:
        assert run("PRAGMA journal_mode").fetchone() == ("wal",)
        assert run("PRAGMA synchronous").fetchone() == (2,)  # FULL
    with closing(Catalogue.open(tmp_path / FILE)) as again, again.writing() as run:
        assert run("PRAGMA journal_mode").fetchone() == ("wal",)
        assert run("PRAGMA synchronous").fetchone() == (2,)


def test_an_upsert_says_what_it_changed(catalogue: Catalogue) -> None:
    moved = replace(DECOLLETEUR, city="Bonneville")
    assert catalogue.upsert([DECOLLETEUR, THERMOFORMEUR], NAME) == Changes(added=2)
    assert catalogue.upsert([moved, THERMOFORMEUR, CONFECTION], NAME) == Changes(1, 1, 1, 0)
    assert list(catalogue.suppliers()) == [THERMOFORMEUR, moved, CONFECTION]
    assert catalogue.delete(["ain", "nobody", "ain"]) == Changes(removed=1)
    assert list(catalogue.suppliers()) == [moved, CONFECTION]
    assert (len(catalogue), catalogue.ids()) == (2, {"arve", "vendee"})
    assert (catalogue.get("arve"), catalogue.get("ain")) == (moved, None)


def test_an_id_given_twice_keeps_what_came_last(catalogue: Catalogue) -> None:
    renamed = replace(DECOLLETEUR, name="Arve Précision")
    assert catalogue.upsert([DECOLLETEUR, renamed], NAME) == Changes(added=1, changed=1)
    assert list(catalogue.suppliers()) == [renamed]


def test_an_index_refuses_an_id_given_twice_and_writes_nothing(
    encoder: Encoder, tmp_path: Path
) -> None:
    with closing(SupplierIndex.create(tmp_path / "index", encoder)) as index:
        with pytest.raises(MaillonError, match="supplier id 'arve' stands twice"):
            index.upsert([THERMOFORMEUR, DECOLLETEUR, replace(DECOLLETEUR, name="Autre")])
        assert index.suppliers == []


def test_of_an_upsert_that_fails_midway_nothing_is_written(catalogue: Catalogue) -> None:
    def interrupted() -> Iterator[Supplier]:
        yield replace(DECOLLETEUR, city="Bonneville")
        yield CONFECTION
        raise KeyboardInterrupt

    catalogue.upsert([DECOLLETEUR], NAME)
    moment = catalogue.moment()
    with pytest.raises(KeyboardInterrupt):
        catalogue.upsert(interrupted(), NAME)
    assert (list(catalogue.suppliers()), catalogue.moment()) == ([DECOLLETEUR], moment)
    assert catalogue.upsert([CONFECTION], NAME) == Changes(added=1)


def test_of_a_deletion_that_fails_midway_nothing_is_taken_out(catalogue: Catalogue) -> None:
    catalogue.upsert([DECOLLETEUR, CONFECTION], NAME)
    with pytest.raises(sqlite3.Error):
        catalogue.delete(["arve", ["no id"]])  # type: ignore[list-item]
    assert list(catalogue.suppliers()) == [DECOLLETEUR, CONFECTION]


def test_a_full_disk_refuses_a_change_and_the_next_one_is_durable(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    catalogue.upsert([DECOLLETEUR], NAME)
    many = [Supplier(f"s{n}", "Atelier", ("Forge libre " * 150,)) for n in range(100)]
    with catalogue.writing() as run:
        pages = run("PRAGMA page_count").fetchone()[0]
        run(f"PRAGMA max_page_count = {pages + 10}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        catalogue.upsert(many, NAME)
    assert list(catalogue.suppliers()) == [DECOLLETEUR]
    with catalogue.writing() as run:
        run("PRAGMA max_page_count = 1000000")
    assert catalogue.upsert([CONFECTION], NAME) == Changes(added=1)
    with closing(Catalogue.open(tmp_path / FILE)) as again:
        assert list(again.suppliers()) == [DECOLLETEUR, CONFECTION]


def test_a_change_that_waits_for_another_process_lets_others_read(catalogue: Catalogue) -> None:
    catalogue.upsert([CONFECTION], NAME)
    with closing(sqlite3.connect(catalogue.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(catalogue.upsert, [THERMOFORMEUR], NAME)
            time.sleep(0.2)
            assert catalogue.get(CONFECTION.id) == CONFECTION
            assert not waiting.done()
            other.execute("ROLLBACK")
            assert waiting.result() == Changes(added=1)
    assert catalogue.get(THERMOFORMEUR.id) == THERMOFORMEUR


def test_suppliers_are_not_written_under_an_encoder_that_is_no_longer_current(
    catalogue: Catalogue,
) -> None:
    with pytest.raises(EncoderChangedError, match="the encoder is no longer 'other'"):
        catalogue.upsert([DECOLLETEUR], "other")
    assert len(catalogue) == 0


def test_ids_and_texts_are_data_never_sql(encoder: Encoder, tmp_path: Path) -> None:
    filled(tmp_path / "index", encoder, [ODD, DECOLLETEUR])
    with closing(SupplierIndex.open(tmp_path / "index", encoder)) as index:
        assert index.suppliers == [ODD, DECOLLETEUR]
        assert index.search(ODD.capabilities[0], 1)[0].supplier == ODD
        assert index.delete(["%", "' OR '1'='1", "s_"]) == Changes()
        assert index.delete([ODD.id]) == Changes(removed=1)
        assert index.suppliers == [DECOLLETEUR]
        assert index.search("découpe de tôles")[0].supplier == DECOLLETEUR


def test_many_ids_are_fetched_at_once(catalogue: Catalogue) -> None:
    many = [Supplier(f"s{n}", f"Atelier {n}", ("Forge libre",)) for n in range(1_200)]
    assert catalogue.upsert(many, NAME) == Changes(added=1_200)
    assert list(catalogue.fetch(range(1, 1_201)).values()) == many
    assert list(catalogue.suppliers()) == many
    assert catalogue.delete(f"s{n}" for n in range(1_199)) == Changes(removed=1_199)
    assert catalogue.fetch(range(1, 1_201)) == {1_200: many[-1]}
    assert catalogue.gone(START, catalogue.moment()) == list(range(1, 1_200))


def test_a_catalogue_of_another_format_is_told(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.keep(format=9)
    with pytest.raises(CatalogueError) as caught:
        Catalogue.open(tmp_path / FILE)
    assert str(caught.value) == (
        f"{tmp_path / FILE} has format 9, this version reads 3. Index the directory again into a "
        "new folder."
    )


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def overwritten(content: bytes) -> bytes:
    return b"\0" * 4096 + content[4096:]


@pytest.mark.parametrize(
    "damage", [cut_off, overwritten, lambda _: b"", lambda _: b"id;nom\n" * 99]
)
def test_a_damaged_catalogue_names_the_command_that_restores_it(
    encoder: Encoder, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    folder = tmp_path / "index"
    filled(folder, encoder, [DECOLLETEUR])
    settled(folder / FILE)
    (folder / FILE).write_bytes(damage((folder / FILE).read_bytes()))
    with pytest.raises(CatalogueError, match="is damaged .* maillon restore BACKUP --to"):
        SupplierIndex.open(folder, encoder)
    with pytest.raises(CatalogueError, match="is damaged .* maillon restore BACKUP --to"):
        encoder_of(folder)


def test_a_missing_catalogue_names_the_command_that_makes_one(
    encoder: Encoder, tmp_path: Path
) -> None:
    with pytest.raises(CatalogueError, match=r"holds no index .*not found.* maillon index"):
        SupplierIndex.open(tmp_path, encoder)


def test_a_folder_of_something_else_is_left_alone(encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(CatalogueError, match="is no maillon index: it is left as it is"):
        SupplierIndex.create(tmp_path, encoder)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_another_encoder_is_refused_with_both_names(encoder: Encoder, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    filled(folder, encoder, [DECOLLETEUR])
    with pytest.raises(CatalogueError) as caught:
        SupplierIndex.open(folder, Other())
    assert str(caught.value) == (
        f"{folder} was made with encoder '{NAME}', the one loaded is 'other'. Open it with "
        f"--encoder {NAME}, or switch it: maillon reindex --index {folder} --encoder other"
    )
    assert encoder_of(folder) == NAME


def test_other_weights_under_the_same_name_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    filled(folder, Other(), [DECOLLETEUR])
    with pytest.raises(CatalogueError, match="made with other weights of encoder 'other'"):
        SupplierIndex.open(folder, Other(0.8, -0.6))
    with closing(SupplierIndex.open(folder, Other())) as index:
        assert index.suppliers == [DECOLLETEUR]


def test_a_backup_taken_while_the_index_is_used_is_restored_whole(
    encoder: Encoder, tmp_path: Path
) -> None:
    with closing(SupplierIndex.create(tmp_path / "index", encoder)) as index:
        index.upsert([DECOLLETEUR, THERMOFORMEUR])
        with closing(Catalogue.open(tmp_path / "index" / FILE)) as other:
            other.backup(tmp_path / "backup.sqlite")
        index.upsert([CONFECTION])
        index.delete(["arve"])
        before = index.search("coque en plastique")
    (tmp_path / "restored").mkdir()
    with closing(Catalogue.open(tmp_path / "backup.sqlite")) as backup:
        backup.backup(tmp_path / "restored" / FILE)
    with closing(SupplierIndex.open(tmp_path / "restored", encoder)) as restored:
        assert restored.suppliers == [DECOLLETEUR, THERMOFORMEUR]
        assert restored.search("décolletage", 1)[0].supplier == DECOLLETEUR
        restored.upsert([CONFECTION])
        restored.delete(["arve"])
        assert [s.supplier for s in restored.search("coque en plastique")] == [
            s.supplier for s in before
        ]


def test_only_vectors_that_nobody_uses_are_forgotten(
    catalogue: Catalogue, encoder: Encoder
) -> None:
    shared = replace(CONFECTION, id="doublon")
    suppliers = [DECOLLETEUR, THERMOFORMEUR, CONFECTION, shared]
    texts = [text for supplier in suppliers for text in supplier.capabilities]
    catalogue.know(encoder, Concepts.build(encoder))
    catalogue.learn(NAME, texts, encoder.encode_capabilities(texts))
    catalogue.learn("abandoned", texts, encoder.encode_capabilities(texts))
    catalogue.upsert(suppliers, NAME)
    catalogue.delete(["arve", "vendee"])
    catalogue.forget(NAME, catalogue.moment())
    assert catalogue.missing(NAME, texts) == list(DECOLLETEUR.capabilities)
    assert catalogue.missing("abandoned", texts) == list(dict.fromkeys(texts))
    assert catalogue.gone(START, catalogue.moment()) == []
    with pytest.raises(KeyError):
        catalogue.vectors(NAME, encoder.dim, DECOLLETEUR.capabilities)


def test_a_vector_is_kept_to_the_fourth_decimal(catalogue: Catalogue, encoder: Encoder) -> None:
    texts = list(DECOLLETEUR.capabilities)
    vectors = encoder.encode_capabilities(texts)
    catalogue.learn(NAME, texts, vectors)
    kept = catalogue.vectors(NAME, encoder.dim, texts[::-1]) / 32_767
    assert np.abs(kept[::-1] - vectors).max() < 1e-4


def test_a_making_that_was_killed_is_begun_again(tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / f"{FILE}{NEW}").write_bytes(b"SQLite format 3\0 and no more")
    filled(tmp_path, encoder, [CONFECTION])
    assert not (tmp_path / f"{FILE}{NEW}").exists()
    with closing(SupplierIndex.open(tmp_path, encoder)) as index:
        assert index.suppliers == [CONFECTION]


def test_nothing_is_acknowledged_in_a_folder_that_is_gone(tmp_path: Path) -> None:
    catalogue = Catalogue.create(tmp_path / FILE)
    catalogue.keep(encoder="un")
    (tmp_path / FILE).rename(tmp_path / "ailleurs.sqlite")
    with pytest.raises(CatalogueError, match="is gone, or another file. Open the folder again."):
        catalogue.keep(encoder="deux")
    (tmp_path / "ailleurs.sqlite").rename(tmp_path / FILE)
    catalogue.keep(encoder="deux")
    assert catalogue.setting("encoder") == "deux"
    catalogue.close()
