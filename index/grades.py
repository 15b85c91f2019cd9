"""Grades of materials that a need names: "316L", "42CrMo4", "7075", "PEEK"."""

import re
from collections.abc import Iterator

from index.folding import Found, Reading
from index.names import Name, Names

_GRADES = {
    "inox": "303 304 304L 316 316L 316Ti 321 410 420 430 440C 904L 17-4PH 15-5PH 1.4301 1.4307 "
    "1.4404 1.4435 1.4462 1.4542 1.4571",
    "acier": "S235 S355 C35 C45 XC38 XC48 42CrMo4 42CD4 34CrNiMo6 30NiCrMo16 16NiCr6 16MnCr5 "
    "20MnCr5 100Cr6 11SMn30 11SMn37 11SMnPb30 11SMnPb37 51CrV4 X38CrMoV5 40CMD8 Z160CDV12",
    "aluminium": "2007 2011 2017 2017A 2024 2030 5083 5086 5754 6005 6026 6060 6061 6063 6082 7020 "
    "7049 7075 AS7G06 AS7G AlSi7Mg AlSi10Mg AlSi12",
    "titane": "T40 T60 Ti6Al4V",
    "bronze": "CuSn8 CuSn12 CuAl10Ni5Fe4 UE12P",
    "laiton": "CuZn39Pb3 CuZn39Pb2 CuZn40",
    "cuivre": "CuBe2 CuCrZr",
    "": "Inconel-718 Inconel-625 Hastelloy-C276 Monel-400 Hardox-400 Hardox-450 Hardox-500 "
    "PEEK POM PA6 PA11 PA12 PA66 ABS ASA PMMA PTFE PVDF PEHD PEBD PVC PET PETG PEI PPS PPSU PBT "
    "PLA TPU EPDM NBR FKM",
}
"""Family, as a label begins → grades that buyers name ("-" here for a space in a brand)."""

_ALSO = {
    "Ti6Al4V": ("TA6V",), "PA6": ("polyamide 6",), "PA12": ("polyamide 12",),
    "PA66": ("PA 6.6", "PA 6/6", "polyamide 66"), "PEHD": ("HDPE", "PE HD"), "PEBD": ("LDPE",),
    "POM": ("POM C", "Delrin"), "PTFE": ("Teflon",), "PMMA": ("plexiglas",), "FKM": ("Viton",),
    "S235": ("S235JR",), "S355": ("S355JR", "S355J2", "S355MC"), "17-4PH": ("X5CrNiCuNb16-4",),
    "304L": ("X2CrNi18-9",), "316L": ("X2CrNiMo17-12-2",), "Inconel 718": ("IN718",),
    "Inconel 625": ("IN625",), "AS7G06": ("AS7G0.6", "AS7G0,6"),
}  # fmt: skip
_CAPITALS = {"ABS", "ASA", "PET", "PLA", "PEI", "PPS", "POM"}
"""Initials that spell a word: in capitals, or after "en", "plastique"…"""

_STAINLESS = re.compile(r"(?:\binox(?:ydables?)?|\baciers?|\baisi|\bnuance|\bsus|\bss)[\s-]*$")
_ALLOY = re.compile(
    r"(?:\balu(?:minium|s)?|\baw|\bdural(?:umin)?|\bfortal)"
    r"(?:[\s(-]*(?:en[\s-]aw|aw|nuance|grade|type|serie))?"
    r"(?:[ (-]*\d{4}a?(?:[ -]?t\d+)? ?(?:,|/|\bet\b|\bou\b))*[\s(-]*$"
)
_TEMPER = re.compile(r"[\s-]*t\d{1,4}\b|[\s-]*h1\d{1,2}\b")
_ALLOY_AFTER = re.compile(r"[\s(]*alu(?:minium)?\b")
_TITANIUM = re.compile(r"\btitane(?: grade)?[\s(-]*$")
_BRAKE = re.compile(r"\b(?:frein\w*|systemes?|capteurs?|bloc|calculateur)[\s-]*$")
_PLASTIC = re.compile(r"\b(?:en|plastique|matiere|resine|filament) $")
_APART = re.compile(r"\d\s+[a-z]\b|\b[a-z]\s+\d|'")

_FAMILIES = {
    grade if family else grade.replace("-", " "): family
    for family, grades in _GRADES.items()
    for grade in grades.split()
}
_NAMES = Names({grade: (grade, *_ALSO.get(grade, ())) for grade in _FAMILIES})


def grades_in(reading: Reading) -> Iterator[Found]:
    """The grades in a text; a `value` is one as usually written, its label begins with its family.

    Numbers and words that are other things too are grades only beside a word of their family.
    """
    for name in _NAMES.apart(reading):
        grade, family = name.label, _FAMILIES[name.label]
        if _is_meant(reading, name, family):
            end = _end(reading, name, family)
            yield Found("material", grade, f"{family} {grade}".strip(), name.start, end)


def _is_meant(reading: Reading, name: Name, family: str) -> bool:
    grade, before = name.label, reading.before(name.start, 40)
    stainless = family == "inox" and _STAINLESS.search(before)
    if _APART.search(reading.folded[name.start : name.end]) and not stainless:
        return False
    if family == "inox" and grade.isdigit():
        return bool(stainless)
    if family == "aluminium" and grade[:4].isdigit():
        after = any(sign.match(reading.folded, name.end) for sign in (_TEMPER, _ALLOY_AFTER))
        return after or bool(_ALLOY.search(before))
    if grade in ("T40", "T60"):
        return bool(_TITANIUM.search(before))
    if grade == "ABS" and _BRAKE.search(before):
        return False
    small = grade in _CAPITALS and reading.given(name.start, name.end).islower()
    return not small or bool(_PLASTIC.search(before))


def _end(reading: Reading, name: Name, family: str) -> int:
    """Where a grade ends, the temper of an alloy included ("7075 T6")."""
    wrought = family == "aluminium" and name.label[:4].isdigit()
    temper = _TEMPER.match(reading.folded, name.end) if wrought else None
    return temper.end() if temper else name.end
