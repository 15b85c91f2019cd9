"""How many pieces a need asks for, as a series: "500 par an", "une dizaine", "grande série"."""

import re
from collections.abc import Iterator

from index.folding import Found, Reading

UNIT = (
    r"(?:[µmcdk]?m|[mk]?g|kn|n|bars?|[mk]?[wv]|v|a|h|l|ml|cl|t|°|%|€|x|×|pouces?|mois|jours?|ans?|"
    r"heures?|min|litres?|tonnes?|kilos?|metres?|(?:milli|centi|kilo)metres?|euros?|ke|soupapes|"
    r"janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre|"
    r"places?|degres?)"
)
"""A regex of what makes a number no count and no département: "mm", "jours", "mars"."""

_BOUNDS = {"prototype": 5, "petite": 500, "moyenne": 10_000, "grande": float("inf")}

_NUMBER = (
    r"(?<![\w.,/])(?:\d{1,3}(?:[ .]\d{3}){1,3}(?!\d)|\d{1,9}(?:[.,]\d{1,2})?(?!\d))"
    r"(?: ?(?:k|mille|millions?)\b)?"
)
_ONES = {"un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7,
         "huit": 8, "neuf": 9, "dix": 10, "douze": 12, "quinze": 15, "vingt": 20, "trente": 30,
         "quarante": 40, "cinquante": 50, "soixante": 60, "cent": 100, "cents": 100,
         "mille": 1_000, "million": 1_000_000, "millions": 1_000_000, "k": 1_000}  # fmt: skip
_ABOUT = {"dizaine": 10, "douzaine": 12, "quinzaine": 15, "vingtaine": 20, "trentaine": 30,
          "quarantaine": 40, "cinquantaine": 50, "soixantaine": 60, "centaine": 100,
          "millier": 1_000, "million": 1_000_000}  # fmt: skip
_SEVERAL = {"quelques": 3, "plusieurs": 3, "des": 3, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5}
_A_YEAR = {"mois": 12, "trimestre": 4, "semaine": 50, "jour": 220}

_WORDS = r"(?:\b(?:" + "|".join(w for w in _ONES if w not in ("k", "un", "une")) + r")\b ?){1,3}"
_COUNT = rf"(?:{_NUMBER}|{_WORDS})"
_RANGE = rf"(?P<count>{_COUNT})(?: ?(?:a|-|ou|/) ?(?P<most>{_COUNT}))?"
_PIECES = (
    r"(?:(?:d'|de )?(?:pieces?|pcs|pces?|exemplaires?|ex(?:\.|\b)|unites?"
    r"(?! de (?:prod|fabr|stock|trait)))(?![\w]))"
)
_PER = r" ?(?:/|par|chaque) ?(?P<period>an|annee|mois|trimestre|semaine|jour)s?\b"
_NO_RATE = r"(?! ?(?:/|par|a l') ?(?:h|heure|min|minute|seconde|s|lot|boite|carton|palette|kit)\b)"
_SERVICE = (
    r"(?:fois|visites?|interventions?|passages?|livraisons?|commandes?|lots?|series?|audits?)"
)
_FRAMED = re.compile(
    r"\b(?:kits?|jeux?|ensembles?|assemblages?|puzzles?|menageres?|coffrets?|sets?|maillots?|"
    r"costumes?|appartements?|studios?|compose\w*|constitue\w*|boites?|sachets?|blisters?)"
    r"(?: de| d'| en)? ?$"
)
_IN_PARTS = re.compile(r"\b(?:en|moules?) $")
_QUANTITIES = [
    re.compile(
        rf"\b(?:pre-?)?(?:series?|lots?|campagnes?|tirages?) (?:de |d')(?:environ |l'ordre de )?"
        rf"{_RANGE}(?! ?{UNIT}(?!\w))"
        r"(?! (?:trous|percages?|essais|mesures|photos|cavites|couleurs)\b)"
        rf"(?: {_PIECES})?(?:{_PER})?"
    ),
    re.compile(rf"{_RANGE} ?{_PIECES}(?:{_PER})?{_NO_RATE}"),
    re.compile(
        rf"{_RANGE}(?: (?!{UNIT}\b|{_SERVICE}\b|par\b)[^\W\d_]{{3,}}"
        rf"(?: (?!{UNIT}\b|{_SERVICE}\b|par\b)(?:[^\W\d_]{{2,}}|\0+)){{0,3}})?{_PER}"
    ),
    re.compile(
        rf"\b(?P<several>une?|{'|'.join(_SEVERAL)}) (?:bonne |petite |grosse )?"
        rf"(?P<about>{'|'.join(_ABOUT)})s?\b(?! (?:de |d')?(?:{UNIT}|annees?|personnes|kw)\b)"
        rf"(?: (?:de |d')(?=pieces|exemplaires|unites)(?:{_PIECES}))?(?:{_PER})?"
    ),
    re.compile(
        r"(?P<count>(?<![\w.,])\d{1,4}(?:[.,]\d{1,2})? millions?)\b"
        r"(?! (?:de |d')| ?[€$]| euros?| ?[mk]?[wgv]h?\b)"
    ),
]
_SERIES = re.compile(
    r"\b(?P<size>petite|moyenne|grande)s?"
    r"(?:[ -](?:series?|quantites?)\b|(?= ?(?:et|ou|a|/|,) ?(?:petite|moyenne|grande)s? series?\b))"
)
_ONE = re.compile(
    r"\b(?:proto(?:s|types?|typages?)?|pre-? ?series?|(?:piece|exemplaire)s? uniques?|"
    r"(?:en )?un (?:seul |unique )?exemplaire(?: unique)?|une (?:seule|unique) piece|"
    r"(?:fabrication|production|realisation) (?:unitaire|a l'unite))\b"
)


