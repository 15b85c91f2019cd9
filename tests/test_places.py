"""Places, and the tables of communes that an operator loads."""

import gzip
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from embed.encoder import Encoder
from embed.errors import MaillonError
from index.catalogue import MEMORY, Catalogue
from index.departments import FACTS
from index.engine import SupplierIndex
from index.gazetteer import Commune, KnownPlaces, load_places, read_communes
from index.places import Near, PlaceError, Spot, distances, locate, points, worth
from index.suppliers import Supplier

PARIS, LYON, MARSEILLE = Spot(48.8566, 2.3522), Spot(45.764, 4.8357), Spot(43.2965, 5.3698)
BREST, NICE, REUNION = Spot(48.3904, -4.4861), Spot(43.7102, 7.262), Spot(-20.8789, 55.4481)

TABLE = """code_insee,nom,departement,departement_nom,region,population,latitude,longitude,cp
93066,Saint-Denis,93,Seine-Saint-Denis,11,113116,48.93564,2.35739,93200 93210
97411,Saint-Denis,974,La Réunion,04,153810,-20.93,55.44701,97400
11339,Saint-Denis,11,Aude,76,462,43.3547,2.2203,11310
74081,Cluses,74,Haute-Savoie,84,17525,46.06324,6.5795,74300
74278,Thyez,74,Haute-Savoie,84,6148,46.08117,6.53734,74300
01283,Oyonnax,01,Ain,84,22689,46.26112,5.65253,1100
57463,Metz,57,Moselle,44,116581,49.1077,6.1955,57000
72181,Le Mans,72,Sarthe,52,143847,47.9872,0.1987,72000 72100
2A004,Ajaccio,2A,Corse-du-Sud,94,70817,41.9347,8.7048,20000
97501,Miquelon,975,Saint-Pierre-et-Miquelon,,600,47.1,-56.38,97500
99999,Sans Place,74,Haute-Savoie,84,10,,,74999
"""


@pytest.fixture
def catalogue() -> Iterator[Catalogue]:
    with closing(Catalogue.create(MEMORY)) as made:
        yield made


@pytest.fixture
def known(catalogue: Catalogue, tmp_path: Path) -> KnownPlaces:
    table = tmp_path / "communes.csv"
    table.write_text(TABLE, encoding="utf-8")
    assert load_places(catalogue, table) == 9
    return KnownPlaces(catalogue)


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        (PARIS, LYON, 392),
        (PARIS, MARSEILLE, 661),
        (BREST, NICE, 1_044),
        (PARIS, REUNION, 9_371),
        (Spot(0, 179.9), Spot(0, -179.9), 22.2),
        (Spot(90, 0), Spot(-90, 77), 20_015),
        (LYON, LYON, 0),
    ],
)
def test_distances_of_known_pairs(one: Spot, other: Spot, km: float) -> None:
    there, back = distances(points([one]), other), distances(points([other]), one)
    assert there.tolist() == pytest.approx([km], rel=0.005, abs=0.01)
    assert back.tolist() == pytest.approx(there.tolist(), abs=1e-3)


def test_an_unknown_place_is_infinitely_far_and_worth_the_least() -> None:
    km = distances(points([None, LYON]), LYON)
    assert km.tolist() == [float("inf"), 0]
    assert worth(km, 0.3).tolist() == pytest.approx([0.7, 1])
    assert worth(km, 1).tolist() == [0, 1]
    assert distances(points([]), LYON).tolist() == []


def test_what_nearness_is_worth_falls_by_half_every_150_km() -> None:
    km = np.array([0, 150, 300, 450, 20_000], np.float32)
    assert worth(km, 1).tolist() == pytest.approx([1, 0.5, 0.25, 0.125, 0], abs=1e-6)
    assert worth(km, 0.4).tolist() == pytest.approx([1, 0.8, 0.7, 0.65, 0.6])
    assert worth(km, 0).tolist() == [1, 1, 1, 1, 1]
    for proximity in (0.1, 0.5, 1):
        falling = worth(np.arange(0, 1_000, 5, dtype=np.float32), proximity)
        assert (np.diff(falling) < 0).all()


