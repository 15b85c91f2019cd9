"""The training of the embedded encoder, on a handful of sentences."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import DOMAINS, FRENCH
from sentence_transformers import SentenceTransformer
from typer.testing import CliRunner

from embed.train import making, static, tokens
from embed.train.__main__ import app
from embed.train.positives import held_out
from embed.train.saving import UNKNOWN_NORM, finished, save


def test_the_tokenizer_folds_accents_and_is_the_same_on_every_run() -> None:
    one, other = (tokens.train(FRENCH * 3, 200) for _ in range(2))
    assert one.get_vocab() == other.get_vocab()
    assert one.encode("PIÈCES m²").tokens == one.encode("pieces m2").tokens
    assert one.encode("你好").tokens == [tokens.UNKNOWN]


def test_contrast_is_the_mean_cross_entropy_both_ways() -> None:
    queries, answers = torch.eye(2), torch.eye(2)
    told_apart = static.contrast(queries, answers, torch.tensor([0, 1]), temperature=1.0)
    assert told_apart.item() == pytest.approx(np.log1p(np.exp(-1)))
    alike = static.contrast(queries, answers, torch.tensor([0, 0]), temperature=1.0)
    assert alike.item() == pytest.approx(0)


def test_training_brings_texts_near_their_teacher_and_their_twins(tmp_path: Path) -> None:
    tokenizer = tokens.train(FRENCH + DOMAINS * 2, 200)
    draw = np.random.default_rng(0)
    targets = draw.standard_normal((8, 16)).astype(np.float32)
    targets /= np.linalg.norm(targets, axis=1, keepdims=True)
    bags = static.Bags(tokenizer, FRENCH)
    lesson = static.Lesson(bags, torch.from_numpy(targets), torch.arange(8))
    twins = static.Twins(bags, static.Bags(tokenizer, DOMAINS), making.groups(DOMAINS))
    recipe = static.Recipe(dim=16, epochs=60, batch=8, rate=0.05)
    student = static.Student(draw.standard_normal((200, 16)).astype(np.float32), recipe.dropout)
    losses = list(static.train(student, lesson, twins, recipe, seed=0))
    assert losses[-1] < losses[0] / 5

    table = student.bag.weight.detach().numpy()[: tokenizer.get_vocab_size()]
    save(tmp_path, tokenizer, finished(table))
    model = SentenceTransformer(str(tmp_path)).float()
    near = model.encode(FRENCH) @ targets.T
    assert near.argmax(axis=1).tolist() == list(range(8))
    likes = model.encode(FRENCH) @ model.encode(DOMAINS[::2]).T
    assert likes.argmax(axis=1).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_shipped_weights_are_halves_and_the_unknown_piece_is_small() -> None:
    table = finished(np.ones((5, 4), np.float32))
    norms = np.linalg.norm(table.astype(np.float32), axis=1)
    assert table.dtype == np.float16
    np.testing.assert_allclose(norms, [UNKNOWN_NORM, 1, 1, 1, 1], rtol=1e-2)


def test_one_notice_in_eight_is_held_out_by_its_key() -> None:
    kept = [held_out(f"avis-{n}") for n in range(4_000)]
    assert 400 < sum(kept) < 600
    assert kept[:50] == [held_out(f"avis-{n}") for n in range(50)]


def test_training_needs_french_pairs_of_some_kind(tmp_path: Path) -> None:
    options = ["--data", str(tmp_path), "--out", str(tmp_path), "--no-vocabularies", "--no-trades"]
    done = CliRunner().invoke(app, ["static", *options])
    assert done.exit_code == 2
    assert "French pairs are needed" in " ".join(re.findall(r"[\w:-]+", done.output))
