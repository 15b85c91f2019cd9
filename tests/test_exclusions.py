"""What a need rules out, and what is left to compare."""

import pytest

from embed.encoder import Encoder
from index.engine import SupplierIndex
from index.needs import Need
from index.ruled_out import named_in
from index.suppliers import Supplier
from index.wishes import Thing, Wish, bare, wishes


@pytest.mark.parametrize(
    ("text", "ruled_out", "thing"),
    [
        ("bacs inox, surtout pas de soudure", "surtout pas de soudure", "bacs inox,"),
        ("boîte ni plastique ni alu", "ni plastique ni alu", "boîte"),
        (
            "On ne veut plus de carton : un bac en bois",
            "On ne veut plus de carton",
            ": un bac en bois",
        ),
        (
            "nous ne cherchons pas de négociant, tôles",
            "nous ne cherchons pas de négociant",
            ", tôles",
        ),
        (
            "rampe, en excluant l'acier, l'alu et le bois",
            "en excluant l'acier, l'alu et le bois",
            "rampe,",
        ),
        ("capot thermoformé plutôt qu'injecté", "plutôt qu'injecté", "capot thermoformé"),
        ("autre chose que du bois pour un banc", "autre chose que du bois", "pour un banc"),
        ("plaques : ni vinyle, ni PVC, ni alu", "ni vinyle, ni PVC, ni alu", "plaques :"),
        (
            "à froid, donc autre chose que du laser, du plasma ou de l'oxycoupage",
            "autre chose que du laser, du plasma ou de l'oxycoupage",
            "à froid, donc",
        ),
        (
            "un capot plutôt que du métal, livré en mai",
            "plutôt que du métal",
            "un capot , livré en mai",
        ),
        ("boîte à couvercle et pas de soudure", "pas de soudure", "boîte à couvercle et"),
        ("mon client refuse le PVC, des profilés", "refuse le PVC", "mon client , des profilés"),
        ("banc public, le bois est exclu", "le bois est exclu", "banc public,"),
        ("Évitez le polyester. Housse de siège", "Évitez le polyester", ". Housse de siège"),
        ("usinage inox 316 pas de soudure", "pas de soudure", "usinage inox 316"),
        ("vis sauf laiton", "sauf laiton", "vis"),
        ("bâtis, surtout pas imprimés", "surtout pas imprimés", "bâtis,"),
        ("on oublie le PVC, châssis de fenêtre", "on oublie le PVC", ", châssis de fenêtre"),
        (
            "moulage, le silicone ne convient pas",
            "le silicone ne convient pas",
            "moulage,",
        ),
        ("circuits nus ; importateurs s'abstenir", "importateurs s'abstenir", "circuits nus ;"),
        ("usinage 5 axes (tournage exclu)", "tournage exclu", "usinage 5 axes ( )"),
        ("cadres alu, hors peinture", "hors peinture", "cadres alu,"),
        ("100 mâts, pas question de payer un moule", "pas question de payer un moule", "100 mâts,"),
        (
            "on ne veut ni boîtier ni vis : une résine",
            "ni boîtier ni vis",
            "on ne veut : une résine",
        ),
    ],
)
def test_what_is_ruled_out_is_said_and_not_compared(text: str, ruled_out: str, thing: str) -> None:
    found = [wish.value for wish in wishes(text) if wish.kind == "exclusion"]
    assert (found, bare(text).text) == ([ruled_out], thing)


@pytest.mark.parametrize(
    ("text", "free_of"),
    [
        ("Un jeu en hêtre, sans plastique ni carton.", "sans plastique ni carton"),
        ("carter, aucun collage mais des vis", "aucun collage"),
        ("du liège au lieu du PSE", "au lieu du PSE"),
        ("poutres en acier à la place du bois", "à la place du bois"),
    ],
)
def test_what_a_thing_is_free_of_is_said_and_compared(text: str, free_of: str) -> None:
    assert [wish.value for wish in wishes(text)] == [free_of]
    assert bare(text) == Thing(text)