def supplier(
    department: str | None = None,
    city: str | None = None,
    postcode: str | None = None,
    degrees: tuple[float, float] | tuple[None, None] = (None, None),
) -> Supplier:
    return Supplier("x", "X", ("Forge",), department, postcode, city, *degrees)


@pytest.mark.parametrize(
    ("given", "spot"),
    [
        (supplier("74", "Cluses", "74300", (46.1, 6.6)), Spot(46.1, 6.6, "74")),
        (supplier("74", "THYEZ", "74300"), Spot(46.08117, 6.53734, "74")),
        (supplier("74", "Inconnue", "74300"), Spot(46.06324, 6.5795)),
        (supplier("74", None, "74300"), Spot(46.06324, 6.5795)),
        (supplier(None, "Cluses", "74300"), Spot(46.06324, 6.5795)),
        (supplier("74", "Inconnue", "74999"), Spot(FACTS["74"].lat, FACTS["74"].lon, "74")),
        (supplier("74"), Spot(FACTS["74"].lat, FACTS["74"].lon, "74")),
        (supplier("974", "St Denis"), Spot(-20.93, 55.44701, "974")),
        (supplier("93", "Saint-Denis"), Spot(48.93564, 2.35739, "93")),
        (supplier("01", "Oyonnax", "01100"), Spot(46.26112, 5.65253, "01")),
        (supplier(None, None, "01100"), Spot(46.26112, 5.65253)),
        (supplier("2A", "Ajaccio"), Spot(41.9347, 8.7048, "2A")),
        (supplier(None, "Cluses"), None),
        (supplier(), None),
    ],
)  # fmt: skip
def test_a_supplier_is_where_it_says_most_exactly(
    known: KnownPlaces, given: Supplier, spot: Spot | None
) -> None:
    assert locate(given, known) == spot


@pytest.mark.parametrize(
    ("near", "spot"),
    [
        (Near(city="Saint-Denis"), Spot(-20.93, 55.44701, "974")),
        (Near(city="saint denis", department="93"), Spot(48.93564, 2.35739, "93")),
        (Near(city="St-Denis", department="Aude"), Spot(43.3547, 2.2203, "11")),
        (Near(city="le mans"), Spot(47.9872, 0.1987, "72")),
        (Near(city="Annecy"), Spot(FACTS["74"].seat_lat, FACTS["74"].seat_lon, "74")),
        (Near(department="Haute Savoie"), Spot(FACTS["74"].lat, FACTS["74"].lon, "74")),
        (Near(department="2a"), Spot(FACTS["2A"].lat, FACTS["2A"].lon, "2A")),
        (Near(department="74", lat=1.5, lon=2.5), Spot(1.5, 2.5)),
        (Near(lat=0, lon=0), Spot(0, 0)),
    ],
)
def test_a_place_to_be_near_to_is_found(known: KnownPlaces, near: Near, spot: Spot) -> None:
    assert near.find(known) == spot


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "near names no place. Give department, city, or lat and lon."),
        ({"max_km": 10}, "near names no place. Give department, city, or lat and lon."),
        ({"lat": 45}, "lat and lon go together. Give both, or a department or a city."),
        ({"lon": 45, "city": "Metz"}, "lat and lon go together."),
        ({"lat": 91, "lon": 0}, "lat is 91. Give -90 to 90."),
        ({"lat": 0, "lon": -181}, "lon is -181. Give -180 to 180."),
        ({"lat": float("nan"), "lon": 0}, "lat is nan. Give -90 to 90."),
        ({"city": "Metz", "max_km": -1}, "max_km is -1. Give 0 to 20000."),
        ({"city": "Metz", "max_km": 20_001}, "max_km is 20001. Give 0 to 20000."),
        ({"city": "Atlantis"}, "commune inconnue : « Atlantis ». Donnez une ville plus grande"),
        ({"city": "Metz", "department": "74"}, "commune inconnue : « Metz »"),
        ({"department": "Atlantide"}, "département inconnu : « Atlantide »."),
    ],
)
def test_a_place_that_is_none_is_refused(
    known: KnownPlaces, given: dict[str, str | float], message: str
) -> None:
    with pytest.raises(PlaceError) as error:
        Near(**given).find(known)  # type: ignore[arg-type]
    assert str(error.value).startswith(message)


