"""A long text into passages that say one thing each, for an encoder reads a page as a blur."""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from embed.rules import import_spacy

if TYPE_CHECKING:
    from spacy.language import Language

LONG = 400
"""Characters from which a text is cut."""


def passages(text: str, most: int = LONG) -> list[str]:
    """The sentences of a text, gathered in order into passages of at most `most` characters.

    A text that fits is one passage; a single sentence that does not is cut between words.
    """
    if len(text) <= most:
        return [text]
    found = [""]
    for piece in _pieces(text, most):
        if found[-1] and len(found[-1]) + 1 + len(piece) > most:
            found.append(piece)
        else:
            found[-1] = f"{found[-1]} {piece}".strip()
    return found


def _pieces(text: str, most: int) -> Iterator[str]:
    # spaCy takes minutes over one endless word.
    broken = re.sub(rf"(\S{{{most}}})(?=\S)", r"\1 ", text)
    for sentence in _sentencizer()(broken).sents:
        rest = sentence.text.strip()
        while len(rest) > most:
            cut = rest.rfind(" ", 0, most) if " " in rest[:most] else most
            yield rest[:cut]
            rest = rest[cut:].strip()
        yield rest


@cache
def _sentencizer() -> "Language":
    import_spacy()
    import spacy

    language = spacy.blank("xx")  # the rules of a full stop are the same, and load at once
    language.add_pipe("sentencizer")
    return language
