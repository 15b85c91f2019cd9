import json
from pathlib import Path

import numpy as np
import pytest

from embed.encoder import Encoder, Vectors
from index.engine import SupplierIndex
from index.folder import CONCEPTS, DENSE, LEXICAL, MANIFEST, SUPPLIERS, WORDS, IndexFolderError
from index.suppliers import Supplier


class Other:
    """An encoder of another size."""

    name = "other"
    dim = 2

    def encode_needs(self, texts: list[str]) -> Vectors:
        return np.tile(np.array([0.6, 0.8], np.float32), (len(texts), 1))

    encode_capabilities = encode_needs


@pytest.fixture
def folder(index: SupplierIndex, tmp_path: Path) -> Path:
    index.save(tmp_path / "index")
    return tmp_path / "index"


def test_the_folder_says_what_it_is(folder: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == [
        CONCEPTS,
        DENSE,
        LEXICAL,
        MANIFEST,
        SUPPLIERS,
        WORDS,
    ]
    manifest = json.loads((folder / MANIFEST).read_text())
    shown = {name: manifest[name] for name in ("format", "encoder", "dim", "suppliers")}
    assert shown == {"format": 2, "encoder": "maillon-static-2", "dim": 256, "suppliers": 3}


def test_saving_again_replaces_and_leaves_nothing_beside(
    folder: Path, encoder: Encoder, suppliers: list[Supplier]
) -> None:
    SupplierIndex.build(suppliers[:1], encoder).save(folder)
    assert len(SupplierIndex.open(folder, encoder)) == 1
    assert list(folder.parent.iterdir()) == [folder]


def test_a_folder_of_something_else_is_left_alone(index: SupplierIndex, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(IndexFolderError, match="is no maillon index: it is left as it is"):
        index.save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


def test_a_missing_folder_names_the_command_that_builds_one(
    encoder: Encoder, tmp_path: Path
) -> None:
    with pytest.raises(IndexFolderError, match=r"manifest\.json not found.*maillon index"):
        SupplierIndex.open(tmp_path / "nothing", encoder)


@pytest.mark.parametrize("name", [SUPPLIERS, DENSE, LEXICAL, CONCEPTS, WORDS])
def test_a_truncated_or_missing_file_is_told(folder: Path, encoder: Encoder, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(IndexFolderError, match=f"{name} is not the file that was written"):
        SupplierIndex.open(folder, encoder)
    (folder / name).unlink()
    with pytest.raises(IndexFolderError, match=f"{name} is missing. Rebuild it: maillon index"):
        SupplierIndex.open(folder, encoder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}'])
def test_a_damaged_manifest_is_told(folder: Path, encoder: Encoder, content: str) -> None:
    (folder / MANIFEST).write_text(content)
    with pytest.raises(IndexFolderError, match=r"manifest\.json is damaged"):
        SupplierIndex.open(folder, encoder)


def test_another_format_is_told(folder: Path, encoder: Encoder) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "format": 9}))
    with pytest.raises(IndexFolderError, match="has index format 9, this version reads 2"):
        SupplierIndex.open(folder, encoder)


def test_another_encoder_is_refused_with_both_names(folder: Path) -> None:
    with pytest.raises(IndexFolderError) as caught:
        SupplierIndex.open(folder, Other())
    assert str(caught.value) == (
        f"{folder} was built with encoder 'maillon-static-2' (256 dimensions), the encoder loaded "
        "is 'other' (2). Open it with --encoder maillon-static-2, or rebuild it: "
        f"maillon index … --to {folder}"
    )


def test_the_same_name_with_other_weights_is_refused(
    suppliers: list[Supplier], tmp_path: Path
) -> None:
    class Retrained(Other):
        def encode_needs(self, texts: list[str]) -> Vectors:
            return np.tile(np.array([0.8, -0.6], np.float32), (len(texts), 1))

        encode_capabilities = encode_needs

    SupplierIndex.build(suppliers, Other()).save(tmp_path / "index")
    with pytest.raises(IndexFolderError, match="built with other weights of encoder 'other'"):
        SupplierIndex.open(tmp_path / "index", Retrained())
