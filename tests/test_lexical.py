from pathlib import Path

import numpy as np
import pytest

from index.lexical import K1, STRICT_WEIGHT, B, Lexical, common_words

TEXTS = ["Tournage inox 316L", "Tours d'horloge", "Un tour à bois", "Usinage selon EN 9100"]


def test_a_share_is_bm25_over_its_ceiling() -> None:
    lexical = Lexical.build(["acier inox", "aciers"])
    # "acier" is in both texts, "inox" in one; the mean length is one word and a half.
    acier, inox = np.log1p(0.5 / 2.5), np.log1p(1.5 / 1.5)
    ceiling = (1 + STRICT_WEIGHT) * (acier + inox)
    two_words, one_word = (1 / (1 + K1 * (1 - B + B * size / 1.5)) for size in (2, 1))
    assert lexical.shares("acier inox") == pytest.approx([two_words, acier * one_word / ceiling])
    assert lexical.shares_of("acier inox", ["fil inox"]) == pytest.approx(
        [(1 + STRICT_WEIGHT) * inox * two_words / ceiling]
    )


def test_plural_and_singular_meet_and_the_same_form_wins() -> None:
    shares = Lexical.build(TEXTS).shares("tour")
    assert shares[2] > shares[1] > 0
    assert shares[0] == shares[3] == 0


def test_technical_tokens_are_not_blurred() -> None:
    shares = Lexical.build(["inox 316L", "inox 304L", "vis M12", "vis M10", "EN 9100", "EN 1090"])
    assert shares.shares("316L").nonzero()[0].tolist() == [0]
    assert shares.shares("M12").nonzero()[0].tolist() == [2]
    assert shares.shares("EN9100").nonzero()[0].tolist() == [4]


def test_words_unknown_to_the_directory_lower_the_share() -> None:
    lexical = Lexical.build(TEXTS)
    (both,) = lexical.shares_of("tournage zamak", TEXTS[:1])
    (alone,) = lexical.shares_of("tournage", TEXTS[:1])
    assert both < alone


def test_an_indexed_text_and_a_given_one_have_one_share() -> None:
    lexical = Lexical.build(TEXTS)
    need = "tours pour usinage inox EN 9100"
    np.testing.assert_allclose(lexical.shares(need), lexical.shares_of(need, TEXTS), rtol=1e-5)


def test_a_need_of_stop_words_shares_nothing() -> None:
    assert Lexical.build(TEXTS).shares("pour le").tolist() == [0, 0, 0, 0]


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    lexical = Lexical.build(TEXTS)
    lexical.save(tmp_path / "lexical.npz")
    again = Lexical.load(tmp_path / "lexical.npz")
    need = "tours pour usinage inox EN 9100"
    assert again.shares(need).tolist() == lexical.shares(need).tolist()


def test_common_words_are_given_as_the_capability_writes_them() -> None:
    assert common_words("moule pour carter en alu EN9100", "Carters moulés, EN 9100") == [
        "Carters",
        "moulés",
        "EN 9100",
    ]
