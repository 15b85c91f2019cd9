"""French orthography: clean text, and the words that matching compares."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

from spacy.lang.fr import French
from spacy.lang.fr.stop_words import STOP_WORDS
from spacy.tokenizer import Tokenizer

_UNIT = r"(?:mm|cm|µm|kg|tonnes?|t|kN|bars?|kW|kV|V|litres?|L|°C|axes?)"
_NORM = r"(?:NF|EN|ISO|IATF|DIN|ASTM|AISI|ASME|AMS|IPC|UL|API|JIS|QQ|MIL)"
TECHNICAL = re.compile(
    rf"\b{_NORM}(?:[ /-]{_NORM})*[ -]?\d[\w.-]*\w"  # EN 9100, NF EN ISO 9001
    r"|[Øø⌀] ?\d+(?:[.,]\d+)?"  # Ø 3
    rf"|\d+(?:[.,]\d+)? ?{_UNIT}\b"  # 350 t, 5 axes
    r"|\bM\d+(?:[xX×]\d+(?:[.,]\d+)?)?\b"  # M12x1,5
    r"|\b\d{4}-[TtHhOo]\d+\b"  # 6082-T6
    r"|\d+(?:[.,]\d+)+"  # 1.4404, 0,02
)
# Before the last body that issued a norm: "NF EN ISO 9001" is compared as "iso9001".
_NORMS = re.compile(r"(?:(?:nf|en|din)[ /_-]?)+(?=(?:en|iso)[ _-]?\d)")
_ELISION = re.compile(r"^(?:[cdjlmnst]|(?:jus|lors|puis|quoi)?qu)'(?=\w)|^[^\w'Øø⌀]", re.IGNORECASE)
_BREAK = re.compile(r"(?<=[^\W_])'(?=\w)|[^\w.,']|[.,](?!\d)|(?<!\d)[.,]")
_SUFFIX = re.compile(r"[^\w]$")
# Stop words of the general language that name a thing or a property in a workshop.
_MEANT = {"bas", "debout", "hors", "nouveau", "or", "ouvert", "ouverte", "ouverts", "stop"}


class Word(NamedTuple):
    """A content word of a text: its place (code points) and the two forms that are compared."""

    start: int
    end: int
    strict: str
    stem: str


def clean(text: str) -> str:
    """NFC, straight apostrophes, no control or invisible characters, single spaces."""
    text = unicodedata.normalize("NFC", text).translate({0x2019: "'", 0x02BC: "'", 0x00AD: None})
    visible = (" " if c.isspace() else c for c in text if c.isspace() or c.isprintable())
    return " ".join("".join(visible).split())


def fold(text: str) -> str:
    """Lower case, no accents, ligatures apart: the form in which spellings are compared."""
    decomposed = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def light_stem(word: str) -> str:
    """The folded word without its plural, feminine or infinitive ending.

    After Savoy's minimal stemmer ("A stemming procedure and stopword list for general French
    corpora", JASIS 50(10), 1999), with the plurals in -eaux and -yaux (panneaux, tuyaux) kept
    apart from those in -aux, and from four letters on.
    """
    if len(word) < 4 or not word.isalpha():
        return word
    if word.endswith("aux"):
        return word[:-1] if word[-4] in "ey" else word[:-2] + "l"
    for ending in ("x", "s", "r", "e", "e"):
        word = word.removesuffix(ending)
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def words(text: str) -> list[Word]:
    """The content words of a clean text, in order, technical tokens such as "EN 9100" whole."""
    glued = TECHNICAL.sub(lambda found: found[0].replace(" ", "_"), text)
    places = ((token.idx, token.text) for token in _tokenizer()(glued))
    return [
        Word(start, start + len(surface), *forms)
        for start, surface in places
        if (forms := _forms(surface))
    ]


@lru_cache(maxsize=100_000)
def _forms(surface: str) -> tuple[str, str] | None:
    """The strict and stemmed form of a token, None for one without meaning of its own."""
    strict = fold(surface.replace("_", ""))
    if norm := _NORMS.match(strict):
        strict = strict[norm.end() :]
    lone = len(strict) == 1 and not strict.isdigit()
    stop = surface.lower().rstrip("'") in _stop_words()  # accents kept: "maïs" is no "mais"
    if lone or stop or not any(c.isalnum() for c in strict):
        return None
    return strict, light_stem(strict)


@cache
def _stop_words() -> frozenset[str]:
    return frozenset(word.rstrip("'\u2019") for word in STOP_WORDS) - _MEANT


@cache
def _tokenizer() -> Tokenizer:
    """SpaCy's tokenizer with rules for trade French: elisions off, hyphens and slashes apart."""
    whole = re.compile(rf"(?:{TECHNICAL.pattern.replace(' ', '_')})|aujourd'hui", re.IGNORECASE)
    return Tokenizer(
        French().vocab,
        prefix_search=_ELISION.search,
        suffix_search=_SUFFIX.search,
        infix_finditer=_BREAK.finditer,
        token_match=whole.fullmatch,
    )
