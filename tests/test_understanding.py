import pytest

from embed.encoder import Encoder
from index.engine import SupplierIndex
from index.facets import Filters
from index.places import Near
from index.suppliers import Supplier
from index.understanding import NEAR_ENOUGH, Understood, near_to, understood
from index.wishes import wishes

TOWNS = {"oyonnax", "cluses", "le creusot", "saint denis"}


def read(
    need: str,
    filters: Filters | None = None,
    near: Near | None = None,
    proximity: float | None = None,
    ignored: tuple[str, ...] = (),
) -> Understood:
    found = wishes(need, TOWNS.__contains__)
    return understood(need, found, filters or Filters(), near, proximity, ignored)


@pytest.mark.parametrize(
    ("need", "bare", "filters", "near", "applied"),
    [
        (
            "décolletage inox en Haute-Savoie",
            "décolletage inox",
            Filters(departments=("74",)),
            None,
            ["Haute-Savoie (74)"],
        ),
        (
            "En Bretagne, cuves en inox",
            ", cuves en inox",
            Filters(regions=("53",)),
            None,
            ["Bretagne"],
        ),
        (
            "injection plastique près d'Oyonnax",
            "injection plastique",
            Filters(),
            Near(city="Oyonnax"),
            ["autour d'Oyonnax"],
        ),
        (
            "un atelier de forge à moins de 50 km du Creusot pour des axes",
            "un atelier de forge pour des axes",
            Filters(),
            Near(city="Le Creusot", max_km=50),
            ["autour du Creusot (50 km)"],
        ),
        (
            "tôlerie dans un rayon de 80 km autour de Lyon",
            "tôlerie",
            Filters(),
            Near(city="Lyon", max_km=80),
            ["autour de Lyon (80 km)"],
        ),
        (
            "soudage autour de la Drôme",
            "soudage",
            Filters(),
            Near(department="26"),
            ["autour de la Drôme"],
        ),
        (
            "couture dans le Nord ou dans l'Aisne",
            "couture",
            Filters(departments=("59", "02")),
            None,
            ["Nord (59)", "Aisne (02)"],
        ),
    ],
)  # fmt: skip
def test_the_places_of_a_text_become_filters_and_leave_it(
    need: str, bare: str, filters: Filters, near: Near | None, applied: list[str]
) -> None:
    found = read(need)
    assert (found.need, found.filters, found.near) == (bare, filters, near)
    assert [wish.label for wish in found.applied] == applied
    assert found.proximity == (NEAR_ENOUGH if near else 0)
    assert found.wishes == wishes(need, TOWNS.__contains__)


@pytest.mark.parametrize(
    "need",
    [
        "tournage inox 316L EN 9100, 200 pièces",
        "prototype de carter en PA12, certifié ISO 13485",
        "pièces selon plan",
        "remplacer la manche d'une veste",
        "hors Île-de-France : gravure sur verre",
    ],
)
def test_what_is_no_place_stays_in_the_text(need: str) -> None:
    found = read(need)
    assert (found.need, found.filters, found.near, found.applied) == (need, Filters(), None, ())
    assert (found.proximity, found.wishes) == (0, wishes(need))


def test_other_wishes_are_told_and_stay() -> None:
    found = read("usinage titane EN 9100 en petite série en Bretagne")
    assert found.need == "usinage titane EN 9100 en petite série"
    assert found.filters == Filters(regions=("53",))
    assert [wish.kind for wish in found.wishes] == ["certification", "series", "region"]
    assert [wish.kind for wish in found.applied] == ["region"]


def test_ignored_labels_stay_in_the_text() -> None:
    need = "forge près de Lyon en Isère"
    ignored = read(need, ignored=("autour de Lyon", "Isère (38)"))
    assert (ignored.need, ignored.filters, ignored.near, ignored.applied) == (
        need, Filters(), None, (),
    )  # fmt: skip
    half = read(need, ignored=("autour de Lyon",))
    assert (half.need, half.filters, half.near) == (
        "forge près de Lyon", Filters(departments=("38",)), None,
    )  # fmt: skip
    assert [wish.label for wish in half.wishes] == ["autour de Lyon", "Isère (38)"]


@pytest.mark.parametrize(
    ("filters", "near"),
    [
        (Filters(departments=("29",)), None),
        (Filters(regions=("Bretagne",)), None),
        (Filters(), Near(city="Brest", max_km=30)),
    ],
)
def test_places_that_the_caller_has_chosen_win_and_those_of_the_text_still_leave_it(
    filters: Filters, near: Near | None
) -> None:
    need = "tôlerie près de Lyon en Haute-Savoie"
    found = read(need, filters, near, 0.5)
    assert (found.need, found.filters, found.near, found.proximity, found.applied) == (
        "tôlerie", filters, near, 0.5, (),
    )  # fmt: skip


