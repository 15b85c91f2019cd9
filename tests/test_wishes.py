import time

import pytest

from index.certificates import certificate
from index.folding import place_key
from index.wishes import Wish, wishes

TOWNS = {
    place_key(name)
    for name in ("Cluses", "Thiers", "Metz", "Lyon", "Toulouse", "Oyonnax", "Le Mans", "Vienne",
                 "La Rochelle", "Le Creusot", "Villefranche-sur-Saône", "Villefranche", "Bois",
                 "L'Isle-sur-le-Doubs", "Saint-Étienne", "Plan", "Marseille", "Loiré", "Aubusson",
                 "Pont-de-l'Isère", "Calais", "Sens", "Doubs", "La Table", "L'Hôpital")
}  # fmt: skip


def asked(text: str) -> list[tuple[str, str, str]]:
    return [(w.kind, w.value, text[w.start : w.end]) for w in wishes(text, TOWNS.__contains__)]


def test_a_need_with_all_it_asks() -> None:
    text = "Carters en alu 7075 T6, 500 par an, EN9100, à 50 km de Lyon"
    assert wishes(text, TOWNS.__contains__) == (
        Wish("material", "7075", "aluminium 7075", 15, 22),
        Wish("series", "petite", "petite série (500 par an)", 24, 34),
        Wish("certification", "EN 9100", "EN 9100", 36, 42),
        Wish("near", "Lyon", "autour de Lyon (50 km)", 44, 59, 50.0),
    )


def test_places_count_code_points_of_the_text_as_given() -> None:
    text = "🚲 cadre \t soude\u0301  en\u00a0 Ise\u0300re"
    assert wishes(text) == (Wish("department", "38", "Isère (38)", 18, len(text)),)


@pytest.mark.parametrize(
    ("text", "value", "where"),
    [
        ("tôlerie en Maine-et-Loire", "49", "en Maine-et-Loire"),
        ("tôlerie Loire Atlantique", "44", "Loire Atlantique"),
        ("près du but, Haute-Saône (70)", "70", "Haute-Saône (70)"),
        ("dans le VAL D’OISE", "95", "dans le VAL D’OISE"),
        ("couture dans la Manche", "50", "dans la Manche"),
        ("moules dans le Lot", "46", "dans le Lot"),
        ("un tourneur dans le Nord", "59", "dans le Nord"),
        ("un fournisseur des Landes", "40", "des Landes"),
        ("décolletage, département de l'Ain", "01", "département de l'Ain"),
        ("forge dans le nord de la Drôme", "26", "dans le nord de la Drôme"),
        ("usinage en Eure-et-Loir", "28", "en Eure-et-Loir"),
        ("usinage dans le 25", "25", "dans le 25"),
        ("usinage dept 2a", "2A", "dept 2a"),
        ("un menuisier à Paris", "75", "à Paris"),
        ("menuiserie à la Réunion", "974", "à la Réunion"),
        ("pas cher dans le Doubs", "25", "dans le Doubs"),
    ],
)
def test_departments(text: str, value: str, where: str) -> None:
    assert asked(text) == [("department", value, where)]


def test_departments_go_on_after_the_first() -> None:
    assert asked("dans le Rhône, la Loire ou l'Ain") == [
        ("department", "69", "dans le Rhône"),
        ("department", "42", "Loire"),
        ("department", "01", "Ain"),
    ]
    assert asked("départements 25, 39 et 70") == [
        ("department", "25", "départements 25"),
        ("department", "39", "39"),
        ("department", "70", "70"),
    ]


@pytest.mark.parametrize(
    ("text", "value", "where"),
    [
        ("tôlerie en bourgogne franche comte", "27", "en bourgogne franche comte"),
        ("tôlerie en Nord-Pas-de-Calais", "32", "en Nord-Pas-de-Calais"),
        ("un atelier, région Centre", "24", "région Centre"),
        ("un atelier du Grand Est", "44", "du Grand Est"),
        ("Tournage en PACA", "93", "en PACA"),
        ("un atelier d'Alsace", "44", "d'Alsace"),
    ],
)
def test_regions(text: str, value: str, where: str) -> None:
    assert asked(text) == [("region", value, where)]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("tôlerie autour de Metz", "autour de Metz"),
        ("tôlerie pres de metz", "autour de Metz"),
        ("à 30 km de Lyon", "autour de Lyon (30 km)"),
        ("dans un rayon de 100 km autour d'Oyonnax", "autour d'Oyonnax (100 km)"),
        ("à moins de 50 km du Mans", "autour du Mans (50 km)"),
        ("à 20 minutes de Toulouse", "autour de Toulouse"),
        ("dans la région de Metz", "autour de Metz"),
        ("basé à Cluses", "autour de Cluses"),
        ("atelier sur Toulouse", "autour de Toulouse"),
        ("tournage a lyon", "autour de Lyon"),
        ("forge au Creusot (71)", "autour du Creusot"),
        ("forge à La Rochelle", "autour de La Rochelle"),
        ("forge au mans", "autour du Mans"),
        ("forge à st etienne", "autour de St Etienne"),
        ("Forge Thiers (63)", "autour de Thiers"),
        ("forge à Villefranche-sur-Saône", "autour de Villefranche-sur-Saône"),
        ("forge à L'Isle-sur-le-Doubs", "autour de L'Isle-sur-le-Doubs"),
        ("forge autour du Doubs", "autour du Doubs"),
        ("forge près de la Loire-Atlantique", "autour de la Loire-Atlantique"),
        ("forge près de Besançon", "autour de Besançon"),
        ("usinage à Sens", "autour de Sens"),
    ],
)
def test_towns_and_areas(text: str, label: str) -> None:
    assert [(w.kind, w.label) for w in wishes(text, TOWNS.__contains__)] == [("near", label)]


