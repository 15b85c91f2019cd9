"""What a need asks besides the thing: where, under which certificate, how many, of what grade.

spaCy's `PhraseMatcher` finds the names (places, certificates, grades), rules on the words around
each tell a place from a thing ("dans la Manche", "la manche d'une veste"), and one regex reads
quantities. Whatever is in doubt is no wish.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from embed.text import clean, fold
from index.departments import DEPARTMENTS, FACTS, REGION_NAMES, REGIONS

if TYPE_CHECKING:
    from spacy.matcher import PhraseMatcher
    from spacy.vocab import Vocab

Kind = Literal["department", "region", "near", "certification", "series", "material"]


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing asked for, at code points `start` to `end` of the text as given.

    `value` is a département or region code, a place's name, a certificate as usually written
    ("EN 9100"), a series ("petite") or a grade ("316L"); `label` says it in French, for a chip.
    `km` is the radius that a text gives around a place.
    """

    kind: Kind
    value: str
    label: str
    start: int
    end: int
    km: float | None = None


_SAINTS = {"st": "saint", "ste": "sainte"}


def place_key(name: str) -> str:
    """The form in which places are compared: folded words, one space apart, "St" as "saint"."""
    return " ".join(_SAINTS.get(word, word) for word in re.findall(r"[^\W_]+", fold(name)))


# --- the text, folded, with its places kept ----------------------------------------------------


