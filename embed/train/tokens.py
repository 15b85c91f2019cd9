"""The tokenizer: uncased French WordPiece that folds accents and keeps digits and units."""

import string
from collections.abc import Iterable

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

UNKNOWN = "[UNK]"

ALPHABET = string.ascii_lowercase + string.digits + string.punctuation + "°€μøß±×"
"""Characters that always have a piece; text outside Latin script falls to `UNKNOWN`."""


def blank(model: models.Model) -> Tokenizer:
    """Make a tokenizer that folds compatibility forms, case, accents and ligatures (NFKD)."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKD(),
            normalizers.Lowercase(),
            normalizers.StripAccents(),
            normalizers.Replace("œ", "oe"),
            normalizers.Replace("æ", "ae"),
            normalizers.Replace("’", "'"),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def train(texts: Iterable[str], pieces: int) -> Tokenizer:
    """Learn a WordPiece of at most `pieces` pieces on French texts, the same on every run.

    After Schuster and Nakajima (2012), "Japanese and Korean Voice Search", section 3, as the
    tokenizers library learns it (byte-pair merges by frequency). The library numbers inner
    characters in random order, and ties follow numbers: they are numbered here beforehand.
    """
    inner = [f"##{character}" for character in ALPHABET if character not in string.punctuation]
    learner = blank(models.WordPiece(unk_token=UNKNOWN))
    learner.train_from_iterator(
        texts,
        trainers.WordPieceTrainer(
            vocab_size=pieces,
            min_frequency=2,
            limit_alphabet=len(ALPHABET),
            initial_alphabet=list(ALPHABET),
            special_tokens=[UNKNOWN, *inner],
            show_progress=False,
        ),
    )
    vocabulary = {piece: rank for rank, piece in enumerate(_by_rank(learner))}
    return blank(models.WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=60))


def _by_rank(tokenizer: Tokenizer) -> list[str]:
    """List the pieces in the order of their identifiers; `UNKNOWN` is the first."""
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)