@pytest.mark.parametrize(
    ("text", "value", "where"),
    [
        ("iso 9001 v2015 demandé", "ISO 9001", "iso 9001 v2015"),
        ("ISO-13485:2016", "ISO 13485", "ISO-13485:2016"),
        ("soudage NF EN ISO 3834-2", "ISO 3834", "NF EN ISO 3834-2"),
        ("charpente EN 1090-2 EXC3", "EN 1090", "EN 1090-2 EXC3"),
        ("atelier certifié en9100", "EN 9100", "en9100"),
        ("ISO/TS 16949", "IATF 16949", "ISO/TS 16949"),
        ("coffret zone atex", "ATEX", "atex"),
        ("certifié AB", "AB", "AB"),
        ("Tissu Oeko-Tex Standard 100", "OEKO-TEX", "Oeko-Tex Standard 100"),
        ("Norme IRIS", "ISO 22163", "IRIS"),
        ("Révision PART 145", "PART 145", "PART 145"),
        ("une Entreprise du patrimoine vivant", "EPV", "Entreprise du patrimoine vivant"),
    ],
)
def test_certificates(text: str, value: str, where: str) -> None:
    assert asked(text) == [("certification", value, where)]


def test_numbers_of_standards_after_a_certificate() -> None:
    assert [value for _, value, _ in asked("certifié ISO 9001/14001 et 45001")] == [
        "ISO 9001",
        "ISO 14001",
        "ISO 45001",
    ]


@pytest.mark.parametrize(
    ("cell", "usual"),
    [
        ("ISO9001:2015", "ISO 9001"),
        ("ISO/IEC 17025", "ISO 17025"),
        ("COFRAC ISO/IEC 17025", "COFRAC"),
        ("EN 1090-2 EXC2", "EN 1090"),
        ("PART 21G", "PART 21"),
        ("agriculture biologique", "AB"),
        ("Oeko-Tex Standard 100", "OEKO-TEX"),
        (" Qualiforage  RGE ", "RGE"),
        (" Vosges  Terre Textile", "Vosges Terre Textile"),
    ],
)
def test_the_certificate_of_a_supplier(cell: str, usual: str) -> None:
    assert certificate(cell) == usual


@pytest.mark.parametrize(
    ("text", "value", "where"),
    [
        ("1 pièce", "prototype", "1 pièce"),
        ("un exemplaire unique", "prototype", "un exemplaire unique"),
        ("un proto", "prototype", "proto"),
        ("une pré-série", "prototype", "pré-série"),
        ("500 par an", "petite", "500 par an"),
        ("500/an", "petite", "500/an"),
        ("100 à 500 pièces", "petite", "100 à 500 pièces"),
        ("série de 20", "petite", "série de 20"),
        ("lots de 200", "petite", "lots de 200"),
        ("une dizaine", "petite", "une dizaine"),
        ("une centaine de carters", "petite", "une centaine"),
        ("deux cents exemplaires", "petite", "deux cents exemplaires"),
        ("500 pièces par mois", "moyenne", "500 pièces par mois"),
        ("10 000 ex.", "moyenne", "10 000 ex."),
        ("2k pièces", "moyenne", "2k pièces"),
        ("600 vis en acier par an", "moyenne", "600 vis en acier par an"),
        ("50k/an", "grande", "50k/an"),
        ("3 millions", "grande", "3 millions"),
        ("20.000 pcs", "grande", "20.000 pcs"),
        ("grande série", "grande", "grande série"),
    ],
)
def test_series(text: str, value: str, where: str) -> None:
    assert asked(text) == [("series", value, where)]


