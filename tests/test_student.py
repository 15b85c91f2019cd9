"""The training of the transformer student, on a two-layer BERT and invented sentences."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import DOMAINS, FRENCH
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from embed.encoder import load_encoder
from embed.lexicon import Ask, Entry
from embed.train import (
    distilling,
    fitting,
    matching,
    retrieval,
    static,
    static_tuning,
    tokens,
    trade,
    transformer,
    transplant,
    tuning,
    written,
)
from embed.train.fitting import Pace
from embed.train.transformer import Reader, Texts
from embed.train.written import Sheet
from embed.transformer import TransformerEncoder


def _using() -> Tokenizer:
    return transplant.framed(tokens.train(FRENCH + DOMAINS * 2, 300))


def _reader(using: Tokenizer) -> Reader:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=using.get_vocab_size(),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        pad_token_id=using.token_to_id(transplant.PAD),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return Reader(BertModel(config))


def _entry(sector: str, branch: str, name: str, *related: str) -> Entry:
    return Entry(
        id=f"{sector}/{name}",
        branch=branch,
        label=name,
        synonyms=(f"{name} bis",),
        definition=f"on fait {name}",
        products=(f"objet {name}",),
        materials=("acier",),
        lay=(f"je veux {name}", f"il me faut {name}", f"besoin de {name}"),
        confusions=(),
        standards=(),
        related=related,
    )


def _line(name: str, sheet: Sheet, needs: list[str], *negatives: Sheet) -> written.Answered:
    return written.Answered(name, sheet, needs, list(negatives))


def _batch(gold: list[int], sure: list[list[bool]]) -> trade.Batch:
    return trade.Batch([], [], np.array(gold), np.zeros_like(np.array(sure)), np.array(sure))


def test_a_framed_tokenizer_keeps_the_numbers_of_its_pieces() -> None:
    bare = tokens.train(FRENCH, 200)
    using = transplant.framed(bare)
    assert using.encode("fonderie").ids[1:-1] == bare.encode("fonderie").ids
    assert using.encode("fonderie").tokens[:: len(using.encode("fonderie")) - 1] == [
        transplant.CLS,
        transplant.SEP,
    ]
    assert using.get_vocab_size() == bare.get_vocab_size() + 3


def test_new_embeddings_average_near_english_words_and_copy_digits() -> None:
    bare = tokens.train(FRENCH, 200)
    using = transplant.framed(bare)
    config = BertConfig(vocab_size=7, hidden_size=2, num_attention_heads=1, intermediate_size=2)
    given = transplant.Donor(
        BertModel(config),
        {"[UNK]": 0, "[PAD]": 1, "[CLS]": 2, "[SEP]": 3, "5": 4, "casting": 5, "sewing": 6},
    )
    source = given.body.embeddings.word_embeddings.weight.detach().numpy()
    table = np.tile(np.array([[3, 0]], np.float32), (bare.get_vocab_size(), 1))
    found = transplant.embeddings(using, table, given, np.eye(2, dtype=np.float32), warmth=1.0)
    shares = np.exp([1, 0]) / np.exp([1, 0]).sum()
    np.testing.assert_allclose(found[using.token_to_id("a")], shares @ source[5:7], rtol=1e-5)
    for piece, row in {"5": 4, "[UNK]": 0, "[PAD]": 1, "[SEP]": 3}.items():
        np.testing.assert_array_equal(found[using.token_to_id(piece)], source[row])


def test_texts_are_padded_to_the_longest_of_the_batch_and_cut() -> None:
    using = _using()
    texts = Texts(using, ["fonderie", "fonderie fonderie fonderie fonderie"], length=4)
    pieces, mask = texts.take(np.array([0, 1]))
    assert mask.tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert pieces[0, 3].item() == using.token_to_id(transplant.PAD)
    assert pieces[1, 3].item() == using.token_to_id(transplant.SEP)


def test_a_course_meets_every_row_once_an_epoch_and_is_the_same_on_every_run() -> None:
    lengths = np.arange(400) % 37
    one, other = (transformer.course(lengths, 8, 100, np.random.default_rng(0)) for _ in range(2))
    assert np.array_equal(one, other)
    assert sorted(np.concatenate(one[:50])) == list(range(400))
    assert max(np.ptp(lengths[rows]) for rows in one) <= 3


def test_distillation_is_taken_up_where_it_stopped_and_ends_near_the_teacher(
    tmp_path: Path,
) -> None:
    using = _using()
    targets = torch.nn.functional.normalize(
        torch.randn(8, 16, generator=torch.Generator().manual_seed(0)), dim=1
    )
    lesson = distilling.Lesson(Texts(using, FRENCH, 32), targets, torch.arange(8))
    twins = distilling.Twins(
        Texts(using, FRENCH, 32), Texts(using, DOMAINS, 32), torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    )
    pace, recipe = Pace(80, 1e-2, 5e-3), distilling.Distil(batch=8)

    def trained(folder: Path, stop: int) -> tuple[Reader, list[float]]:
        model = _reader(using)
        loss = distilling.losses(model, lesson, twins, recipe, pace.steps, seed=0)
        every = Pace(pace.steps, pace.embeddings, pace.body, every=0)
        steps = fitting.fit(model, loss, every, folder / "one.pt")
        return model, [value for _, (_, value) in zip(range(stop), steps, strict=False)]

    whole, losses = trained(tmp_path / "whole", pace.steps)
    assert losses[-2] < losses[0] / 4
    trained(tmp_path / "halves", 30)
    again, rest = trained(tmp_path / "halves", pace.steps)
    assert len(rest) in (49, 50)
    vectors = [transformer.encode(model, lesson.texts) for model in (whole, again)]
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-3)
    assert (vectors[0] @ targets.numpy().T).argmax(axis=1).tolist() == list(range(8))


def test_a_saved_student_reads_as_the_trained_one(tmp_path: Path) -> None:
    using = _using()
    model = _reader(using)
    transformer.save(tmp_path, model, using)
    loaded = SentenceTransformer(str(tmp_path), device="cpu").float()
    texts = [*FRENCH, "PIÈCES m² œuvrées", ""]
    for text in texts:
        assert loaded.tokenizer(text)["input_ids"] == using.encode(text).ids
    own = transformer.encode(model, Texts(using, texts, 32))
    np.testing.assert_allclose(loaded.encode(texts), own, atol=2e-2)
    run = load_encoder(str(tmp_path))
    assert isinstance(run, TransformerEncoder)
    np.testing.assert_allclose(run.encode_needs(texts), loaded.encode(texts), atol=1e-5)


def test_whole_branches_asks_and_lines_are_held_out_and_no_text_of_theirs_is_trained_on() -> None:
    entries = [_entry(f"s{n % 7}", f"b{n // 5}", f"metier{n}") for n in range(500)]
    asks = [Ask(f"demande {n}", (entries[n].id, entries[-n].id)) for n in range(1, 400)]
    lines = [
        _line(f"l{n}", Sheet(f"atelier {n}", (entries[n].id,)), [f"besoin {n}"]) for n in range(300)
    ]
    parts = {entry.id: written.split(entry.place) for entry in entries}
    for part in ("dev", "test"):
        assert 0.03 < list(parts.values()).count(part) / 500 < 0.2
    taught = written.taught(written.Written(entries, asks, lines))
    assert {entry.id for entry in taught.entries} == {e for e in parts if parts[e] == "train"}
    assert {written.split(ask.text) for ask in taught.asks} == {"train"}
    assert {written.split(line.id) for line in taught.lines} == {"train"}
    named = {one for ask in taught.asks for one in ask.ids}
    named |= {one for line in taught.lines for one in line.sheet.ids}
    assert {parts[one] for one in named} == {"train"}

    learnt = set(written.texts(taught))
    learnt.update(text for s in written.positives(taught) for text in s.left + s.right)
    for entry in entries:
        assert (entry.lay[0] in learnt) is (parts[entry.id] == "train")
        assert (entry.sheet in learnt) is (parts[entry.id] == "train")
    for line in lines:
        assert (line.sheet.text in learnt) is (written.split(line.id) == "train")


def test_a_negative_as_good_as_the_positive_is_dropped_if_it_says_the_same() -> None:
    scores = torch.tensor([[0.60, 0.58, 0.58, 0.20], [0.70, 0.30, 0.90, 0.68]])
    alike = torch.eye(4)
    alike[0, 1] = alike[1, 0] = alike[1, 2] = alike[2, 1] = 0.9
    doubt = matching.Doubt(margin=0.95, same=0.6)
    gold, free = torch.tensor([0, 1]), torch.zeros(2, 4, dtype=torch.bool)
    dropped = matching.refused(scores, alike, gold, free, doubt)
    # query 0: 0.58 reaches 0.57, but only document 1 is like document 0
    # query 1: 0.70 and 0.90 reach 0.285, and both say what document 1 says
    assert dropped.tolist() == [[False, True, False, False], [True, False, True, False]]
    sure = free.clone()
    sure[1, 2] = True
    assert matching.refused(scores, alike, gold, sure, doubt)[1].tolist() == [
        True,
        False,
        False,
        False,
    ]


def test_matching_is_the_cross_entropy_among_the_documents_left() -> None:
    queries = torch.tensor([[1.0, 0.0]])
    documents = torch.tensor([[0.6, 0.8], [0.6, 0.8], [0.0, 1.0]])
    doubt = matching.Doubt(temperature=1.0)
    dropped = matching.matching(queries, documents, _batch([0], [[False] * 3]), doubt)
    assert dropped.item() == pytest.approx(np.log(1 + np.exp(-0.6)))
    kept = matching.matching(queries, documents, _batch([0], [[False, True, False]]), doubt)
    assert kept.item() == pytest.approx(np.log(2 + np.exp(-0.6)))


def test_a_batch_of_trades_asks_each_entry_and_trusts_the_siblings() -> None:
    entries = [
        _entry("s", "b", "tournage", "t/fonte"),
        _entry("s", "b", "fraisage"),
        _entry("t", "b", "fonte"),
    ]
    asks = [Ask(f"une pièce {n}", ("s/tournage", "t/fonte")) for n in range(300)]
    trades = trade.Trades(written.Written(entries, asks, []))
    draw = np.random.default_rng(0)
    assert set(trades.alike(np.array([0]), draw)) <= {1, 2}
    assert set(trades.alike(np.array([1]), draw)) == {0}
    batch = trades.batch(np.array([0]), np.array([1, 2]), draw)
    assert batch.queries[2] in (
        "objet tournage",
        "objet tournage acier",
        "tournage",
        "tournage bis",
    )
    assert all(query.startswith("une pièce") for query in batch.queries[:2])
    assert batch.gold.tolist() == [0, 0, 0]
    assert batch.right.tolist() == [[False, False, True], [False, False, True], [False] * 3]
    assert batch.sure.tolist() == [[False, True, False]] * 3


def test_a_batch_of_needs_marks_the_negatives_of_the_line_and_those_of_the_same_trade() -> None:
    lines = [
        _line("a", Sheet("A", ("x",)), ["veut A", "cherche A"], Sheet("pas A", ("x", "y"))),
        _line("b", Sheet("B", ("z", "x")), ["veut B"], Sheet("pas B", ()), Sheet("non B", ())),
    ]
    sheets = trade.Sheets(written.Written([], [Ask("de l'y", ("y",)), Ask("du x", ("x",))], lines))
    batch = sheets.batch(np.array([0]), np.array([1]), np.random.default_rng(0))
    assert batch.documents == ["A", "pas A", "B", "pas B", "non B"]
    assert sorted(batch.queries[:2]) == ["cherche A", "veut A"]
    assert batch.queries[2] == "du x"
    assert batch.gold.tolist() == [0, 0, 0]
    assert batch.sure.tolist() == [[False, True, False, False, False]] * 2 + [[False] * 5]
    own = [False, False, True, False, False]
    assert batch.right.tolist() == [own, own, [False, True, True, False, False]]


def _ours() -> list[trade.Exercise]:
    names = [text.split()[0] for text in FRENCH]
    entries = [_entry("s", f"b{n // 2}", name) for n, name in enumerate(names)]
    lines = [
        _line(f"l{n}", Sheet(text, ()), [text], Sheet("rien", ())) for n, text in enumerate(FRENCH)
    ]
    part = written.Written(entries, [Ask("on en veut", (entries[0].id,))], lines)
    return [trade.Trades(part), trade.Sheets(part)]


def test_tuning_brings_phrases_to_their_trade(tmp_path: Path) -> None:
    using = _using()
    model = _reader(using)
    lesson = distilling.Lesson(Texts(using, FRENCH, 32), torch.eye(8, 16), torch.arange(8))
    twins = distilling.Twins(
        Texts(using, FRENCH, 32), Texts(using, DOMAINS, 32), torch.arange(8) // 2
    )
    recipe = tuning.Tune(entries=8, lines=8, general=0.1, distil=distilling.Distil(batch=8))
    loss = tuning.losses(model, using, _ours(), (lesson, twins), recipe, 60, seed=0)
    values = [loss(0).item(), loss(2).item()]
    for _ in fitting.fit(model, loss, Pace(60, 1e-2, 5e-3), tmp_path / "two.pt"):
        pass
    assert loss(0).item() < values[0] / 2
    assert loss(2).item() < values[1]


def test_the_static_student_is_tuned_on_the_same_batches() -> None:
    using = tokens.train(FRENCH + DOMAINS * 2, 300)
    bags = static.Bags(using, FRENCH)
    general = (
        static.Lesson(bags, torch.eye(8, 16), torch.arange(8)),
        static.Twins(bags, static.Bags(using, DOMAINS), torch.arange(8) // 2),
    )
    table = np.random.default_rng(0).standard_normal((300, 16)).astype(np.float32)
    student = static.Student(table, 0.0)
    recipe = static_tuning.Tune(steps=60, rows=8, rate=0.03), static.Recipe(batch=8)
    losses = list(static_tuning.tune(student, using, _ours(), general, recipe, seed=0))
    assert np.mean(losses[-5:]) < losses[0] / 2


def test_ranks_and_gains_by_hand(tmp_path: Path) -> None:
    assert retrieval.gain(np.array([1, 3, 11])) == pytest.approx((1 + 0.5 + 0) / 3)
    assert retrieval.rank(np.array([0.1, 0.5, 0.5], np.float32), [1]) == 2
    dev = next(f"l{n}" for n in range(99) if written.split(f"l{n}") == "dev")
    line = {
        "id": dev,
        "sheet": "A",
        "trades": ["s/a"],
        "needs": [{"register": "", "text": "a"}],
        "negatives": [{"text": "B", "trades": []}],
    }
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "one.jsonl").write_text(json.dumps(line) + "\n")
    whole = written.read(tmp_path)
    assert whole.lines == [_line(dev, Sheet("A", ("s/a",)), ["a"], Sheet("B", ()))]

    def encode(texts: list[str]) -> np.ndarray:
        return np.array([[text.lower() == "a", 0.5] for text in texts], np.float32)

    figures = retrieval.sheets(encode, whole)
    assert [figure.value for figure in figures] == [100, 100]
