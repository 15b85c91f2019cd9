from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from embed.encoder import EMBEDDED, Encoder, load_encoder
from embed.errors import MaillonError

MODEL = Path(__file__).parents[1] / "embed" / "model"


def test_both_sides_give_float32_unit_rows(encoder: Encoder) -> None:
    for encode in (encoder.encode_needs, encoder.encode_capabilities):
        rows = encode(["une coque en plastique", "thermoformage", "!", "", "你好 مرحبا"])
        assert rows.dtype == np.float32
        assert rows.shape == (5, encoder.dim)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_no_text_gives_no_row(encoder: Encoder) -> None:
    assert encoder.encode_needs([]).shape == (0, encoder.dim)


def test_accents_and_case_do_not_matter(encoder: Encoder) -> None:
    one, other = encoder.encode_needs(["Pièces moulées", "PIECES MOULEES"])
    assert one @ other > 0.999


def test_the_embedded_encoder_ranks_meaning(encoder: Encoder) -> None:
    need = encoder.encode_needs(["fabriquer des chaussures"])[0]
    near, far = encoder.encode_capabilities(["bottier, souliers sur mesure", "béton armé"]) @ need
    assert near > far


def test_the_default_is_the_embedded_one(encoder: Encoder) -> None:
    assert (encoder.name, encoder.dim) == (EMBEDDED, 256)


def test_a_folder_saved_by_sentence_transformers_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SentenceTransformer(str(MODEL), prompts={"query": "besoin : "}).save(str(tmp_path / "mine"))
    monkeypatch.chdir(tmp_path)
    mine = load_encoder("mine")
    prompted, bare = mine.encode_needs(["coque"])[0], mine.encode_capabilities(["coque"])[0]
    assert mine.name == str(tmp_path / "mine")
    assert prompted @ bare < 0.99


def test_an_unknown_name_says_what_can_be_given(tmp_path: Path) -> None:
    with pytest.raises(MaillonError, match=r"cannot be loaded .* Give a hub id .* a folder"):
        load_encoder(str(tmp_path / "nothing"))


def test_weights_fit_the_wheel() -> None:
    assert sum(file.stat().st_size for file in MODEL.rglob("*")) <= 15_000_000