def test_a_number_goes_with_its_period_over_a_material() -> None:
    assert [(w.label, w.start, w.end) for w in wishes("500 axes en 316L par an")] == [
        ("petite série (500 par an)", 0, 3),
        ("inox 316L", 12, 16),
    ]


def test_two_series_in_one_breath() -> None:
    assert [(w.label, w.start, w.end) for w in wishes("petites et moyennes séries")] == [
        ("petite série", 0, 7),
        ("moyenne série", 11, 26),
    ]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("cuve 316L", "inox 316L"),
        ("inox 316 l", "inox 316L"),
        ("axe 17-4 PH", "inox 17-4PH"),
        ("arbre 42crmo4", "acier 42CrMo4"),
        ("S235JR", "acier S235"),
        ("profilé alu 6060", "aluminium 6060"),
        ("6061-T651", "aluminium 6061"),
        ("EN AW-2017A", "aluminium 2017A"),
        ("vis TA6V", "titane Ti6Al4V"),
        ("bride inconel718", "Inconel 718"),
        ("palier en cusn8", "bronze CuSn8"),
        ("boîtier en abs", "ABS"),
        ("PA66GF30", "PA66"),
        ("PE-HD", "PEHD"),
    ],
)
def test_materials(text: str, label: str) -> None:
    assert [(w.kind, w.label) for w in wishes(text)] == [("material", label)]


@pytest.mark.parametrize(
    "text",
    [
        "manche de couteau",
        "la manche d'une veste",
        "couture dans la manche",
        "manche à balai du Lot 3",
        "lot de pièces, lot 25",
        "dans le lot il y a dix vis",
        "Dans le Lot 3 du marché",
        "en somme, un support",
        "la somme des cotes",
        "nord magnétique",
        "dans le Nord de la France",
        "vers le nord-est",
        "aube de turbine",
        "table de réunion",
        "suite à la réunion",
        "le besoin le plus grand est simple",
        "au centre de la pièce",
        "puissance en VAR",
        "il en aura besoin",
        "panneau en HDF",
        "savon de Marseille",
        "couteau de Thiers",
        "camembert de Normandie",
        "fabricant de pierre de Bourgogne",
        "tapisserie d'Aubusson, dentelle de Calais",
        "linge des Vosges, côtes du Rhône",
        "barrage sur l'Isère",
        "réf. Pont-de-l'Isère",
        "découpe sur plan, travail à bois, vanne à sens unique",
        "USINAGE SUR PLAN A BOIS",
        "posé sur la table à l'hôpital",
        "diamètre 25, 25 mm, (25)",
        "dans le 25 mm",
        "entreprise du 25 mars",
        "hors Île-de-France, pas à Paris",
        "dans un rayon de 50 km",
        "à 50 km/h, 50 km",
        "certificat sans ISO 9001",
        "ISO 9001 non exigé",
        "ISO 2768 mK, vis ISO 4762",
        "la face AB, un iris, le cosmos",
        "taille des ifs",
        "part 21 % du prix",
        "500 mm, 500 kg, 500 €, 500 W, Ø 500, M12",
        "100 % coton, en 2027, 1 500 bars",
        "500 kg par an, 20 tonnes par mois, 500 000 € par an",
        "3 fois par an, 2 visites par mois",
        "cadence de 500 pièces par heure",
        "lots de 200 g, une dizaine de jours, une centaine de km",
        "3 millions d'euros",
        "puzzle de 500 pièces, maillot 2 pièces, moulé en 2 pièces",
        "cuve de 304 L",
        "en 316 l'ensemble",
        "référence 7075, modèle 2024",
        "frein ABS",
        "un pet de souris",
        "une TPE",
        "",
        "… !",
    ],
)
def test_traps(text: str) -> None:
    assert asked(text) == []


def test_only_towns_that_are_known() -> None:
    assert wishes("forge à Cluses, à façon, autour de Cluses") == ()


def test_a_wish_said_twice_is_one() -> None:
    assert asked("ISO 9001, oui, iso9001") == [("certification", "ISO 9001", "ISO 9001")]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Villefranche-sur-Saône", "villefranche sur saone"),
        ("L’Isle-d'Abeau", "l isle d abeau"),
        ("St-Étienne", "saint etienne"),
    ],
)
def test_place_key(name: str, key: str) -> None:
    assert place_key(name) == key


@pytest.mark.parametrize(
    "piece", ["1", "111 ", "a l ", "à 30 km autour ", "500 à ", "iso 9001, , , , , "]
)
def test_long_texts_take_no_time(piece: str) -> None:
    text = (piece * 5_000)[:5_000]
    wishes(text)
    start = time.perf_counter()
    wishes(text)
    assert time.perf_counter() - start < 1
