"""The words of what a need rules out, and a capability that names them."""

import re
from collections.abc import Iterable

from embed.text import fold, words
from index.exclusions import REFUSING

_SAID = re.compile(
    rf"exclu\w*|excepte|{REFUSING}"
    r"|besoin|question|passer|recourir|utiliser|chose|payer|pas|plus|jamais|hors|autres?"
    r"|plans?|dessins?|dossiers?|ref\w*|marques?|notices?|modeles?|fichiers?|personnes?"
)
"""Words of a refusal that are not what is refused, or that say what is not at hand."""

_BESIDE = re.compile(
    r" (?:qui|dont|dans|sur|sous|chez|pour|avant|apres|depuis|entre|si|juste|aux?|a)\b"
)
"""What begins where a refused thing has been named."""

_ABSENT = re.compile(
    r"\b(?:sans|ni|non|hors|sauf|jamais|zero|aucune?|pas (?:de|d')|plutot qu|au lieu|a la place"
    r"|anti|alternative\w*|remplac\w*|substitut\w*|evit\w*)\b[^,;:.!?()]{0,25}$"
)
"""What stands before a word that a sheet names only to do without it."""


def stems_ruled_out(refusals: Iterable[str], thing: str) -> frozenset[str]:
    """What some refusals ("surtout pas de location") name, and the thing itself does not."""
    heads = (_BESIDE.split(fold(refusal))[0] for refusal in refusals)
    given = [word for head in heads for word in words(head)]
    stems = {word.stem for word in given if not _SAID.fullmatch(word.strict)}
    return frozenset(stems - {word.stem for word in words(thing)}) if stems else frozenset()


def named_in(capability: str, stems: frozenset[str]) -> tuple[str, ...]:
    """The words of a capability whose stems are ruled out, as given and each once.

    Not those that it does without: "sans moule", "alternative au chrome".
    """
    if not stems:
        return ()
    named = (word for word in words(capability) if word.stem in stems)
    present = (word for word in named if not _ABSENT.search(fold(capability[: word.start])))
    return tuple(dict.fromkeys(capability[word.start : word.end] for word in present))
