import pytest

from index.departments import (
    DEPARTMENTS,
    FACTS,
    REGIONS,
    Department,
    department_code,
    nearness,
    region_code,
)


def test_a_department_with_its_facts() -> None:
    assert FACTS["25"] == Department(
        code="25",
        name="Doubs",
        region="27",
        neighbours=frozenset({"39", "70", "90"}),
        lat=47.2562,
        lon=6.3589,
        seat="Besançon",
        seat_lat=47.2552,
        seat_lon=6.0194,
    )


def test_there_are_101_departments_in_18_regions() -> None:
    assert len(FACTS) == len(DEPARTMENTS) == 101
    assert len(REGIONS) == 18
    assert {department.region for department in FACTS.values()} == REGIONS.keys()


@pytest.mark.parametrize(
    ("code", "neighbours"),
    [
        ("2A", {"2B"}),
        ("2B", {"2A"}),
        ("75", {"92", "93", "94"}),
        ("74", {"01", "73"}),
        ("29", {"22", "56"}),
        ("971", set()),
        ("974", set()),
    ],
)
def test_neighbours_share_a_border(code: str, neighbours: set[str]) -> None:
    assert FACTS[code].neighbours == neighbours


def test_a_neighbour_has_its_neighbour_for_neighbour() -> None:
    pairs = {(one.code, other) for one in FACTS.values() for other in one.neighbours}
    assert pairs == {(other, one) for one, other in pairs}


def test_seats_and_centres_lie_where_people_live() -> None:
    for department in FACTS.values():
        assert abs(department.lat - department.seat_lat) < 1.5
        assert abs(department.lon - department.seat_lon) < 1.5


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("25", "25", "même département"),
        ("25", "39", "département voisin"),
        ("25", "21", "même région"),
        ("59", "02", "département voisin"),
        ("31", "34", "même région"),
        ("25", "13", None),
        ("971", "972", None),
        ("25", None, None),
        (None, None, None),
        ("99", "99", None),
    ],
)
def test_nearness(one: str | None, other: str | None, near: str | None) -> None:
    assert nearness(one, other) == nearness(other, one) == near


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("27", "27"),
        ("Bourgogne-Franche-Comté", "27"),
        ("BOURGOGNE FRANCHE COMTE", "27"),
        ("bfc", "27"),
        ("Franche-Comté", "27"),
        ("Hauts de France", "32"),
        ("Nord - Pas-de-Calais", "32"),
        ("PACA", "93"),
        ("Provence Alpes Côte d’Azur", "93"),
        ("AURA", "84"),
        ("Rhône Alpes", "84"),
        ("ile de france", "11"),
        ("IDF", "11"),
        ("Région Bretagne", "53"),
        ("Centre", "24"),
        ("Alsace", "44"),
        ("Pays de Loire", "52"),
        ("Réunion", "04"),
        ("Bavière", "Bavière"),
        ("", ""),
    ],
)
def test_regions_as_people_write_them(written: str, code: str) -> None:
    assert region_code(written) == code


def test_codes_still_read_from_names() -> None:
    assert department_code("Val d’Oise") == "95"
    assert department_code("Doubs (25)") == "25"