CLUSES = Commune("Cluses", "74", ("74300",), 17_525, 46.06324, 6.5795)
SAINT_DENIS = Commune("Saint-Denis", "974", ("97400",), 153_810, -20.93, 55.44701)
BOTH = [CLUSES, SAINT_DENIS]
SHAPES = {
    "data.gouv.fr, communes-france": (
        """code_insee,nom_standard,nom_sans_pronom,dep_code,dep_nom,code_postal,codes_postaux,\
population,latitude_mairie,longitude_mairie,latitude_centre,longitude_centre
74081,Cluses,Cluses,74,Haute-Savoie,74300,74300,17525,46.06,6.58,46.06324,6.5795
97411,Saint-Denis,Saint-Denis,974,"Réunion, La",97400,"97400, 97490",153810,,,-20.93,55.44701
""",
        [CLUSES, SAINT_DENIS._replace(postcodes=("97400", "97490"))],
    ),
    "data.gouv.fr, without postcodes": (
        """code_commune_INSEE;nom_commune_complet;latitude;longitude;code_departement;PMUN
74081;Cluses;46,06324;6,5795;74;17525
97411;Saint-Denis;-20,93;55,44701;974;153810
""",
        [commune._replace(postcodes=()) for commune in BOTH],
    ),
    "INSEE's code alone": (
        """code_insee;nom;population;lat;lon
74081;Cluses;17525;46.06324;6.5795
97411;Saint-Denis;153810.0;-20.93;55.44701
""",
        [commune._replace(postcodes=()) for commune in BOTH],
    ),
    "La Poste, laposte_hexasmal": (
        """#Code_commune_INSEE;Nom_de_la_commune;Code_postal;Libellé_d_acheminement;Ligne_5;_geopoint
74081;Cluses;74300;CLUSES;;46.06324,6.5795
98735;PAPEETE;98714;PAPEETE;;-17.5,-149.5
97411;Saint-Denis;97400;ST DENIS;;-20.93, 55.44701
""",
        [commune._replace(population=0) for commune in BOTH],
    ),
    "La Poste, older": (
        """Code_commune_INSEE;Nom_commune;Code_postal;Libelle_acheminement;Ligne_5;coordonnees_gps
74081;Cluses;74300;CLUSES;;46.06324,6.5795
97123;SAINT BARTHELEMY;97133;SAINT BARTHELEMY;;
97411;Saint-Denis;97400;ST DENIS;;-20.93,55.44701
""",
        [commune._replace(population=0) for commune in BOTH],
    ),
    "tabs, zeros lost": (
        "nom\tdepartement\tcp\tpopulation\tlat\tlon\nOyonnax\t1\t1100\t\t46.26112\t5.65253\n",
        [Commune("Oyonnax", "01", ("01100",), 0, 46.26112, 5.65253)],
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_tables_are_read_as_they_are_published(shape: str, ending: str, tmp_path: Path) -> None:
    text, expected = SHAPES[shape]
    table, content = tmp_path / f"communes{ending}", text.encode("utf-8-sig")
    table.write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    assert list(read_communes(table)) == expected


def test_a_commune_of_several_lines_is_one_with_all_its_postcodes(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    table = tmp_path / "laposte.csv"
    lines = [f"72181;LE MANS;{code};LE MANS;;47.9872,0.1987" for code in ("72000", "72100")]
    header = "#Code_commune_INSEE;Nom_de_la_commune;Code_postal;Libelle;Ligne_5;_geopoint"
    table.write_text("\n".join([header, *lines]), encoding="utf-8")
    assert load_places(catalogue, table) == 1
    known = KnownPlaces(catalogue)
    assert known.commune("Le Mans", "72") == Spot(47.9872, 0.1987, "72")
    assert known.postcode("72000") == known.postcode("72100") == Spot(47.9872, 0.1987)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "communes.csv: no column for name, lat, lon among"),
        (b"nom;population\nCluses;17525\n", "communes.csv: no column for lat, lon among nom"),
        (b"nom;lat;lon\nCluses;46;6\n", "communes.csv: no column for department among nom, lat"),
        (b"nom;dep;lat;lon\nNulle Part;99;46;6\n", "communes.csv: no line holds a commune with"),
        (b"nom;dep;lat;lon\nCluses;74;x;6\nCluses;74;nan;6\n", "communes.csv: no line holds"),
        ("nom;dep;lat;lon\nChâtel;74;46;6\n".encode("cp1252"), "communes.csv: byte 0xe2 is not"),
        (b"PK\x03\x04\xff\xfe\x00", "communes.csv: byte 0xff is not UTF-8."),
        (b'nom;dep;lat;lon\n"Cluses;74;46;6\n' + b"x" * 20, "communes.csv: no line holds"),
    ],
)
def test_a_file_that_is_no_table_of_communes_is_told(
    catalogue: Catalogue, tmp_path: Path, content: bytes, message: str
) -> None:
    table = tmp_path / "communes.csv"
    table.write_bytes(content)
    with pytest.raises(MaillonError) as error:
        load_places(catalogue, table)
    assert str(error.value).startswith(message)
    with pytest.raises(MaillonError, match="no such file"):
        load_places(catalogue, tmp_path / "absent.csv")
    packed = tmp_path / "communes.csv.gz"
    packed.write_bytes(b"nom;dep;lat;lon\n")
    with pytest.raises(MaillonError, match="communes.csv.gz: damaged"):
        load_places(catalogue, packed)


