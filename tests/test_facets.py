from collections import Counter
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from embed.encoder import Encoder
from index.certificates import certificate
from index.demo import demo_suppliers
from index.departments import FACTS
from index.engine import SupplierIndex
from index.facets import Facets, FilterError, Filters, fits, values_of
from index.suppliers import Supplier

TEXT = ("Forge libre",)
DIRECTORY = [
    Supplier("brest", "A", TEXT, "29", certifications=("ISO9001:2015",), naf="25.62A"),
    Supplier("rennes", "B", TEXT, "35", series=("petite", "moyenne"), tags=("Filière bois",)),
    Supplier("cluses", "C", TEXT, "74", certifications=("EN 9100", "iso 9001"), naf="25.50B"),
    Supplier("lyon", "D", TEXT, "69", series=("grande",), naf="13.92Z", tags=("ESS", "Cluster")),
    Supplier("nulle-part", "E", TEXT, certifications=("Label maison",), tags=("filiere  BOIS",)),
    Supplier("bastia", "F", TEXT, "2B", series=("petite",), tags=("ess",)),
]


def fitting(filters: Filters) -> list[str]:
    mask = Facets.build(map(values_of, DIRECTORY)).matching(filters)
    asked = [supplier.id for supplier in DIRECTORY if fits(supplier, filters)]
    given = [s.id for place, s in enumerate(DIRECTORY) if mask is None or mask[place]]
    assert given == asked
    return given


EVERYBODY = [supplier.id for supplier in DIRECTORY]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        (Filters(), EVERYBODY),
        (Filters(departments=("74",)), ["cluses"]),
        (Filters(departments=("Haute-Savoie", "2b", "29 - Brest")), ["brest", "cluses", "bastia"]),
        (Filters(departments=("01",)), []),
        (Filters(regions=("Bretagne",)), ["brest", "rennes"]),
        (Filters(regions=("53",)), ["brest", "rennes"]),
        (Filters(regions=("rhone alpes",)), ["cluses", "lyon"]),
        (Filters(regions=("Corse",), departments=("29",)), ["brest", "bastia"]),
        (Filters(certifications=("ISO 9001",)), ["brest", "cluses"]),
        (Filters(certifications=("NF EN ISO 9001 v2015",)), ["brest", "cluses"]),
        (Filters(certifications=("iso-9001", "en9100")), ["cluses"]),
        (Filters(certifications=("Label maison",)), ["nulle-part"]),
        (Filters(certifications=("LABEL  Maison",)), ["nulle-part"]),
        (Filters(certifications=("ISO 13485",)), []),
        (Filters(series=("petite",)), ["rennes", "bastia"]),
        (Filters(series=("moyenne", "grande")), ["rennes", "lyon"]),
        (Filters(naf=("25",)), ["brest", "cluses"]),
        (Filters(naf=("25.62A",)), ["brest"]),
        (Filters(naf=("2562a",)), ["brest"]),
        (Filters(naf=("256", "13")), ["brest", "lyon"]),
        (Filters(naf=("25.5 ", "99")), ["cluses"]),
        (Filters(tags=("filière bois",)), ["rennes", "nulle-part"]),
        (Filters(tags=("ess", "Filiere Bois")), ["rennes", "lyon", "nulle-part", "bastia"]),
        (Filters(tags=("bois",)), []),
        (Filters(regions=("84",), naf=("25",), certifications=("EN 9100",)), ["cluses"]),
        (Filters(regions=("84",), series=("petite",)), []),
    ],
    ids=repr,
)  # fmt: skip
def test_every_field_given_must_fit(filters: Filters, ids: list[str]) -> None:
    assert fitting(filters) == ids


def test_a_region_is_its_departements() -> None:
    assert Filters(regions=("Bretagne",)).areas() == ("22", "29", "35", "56")
    assert Filters(departments=("35", "75"), regions=("BRETAGNE",)).areas() == (
        "35", "75", "22", "29", "56",
    )  # fmt: skip
    everywhere = tuple(dict.fromkeys(fact.region for fact in FACTS.values()))
    assert set(Filters(regions=everywhere).areas()) == set(FACTS)


def test_values_are_kept_once_in_their_usual_form() -> None:
    given = Filters.of(
        ["Ain", "01"],
        ["bretagne"],
        ["iso9001", "ISO 9001"],
        ["petite"],
        ["25.62 a", "2562A"],
        [" ess "],
    )
    assert given == Filters(("01",), ("53",), ("ISO 9001",), ("petite",), ("25.62A",), ("ess",))
    assert (bool(given), bool(Filters()), bool(Filters.of(*[[]] * 6))) == (True, False, False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((["Atlantide"],), "département inconnu : « Atlantide ». Donnez 74, 2A ou 971."),
        (([], ["Atlantide"]), "région inconnue : « Atlantide ». Donnez une des 18 régions"),
        (([], [], [], ["énorme"]), "série inconnue : « énorme ». Donnez prototype, petite"),
        (([], [], [], [], ["x1"]), "code NAF inconnu : « x1 ». Donnez 25, 25.6 ou 25.62A."),
        (([], [], [], [], [], [f"t{n}" for n in range(201)]), "tags: 201 values, at most 200"),
    ],
)
def test_a_value_that_nobody_can_have_is_refused(
    values: tuple[list[str], ...], message: str
) -> None:
    with pytest.raises(FilterError) as error:
        Filters.of(*values)
    assert str(error.value).startswith(message)


