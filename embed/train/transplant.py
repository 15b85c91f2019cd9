"""The teacher's body under French word pieces: a student that reads French before any training.

After de Vries and Nissim (2021), "As Good as New. How to Successfully Recycle English GPT-2 to Make
Models for Other Languages", section 3, and Minixhofer, Paischer and Rekabsaz (2022), "WECHSEL",
section 3: the body is kept, each new input embedding is an average of those of near words.
"""

import string
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from embed.train.teacher import Teacher, load

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

PAD, CLS, SEP = "[PAD]", "[CLS]", "[SEP]"
SPECIALS = (PAD, CLS, SEP)
"""Specials the student needs besides the unknown piece; they come after the last piece."""


class Donor(NamedTuple):
    """The teacher's body and its vocabulary: piece to row of its embeddings."""

    body: BertModel
    vocabulary: dict[str, int]


def donor() -> Donor:
    """Load the teacher as a donor; raises ImportError if its package is not installed."""
    model = load()
    body = model[0].auto_model
    if not isinstance(body, BertModel):
        raise TypeError(f"the teacher's body is no BERT but {type(body).__name__}")
    return Donor(body, dict(model.tokenizer.get_vocab()))


def framed(pieces: Tokenizer) -> Tokenizer:
    """Add the specials of BERT after the pieces, whose numbers do not change."""
    using = Tokenizer.from_str(pieces.to_str())
    using.add_special_tokens(list(SPECIALS))
    ends = [(name, using.token_to_id(name)) for name in (CLS, SEP)]
    using.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}", pair=f"{CLS} $A {SEP} $B {SEP}", special_tokens=ends
    )
    return using


def words(vocabulary: dict[str, int]) -> dict[str, int]:
    """Keep the whole English words of the teacher's vocabulary, with the rows of each."""
    kept = set(string.ascii_lowercase)
    return {w: row for w, row in vocabulary.items() if len(w) > 1 and kept.issuperset(w)}


def nearest(pieces: Floats, known: Floats, count: int, warmth: float) -> tuple[Integers, Floats]:
    """Find the `count` nearest unit vectors of `known` (m, dim) to each of `pieces` (n, dim).

    Returns their rows, int64 (n, count), and softmax weights of the cosines over the temperature
    `warmth`, float32 (n, count).
    """
    cosines = torch.from_numpy(pieces) @ torch.from_numpy(known).T
    best, rows = cosines.topk(min(count, len(known)), dim=1)
    return rows.numpy(), torch.softmax(best / warmth, dim=1).numpy()


def embeddings(
    using: Tokenizer, table: Floats, given: Donor, taught: Floats, warmth: float = 0.05
) -> Floats:
    """Give the first input embeddings of the student, float32 (pieces + specials, 384).

    `table` (pieces, 384) holds the piece vectors of a static student in the teacher's space, and
    `taught` the teacher's vectors of `words(given.vocabulary)`, as one-word sentences. Specials,
    digits and punctuation that the teacher knows are copied.
    """
    source: Floats = given.body.embeddings.word_embeddings.weight.detach().float().cpu().numpy()
    rows = np.fromiter(words(given.vocabulary).values(), np.int64)
    unit = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
    near, weights = nearest(unit, taught, 5, warmth)
    found: Floats = np.empty((using.get_vocab_size(), source.shape[1]), np.float32)
    found[: len(table)] = np.einsum("nk,nkd->nd", weights, source[rows[near]])
    for piece, place in using.get_vocab().items():
        spelt = piece.removeprefix("##")
        copied = piece.startswith("[") or not any(c.isalpha() for c in spelt)
        if copied and piece in given.vocabulary:
            found[place] = source[given.vocabulary[piece]]
    return found


def taught(teacher: Teacher, given: Donor) -> Floats:
    """Give the teacher's unit vectors of its own words, float32 (words, 384)."""
    return teacher.encode(list(words(given.vocabulary))).astype(np.float32)


def graft(given: Donor, first: Floats) -> BertModel:
    """Put other input embeddings, float32 (pieces, 384), under the donor's body."""
    config = BertConfig.from_dict({**given.body.config.to_dict(), "vocab_size": len(first)})
    config.pad_token_id = len(first) - len(SPECIALS)
    body = BertModel(config)
    kept = given.body.state_dict()
    kept["embeddings.word_embeddings.weight"] = torch.from_numpy(first)
    body.load_state_dict(kept)
    return body


def reader(using: Tokenizer, length: int) -> PreTrainedTokenizerFast:
    """Dress the framed tokenizer as transformers wants it; texts are cut at `length` pieces."""
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=using,
        model_max_length=length,
        unk_token="[UNK]",
        pad_token=PAD,
        cls_token=CLS,
        sep_token=SEP,
        mask_token=None,
    )
