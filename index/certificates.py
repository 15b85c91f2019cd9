"""Certificates that a need asks for or a supplier holds: "ISO 9001", "OEKO-TEX", "Qualibat"."""

import re
from collections.abc import Iterator

from embed.text import clean
from index.folding import Found, Reading, place_key, read
from index.names import Name, Names

_ISO_NORMS = ("3834", "9001", "13485", "14001", "15378", "17020", "17025", "19443", "20121",
              "22000", "22163", "22301", "22716", "26000", "27001", "45001", "50001")  # fmt: skip
_EN_NORMS = ("1090", "9100", "9110", "9120", "15085", "17460")
_LABELS = {
    "IATF 16949": ("iatf 16949", "ts 16949", "iso ts 16949", "iso/ts 16949", "iatf"),
    "ISO 22163": ("iris", "iris certification"),
    "NADCAP": ("nadcap",),
    "ATEX": ("atex",),
    "HACCP": ("haccp",),
    "BRC": ("brc", "brcgs"),
    "IFS": ("ifs", "ifs food"),
    "GOTS": ("gots",),
    "GRS": ("grs",),
    "OEKO-TEX": ("oeko tex", "oekotex", "oeko tex standard 100", "oekotex standard 100"),
    "FSC": ("fsc",),
    "PEFC": ("pefc",),
    "MASE": ("mase",),
    "Qualibat": ("qualibat",),
    "EPV": ("epv", "entreprise du patrimoine vivant"),
    "Origine France Garantie": ("origine france garantie", "ofg"),
    "PART 21": ("part 21", "part 21 g", "part 21 j"),
    "PART 145": ("part 145",),
    "BPF": ("bpf", "gmp", "bonnes pratiques de fabrication"),
    "AB": ("ab", "agriculture biologique"),
    "Ecocert": ("ecocert",),
    "COSMOS": ("cosmos", "cosmos organic", "cosmos natural"),
    "RGE": ("rge",),
    "COFRAC": ("cofrac",),
    "Qualiopi": ("qualiopi",),
    "CEFRI": ("cefri",),
    "ACQPA": ("acqpa",),
    "RSPO": ("rspo",),
    "FSSC 22000": ("fssc 22000", "fssc"),
    "AQAP 2110": ("aqap 2110", "aqap"),
    "NIMP 15": ("nimp 15", "nimp15"),
    "RecyClass": ("recyclass",),
    "EcoVadis": ("ecovadis",),
    "Imprim'Vert": ("imprim vert", "imprimvert"),
}
_SPELLINGS: dict[str, tuple[str, ...]] = {
    **{
        f"ISO {n}": (f"iso {n}", f"iso/iec {n}", f"iso/cei {n}", f"iso cei {n}", n)
        for n in _ISO_NORMS
    },
    **{f"EN {n}": (f"en {n}", f"as {n}", n) for n in _EN_NORMS},
    **_LABELS,
}
"""Certificate as usually written → its spellings; what is read alike stands under one name."""

_ASKED_BY_NAME = {"ab", "iris", "cosmos", "ifs", "ofg", "grs", "part 21", "part 145"}
"""Words or initials of other things too: in capitals, or after "certifié", "label", "norme"…"""

ASKING = r"certifi\w+|labell?\w*|normes?|agree\w*|agrements?|qualifi\w+"
"""Words that ask for the certificate after them, as alternatives of a pattern."""

_CERTIFIED = re.compile(
    rf"\b(?:{ASKING})"
    r"(?: (?:a la norme|selon|aux?|la|norme|bio))*[\s:]*$"
    r"|\biso ?\d{4,5}(?::\d{4})?"
    r"(?: ?(?:et|ou|[,/+&])(?: ?\d{4,5}\b)?)+ ?$"
)
_BODIES = re.compile(r"(?:\b(?:nf|en|din|bs)[\s/-]*)+$")
_EDITION = re.compile(
    r"(?:-\d{1,2}\b(?!\d| ?mm))?(?: ?:\d{4}\b| ?v\d{4}\b| version \d{4}\b)?"
    r"(?:[\s,(]*\bexc ?[1-4]\b\)?)?"
)
_COUNTED = re.compile(r"[\s-]*(?:pieces?|pcs|ex\b|exemplaires?|unites?|par (?:an|mois)|/ ?an|[%€])")

_NAMES = Names({usual: (usual, *others) for usual, others in _SPELLINGS.items()})


def certificate(text: str) -> str:
    """The usual spelling of a certificate: "ISO9001:2015" gives "ISO 9001".

    One that is not known comes back cleaned, as it stands.
    """
    cleaned = clean(text)
    found = _NAMES.apart(read(cleaned))
    return found[0].label if found else cleaned


def certificates_in(reading: Reading) -> Iterator[Found]:
    """The certificates in a text; a `value` is one as usually written."""
    for name in _NAMES.apart(reading):
        if _is_meant(reading, name):
            start, end = _whole(reading, name)
            yield Found("certification", name.label, name.label, start, end)


def _is_meant(reading: Reading, name: Name) -> bool:
    if _COUNTED.match(reading.folded, name.end):
        return False
    spelling = place_key(reading.folded[name.start : name.end])
    plain = not (spelling.isdigit() or spelling in _ASKED_BY_NAME)
    if plain or _CERTIFIED.search(reading.before(name.start, 60)):
        return True
    return spelling != "ab" and reading.in_capitals(name.start, name.end)


def _whole(reading: Reading, name: Name) -> tuple[int, int]:
    """Where a certificate starts and ends, with "NF EN" before a number and its edition after."""
    start, end = name.start, name.end
    if reading.folded[end - 1].isdigit():
        if bodies := _BODIES.search(reading.before(start, 60)):
            start -= len(bodies[0])
        if edition := _EDITION.match(reading.folded, end):
            end = edition.end()
    return start, end
