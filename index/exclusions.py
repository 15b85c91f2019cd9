"""What a need rules out: "pas de soudure", "ni plastique ni alu", "en excluant le bois".

An encoder reads "surtout pas de soudure" much as "soudure": what is refused must not be compared.
What a thing is free of or replaces ("sans colle", "au lieu du plomb") is: it tells trades apart.
Whatever is in doubt is not ruled out: a state ("ne démarre plus"), a pitch ("pas de 1,5"), what
something is free of ("gants sans latex", "tube sans soudure"), what somebody lacks ("nous n'avons
ni cuve ni chaîne", "j'ai la recette mais pas le matériel"): that is what they need.
"""

import re
from collections.abc import Iterator

from embed.text import fold
from index.folding import Found, Reading

REFUSING = r"evite\w*|interdi\w+|proscri\w+|banni\w*|refuse\w*|oubli\w+|abst\w+"
"""Verbs that rule something out."""

_CUE = re.compile(
    r"\b(?:pas|sans|ni|plus|jamais|aucune?|rien|exc\w+|hors|sauf|hormis|plutot|lieu|place|non"
    rf"|autre\w*|{REFUSING})\b"
)
"""Without one of these words nothing is ruled out."""

_START = r"(?:^|(?<=[,;:.!?(] )|(?<=[,;:.!?(])|(?<= et )|(?<= mais )|(?<= ou )|(?<= donc ))"
_STRESS = r"(?:(?:surtout|absolument|certainement|strictement|si possible|de preference) )*"
_OF = r"(?:de |d'|du |des |en |par |avec |une? |le |la |les |l')"
_THE = r"(?:le |la |les |l'|du |tout )"
_WANT = (
    r"\b(?:on |nous |je )?(?:ne |n')?(?:en )?(?:veu\w+|voul\w+|voudr\w+|cherch\w+|souhait\w+"
    r"|accept\w+|admet\w*|toler\w+|faut|prend\w*)"
)
_NOT_OF = rf"(?!de (?:\d|vis\b|filet|porte\b)){_OF}"
"""No pitch of a thread, no sill of a door."""

_OUTSIDE = (
    r"hors(?![ -](?:tout|normes?|series?|gel|sol|d'eau|d'air|d'usage|d'axe|axe|service|bord|saison"
    r"|gabarit|taille|cotes?|catalogue|standard|taxes?|ht|poussiere)\b)"
)
_RULED = r"(?:exclue?s?|proscrite?s?|bannie?s?|a (?:proscrire|bannir|eviter))"
_FORBIDDEN = rf"(?:{_RULED}|interdite?s?)"

_STOP = (
    r"(?= (?:mais|avec|pour|afin|car|donc|parce|puisque"
    r"|et (?:qu|on|il|je|j'|nous|vous|une?|des|avec))\b)"
)
_SCOPE = rf"(?:(?!{_STOP})[^,;:.!?()\0]){{2,80}}"
_NAMED = r"(?:(?! et | mais | donc )[^,;:.!?()\0]){2,40}"
_MUCH = r"(?!qu|seule|unique|encore|toujours|trop|assez|cher)"
_INSTEAD = (
    r"(?!(?:(?:le|la|les|se|en|y|tout) |l'|s')*"
    r"(?!aci|papi|fer\b|verr|cuir|fibr|cuivr|osi|marbr|platr)\w{3,}(?:er|ir|re)\b)"
    r"(?!\d|(?:deux|trois|quatre|cinq|six|huit|dix|onze|douze|vingt|cent)\b)"
)
"""A thing: neither "au lieu de couper" nor "au lieu de vingt"."""

_MORE = rf"(?:(?=,[^;:.!?()]* (?:ni|et|ou) )(?:, (?={_OF}){_SCOPE})+)?"
"""What goes on after a comma: "l'acier, l'alu et toute soudure"."""

