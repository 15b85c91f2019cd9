import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer

from embed.encoder import DEEP, DEEP_SHARE, EMBEDDED, FAST, Encoder, load_encoder, unit
from embed.errors import MaillonError
from embed.pair import fast_of

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


def test_fast_is_the_static_one(encoder: Encoder) -> None:
    assert (encoder.name, encoder.dim) == (FAST, 256)


def test_the_default_is_the_static_and_the_transformer_side_by_side(encoder: Encoder) -> None:
    default, deep = load_encoder(), load_encoder(DEEP)
    assert (default.name, default.dim) == (EMBEDDED, 256 + 384)
    needs, sheets = ["fabriquer des chaussures"], ["bottier, souliers sur mesure", "béton armé"]
    fast, part = fast_of(default, default.encode_needs(needs)[0])
    assert fast.name == FAST
    np.testing.assert_allclose(part, encoder.encode_needs(needs)[0], atol=1e-6)
    one, other, both = (
        each.encode_needs(needs) @ each.encode_capabilities(sheets).T
        for each in (encoder, deep, default)
    )
    np.testing.assert_allclose(both, (1 - DEEP_SHARE) * one + DEEP_SHARE * other, atol=1e-5)
    assert both[0, 0] > both[0, 1]


@pytest.mark.parametrize("name", [FAST, DEEP])
def test_the_shipped_encoders_read_as_sentence_transformers_does(name: str) -> None:
    texts = ["coque de batterie", "Pièces moulées, 316L", "  ", "", "!", "你好", "mot " * 400]
    shipped = str(MODEL / ("static" if name == FAST else "transformer"))
    theirs = SentenceTransformer(shipped, model_kwargs={"dtype": "float32"}).float().encode(texts)
    ours = load_encoder(name)
    for encode in (ours.encode_needs, ours.encode_capabilities):
        np.testing.assert_allclose(encode(texts), unit(theirs), atol=1e-5)


def test_several_threads_read_at_once() -> None:
    encoder = load_encoder()
    texts = [f"tournage de {count} pièces en inox" for count in range(40)]
    alone = [encoder.encode_needs([text])[0] for text in texts]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda text: encoder.encode_needs([text])[0], texts))
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_graph_is_refused_beside_other_weights(tmp_path: Path) -> None:
    for name in ("graph.onnx", "tokenizer.json"):
        shutil.copy(MODEL / "transformer" / name, tmp_path)
    weights = load_file(MODEL / "transformer" / "model.safetensors")
    save_file({**weights, "more": np.zeros(4, np.float16)}, tmp_path / "model.safetensors")
    with pytest.raises(MaillonError, match=r"written for other weights .* Remove it, or write"):
        load_encoder(str(tmp_path))


def test_a_folder_saved_by_sentence_transformers_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SentenceTransformer(str(MODEL / "static"), prompts={"query": "besoin : "}).save(
        str(tmp_path / "mine")
    )
    monkeypatch.chdir(tmp_path)
    mine = load_encoder("mine")
    prompted, bare = mine.encode_needs(["coque"])[0], mine.encode_capabilities(["coque"])[0]
    assert mine.name == str(tmp_path / "mine")
    assert prompted @ bare < 0.99


def test_an_unknown_name_says_what_can_be_given(tmp_path: Path) -> None:
    with pytest.raises(MaillonError, match=r"cannot be loaded .* Give a hub id .* a folder"):
        load_encoder(str(tmp_path / "nothing"))


def test_weights_fit_the_wheel() -> None:
    assert sum(file.stat().st_size for file in MODEL.rglob("*")) <= 90_000_000
