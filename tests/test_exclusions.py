"""What a need rules out, and what is left to compare."""

import pytest

from embed.encoder import Encoder
from index.engine import SupplierIndex
from index.suppliers import Supplier
from index.wishes import Wish, bare, wishes


@pytest.mark.parametrize(
    ("text", "ruled_out", "thing"),
    [
        ("bacs inox, surtout pas de soudure", "surtout pas de soudure", "bacs inox,"),
        (
            "Un jeu en hêtre, sans plastique ni carton.",
            "sans plastique ni carton",
            "Un jeu en hêtre, .",
        ),
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
        ("carter, aucun collage mais des vis", "aucun collage", "carter, mais des vis"),
        ("capot thermoformé plutôt qu'injecté", "plutôt qu'injecté", "capot thermoformé"),
        ("du liège au lieu du PSE", "au lieu du PSE", "du liège"),
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
    ],
)
def test_what_is_ruled_out_is_said_and_not_compared(text: str, ruled_out: str, thing: str) -> None:
    found = [wish.value for wish in wishes(text) if wish.kind == "exclusion"]
    assert (found, bare(text)) == ([ruled_out], thing)


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
    ],
)
def test_what_is_in_doubt_is_compared(text: str) -> None:
    assert bare(text) == text


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
    assert bare(text) == thing


def test_a_certificate_among_what_is_ruled_out_stays_a_wish() -> None:
    text = "cuves, sans peinture, EN 1090, surtout pas d'alu"
    assert wishes(text) == (
        Wish("exclusion", "sans peinture", "sans peinture", 7, 20),
        Wish("certification", "EN 1090", "EN 1090", 22, 29),
        Wish("exclusion", "surtout pas d'alu", "surtout pas d'alu", 31, 48),
    )


def test_who_does_what_is_ruled_out_does_not_come_first(encoder: Encoder) -> None:
    hire = Supplier("loc", "Loc", ("Location et occasion de bungalows de chantier",))
    made = Supplier("neuf", "Neuf", ("Fabrication de bungalows de chantier neufs",))
    index = SupplierIndex.build([hire, made], encoder)
    need = "bungalows de chantier, surtout pas de location ni d'occasion"
    assert [found.supplier.id for found in index.search(need, 2)] == ["neuf", "loc"]
    assert index.reading(need).text == need