_RULED_OUT = re.compile(
    "|".join(
        (
            rf"{_START}{_STRESS}pas (?:question |besoin )?{_NOT_OF}{_SCOPE}",
            rf"(?:(?<= mais )|\bsurtout )pas (?!\w+[ei]r\b){_MUCH}{_SCOPE}",
            rf"{_START}jamais {_OF}{_SCOPE}",
            rf"{_START}rien (?!d'autre|de (?:tel|tout|vrai)|du commerce){_OF}{_SCOPE}",
            rf"{_WANT} {_STRESS}(?:plus|pas|jamais) {_STRESS}{_NOT_OF}{_SCOPE}",
            rf"{_WANT} aucune? {_SCOPE}",
            rf"{_START}{_STRESS}aucune? (?![^,;:.!?()]* n(?:e |')){_SCOPE}",
            rf"{_START}{_STRESS}sans (?!que |qu'|quoi |cesse|arret|doute|rien ){_SCOPE}",
            rf"\bsans (?:aucune?|la moindre|le moindre|passer par|recourir|utiliser) {_SCOPE}",
            rf"(?<![\w'-])ni (?!plus ){_NAMED}(?:,? ni {_SCOPE})+",
            rf"\b(?:en excluant|a l'ex(?:clu|cep)tion d(?:e|u|es)\b) ?{_SCOPE}{_MORE}",
            rf"\b(?:tout )?(?:sauf|hormis|excepte) (?!qu|aux? |a ){_SCOPE}{_MORE}",
            rf"{_START}{_STRESS}{_OUTSIDE} {_SCOPE}{_MORE}",
            rf"\bplutot qu(?:e |'){_SCOPE}{_MORE}",
            rf"\b(?:au lieu|a la place) d(?:e |u |'|es ){_INSTEAD}{_SCOPE}{_MORE}",
            rf"\bet non (?:pas )?{_SCOPE}",
            rf"\bautre(?:s|ment)? (?:choses? )?qu(?:e |'){_SCOPE}{_MORE}",
            rf"{_START}(?:evite[rz]|a eviter|{_FORBIDDEN} ?:) {_SCOPE}",
            r"(?:(?<=client )|(?<=clients )|(?<=d'ordre )|(?<=d'ordres )|\b(?:on|nous|je) )"
            rf"(?:refuse\w*|oubli(?:e|ez|ons)) {_THE}"
            rf"(?!livrais|lots?\b|command|marchandis|pieces?\b){_SCOPE}",
            rf"{_START}{_NAMED} (?:est|sont|etant) (?:desormais )?{_STRESS}{_FORBIDDEN}\b",
            rf"{_START}{_NAMED} {_STRESS}{_RULED}\b",
            rf"{_START}{_NAMED} s'abst\w+",
            rf"{_START}{_NAMED} n(?:e |')(?:m'|nous |me )?(?:interess\w+|convien\w+) pas\b",
        )
    )
)


_HAS = r"ai|(?:on|il|elle|qui) a|avons|avez|ont"
_LACKED = re.compile(
    r"(?:\bn(?:e |')(?!veu|voul|voudr|cherch|souhait|accept|admet|toler|faut|prend)[^,;:.!?]{0,30}"
    rf"|\b(?:{_HAS}|sai[ts]|savons|peux|peut|pouvons|possed\w+|maitris\w+|gard\w+|laiss\w+"
    r"|arret\w+)\b[^;:.!?]{0,60}\b(?:et|mais)) (?:ni|pas|aucune?) \S+$"
    rf"|\b(?:{_HAS}|exist\w+)\b[^;:.!?]{{0,60}}, pas (?:les?|la|l'\S*)$"
    r"|\b(?:est|sont|marche|tient|passe|va|fournie?s?)\b[^;:.!?]{0,30},?"
    r" (?:sauf|hormis|excepte) \S+$"
)
"""What somebody lacks, to its second word: "on a la recette mais pas le"."""

_CLAUSE = r"(?:je|j'|on|nous|vous|ils?|elles?|ca|cela|qui|y|ne|n'|c'|se|s'|au|du|une?|le)"
_TYPED = re.compile(
    rf"(?:^|[,;:.!?(] ?)(?:(?!\b{_CLAUSE}\b)[^,;:.!?()\0])+?"
    rf"(?<!surtout)(?<!absolument)(?<!possible)(?<! mais)(?<! et)(?<! ou) (?=pas {_NOT_OF})"
)
"""What a search box is given before "pas de" without a comma; it is no clause with a verb."""


_FREE_OF = re.compile(r"(?:sans|aucune?|au lieu|a la place) ")


def is_refusal(words: str) -> bool:
    """Whether these words refuse a thing, rather than say what is free of it or replaces it."""
    return not _FREE_OF.match(fold(words))


def exclusions_in(reading: Reading, folded: str) -> Iterator[Found]:
    """What a text rules out; a `value` is the words as given, the cue included.

    `folded` is the folded text, blank (NUL) where a certificate or a place was found.
    """
    if not _CUE.search(folded):
        return
    folded = _TYPED.sub(lambda typed: typed[0][:-1] + ",", folded)
    for match in _RULED_OUT.finditer(folded):
        start = match.start()
        if _LACKED.search(folded[:start] + " ".join(match[0].split()[:2])):
            continue
        end = start + len(match[0].rstrip())
        words = reading.given(start, end)
        yield Found("exclusion", words, words, start, end)