def test_a_bad_table_leaves_the_one_before(known: KnownPlaces, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("nom;dep;lat;lon\nNulle Part;99;46;6\n")
    with pytest.raises(MaillonError):
        load_places(known._catalogue, bad)
    assert (known.knows("metz"), known.knows("annecy"), known.knows("atlantis")) == (
        True, True, False,
    )  # fmt: skip


def test_a_postcode_stands_where_its_largest_commune_does(known: KnownPlaces) -> None:
    assert known.postcode("74300") == Spot(46.06324, 6.5795)
    assert known.postcode("93210") == Spot(48.93564, 2.35739)
    assert known.postcode("01100") == Spot(46.26112, 5.65253)
    assert known.postcode("97500") is None


def test_a_new_table_places_the_suppliers_of_an_index_again(
    encoder: Encoder, tmp_path: Path
) -> None:
    table = tmp_path / "communes.csv"
    table.write_text(TABLE, encoding="utf-8")
    index = SupplierIndex.create(tmp_path / "index", encoder)
    index.upsert([supplier("74", "Cluses"), Supplier("y", "Y", ("Forge",), "74", city="Thyez")])
    here = Near(lat=46.08117, lon=6.53734, max_km=2)
    assert index.search("forge", near=here) == []
    assert index.learn_places(table) == 9
    found = index.search("forge", near=here)
    assert [(s.supplier.id, s.distance_km, s.nearness) for s in found] == [("y", 0.0, None)]
    found = index.search("forge", near=Near(city="Cluses"), proximity=1)
    assert [(s.supplier.id, s.distance_km, s.nearness) for s in found] == [
        ("x", 0.0, "même département"),
        ("y", 3.8, "même département"),
    ]
    index.close()
