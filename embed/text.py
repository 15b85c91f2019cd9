"""French orthography: clean text, and the words that matching compares."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from embed.stopwords import STOP_WORDS

_NUMBER = r"(?:\d{1,3}(?: \d{3})+|\d+)(?:[.,]\d+)?"
_UNIT = r"(?i:mm|cm|µm|m|kg|g|tonnes?|t|kN|bars?|kW|kV|V|litres?|ml|cl|l|°C|axes?)"
_THING = r"(?i:pièces?|pieces?|pcs|exemplaires?|unités?|unites?)"
_PERIOD = r"(?i:an|année|annee|mois|semaine|jour)"
# "en" in small letters is a word, but before the numbers of the best known standards.
_BODY = r"(?:(?i:NF|ISO|IATF|DIN|ASTM|AISI|ASME|AMS|IPC|MIL)|EN|en(?= ?(?:iso|9100|1090|15085)))"
_TOKEN = re.compile(
    rf"(?P<quantity>\b{_NUMBER}(?: ?{_THING})?(?: ?/ ?| par ){_PERIOD}\b|\b{_NUMBER} ?{_THING}\b"
    r"|(?i:\b(?:petite|moyenne|grande)s? (?:et (?:moyenne|grande)s? )?s[ée]ries?\b))"
    rf"|\b{_BODY}(?:[ /-]{_BODY})*[ -]?\d[\w.-]*\w"  # EN 9100, NF EN ISO 9001
    r"|[Øø⌀] ?\d+(?:[.,]\d+)?"  # Ø 3
    rf"|\b{_NUMBER} ?{_UNIT}\b"  # 350 t, 5 axes, 5 000 L
    r"|\bM\d+(?:[xX×]\d+(?:[.,]\d+)?)?\b"  # M12x1,5
    r"|\b\d{4}[ -]?[TtHhOo]\d+\b"  # 6082-T6
    r"|\b\d+(?:[.,]\d+)+\b"  # 1.4404, 0,02
    r"|\b\d{1,3}(?: \d{3})+\b"  # 20 000
    r"|[^\W_]+"  # a word; elided articles stand apart and count for nothing
)
# Before the last body that issued a norm: "NF EN ISO 9001" is compared as "iso9001".
_BODIES = re.compile(r"(?:(?:nf|en|din)[ /-]?)+(?=(?:en|iso)[ -]?\d)")
_MEASURE = re.compile(r"([\d.]+)([a-zμ°]+)?")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")
_ONE_UNIT = {"tonnes": "t", "tonne": "t", "litres": "l", "litre": "l", "bars": "bar", "axe": "axes"}


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
    """The folded word without its plural, feminine or infinitive ending; three letters stay.

    After Savoy's minimal stemmer ("A stemming procedure and stopword list for general French
    corpora", JASIS 50(10), 1999), with the plurals in -eaux and -yaux (panneaux, tuyaux) kept
    apart from those in -aux, which join the words in -al and -ail (métaux, émaux), and with four
    letters left to what loses more than its plural.
    """
    if len(word) < 4 or not word.isalpha():
        return word
    if word.endswith("aux"):
        return word[:-1] if word[-4] in "ey" else word[:-2] + "l"
    word = word[:-1] if word[-1] in "sx" else word
    if word.endswith("ail"):
        return word[:-3] + "al"
    for ending in ("r", "e", "e"):
        word = word.removesuffix(ending) if len(word) > 4 else word
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] else word


def words(text: str) -> list[Word]:
    """The content words of a clean text, in order, technical tokens such as "EN 9100" whole.

    Quantities ("500 pièces par an", "petites séries") are no content: they say how many, not what.
    """
    return [
        Word(found.start(), found.end(), *forms)
        for found in _TOKEN.finditer(text)
        if found.lastgroup != "quantity" and (forms := _forms(found[0]))
    ]


@lru_cache(maxsize=100_000)
def _forms(token: str) -> tuple[str, str] | None:
    """The strict and stemmed form of a token, None for one without meaning of its own."""
    if token.lower() in STOP_WORDS:  # accents kept: "maïs" is no "mais"
        return None
    strict = fold(token)
    if bodies := _BODIES.match(strict):
        strict = strict[bodies.end() :]
    strict = _one_spelling(strict.replace(" ", ""))
    lone_letter = len(strict) == 1 and strict.isalpha() and strict.isascii()
    return None if lone_letter else (strict, light_stem(strict))


def _one_spelling(token: str) -> str:
    """One spelling for 1,5mm and 1.5mm, 350tonnes and 350t, 10.000 and 10000."""
    if not token[0].isdigit():
        return token.replace(",", ".")
    number = token.replace(",", ".").replace("-", "")
    measure = _MEASURE.fullmatch(number)
    if not measure:
        return number
    value = measure[1].replace(".", "") if _THOUSANDS.fullmatch(measure[1]) else measure[1]
    unit = measure[2] or ""
    return value + _ONE_UNIT.get(unit, unit)
