import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import CONFECTION, DECOLLETEUR, THERMOFORMEUR

from embed.encoder import Encoder, Vectors
from eval.durability import Faults, Trying
from index import generation, living
from index.catalogue import FILE, Catalogue, Changes, Moment
from index.demo import demo_suppliers
from index.engine import SupplierIndex
from index.suppliers import Suggestion, Supplier

FOUNDRY = Supplier("fonte", "Fonderie du Lac", ("Moulage de bronze à la cire perdue",))
PLATING = Supplier("bain", "Bains d'Or", ("Dorure et argenture de bijoux",))


class Counting:
    """The real encoder, that keeps the capabilities it was given."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name = encoder.name
        self.dim = encoder.dim
        self.texts: list[str] = []

    def encode_needs(self, texts: list[str]) -> Vectors:
        return self._encoder.encode_needs(texts)

    def encode_capabilities(self, texts: list[str]) -> Vectors:
        self.texts += texts
        return self._encoder.encode_capabilities(texts)

    def given(self) -> list[str]:
        """What it was given since the last time, less the sentence that weights are told by."""
        texts = [text for text in self.texts if text != PROBE]
        self.texts.clear()
        return texts


PROBE = "usinage de pièces mécaniques en petite série"


@pytest.fixture
def counting(encoder: Encoder) -> Counting:
    return Counting(encoder)


@pytest.fixture
def folder(encoder: Encoder, suppliers: list[Supplier], tmp_path: Path) -> Path:
    """Three suppliers, all of them in one generation."""
    with closing(SupplierIndex.create(tmp_path / "index", encoder)) as index:
        index.upsert(suppliers)
    return tmp_path / "index"


def generations(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*generation-*"))


def first(index: SupplierIndex, need: str) -> str:
    return index.search(need, 1)[0].supplier.id


def test_what_was_written_is_found_at_once_and_what_was_deleted_no_longer(
    folder: Path, encoder: Encoder
) -> None:
    with closing(SupplierIndex.open(folder, encoder)) as index:
        assert index.upsert([FOUNDRY]) == Changes(added=1)
        assert index.search("bronze à la cire perdue", 1)[0].supplier == FOUNDRY
        changed = replace(FOUNDRY, capabilities=("Soufflage de verre",))
        assert index.upsert([changed]) == Changes(changed=1)
        assert index.search("soufflage de verre", 1)[0].supplier == changed
        assert changed in [s.supplier for s in index.search("bronze à la cire perdue")]
        assert FOUNDRY not in [s.supplier for s in index.search("bronze à la cire perdue")]
        assert index.delete(["arve", "fonte"]) == Changes(removed=2)
        found = {s.supplier.id for s in index.search("décolletage, soufflage de verre", 1_000)}
        assert found == {"ain", "vendee"}


def test_an_emptied_index_finds_nobody_and_is_filled_again(folder: Path, encoder: Encoder) -> None:
    with closing(SupplierIndex.open(folder, encoder)) as index:
        index.delete(["arve", "ain", "vendee"])
        assert (len(index), index.search("décolletage")) == (0, [])
        generation.main(folder)
        assert (generations(folder), index.search("décolletage")) == ([], [])
        index.upsert([DECOLLETEUR])
        assert first(index, "décolletage") == "arve"


def test_only_capabilities_that_were_never_seen_are_encoded(
    folder: Path, counting: Counting, suppliers: list[Supplier]
) -> None:
    with closing(SupplierIndex.open(folder, counting)) as index:
        assert (index.upsert(suppliers), counting.given()) == (Changes(unchanged=3), [])
        more = replace(CONFECTION, capabilities=(*CONFECTION.capabilities, "Broderie", "Broderie "))
        moved = replace(DECOLLETEUR, city="Bonneville")
        twin = replace(THERMOFORMEUR, id="jumeau")
        assert index.upsert([more, moved, twin]) == Changes(added=1, changed=2)
        assert counting.given() == ["Broderie"]
        index.delete(["vendee"])
        index.upsert([more])
        assert counting.given() == []


def test_a_new_process_encodes_nothing(folder: Path, counting: Counting) -> None:
    with closing(SupplierIndex.open(folder, counting)) as index:
        assert first(index, "coque en plastique") == "ain"
    assert counting.given() == []


def test_an_index_sees_what_another_one_has_acknowledged(
    folder: Path, encoder: Encoder, counting: Counting
) -> None:
    with (
        closing(SupplierIndex.open(folder, encoder)) as writer,
        closing(SupplierIndex.open(folder, counting)) as reader,
    ):
        writer.upsert([FOUNDRY])
        assert first(reader, "bronze à la cire perdue") == "fonte"
        writer.delete(["arve"])
        assert "arve" not in {s.supplier.id for s in reader.search("décolletage")}
        reader.upsert([PLATING])
        assert first(writer, "dorure de bijoux") == "bain"
        writer.delete(["bain"])  # both sides write, and a fold comes between
        generation.main(folder)
        reader.upsert([replace(CONFECTION, city="Cholet")])
        assert reader.search("dorure", 1_000, day=1) == writer.search("dorure", 1_000, day=1)
        assert {s.supplier.id for s in reader.search("dorure", 1_000)} == {"ain", "fonte", "vendee"}
        assert reader.facets() == writer.facets()
    assert counting.given() == list(PLATING.capabilities)


def test_an_index_sees_what_another_process_has_acknowledged(
    folder: Path, encoder: Encoder
) -> None:
    script = (
        "import sys, pathlib; from dataclasses import replace;"
        "from index.catalogue import Catalogue; from conftest import DECOLLETEUR;"
        "catalogue = Catalogue.open(pathlib.Path(sys.argv[1]));"
        "catalogue.upsert([replace(DECOLLETEUR, id='jumeau')], 'maillon-static-3');"
        "catalogue.delete(['arve', 'ain'])"
    )
    with closing(SupplierIndex.open(folder, encoder)) as index:
        assert first(index, "décolletage inox") == "arve"
        subprocess.run(
            [sys.executable, "-c", script, str(folder / FILE)],
            check=True,
            cwd=Path(__file__).parent,
        )
        assert [s.supplier.id for s in index.search("décolletage inox")] == ["jumeau", "vendee"]


def test_a_fold_in_another_process_takes_the_changes_into_one_generation(
    folder: Path, counting: Counting
) -> None:
    with closing(SupplierIndex.open(folder, counting)) as index:
        index.upsert([FOUNDRY, replace(DECOLLETEUR, name="Arve Précision")])
        index.delete(["ain"])
        counting.given()
        before = generations(folder)
        subprocess.run([sys.executable, "-m", "index.generation", str(folder)], check=True)
        assert len(generations(folder)) == 1
        assert generations(folder) != before
        assert first(index, "bronze à la cire perdue") == "fonte"
        assert {s.supplier.name for s in index.search("tournage")} == {
            "Fonderie du Lac",
            "Arve Précision",
            "Coutures du Bocage",
        }
        with closing(SupplierIndex.open(folder, counting)) as again:
            assert again.search("bronze", day=1) == index.search("bronze", day=1)
    assert counting.given() == []


def test_many_changes_are_folded_beside_while_the_index_goes_on(
    folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(living, "DELTA", 12)
    before = generations(folder)
    demo = demo_suppliers()[:12]
    index = SupplierIndex.open(folder, encoder)
    for supplier in demo:
        index.upsert([supplier])
        assert index.search(supplier.capabilities[0], 1)[0].supplier == supplier
    index.close()  # it waits for the fold
    assert len(generations(folder)) == 1
    assert generations(folder) != before
    with closing(SupplierIndex.open(folder, encoder)) as again:
        assert again.suppliers == [DECOLLETEUR, THERMOFORMEUR, CONFECTION, *demo]
        for supplier in demo:
            assert again.search(supplier.capabilities[0], 1)[0].supplier == supplier


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def altered(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


DAMAGES: tuple[Callable[[Path], None], ...] = (cut_off, altered, Path.unlink)


def test_whatever_happens_to_a_file_of_a_generation_the_answers_stay(
    folder: Path, counting: Counting
) -> None:
    with closing(SupplierIndex.open(folder, counting)) as index:
        answers = everything(index)
    names = sorted(file.name for file in (folder / generations(folder)[0]).iterdir())
    assert {"manifest.json", "vectors.npy", "words.txt", "seqs.npy", "points.npy"} < set(names)
    for name, damage in zip(names, cycle(DAMAGES)):
        damage(folder / generations(folder)[0] / name)
        with closing(SupplierIndex.open(folder, counting)) as index:
            assert everything(index) == answers, name
        assert len(generations(folder)) == 1
    assert counting.given() == []


def everything(index: SupplierIndex) -> list[object]:
    return [
        index.suppliers,
        index.facets(),
        *(index.search(need, day=1) for need in ("coque en plastique", "tournage inox", "sacs")),
    ]


def test_a_moment_altered_in_a_manifest_is_not_believed(folder: Path, encoder: Encoder) -> None:
    manifest = folder / generations(folder)[0] / "manifest.json"
    for wrong in ('"moment": [\n  1,', '"moment": [\n  9,'):
        manifest = folder / generations(folder)[0] / "manifest.json"
        written = manifest.read_text()
        assert '"moment": [\n  3,' in written
        manifest.write_text(written.replace('"moment": [\n  3,', wrong))
        with closing(SupplierIndex.open(folder, encoder)) as index:
            found = sorted(s.supplier.id for s in index.search("tournage"))
        assert found == ["ain", "arve", "vendee"]


def test_a_generation_that_is_gone_is_made_again_without_encoding(
    folder: Path, counting: Counting
) -> None:
    shutil.rmtree(folder / generations(folder)[0])
    with closing(SupplierIndex.open(folder, counting)) as index:
        assert first(index, "coque en plastique") == "ain"
    assert (len(generations(folder)), counting.given()) == (1, [])


def test_what_a_killed_fold_left_is_swept_by_the_next(folder: Path, encoder: Encoder) -> None:
    for name in (".generation-abc", "generation-9-9-never-switched-to"):
        (folder / name).mkdir()
        (folder / name / "vectors.npy").write_bytes(b"half")
    with closing(SupplierIndex.open(folder, encoder)) as index:
        assert first(index, "coque en plastique") == "ain"
    generation.main(folder)
    kept = {name for name in generations(folder) if not name.endswith(("abc", "to"))}
    assert (len(kept), set(generations(folder))) == (1, kept)


def test_an_upsert_learns_again_what_a_fold_dropped_before_it_was_written(
    folder: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folding(batches: Iterable[list[str]]) -> Iterator[list[str]]:
        for batch in batches:
            yield batch
            generation.main(folder)

    monkeypatch.setattr(living, "BATCH", 8)
    many = [Supplier(f"s{n}", "Atelier", (f"Tournage de la pièce {n}",)) for n in range(20)]
    with closing(SupplierIndex.open(folder, counting)) as index:
        assert index.upsert(many, folding) == Changes(added=20)
        found = {s.supplier.id for s in index.search("Tournage de la pièce 7", 30)}
        assert found == {"arve", "ain", "vendee"} | {f"s{n}" for n in range(20)}


def test_a_text_that_comes_back_during_a_fold_keeps_its_vector(
    folder: Path, counting: Counting
) -> None:
    class Returning(Catalogue):
        """Between the scan of what is used and the deletion, a supplier comes back."""

        def _all(self, sql: str, *values: object) -> list[tuple[object, ...]]:
            found = super()._all(sql, *values)
            if sql.startswith("SELECT text FROM vector WHERE encoder"):
                with closing(SupplierIndex.open(folder, counting)) as index:
                    index.upsert([DECOLLETEUR])
            return found

    with closing(SupplierIndex.open(folder, counting)) as index:
        index.delete(["arve"])
    with closing(Returning(folder / FILE)) as catalogue:
        catalogue.forget(counting.name, Moment())
    assert counting.given() == []
    generation.main(folder)
    with closing(SupplierIndex.open(folder, counting)) as index:
        assert first(index, "décolletage inox") == "arve"


class Seen(NamedTuple):
    """A search: what was deleted before it began, and whom it found."""

    deleted: frozenset[str]
    found: list[Suggestion]


def test_threads_search_while_others_write_and_see_nobody_deleted_before(
    folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(living, "DELTA", 20)
    index = SupplierIndex.open(folder, encoder)
    demo = demo_suppliers()[:40]
    deleted: set[str] = set()
    seen: list[Seen] = []
    raised: list[BaseException] = []
    writing = [True]

    def noting(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                raised.append(error)

        return run

    def write(part: list[Supplier]) -> Callable[[], None]:
        def run() -> None:
            for supplier in part:
                index.upsert([supplier])
                if supplier.id[-1] in "02468":
                    index.delete([supplier.id])
                    deleted.add(supplier.id)

        return run

    def search() -> None:
        draw = random.Random(0)
        while writing[0]:
            before = frozenset(list(deleted))
            need = draw.choice(demo).capabilities[0]
            seen.append(Seen(before, index.search(need, 100)))

    writers = [threading.Thread(target=noting(write(demo[n::2]))) for n in range(2)]
    searchers = [threading.Thread(target=noting(search)) for _ in range(3)]
    for thread in (*searchers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    writing[0] = False
    for thread in searchers:
        thread.join()
    assert raised == []
    late = [s.supplier.id for one in seen for s in one.found if s.supplier.id in one.deleted]
    assert late == []
    assert len(deleted) > 5
    assert any(one.deleted for one in seen)
    held = {"arve", "ain", "vendee"} | {s.id for s in demo} - deleted
    assert {s.supplier.id for s in index.search("usinage", 1_000)} == held
    index.close()


def test_a_process_killed_at_any_instant_loses_nothing_that_it_acknowledged(
    encoder: Encoder, tmp_path: Path
) -> None:
    trying = Trying(tmp_path, encoder, seed=1, ids=40, delta=20)
    acknowledged = list(trying.run(changes=60, kills=2))
    assert acknowledged[-1] >= 60
    assert (trying.trial.kills, trying.trial.faults) == (2, Faults())
    assert trying.trial.searches > 40