class _Token(NamedTuple):
    """A run of letters, a run of digits or a sign: where in the folded text, and its form."""

    start: int
    end: int
    form: str


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text, its folded form with single spaces, and where each folded character stands."""

    text: str
    folded: str
    starts: list[int]
    ends: list[int]
    tokens: list[_Token]
    cased: bool
    """Whether the text has capitals and small letters both, so that a capital says something."""

    def given(self, start: int, end: int) -> str:
        """The text as given between two places of the folded text, cleaned."""
        return clean(self.text[self.starts[start] : self.ends[end - 1]])

    def wish(
        self, kind: Kind, value: str, label: str, start: int, end: int, km: float | None = None
    ) -> Wish:
        return Wish(kind, value, label, self.starts[start], self.ends[end - 1], km)


_SIGNS = {ord(c): "'" for c in "’‘ʼ´`"} | {ord(c): "-" for c in "‐‑‒–—−"}
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\s'-]")


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    if character.isspace():
        return " "
    return fold(character.translate(_SIGNS)) if character.isprintable() else ""


def _read(text: str) -> _Reading:
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
    cased = any(c.islower() for c in text) and any(c.isupper() for c in text)
    return _Reading(text, folded, starts, ends, _tokens(folded), cased)


def _tokens(folded: str) -> list[_Token]:
    return [_Token(m.start(), m.end(), m[0]) for m in _TOKEN.finditer(folded)]


# --- certificates and grades --------------------------------------------------------------------

_ISO_NORMS = ("3834", "9001", "13485", "14001", "15378", "17025", "20121", "22000", "22163",
              "22301", "22716", "26000", "27001", "45001", "50001")  # fmt: skip
_EN_NORMS = ("1090", "9100", "9110", "9120", "15085")
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
    "Imprim'Vert": ("imprim vert", "imprimvert"),
}
_CERTIFICATES = {
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

_CERTIFIED = re.compile(r"\b(?:certifi\w+|labell?\w*|normes?|agree\w*|agrements?|qualifi\w+)"
                   r"(?: (?:a la norme|selon|aux?|la|norme|bio))*[\s:]*$"
                   r"|\biso ?\d{4,5}(?::\d{4})?"
                   r"(?: ?(?:et|ou|[,/+&])(?: ?\d{4,5}\b)?)+ ?$")  # fmt: skip
_BODIES = re.compile(r"(?:\b(?:nf|en|din|bs)[\s/-]*)+$")
_EDITION = re.compile(r"(?:-\d{1,2}\b(?!\d| ?mm))?(?: ?:\d{4}\b| ?v\d{4}\b| version \d{4}\b)?"
                 r"(?:[\s,(]*\bexc ?[1-4]\b\)?)?")  # fmt: skip
_COUNTED = re.compile(r"[\s-]*(?:pieces?|pcs|ex\b|exemplaires?|unites?|par (?:an|mois)|/ ?an|[%€])")

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
_ALLOY = re.compile(r"(?:\balu(?:minium|s)?|\baw|\bdural(?:umin)?|\bfortal)"
               r"(?:[\s(-]*(?:en[\s-]aw|aw|nuance|grade|type|serie))?"
               r"(?:[ (-]*\d{4}a?(?:[ -]?t\d+)? ?(?:,|/|\bet\b|\bou\b))*[\s(-]*$")  # fmt: skip
_TEMPER = re.compile(r"[\s-]*t\d{1,4}\b|[\s-]*h1\d{1,2}\b")
_ALLOY_AFTER = re.compile(r"[\s(]*alu(?:minium)?\b")
_TITANIUM = re.compile(r"\btitane(?: grade)?[\s(-]*$")
_BRAKE = re.compile(r"\b(?:frein\w*|systemes?|capteurs?|bloc|calculateur)[\s-]*$")
_PLASTIC = re.compile(r"\b(?:en|plastique|matiere|resine|filament) $")
_APART = re.compile(r"\d\s+[a-z]\b|\b[a-z]\s+\d|'")


def certificate(text: str) -> str:
    """The usual spelling of a certificate: "ISO9001:2015" gives "ISO 9001".

    One that is not known comes back cleaned, as it stands.
    """
    reading = _read(clean(text))
    for label, first, last in _phrases(reading):
        kind, _, value = label.partition(":")
        if kind == "certification" and not _glued(reading.folded, first, last):
            return value
    return clean(text)


def _certificates(reading: _Reading, label: str, start: int, end: int) -> Wish | None:
    folded = reading.folded
    before = folded[max(0, start - 60) : start]
    spelling = place_key(folded[start:end])
    by_name = spelling.isdigit() or spelling in _ASKED_BY_NAME
    if by_name and not _CERTIFIED.search(before):
        initials = reading.text[reading.starts[start] : reading.ends[end - 1]]
        letters = "".join(c for c in initials if c.isalpha())
        if spelling.isdigit() or spelling == "ab" or not reading.cased or not letters.isupper():
            return None
    if _COUNTED.match(folded, end):
        return None
    if spelling[-1].isdigit():
        if bodies := _BODIES.search(before):
            start -= len(bodies[0])
        if edition := _EDITION.match(folded, end):
            end = edition.end()
    return reading.wish("certification", label, label, start, end)


def _materials(reading: _Reading, label: str, start: int, end: int) -> Wish | None:
    folded = reading.folded
    before = folded[max(0, start - 40) : start]
    family, _, value = label.partition("|")
    stainless = _STAINLESS.search(before)
    if _APART.search(folded[start:end]) and not (family == "inox" and stainless):
        return None
    if family == "inox" and value.isdigit() and not stainless:
        return None
    if family == "aluminium" and value[:4].isdigit():
        temper = _TEMPER.match(folded, end)
        if not (temper or _ALLOY.search(before) or _ALLOY_AFTER.match(folded, end)):
            return None
        end = temper.end() if temper else end
    if value in ("T40", "T60") and not _TITANIUM.search(before):
        return None
    if value == "ABS" and _BRAKE.search(before):
        return None
    written = reading.text[reading.starts[start] : reading.ends[end - 1]]
    if value in _CAPITALS and written.islower() and not _PLASTIC.search(before):
        return None
    return reading.wish("material", value, f"{family} {value}".strip(), start, end)


def _glued(folded: str, start: int, end: int) -> bool:
    """Whether a letter or a digit touches either end, glass fibre ("PA66GF30") aside."""
    after = folded[end : end + 3]
    return (start > 0 and folded[start - 1].isalnum()) or (
        (after[:1].isalnum() or after[:1] == "'") and not re.match(r"gf\d", after)
    )


# --- places -------------------------------------------------------------------------------------

_THING_NAMES = """
    agneaux aigre aiguilles air aire ambres ames angles anse appelle arc arceau arches arcon
    armes aube aucun auge autruche avion aviron avoine avril baby bain bains ballon ballons ballots
    banne bannieres bar barges barre bars bas basses beaux belvedere bergeres bidon bielle bille
    bio blond bois boisseau bonne bonnes bonnet bord bordes bords borne bouchon boue bouee
    bouillante bouillon boulon bouquet bourdon bourdonne branches bras brosses broye broyes brut
    bulle bulles bus cabanes caille cales came camembert canari cannes cardan cars cast caves celle
    celles centres cerise cesse champagne champs change chapeau charge charme chars chateau
    chaud chaux chemin cheville chiche choisies choux cierges cintre cires citerne clavette
    claviers cloue coeur coin coinces colonne combles confort contre corbeilles cordon cordonnet
    corps couches coudes courant courbes cours courtes couture coutures crans creuse crisse
    croix crosses cru cultures cutting cuve cuves dauphin degre die doux drap dry dun dye eau
    echalas eclaires ecole ecurie engins ens epargnes estampes etain etais etalon eu falaise
    faux fer feu feux feves fil fille fins fleurie fond fontaine fontaines fontes force forges
    fosse fosses four fourches fours frais francs frise froid fronton gars gas gland gorges
    gouttieres gouvernes grand gras grasse grillon grues haut herisson hommes iron jardin
    jumelles laize lance lange lattes lauzes lay lent lentilles leves levier lies ligne lime
    limon limons linge lisses long longes loue louer loupes lourde lue lumes luxe mache magnet
    maille maillet maillot main maire maisons mano marches marie marin marines marques marquise
    marre mars martinet mascaras mer mere mesure mesures moisson molles monnaie mont monte
    mortiers moteur mouches moulin moulinet moulins mousse mouton moyen muret murs nuits ondes
    ongles orange ornes oz paille pannes parce peintre pelouse pere piano piece pieces pierres
    pin pince pis place plaine plaisance plan planches planes plans plats poil poisson poissons
    pompe pompes pont ponts port portes poses preaux precieux puits pure quarante racines
    ramasse rance rang relevant riche rives riviere roche rocher rodes romans rouet rouge
    rouille routes routier rue sablieres sache sains sales salles salon sand sauve sec selles
    sens serres servant seuil signes simple son sorbets soude souille still sucre suisse sur
    talon tasse teille tendu teneur terre tierce toges tour tournes tours tout trappes tresses
    tricot tube tulle usage val vanne vannes vaux veau velours vent ventouse verges verin
    verrieres vers vert vias vieux vif vignes ville villes vire vis vitre vives viviers volant
    vue y
