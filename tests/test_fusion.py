import numpy as np
import pytest

from embed.encoder import Encoder
from embed.lexicon import Ask, lexicon
from embed.train.written import Answered, Sheet, Written
from eval.fusion import Reading, compared, hits, names_to_sheets, ndcg, needs_to_sheets
from index.concepts import Concepts

TURNED = Sheet("Tournage de bagues en laiton, petites séries", ("usinage/tournage-cnc",))
SEWN = Sheet("Couture de sacs en toile enduite", ("confection/sacs",))
LINE = Answered("l1", TURNED, ["un anneau doré pour ma lampe"], [SEWN])


def test_orders_are_valued_by_their_ten_best() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.2, 0.1, 0.3]])
    right = [{1}, {0, 1}]
    second = 1 / np.log2(3)
    assert ndcg(scores, right) == pytest.approx((second + (second + 0.5) / (1 + second)) / 2)
    wide = np.arange(24.0).reshape(2, 12)
    assert hits(wide, [{0, 1}, {2}]) == 0.5


def test_needs_are_those_of_the_part_and_answered_by_their_own_sheet() -> None:
    whole = Written([], [], [LINE])
    sheets = [SEWN.text, TURNED.text]
    places = {text: place for place, text in enumerate(sheets)}
    read = [needs_to_sheets(whole, places, sheets, part) for part in ("train", "dev", "test")]
    assert [one.right for one in read if one.needs] == [[{1}]]
    assert names_to_sheets(whole, places, sheets, "dev").needs == []


def test_a_table_has_a_line_a_mix(encoder: Encoder) -> None:
    entries = list(lexicon()[:40])
    asks = [Ask("une table en chêne", (entries[0].id,))]
    concepts = Concepts.learnt(encoder, Written(entries, asks, []))
    reading = Reading("need", ["sacs en toile"], [{1}], [TURNED.text, SEWN.text], ndcg)
    title, head, cosine, *_ = compared(encoder, concepts, [reading])
    assert title == "need: 1 among 2"
    assert head.split() == ["cosine", "BM25", "trades", "need"]
    assert cosine.split() == ["1.0", "0.0", "0.0", "1.000"]