@pytest.mark.parametrize(
    "text",
    [
        "mon moteur ne démarre plus",
        "filetage au pas de 1,5",
        "vis à bille, pas de 5",
        "gants sans latex",
        "tube inox sans soudure",
        "rectification sans centre",
        "cuve étanche, sans que rien ne s'échappe",
        "dimensions : hors tout 300 mm",
        "aucune colle n'accroche dessus",
        "il n'y a pas mieux",
        "sans soudure",
        "panneau sens interdit aluminium",
        "barre de seuil et pas de porte aluminium",
        "je ne trouve pas d'atelier qui coud le cuir",
        "on a pas de plan pour cette pièce",
        "crème sans parabène ni silicone, marque blanche",
        "j'ai la recette de bière mais pas le matériel",
        "le pot existe, pas la petite boîte qui le présente",
        "nous n'avons ni cuve ni chaîne, mise en bouteilles",
        "tout est fourni sauf la voie : 40 mètres de rails",
        "nous avons 400 tonnes de pommes et pas de presse",
        "une membrane qui laisse passer l'air mais pas l'eau",
        "le client refuse la livraison, cartons à reprendre",
        "le hachoir écrase la viande au lieu de la couper",
        "la pile dure trois mois au lieu de douze",
        "huit litres par minute, ni plus ni moins",
        "miroir usiné, hors d'axe",
        "vis spéciales, rien de tel au catalogue",
    ],
)
def test_what_is_in_doubt_is_compared(text: str) -> None:
    assert bare(text) == Thing(text)


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("usinage alu EN 9100 petites séries", "usinage alu petites séries"),
        ("décolletage, certifié ISO 13485 exigé", "décolletage,"),
        ("Atelier certifié ISO 9001 et EN 9100 pour carters", "Atelier pour carters"),
        ("ISO 9001", "ISO 9001"),
    ],
)
def test_certificates_are_not_compared(text: str, thing: str) -> None:
    assert bare(text) == Thing(thing)


def test_a_certificate_among_what_is_ruled_out_stays_a_wish() -> None:
    text = "cuves, sans peinture, EN 1090, surtout pas d'alu"
    assert wishes(text) == (
        Wish("exclusion", "sans peinture", "sans peinture", 7, 20),
        Wish("certification", "EN 1090", "EN 1090", 22, 29),
        Wish("exclusion", "surtout pas d'alu", "surtout pas d'alu", 31, 48),
    )


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("bungalows, surtout pas de location ni d'occasion", {"location", "occasion"}),
        ("pièces en inox brut, pas d'inox poli", {"poli"}),
        ("circuits nus ; importateurs de composants s'abstenir", {"importateu", "composant"}),
        ("couteaux, pas de manche en plastique pour cette fois", {"manch", "plastiqu"}),
        ("un socle, pas de plan", set()),
        ("crème solaire, sans parfum", set()),
        ("pochettes au lieu du cuir", set()),
        ("cuves, pas besoin d'ISO 9001", set()),
        ("sans soudure", set()),
    ],
)
def test_the_stems_of_what_is_ruled_out(text: str, stems: set[str]) -> None:
    assert bare(text).ruled_out == stems


@pytest.mark.parametrize(
    ("capability", "named"),
    [
        ("Moules en aluminium, moule pilote, moules", ("Moules", "moule", "moules")),
        ("MJF PA12, 1 à 5 000 pièces sans moule", ()),
        ("Projection HVOF, alternative au moule ; étude du moule", ("moule",)),
        ("Revêtement anti-moule", ()),
        ("Découpe de mousse", ()),
    ],
)
def test_a_capability_names_what_is_ruled_out_unless_it_does_without(
    capability: str, named: tuple[str, ...]
) -> None:
    assert named_in(capability, bare("cent pièces, pas de moule").ruled_out) == named


HIRED = Supplier("loc", "Loc", ("Location et occasion de bungalows de chantier",))
MADE = Supplier("neuf", "Neuf", ("Fabrication de bungalows de chantier neufs",))
NOT_HIRED = "bungalows de chantier, surtout pas de location ni d'occasion"


def test_who_does_what_is_ruled_out_does_not_come_first(encoder: Encoder) -> None:
    index = SupplierIndex.build([HIRED, MADE], encoder)
    found = index.search(NOT_HIRED)
    told = [(one.supplier.id, one.ruled_out) for one in found]
    assert told == [("neuf", ()), ("loc", ("Location", "occasion"))]
    assert index.reading(NOT_HIRED).text == NOT_HIRED


def test_what_is_ruled_out_counts_in_every_way_of_asking(encoder: Encoder) -> None:
    index = SupplierIndex.build([HIRED, MADE], encoder)
    found = index.search(NOT_HIRED)
    wanted = {one.supplier.id: one.score for one in index.search("bungalows de chantier,")}
    scores = {one.supplier.id: one.score for one in found}
    assert scores["loc"] == pytest.approx(0.8 * wanted["loc"], abs=1e-4)
    assert index.search(NOT_HIRED, 1) == found[:1]
    assert index.rerank(NOT_HIRED, [HIRED, MADE]) == index.rerank(NOT_HIRED) == found
    [answered] = index.answer([Need("n", NOT_HIRED)], 1)
    assert list(answered.suggestions) == found[:1]