"""
_THINGS = frozenset(_THING_NAMES.split())
"""Names of communes that are words too: no town where capitals do not tell."""

_WITH_ARTICLE = frozenset((
    "la ciotat", "la fleche", "la rochelle", "le creusot", "le havre", "le mans", "le puy",
    "les herbiers", "les ulis",
))  # fmt: skip
"""Towns known well enough to be told, article and all, in small letters."""

_COMMON = frozenset(place_key(name) for name in (
    "Ain", "Allier", "Aube", "Aude", "Bourgogne", "Calvados", "Cantal", "Centre", "Charente",
    "Cher", "Corse", "Creuse", "Drôme", "Eure", "Landes", "Limousin", "Loire", "Lorraine", "Lot",
    "Manche", "Marne", "Meuse", "Nord", "Orne", "Réunion", "La Réunion", "Rhône", "Somme",
    "Var", "Vienne",
))  # fmt: skip
"""Départements and regions whose names are words too: never without a word of place."""

_CAPITAL = frozenset(("centre", "creuse", "grand est", "la reunion", "lot", "manche", "reunion",
                      "somme"))  # fmt: skip
"""Those that a capital letter too must tell apart ("dans la manche")."""

_NEVER_EN = frozenset(("ain", "allier", "cantal", "calvados", "centre", "cher", "landes", "lot",
                       "nord", "reunion", "la reunion", "rhone", "var"))  # fmt: skip
_SHORT = frozenset(("aura", "bfc", "cvl", "hdf", "idf", "paca", "pdl"))
_ISLANDS = frozenset(("paris", "guadeloupe", "martinique", "guyane", "la reunion", "mayotte"))
"""Places that "à" goes before, as before a town."""

_LE = r"(?:le |la |les |l' ?)"
_DE = r"(?:de la |de l' ?|de |d' ?|du |des )"
_MAKER = (
    r"(?:fournisseur|prestataire|(?:sous[ -]?)traitant|partenaire|entreprise|societe|atelier|usine|"
    r"fabricant|artisan|industriel|producteur|pme|tpe|fonderie|forge|decolleteur|usineur|tourneur|"
    r"tolier|chaudronnier|soudeur|mouliste|outilleur|fondeur|forgeron|plasturgiste|menuisier|"
    r"ebeniste|imprimeur|couturiere?|faconnier)s?"
)
_REGION = re.compile(
    rf"(?<![\w'-])(?:(?:dans|en|de|sur) )?{_LE}?(?:du )?"
    rf"(?:(?:ex|ancienne)[ -])?(?:regions?|departements?|depts?|dpts?|dep)\.?[ :]{_DE}?$"
)
_IN = re.compile(
    rf"(?<![\w'-])(?:dans {_LE}?|(?:dans {_LE}|au |en )(?:nord|sud|est|ouest|secteur)[ -]?{_DE}|"
    rf"originaires? {_DE})$"
)
_EN = re.compile(r"(?<![\w'-])en $")
_OF = re.compile(rf"(?<![\w'-]){_DE}$")
_OF_MAKER = re.compile(rf"\b{_MAKER}(?: (?!d[eu] |d'|des )[\w-]+){{0,2}} (?P<of>{_DE})$")
_AT = re.compile(r"(?<![\w'-])(?:aux?|a) (?:la |l' ?)?$")
_RIVER = re.compile(rf"\b(?:sur|vers) {_LE}$")
_ARTICLE = re.compile(rf"(?<![\w'-])(?:{_LE}|en |dans {_LE})$")
_AND = re.compile(rf" ?(?:,|/|\bet\b|\bou\b|\+|&) ?(?:(?:dans |en )?{_LE}|en |a )?")
_NOT_NORTH = re.compile(r"[\s-]*(?:(?:est|ouest|de|du|des|magnetique|geographique)\b|d'|pas)")
_NOT_LOT = re.compile(r"[\s-]*(?:n ?°|\d|n\b|de\b)")
_CODE = r"(?:2[ab]|97[12346]|\d\d)"
_BRACKETS = re.compile(rf" ?\( ?(?P<code>{_CODE}) ?\)")
_INSIDE = re.compile(r"[^\W\d_]-(?:l[ae]s?-|l'|d'|de-)?$|[^\W_]$")
_UNIT = (
    r"(?:[µmcdk]?m|[mk]?g|kn|n|bars?|[mk]?[wv]|v|a|h|l|ml|cl|t|°|%|€|x|×|pouces?|mois|jours?|ans?|"
    r"heures?|min|litres?|tonnes?|kilos?|metres?|(?:milli|centi|kilo)metres?|euros?|ke|soupapes|"
    r"janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre|"
    r"places?|degres?)"
)
_NUMBERED = re.compile(
    rf"(?<![\w'-])(?:dans le |(?:(?:dans|en|de) )?{_LE}?(?:departements?|depts?|dpts?|dep)\.?"
    rf"(?: n°)?[ :] ?)\(?(?P<code>{_CODE})\b\)?"
    rf"(?![.,]\d| ?[°%€×]| ?(?:{_UNIT}|pieces?|pcs|exemplaires?|ex)\b)"
)
_NUMBER_TOO = re.compile(
    rf" ?(?:,|/|\bet\b|\bou\b) ?(?:(?:dans )?le )?(?P<code>{_CODE})\b(?![.,]\d| ?[°%€×]| [a-df-z]"
    r"| e[^t])"
)
_KM = r"(\d{1,4})(?:[.,]\d)? ?(?:kms?|kilometres?)\b"
_AROUND = re.compile(
    rf"(?<![\w'-])(?:(?:dans |sur )?un rayon (?:de |d' ?)(?:environ )?{_KM}(?: autour)?|"
    r"a (?:moins de |environ |peu pres |maximum |max )?"
    rf"(?:{_KM}|\d{{1,3}} ?(?:min(?:utes?)?|h(?:eures?)?)|une heure)"
    r"(?: (?:maximum|max|maxi|autour|environ))?|"
    r"autour|pres|proches?|a proximite|aux? alentours|aux? environs|alentours|environs|"
    r"(?:a|du) cote|(?:pas (?:trop )?|non )loin|"
    rf"(?P<area>(?:(?:dans|sur|en) )?{_LE}?(?:region|secteur|agglomeration|metropole|banlieue)))"
    rf" (?P<of>{_DE})(?=[^\W\d_])"
)
_TO = re.compile(
    r"(?<![\w'-])(?:(?:bases?|basees?|situes?|situees?|implante\w*|installe\w*|localise\w*) )?"
    r"(?P<of>a|aux?|sur|vers) (?=[^\W\d_])"
)
_OR = re.compile(r" ?(?:/|\bou\b|\bet\b) ?(?:(?:a|sur|de) |d' ?)?(?=[^\W\d_])")
_MELTED = {"du": "le", "des": "les", "au": "le", "aux": "les", "de la": "la", "de l'": "l"}
"""Prepositions that hold an article: "du Mans" is of "Le Mans"."""

_LONGEST = 8
"""Words of the longest name of a commune that is tried."""

_Name = tuple[int, int, str]
"""First and last folded character of a name, and what it is, such as "department:25"."""


class _Place(NamedTuple):
    """A wish for a place, and where it stands in the folded text."""

    start: int
    end: int
    wish: Wish


@cache
def _seats() -> frozenset[str]:
    return frozenset(place_key(department.seat) for department in FACTS.values())


def _places(reading: _Reading, names: list[_Name], towns: Callable[[str], bool]) -> list[_Place]:
    """Towns and areas first, then names outside them, then numbers of départements."""
    places = list(_near(reading, names, towns))
    last = -1
    for start, end, label in names:
        if not _within(places, start, end):
            first = _first(reading, start, end, last)
            if first is not None:
                places.append(_named(reading, first, end, label))
                last = places[-1].end
    for start, end, code in _numbers(reading.folded):
        if not _within(places, start, end):
            places.append(_named(reading, start, end, f"department:{code}"))
    return places


def _within(places: list[_Place], start: int, end: int) -> bool:
    return any(start < place.end and place.start < end for place in places)


def _named(reading: _Reading, start: int, end: int, label: str) -> _Place:
    kind, _, code = label.partition(":")
    if kind == "region":
        return _Place(start, end, reading.wish("region", code, REGIONS[code], start, end))
    brackets = _BRACKETS.match(reading.folded, end)
    if brackets and brackets["code"].upper() == code:
        end = brackets.end()
    shown = f"{DEPARTMENTS[code]} ({code})"
    return _Place(start, end, reading.wish("department", code, shown, start, end))


def _numbers(folded: str) -> Iterator[_Name]:
    for found in _NUMBERED.finditer(folded):
        start: int = found.start()
        here: re.Match[str] | None = found
        while here and (code := here["code"].upper()) in DEPARTMENTS:
            yield start, here.end(), code
            here = _NUMBER_TOO.match(folded, here.end())
            start = here.start("code") if here else 0


def _first(reading: _Reading, start: int, end: int, last: int) -> int | None:
    """Where the words that make a place of a name begin; None where it is no place for sure.

    `last` is where the place before it ended: "en Savoie ou dans l'Ain" goes on with it.
    """
    folded = reading.folded
    before, key = folded[max(0, start - 80) : start], place_key(folded[start:end])
    written = reading.text[reading.starts[start] : reading.ends[end - 1]]
    if _joined(folded, start, end) or _unlike(folded, end, key):
        return None
    if region := _REGION.search(before):
        return start - len(region[0])
    if key in _SHORT and not _acronym(reading, key, written, before):
        return None
    if key in _CAPITAL and not (reading.cased and _capitals(written)):
        return None
    if inside := _IN.search(before):
        return start - len(inside[0])
    if inside := _EN.search(before):
        return None if key in _NEVER_EN else start - len(inside[0])
    if 0 <= last <= start and _AND.fullmatch(folded, last, start):
        return start
    if maker := _OF_MAKER.search(before):
        return start - len(maker["of"])
    if at := _AT.search(before):
        return start - len(at[0]) if key in _ISLANDS | {"reunion"} else None
    if key in _COMMON or _OF.search(before) or (_RIVER.search(before) and " " not in key):
        return None
    return start


def _capitals(written: str) -> bool:
    return all(word[0].isupper() for word in re.findall(r"\w+", written) if word != "la")


def _joined(folded: str, start: int, end: int) -> bool:
    """Whether a hyphen makes the name part of a longer one ("Pont-de-l'Isère", "Paris-Brest")."""
    before, after = folded[max(0, start - 8) : start], folded[end : end + 2]
    return bool(_INSIDE.search(before) or re.match(r"-[^\W\d_]|[^\W_]", after))


def _unlike(folded: str, end: int, key: str) -> bool:
    rules = {"nord": _NOT_NORTH, "lot": _NOT_LOT}
    return key in rules and rules[key].match(folded, end) is not None


def _acronym(reading: _Reading, key: str, written: str, before: str) -> bool:
    if key in ("cvl", "hdf", "pdl"):
        return False
    if key == "aura":
        return reading.cased and written.isupper()
    return (reading.cased and written.isupper()) or _ARTICLE.search(before) is not None


def _near(reading: _Reading, names: list[_Name], towns: Callable[[str], bool]) -> Iterator[_Place]:
    """The places that a text names as the middle of an area, and the towns that it names."""
    folded, at = reading.folded, {token.start: i for i, token in enumerate(reading.tokens)}
    seats, phrases = _seats(), {start: (end, label) for start, end, label in names}

    def known(key: str) -> bool:
        return key in seats or towns(key)

    done = 0
    leads = (*_AROUND.finditer(folded), *_TO.finditer(folded))
    for lead in sorted(leads, key=lambda lead: lead.start()):
        if lead.start() < done or lead.end() not in at:
            continue
        around = lead.re is _AROUND
        area = around and lead["area"] is not None
        km = next((float(k) for k in lead.groups()[:2] if k), None) if around else None
        town = _town(reading, at[lead.end()], lead["of"].strip(), known, around and not area)
        end, label = phrases.get(lead.end(), (0, ""))
        start = lead.start()
        if end > (town[0] if town else 0):
            if around and not area:
                name, done = _name(label), end
                shown = _with_km(f"autour {lead['of']}{name}", km)
                yield _Place(start, end, reading.wish("near", name, shown, start, end, km))
            continue
        while town:
            done, value = town
            if brackets := _BRACKETS.match(folded, done):
                done = brackets.end()
            shown = _with_km(f"autour {_of(value)}", km)
            yield _Place(start, done, reading.wish("near", value, shown, start, done, km))
            if not (more := _OR.match(folded, done)):
                break
            start = more.end()
            town = _town(reading, at[start], "de", known, False) if start in at else None
    yield from _coded(reading, known)


def _coded(reading: _Reading, known: Callable[[str], bool]) -> Iterator[_Place]:
    """Towns with their département after them: "Besançon (25)"."""
    ends = {token.end: i for i, token in enumerate(reading.tokens)}
    for brackets in _BRACKETS.finditer(reading.folded):
        if (last := ends.get(brackets.start())) is None:
            continue
        if brackets["code"].upper() not in DEPARTMENTS:
            continue
        for first in range(max(0, last - _LONGEST + 1), last + 1):
            town = _town(reading, first, "", known, False)
            start = reading.tokens[first].start
            if (
                town
                and town[0] == brackets.start()
                and not _INSIDE.search(reading.folded[max(0, start - 8) : start])
            ):
                shown = f"autour {_of(town[1])}"
                wish = reading.wish("near", town[1], shown, start, brackets.end())
                yield _Place(start, brackets.end(), wish)
                break


def _town(
    reading: _Reading, first: int, of: str, known: Callable[[str], bool], sure: bool
) -> tuple[int, str] | None:
    """Where the longest known town from a token on ends, and its name.

    `sure` after words that only go before places; elsewhere a capital must tell the town, or, in
    a text without any, that its name is no other word.
    """
    tokens, folded = reading.tokens, reading.folded
    article = _MELTED.get(of, "")
    most = first
    while most < min(first + _LONGEST, len(tokens)) and tokens[most].form[0].isalpha():
        if most > first and len(folded[tokens[most - 1].end : tokens[most].start]) != 1:
            break
        most += 1
    for last in range(most - 1, first - 1, -1):
        end = tokens[last].end
        forms = (token.form for token in tokens[first : last + 1])
        key = " ".join((*article.split(), *(_SAINTS.get(form, form) for form in forms)))
        if not known(key) or re.match(r"-?[^\W_]|'", folded[end : end + 2]):
            continue
        if key in _ISLANDS and not sure:
            return None
        written = reading.given(tokens[first].start, end)
        capital = reading.cased and any(c.isupper() for c in written)
        if not capital and (_is_thing(key) or (reading.cased and not sure)):
            continue
        return end, _titled(article, written)
    return None


def _is_thing(key: str) -> bool:
    """Whether a name in small letters may be a thing: "sur la table" is not at La Table."""
    article = key.split()[0] in ("l", "la", "le", "les")
    return key in _THINGS or (article and key.count(" ") == 1 and key not in _WITH_ARTICLE)


def _titled(article: str, written: str) -> str:
    """The name of a town with its article and, where it has none of its own, its capitals."""
    name = f"l'{written}" if article == "l" else f"{article} {written}".strip()
    if not written.islower() and not (written.isupper() and len(written) > 3):
        return name[0].upper() + name[1:]
    small = {"sur", "sous", "en", "de", "du", "des", "la", "le", "les", "et", "aux", "d", "l"}
    parts = re.split(r"([^\W_]+)", name.lower())
    parts = [part if part in small else part.capitalize() for part in parts]
    name = "".join(parts)
    return name[0].upper() + name[1:]


def _of(town: str) -> str:
    """The town after "de": "de Metz", "d'Oyonnax", "du Mans", "des Herbiers"."""
    for article, melted in (("Le ", "du "), ("Les ", "des ")):
        if town.startswith(article):
            return melted + town.removeprefix(article)
    return f"d'{town}" if fold(town[0]) in "aeiouy" else f"de {town}"


def _name(label: str) -> str:
    kind, _, code = label.partition(":")
    return REGIONS[code] if kind == "region" else DEPARTMENTS[code]


def _with_km(label: str, km: float | None) -> str:
    return label if km is None else f"{label} ({km:g} km)"


# --- how many -----------------------------------------------------------------------------------

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
        rf"{_RANGE}(?! ?{_UNIT}(?!\w))"
        r"(?! (?:trous|percages?|essais|mesures|photos|cavites|couleurs)\b)"
        rf"(?: {_PIECES})?(?:{_PER})?"
    ),
    re.compile(rf"{_RANGE} ?{_PIECES}(?:{_PER})?{_NO_RATE}"),
    re.compile(
        rf"{_RANGE}(?: (?!{_UNIT}\b|{_SERVICE}\b|par\b)[^\W\d_]{{3,}}"
        rf"(?: (?!{_UNIT}\b|{_SERVICE}\b|par\b)(?:[^\W\d_]{{2,}}|\0+)){{0,3}})?{_PER}"
    ),
    re.compile(
        rf"\b(?P<several>une?|{'|'.join(_SEVERAL)}) (?:bonne |petite |grosse )?"
        rf"(?P<about>{'|'.join(_ABOUT)})s?\b(?! (?:de |d')?(?:{_UNIT}|annees?|personnes|kw)\b)"
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


def _series(reading: _Reading, folded: str) -> Iterator[Wish]:
    """How many: numbers of pieces, and series by their names, in what of the text is not taken."""
    for pattern in (*_QUANTITIES, _SERIES, _ONE):
        for found in pattern.finditer(folded):
            series = _size(found)
            before = folded[max(0, found.start() - 20) : found.start()]
            if _FRAMED.search(before) or (series == "prototype" and _IN_PARTS.search(before)):
                continue
            end = found.start() + len(found[0].rstrip(" "))
            said = reading.given(found.start(), end)
            if "\0" in found[0]:  # "500 axes en 316L par an": what is taken stays apart
                end = found.end("count")
                said = f"{reading.given(found.start(), end)} par {found['period']}"
            label = "prototype" if series == "prototype" else f"{series} série"
            if pattern not in (_SERIES, _ONE):
                label = f"{label} ({said})"
            yield reading.wish("series", series, label, found.start(), end)


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


_BOUNDS = {"prototype": 5, "petite": 500, "moyenne": 10_000, "grande": float("inf")}


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


# --- all together -------------------------------------------------------------------------------

_NOT = re.compile(
    r"(?<![\w'-])(?:sans|hors(?: de)?|sauf|excepte|ni|non|pas|plus)"
    r"(?: (?:besoin|forcement|obligatoirement|necessairement|certifie\w*|certifications?|norme|"
    r"de|du|des|en|dans|le|la|les|a|au|region|type|inox|acier)\b| (?:d|l)'){0,4}[ ']?$"
)
_NOT_AFTER = re.compile(
    r" ?(?:non|pas) (?:exige|requis|obligatoire|necessaire|demande|souhaite|indispensable)"
)


def wishes(text: str, towns: Callable[[str], bool] = lambda _: False) -> tuple[Wish, ...]:
    """What a need asks besides the thing, in order, each once, none overlapping another.

    `towns` says whether a `place_key` is that of a commune; seats of départements are known
    without it. What a text rules out ("sans ISO 9001", "hors Île-de-France") is no wish. Numbers
    of pieces are taken a year, and the bounds of series are ours: up to 5 a prototype, a name that
    pre-series go by too, up to 500 a "petite" series, up to 10,000 a "moyenne", above a "grande".
    """
    reading = _read(text)
    names: list[_Name] = []
    found: list[Wish | None] = []
    for label, start, end in _phrases(reading):
        kind, _, value = label.partition(":")
        if kind in ("department", "region"):
            names.append((start, end, label))
        elif not _glued(reading.folded, start, end):
            read = _certificates if kind == "certification" else _materials
            found.append(read(reading, value, start, end))
    found.extend(place.wish for place in _places(reading, names, towns))
    certain = _apart(wish for wish in found if wish)
    left = _blanked(reading, certain)
    certain = _apart([*certain, *_series(reading, left)])
    first: dict[tuple[str, str], Wish] = {}
    for wish in sorted(certain, key=_start):
        if not _refused(text, wish):
            first.setdefault((wish.kind, wish.value), wish)
    return tuple(first.values())


def _start(wish: Wish) -> int:
    return wish.start


def _apart(found: Iterable[Wish]) -> list[Wish]:
    """The wishes without those that overlap an earlier one."""
    apart: list[Wish] = []
    taken: set[int] = set()
    for wish in found:
        places = range(wish.start, wish.end)
        if taken.isdisjoint(places):
            taken.update(places)
            apart.append(wish)
    return apart


def _blanked(reading: _Reading, taken: list[Wish]) -> str:
    """The folded text without what is taken, in as many characters."""
    places = {place for wish in taken for place in range(wish.start, wish.end)}
    return "".join(
        "\0" if start in places else character
        for start, character in zip(reading.starts, reading.folded, strict=True)
    )


def _refused(text: str, wish: Wish) -> bool:
    before = "".join(map(_folded, text[max(0, wish.start - 60) : wish.start]))
    after = "".join(map(_folded, text[wish.end : wish.end + 30]))
    return bool(_NOT.search(before) or _NOT_AFTER.match(after))


# --- names, found by spaCy ----------------------------------------------------------------------

_OTHER = "_"
"""What stands for every word that no name holds: the matcher's vocabulary never grows."""