def series_in(reading: Reading, left: str) -> Iterator[Found]:
    """Series in a text: numbers of pieces, and series by their names.

    `left` is the folded text with a null character for every one that is taken already.
    """
    for pattern in (*_QUANTITIES, _SERIES, _ONE):
        for found in pattern.finditer(left):
            series = _size(found)
            before = left[max(0, found.start() - 20) : found.start()]
            if _FRAMED.search(before) or (series == "prototype" and _IN_PARTS.search(before)):
                continue
            label = "prototype" if series == "prototype" else f"{series} série"
            said, end = _said(reading, found)
            if pattern in _QUANTITIES:
                label = f"{label} ({said})"
            yield Found("series", series, label, found.start(), end)


def _said(reading: Reading, found: re.Match[str]) -> tuple[str, int]:
    """A quantity in the words of the text, and where it ends."""
    if "\0" in found[0]:  # "500 axes en 316L par an": what is taken stays apart
        end = found.end("count")
        return f"{reading.given(found.start(), end)} par {found['period']}", end
    end = found.start() + len(found[0].rstrip(" "))
    return reading.given(found.start(), end), end


def _size(found: re.Match[str]) -> str:
    groups = found.groupdict()
    if size := groups.get("size"):
        return size
    if about := groups.get("about"):
        number = float(_ABOUT[about] * _SEVERAL.get(groups["several"] or "", 1))
    elif count := groups.get("most") or groups.get("count"):
        number = _value(count)
    else:
        return "prototype"
    number *= _A_YEAR.get(groups.get("period") or "", 1)
    return next(name for name, most in _BOUNDS.items() if number <= most)


def _value(count: str) -> float:
    """The number in "10 000", "10.000", "2k", "2,5 millions" or "deux cents"."""
    total, current = 0.0, 0.0
    plain = re.sub(r"(?<=\d)[ .](?=\d{3}(?!\d))", "", count).replace(",", ".")
    for part in re.findall(r"[\d.]+|[^\W\d_]+", plain):
        number = float(part.rstrip(".")) if part[0].isdigit() else float(_ONES[part])
        if number >= 100 and current and not part[0].isdigit():
            current *= number
        else:
            total, current = total + current, number
    return total + current