def test_other_filters_of_the_caller_are_kept_with_the_places_of_the_text() -> None:
    given = Filters(certifications=("ISO 9001",), series=("petite",), naf=("25",), tags=("ess",))
    found = read("tôlerie en Haute-Savoie", given)
    assert found.need == "tôlerie"
    assert found.filters == Filters(("74",), (), ("ISO 9001",), ("petite",), ("25",), ("ess",))


@pytest.mark.parametrize("need", ["en Haute-Savoie", "près de Lyon", "Bretagne", "à Cluses (74) !"])
def test_a_need_that_is_only_a_place_stays_as_it_is(need: str) -> None:
    found = read(need)
    assert (found.need, found.filters, found.near, found.applied) == (need, Filters(), None, ())
    assert len(found.wishes) == 1


@pytest.mark.parametrize(("given", "weighs"), [(None, NEAR_ENOUGH), (0.0, 0.0), (0.8, 0.8)])
def test_nearness_weighs_what_the_caller_says_or_a_little(
    given: float | None, weighs: float
) -> None:
    assert read("forge près de Lyon", proximity=given).proximity == weighs
    assert read("forge en Isère", proximity=given).proximity == (given or 0)


def test_a_need_has_one_middle() -> None:
    found = read("forge près de Lyon ou près d'Oyonnax")
    assert (found.need, found.near) == ("forge", Near(city="Lyon"))
    assert [wish.label for wish in found.applied] == ["autour de Lyon"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Haute-Savoie", Near(department="74", max_km=10)),
        ("74", Near(department="74", max_km=10)),
        ("2b", Near(department="2B", max_km=10)),
        ("Besançon", Near(city="Besançon", max_km=10)),
        ("Saint-Denis", Near(city="Saint-Denis", max_km=10)),
    ],
)
def test_a_name_is_a_departement_where_there_is_one(name: str, near: Near) -> None:
    assert near_to(name, 10) == near


FORGES = [
    Supplier("lyon", "L", ("Forge libre",), "69", city="Lyon", certifications=("ISO9001:2015",)),
    Supplier("isère", "I", ("Forge libre",), "38", certifications=("EN 9100",)),
    Supplier("savoie", "S", ("Forge libre",), "74"),
    Supplier("brest", "B", ("Forge libre",), "29"),
    Supplier("inconnu", "N", ("Forge libre",)),
]


@pytest.fixture(scope="module")
def forges(encoder: Encoder) -> SupplierIndex:
    return SupplierIndex.build(FORGES, encoder)


def test_a_suggestion_says_how_far_it_is_and_what_it_lacks(forges: SupplierIndex) -> None:
    asked = forges.understand("forge libre ISO 9001 et EN 9100, autour du Rhône")
    assert asked.near == Near(department="69")
    found = forges.search(asked.need, near=asked.near, proximity=asked.proximity)
    assert [(s.supplier.id, s.distance_km, s.nearness, s.missing) for s in found] == [
        ("lyon", 3.7, "même département", ("EN 9100",)),
        ("isère", 72.2, "département voisin", ("ISO 9001",)),
        ("savoie", 119.7, "même région", ("ISO 9001", "EN 9100")),
        ("brest", 735.6, None, ("ISO 9001", "EN 9100")),
        ("inconnu", None, None, ("ISO 9001", "EN 9100")),
    ]
    assert len({s.score for s in found}) == 1
    reranked = forges.rerank(asked.need, FORGES, near=asked.near, proximity=asked.proximity)
    assert reranked == found


def test_a_radius_in_the_text_leaves_out_what_is_farther(forges: SupplierIndex) -> None:
    asked = forges.understand("forge à moins de 90 km de Lyon")
    assert (asked.need, asked.near) == ("forge", Near(city="Lyon", max_km=90))
    found = forges.search(asked.need, filters=asked.filters, near=asked.near)
    assert sorted(s.supplier.id for s in found) == ["isère", "lyon"]
    assert all(s.distance_km is not None and s.distance_km <= 90 for s in found)


def test_without_a_place_a_suggestion_says_no_distance(forges: SupplierIndex) -> None:
    found = forges.search("forge libre")
    assert {(s.distance_km, s.nearness, s.missing) for s in found} == {(None, None, ())}