def _phrases(reading: _Reading) -> list[tuple[str, int, int]]:
    """The names in a text, the longest where they overlap: "kind:value", first and last place."""
    from spacy.tokens import Doc  # late: `maillon --help` must not wait for it

    matcher, vocab, known = _matcher()
    tokens = reading.tokens
    forms = [token.form if token.form in known else _OTHER for token in tokens]
    hits = matcher(Doc(vocab, words=forms))
    taken: set[int] = set()
    found = []
    for label, first, last in sorted(hits, key=lambda hit: (hit[1] - hit[2], hit[1])):
        if taken.isdisjoint(range(first, last)):
            taken.update(range(first, last))
            start, end = tokens[first].start, tokens[last - 1].end
            found.append((str(vocab.strings[label]), start, end))
    return sorted(found, key=lambda phrase: phrase[1])


@cache
def _matcher() -> tuple["PhraseMatcher", "Vocab", frozenset[str]]:
    """The matcher of all names, its vocabulary, and the words that occur in a name.

    Texts come as our own tokens: no tokenizer is made, which for French takes three seconds.
    """
    from spacy.matcher import PhraseMatcher
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

    vocab = Vocab()
    matcher, known = PhraseMatcher(vocab), set()
    for label, spelling in _spellings():
        forms = [token.form for token in _read(spelling).tokens]
        known.update(forms)
        matcher.add(label, [Doc(vocab, words=forms)])
    return matcher, vocab, frozenset(known)


def _spellings() -> Iterator[tuple[str, str]]:
    for name, code in REGION_NAMES.items():
        if name not in DEPARTMENTS.values():  # overseas, a département is a region
            yield f"region:{code}", name
    for code, name in DEPARTMENTS.items():
        yield f"department:{code}", name
    for value, spellings in _CERTIFICATES.items():
        for spelling in (value, *spellings):
            yield f"certification:{value}", spelling
    for family, grades in _GRADES.items():
        for grade in grades.split():
            value = grade if family else grade.replace("-", " ")
            for spelling in (value, *_ALSO.get(value, ())):
                yield f"material:{family}|{value}", spelling
