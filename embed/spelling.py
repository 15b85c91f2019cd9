"""Slips and abbreviations of a need, read as the words that the trade writes."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

from embed.lexicon import lexicon, read_asks
from embed.stopwords import STOP_WORDS
from embed.text import fold

SHORT = {
    "alu": "aluminium", "ass": "assemblage", "boul": "boulonnerie", "cn": "commande numérique",
    "carto": "cartonnage", "condt": "conditionnement", "diam": "diamètre", "ep": "épaisseur",
    "galva": "galvanisé", "jt": "joint", "jts": "joints", "lg": "longueur", "ht": "hauteur",
    "meca": "mécanique", "pce": "pièce", "pces": "pièces", "pcs": "pièces", "plast": "plastique",
    "proto": "prototype", "protos": "prototypes", "qte": "quantité", "ref": "référence",
    "soud": "soudure", "ss": "sous", "dble": "double", "tole": "tôle",
    "tth": "traitement thermique",
    "tts": "traitement de surface", "ttt": "traitement", "usi": "usinage", "inj": "injection",
    "elec": "électrique",
}  # fmt: skip
"""Abbreviations that are no beginning of a word, or are written without a full stop."""

_WORD = re.compile(r"(?P<word>[^\W\d_]+)(?P<stop>\.(?!$))?")
_LEAST = 4
_LONG = 8
"""Letters from which a word may hold two slips."""

_SEEN = 3
"""Times that a word must stand in hurried texts to be taken for well spelt."""


class Spelling:
    """The words that are known, most frequent first, and what an unknown one is read as.

    One slip (a letter more, less, other, or two exchanged: Damerau's four) is mended in a word of
    four letters or more, two in one of eight; the first letter stands. A beginning with a full
    stop, "perç.", is read as the most frequent word that begins so.
    """

    def __init__(self, known: Sequence[str]) -> None:
        self.known = known
        self._written = {fold(word): word for word in reversed(known)}
        self._by_letter: dict[str, list[str]] = {}
        for word in dict.fromkeys(map(fold, known)):
            self._by_letter.setdefault(word[:1], []).append(word)

    @classmethod
    def learn(cls, texts: Iterable[str]) -> "Spelling":
        """Know the words of the lexicon and of these well-written texts.

        Those of its lay phrases and asks, some of them hurried, are known if they come back.
        """
        counts = _of_lexicon() + _counts(texts)
        return cls([word for word, _ in counts.most_common()])

    def mend(self, text: str) -> str:
        """The text with its unknown words read as known ones, where that is possible."""
        return _WORD.sub(lambda found: self._read(found["word"], found["stop"] or ""), text)

    def save(self, path: Path) -> None:
        """Write the words, one a line."""
        path.write_text("\n".join(self.known), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Spelling":
        """Read what `save` wrote."""
        return cls(path.read_text(encoding="utf-8").split("\n"))

    def _read(self, word: str, stop: str) -> str:
        folded = fold(word)
        if folded in self._written or word.lower() in STOP_WORDS:
            return word + stop
        if folded in SHORT:
            return SHORT[folded]
        if stop and len(folded) > 2 and (found := self._begun(folded)):
            return self._written[found]
        if folded not in _everyday() and (found := self._near(folded)):
            return self._written[found] + stop
        return word + stop

    def _begun(self, beginning: str) -> str | None:
        same = self._by_letter.get(beginning[:1], ())
        return next((word for word in same if word.startswith(beginning)), None)

    def _near(self, folded: str) -> str | None:
        if len(folded) < _LEAST:
            return None
        same = self._by_letter.get(folded[:1], [])
        slips = 2 if len(folded) >= _LONG else 1
        found = process.extractOne(
            folded, same, scorer=OSA.distance, processor=None, score_cutoff=slips
        )
        return found[0] if found else None


@cache
def _of_lexicon() -> Counter[str]:
    entries = lexicon()
    careful = [text for e in entries for text in (e.sheet, *e.products, *e.materials)]
    hurried = [text for e in entries for text in e.lay]
    hurried += [ask.text for ask in read_asks(entries)]
    repeated = {word: n for word, n in _counts(hurried).items() if n >= _SEEN}
    return _counts(careful) + Counter(repeated)


@cache
def _everyday() -> frozenset[str]:
    """The words of common French, folded: they are left alone, and nothing is read as them."""
    from spellchecker import SpellChecker  # late: its dictionary takes a quarter of a second

    return frozenset(map(fold, SpellChecker(language="fr").word_frequency.words()))


def _counts(texts: Iterable[str]) -> Counter[str]:
    return Counter(
        found["word"].lower()
        for text in texts
        for found in _WORD.finditer(text)
        if len(found["word"]) > 2 or found["word"].isupper()
    )
