"""How a need is read before any supplier is looked at."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from embed.encoder import Encoder, Vectors
from embed.errors import MaillonError
from embed.spelling import Spelling
from embed.text import clean
from index.concepts import Concepts, Links
from index.lexical import Lexical
from index.ranking import Mix
from index.segment import Query
from index.wishes import Thing, Wish, bare, wishes

MAX_NEED = 5_000
_REMEMBERED = 64  # one answer reads its need thrice


class NeedError(MaillonError):
    """A need that cannot be searched, or a number of suggestions that cannot be given."""


class Reading(NamedTuple):
    """A need as it was read.

    `text` has its slips mended; `trades` are those it evokes most, in the lexicon's words. Vector,
    links and query are those of the thing itself, see `bare`; `ruled_out` are stems.
    """

    text: str
    trades: tuple[str, ...]
    vector: Vectors
    links: Links
    query: Query
    ruled_out: frozenset[str]

    @property
    def nearest(self) -> float:
        """The cosine with the trade nearest to it."""
        return float(self.links.nearest[0])


class Reader:
    """Reads needs with what a directory knows: its words, its rarities, its trades."""

    def __init__(
        self,
        encoder: Encoder,
        spelling: Spelling,
        concepts: Concepts,
        lexical: Lexical,
        mix: Mix,
        towns: Callable[[str], bool],
    ) -> None:
        self.encoder = encoder
        self.concepts = concepts
        self.lexical = lexical
        self.mix = mix
        self._spelling = spelling
        self._towns = towns
        self.read = lru_cache(maxsize=_REMEMBERED)(self._read)
        self.wishes = lru_cache(maxsize=_REMEMBERED)(self._wishes)

    def read_each(self, needs: Iterable[str]) -> list[Reading]:
        """Read needs together; each as `read` does, if its vector is the same in company."""
        texts = [self._spelling.mend(check_need(need)) for need in needs]
        things = [bare(text) for text in texts]
        vectors = self.encoder.encode_needs([thing.text for thing in things])
        links = self.concepts.asked(vectors)
        return [
            self._understood(*read, links.part(at))
            for at, read in enumerate(zip(texts, things, vectors, strict=True))
        ]

    def _read(self, need: str) -> Reading:
        return self.read_each([need])[0]

    def _understood(self, text: str, thing: Thing, vector: Vectors, links: Links) -> Reading:
        query = Query(
            vector,
            self.mix.dense,
            self.lexical.wanted(thing.text),
            self.mix.lexical,
            links.wanted(self.mix.concept),
        )
        trades = self.concepts.evoked(links)
        return Reading(text, trades, vector, links, query, thing.ruled_out)

    def _wishes(self, need: str) -> tuple[Wish, ...]:
        """What a need asks besides the thing: a place, a certificate, a series, a grade."""
        return wishes(check_need(need), self._towns)


def check_need(text: str) -> str:
    """The clean text of a need; raises `NeedError` where it is empty, too long or wordless."""
    need = clean(text[: MAX_NEED * 4])
    if len(text) > MAX_NEED * 4 or len(need) > MAX_NEED:
        raise NeedError(
            f"the need has {len(text):,} characters, at most {MAX_NEED:,} are read. Shorten it."
        )
    if not any(c.isalnum() for c in need):
        raise NeedError("the need holds no word. Say in a few words what is to be made or done.")
    return need
