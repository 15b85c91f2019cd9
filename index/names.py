"""Names in a text, found by spaCy's `PhraseMatcher` however they are spaced or accented."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from embed.rules import import_spacy
from index.folding import Reading, read

if TYPE_CHECKING:
    from spacy.matcher import PhraseMatcher
    from spacy.vocab import Vocab

_OTHER = "_"
"""What stands for every word that no name holds: the vocabulary never grows."""

_GLASS_FIBRE = re.compile(r"gf\d")


class Name(NamedTuple):
    """A name at characters `start` to `end` of a folded text, and what it is a spelling of."""

    label: str
    start: int
    end: int


class Names:
    """Names to find, each under a label; the matcher is made at the first use.

    Texts come as our own tokens: no tokenizer is made, which for French takes three seconds.
    """

    def __init__(self, spellings: Mapping[str, Iterable[str]]) -> None:
        self._spellings = spellings

    def within(self, reading: Reading) -> list[Name]:
        """The names in a text, in order, the longest where they overlap."""
        matcher, vocab, known, firsts = self._matcher
        from spacy.tokens import Doc

        tokens = reading.tokens
        if not any(token.form in firsts for token in tokens):
            return []
        words = [token.form if token.form in known else _OTHER for token in tokens]
        taken: set[int] = set()
        found = []
        hits = matcher(Doc(vocab, words=words))
        for label, first, last in sorted(hits, key=lambda hit: (hit[1] - hit[2], hit[1])):
            if taken.isdisjoint(range(first, last)):
                taken.update(range(first, last))
                start, end = tokens[first].start, tokens[last - 1].end
                found.append(Name(str(vocab.strings[label]), start, end))
        return sorted(found, key=lambda name: name.start)

    def apart(self, reading: Reading) -> list[Name]:
        """Those that no letter or digit touches, glass fibre ("PA66GF30") aside."""
        return [name for name in self.within(reading) if not _touched(reading.folded, name)]

    @cached_property
    def _matcher(self) -> tuple["PhraseMatcher", "Vocab", frozenset[str], frozenset[str]]:
        """The matcher, its vocabulary, the words that occur in a name, those that begin one."""
        import_spacy()
        from spacy.matcher import PhraseMatcher
        from spacy.tokens import Doc
        from spacy.vocab import Vocab

        vocab = Vocab()
        matcher = PhraseMatcher(vocab)
        names = {label: list(map(_words, given)) for label, given in self._spellings.items()}
        for label, spellings in names.items():
            matcher.add(label, [Doc(vocab, words=words) for words in spellings])
        every = [words for spellings in names.values() for words in spellings]
        known = frozenset(word for words in every for word in words)
        return matcher, vocab, known, frozenset(words[0] for words in every)


def _words(spelling: str) -> list[str]:
    return [token.form for token in read(spelling).tokens]


def _touched(folded: str, name: Name) -> bool:
    before = folded[max(0, name.start - 1) : name.start]
    after = folded[name.end : name.end + 1]
    fibre = _GLASS_FIBRE.match(folded, name.end)
    return before.isalnum() or ((after.isalnum() or after == "'") and not fibre)
