from pathlib import Path

import numpy as np
import pytest

from index.lexical import K1, STRICT_WEIGHT, B, Lexical, common_words, count_terms

TEXTS = ["Tournage inox 316L", "Tours d'horloge", "Un tour à bois", "Usinage selon EN 9100"]


def lexical(texts: list[str], mean: float | None = None) -> Lexical:
    vocabulary: dict[str, int] = {}
    return Lexical.build(count_terms(texts, vocabulary), vocabulary, mean)


def shares(need: str, texts: list[str]) -> np.ndarray:
    built = lexical(texts)
    return built.shares(built.wanted(need))


def test_a_share_is_bm25_over_its_ceiling() -> None:
    # "acier" is in both texts, "inox" in one; the mean length is one word and a half.
    acier, inox = np.log1p(0.5 / 2.5), np.log1p(1.5 / 1.5)
    ceiling = (1 + STRICT_WEIGHT) * (acier + inox)
    two_words, one_word = (1 / (1 + K1 * (1 - B + B * size / 1.5)) for size in (2, 1))
    expected = [two_words, acier * one_word / ceiling]
    assert shares("acier inox", ["acier inox", "aciers"]) == pytest.approx(expected, rel=1e-3)


def test_plural_and_singular_meet_and_the_same_form_wins() -> None:
    found = shares("tour", TEXTS)
    assert found[2] > found[1] > 0
    assert found[0] == found[3] == 0


@pytest.mark.parametrize(("need", "place"), [("316L", 0), ("M12", 2), ("EN9100", 4)])
def test_technical_tokens_are_not_blurred(need: str, place: int) -> None:
    texts = ["inox 316L", "inox 304L", "vis M12", "vis M10", "EN 9100", "EN 1090"]
    assert shares(need, texts).nonzero()[0].tolist() == [place]


def test_words_unknown_to_the_directory_lower_the_share() -> None:
    assert 0 < shares("tournage zamak", TEXTS)[0] < shares("tournage", TEXTS)[0]


def test_texts_of_no_collection_are_weighed_by_one() -> None:
    whole = lexical(TEXTS)
    need = whole.wanted("tours pour usinage inox EN 9100")
    given = lexical(TEXTS[2:], whole.mean)
    assert given.shares(need).tolist() == whole.shares(need)[2:].tolist()


def test_a_need_of_stop_words_shares_nothing() -> None:
    assert shares("pour le", TEXTS).tolist() == [0, 0, 0, 0]


def test_a_vocabulary_may_grow_beyond_what_is_indexed() -> None:
    vocabulary: dict[str, int] = {}
    built = Lexical.build(count_terms(TEXTS, vocabulary), vocabulary)
    count_terms(["Brasage"], vocabulary)
    assert built.shares({"brasag": 1.0, "inox": 0.0}).tolist() == [0, 0, 0, 0]


def test_what_is_saved_is_mapped_again(tmp_path: Path) -> None:
    built = lexical(TEXTS)
    built.save(tmp_path)
    again = Lexical.open(tmp_path)
    need = "tours pour usinage inox EN 9100"
    assert again.wanted(need) == built.wanted(need)
    assert again.shares(again.wanted(need)).tolist() == built.shares(built.wanted(need)).tolist()


def test_common_words_are_given_as_the_capability_writes_them() -> None:
    assert common_words("moule pour carter en alu EN9100", "Carters moulés, EN 9100") == [
        "Carters",
        "moulés",
        "EN 9100",
    ]
