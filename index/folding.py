"""A text in the form that names and rules are read in, with the place of every character kept."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from embed.text import clean, fold

Kind = Literal["department", "region", "near", "certification", "series", "material", "exclusion"]

_SAINTS = {"st": "saint", "ste": "sainte"}
_SIGNS = {ord(c): "'" for c in "’‘ʼ´`"} | {ord(c): "-" for c in "‐‑‒–—−"}
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\s'-]")


class Token(NamedTuple):
    """A run of letters, a run of digits or a sign: where in the folded text, and its form."""

    start: int
    end: int
    form: str


class Found(NamedTuple):
    """What characters `start` to `end` of a folded text ask; the fields are those of a `Wish`."""

    kind: Kind
    value: str
    label: str
    start: int
    end: int
    km: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A text, its folded form with single spaces, and where each folded character stands.

    `starts` and `ends` have one place of `text` a folded character. `cased` is whether the text
    has capitals and small letters both, so that a capital says something.
    """

    text: str
    folded: str
    starts: list[int]
    ends: list[int]
    tokens: list[Token]
    cased: bool

    def given(self, start: int, end: int) -> str:
        """The text as given between two places of the folded text, cleaned."""
        return clean(self.text[self.starts[start] : self.ends[end - 1]])

    def before(self, start: int, most: int) -> str:
        """Up to so many folded characters before a place."""
        return self.folded[max(0, start - most) : start]

    def in_capitals(self, start: int, end: int) -> bool:
        """Whether what stands there is in capitals, in a text that is not all so."""
        return self.cased and self.given(start, end).isupper()


def read(text: str) -> Reading:
    """The reading of any text, empty or not cleaned included."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for place, character in enumerate(text):
        form = _folded(character)
        if form and not (form == " " and parts and parts[-1] == " "):
            parts.append(form)
            starts.extend([place] * len(form))
            ends.extend([place + 1] * len(form))
        elif ends:  # a combining accent belongs to its letter, a second space to the first
            ends[-1] = place + 1
    folded = "".join(parts)
    tokens = [Token(m.start(), m.end(), m[0]) for m in _TOKEN.finditer(folded)]
    cased = any(c.islower() for c in text) and any(c.isupper() for c in text)
    return Reading(text, folded, starts, ends, tokens, cased)


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    if character.isspace():
        return " "
    return fold(character.translate(_SIGNS)) if character.isprintable() else ""


def place_key(name: str) -> str:
    """The form in which places are compared: folded words, one space apart, "St" as "saint"."""
    return " ".join(_SAINTS.get(word, word) for word in re.findall(r"[^\W_]+", fold(name)))