def test_counts_are_those_of_the_suppliers_that_fit() -> None:
    facets = Facets.build(map(values_of, DIRECTORY))
    assert facets.counts(None) == {
        "departments": {"29": 1, "35": 1, "74": 1, "69": 1, "2B": 1},
        "certifications": {"ISO 9001": 2, "EN 9100": 1, "Label maison": 1},
        "series": {"petite": 2, "moyenne": 1, "grande": 1},
        "naf": {"25.62A": 1, "25.50B": 1, "13.92Z": 1},
        "tags": {"Filière bois": 1, "ESS": 1, "Cluster": 1, "filiere BOIS": 1, "ess": 1},
    }
    assert facets.counts(facets.matching(Filters(regions=("84",)))) == {
        "departments": {"74": 1, "69": 1},
        "certifications": {"ISO 9001": 1, "EN 9100": 1},
        "series": {"grande": 1},
        "naf": {"25.50B": 1, "13.92Z": 1},
        "tags": {"ESS": 1, "Cluster": 1},
    }


def test_what_is_saved_is_mapped_again(tmp_path: Path) -> None:
    for suppliers in (DIRECTORY, [Supplier("seul", "Seul", TEXT)]):
        built = Facets.build(map(values_of, suppliers))
        built.save(tmp_path)
        again = Facets.open(tmp_path)
        assert again.counts(None) == built.counts(None)
        for filters in (Filters(), Filters(tags=("ess",)), Filters(naf=("25",))):
            one, other = again.matching(filters), built.matching(filters)
            assert np.array_equal(one, other)  # type: ignore[arg-type]  # or None both


def test_a_label_may_hold_any_sign(tmp_path: Path) -> None:
    odd = ("naf:25", "ligne\nbrisée", "deux : points", "ﬁlière", "a|b;c", "'=1+1")
    built = Facets.build([values_of(Supplier("x", "X", TEXT, tags=odd))])
    built.save(tmp_path)
    again = Facets.open(tmp_path)
    for tag in odd:
        mask = again.matching(Filters(tags=(tag,)))
        assert mask is not None
        assert mask.tolist() == [True]
    assert list(again.counts(None)["tags"]) == [tag.replace("\n", " ") for tag in odd]


@pytest.fixture(scope="module")
def demo(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> SupplierIndex:
    """The demo directory: most in a generation, thirty written since, ten taken out since."""
    index = SupplierIndex.create(tmp_path_factory.mktemp("facets") / "index", encoder)
    everybody = demo_suppliers()
    index.upsert(everybody[30:])
    index.upsert(everybody[:30])
    index.delete([supplier.id for supplier in everybody[25:35]])
    return index


FILTERS = [
    Filters(),
    Filters(regions=("Auvergne-Rhône-Alpes",)),
    Filters(departments=("59", "62", "69")),
    Filters(certifications=("ISO 9001",)),
    Filters(series=("prototype", "petite")),
    Filters(naf=("25", "13")),
    Filters(regions=("Bretagne", "52"), series=("petite",), certifications=("ISO 9001",)),
]


@pytest.mark.parametrize("filters", FILTERS, ids=repr)
def test_what_is_written_since_counts_with_the_rest(demo: SupplierIndex, filters: Filters) -> None:
    counts, without = demo.facets(filters), dict(filters.open())

    def held(name: str) -> list[Supplier]:
        """Those that fit all fields but this one, where one of its values must fit."""
        return [one for one in demo.suppliers if fits(one, without.get(name, filters))]

    departments = Counter(one.department for one in held("departments") if one.department)
    assert counts["departments"] == departments
    assert counts["naf"] == Counter(one.naf for one in held("naf") if one.naf)
    assert counts["series"] == Counter(size for one in held("series") for size in one.series)
    labels = [{certificate(text) for text in s.certifications} for s in held("certifications")]
    assert sum(counts["certifications"].values()) == sum(map(len, labels))
    for name in counts:
        most = list(counts[name].values())
        assert most == sorted(most, reverse=True)
    assert [field.name for field in fields(Filters) if field.name in counts] == [
        "departments", "certifications", "series", "naf", "tags",
    ]  # fmt: skip


@pytest.mark.parametrize("filters", FILTERS, ids=repr)
def test_all_that_fit_are_found_and_nobody_else(demo: SupplierIndex, filters: Filters) -> None:
    found = demo.search("usinage de pièces en petite série", 1_000, filters=filters)
    fitting = {supplier.id for supplier in demo.suppliers if fits(supplier, filters)}
    assert {s.supplier.id for s in found} == fitting
    assert 0 < len(found) == len(fitting)
