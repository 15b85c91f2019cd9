from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from embed.errors import MaillonError
from index.demo import demo_suppliers
from index.directory import read_suppliers
from index.export import HEADER, write_suppliers
from index.suppliers import Supplier

ENDINGS = [".jsonl", ".csv", ".xlsx"]
LONG = " ".join(f"Usinage de la pièce numéro {n}, sur plan." for n in range(45))
FORGE = ("Forge libre",)
NASTY = [
    Supplier("0012", "Zéros devant", FORGE, "01", "01100", siret="00032917700109", naf="01.11Z"),
    Supplier("barre", "Barre", ("Tôle 1|2 mm", "Pliage | cintrage", "A||B"), tags=("a|b", "c, d")),
    Supplier("long", "Long", (LONG, "Soudage. Puis contrôle. Puis montage.")),
    Supplier("bien-long", "Bien long", ("x" * 2_000,)),
    Supplier("phrases", "Phrases", (f"{LONG[:900]}", f"- {LONG[:900]}")),
    Supplier("=1+1", "=CMD()", ("=SOMME(A1:A9)", "+33 pièces", "-10 °C", "@moi"), city="=A1"),
    Supplier("plus", "+Fort", ("+Fort", "- tiret"), tags=("+a", "-b", "@c", "=d")),
    Supplier("'apos", "'Apostrophe", ("'Entre' apostrophes", "l'acier"), city="'s-Hertogenbosch"),
    Supplier("double-apos", "Deux apostrophes", ("'-10 °C",), tags=("'+a",)),
    Supplier("quote", 'Dit "le forgeron"', ('Vis 1/2"', '"tout"', "« guillemets »"), tags=('"',)),
    Supplier("json", '["a"]', ('["a", "b"]', '{"a": 1}', "[x]"), tags=('["t"]', "[]")),
    Supplier("accents", "Œuvre d'Éloïse", ("Façonnage à l'œil", "Ø 3 µm ≥ 5 °C, 10 m²", "🔧 clé")),
    Supplier("tags", "Balises", ("Acier <b>dur</b> & doux", "a &amp; b", "1 < 2 > 0")),
    Supplier("rien", "N/A bis", ("aucun", "n/a", "-1"), tags=("néant", "aucun"), city="NC"),
    Supplier(
        "néant",
        "#REF! SARL",
        ("#N/A", "#REF!", "#DIV/0!", "#NOM ?"),
        certifications=("ISO 9001 ; EN 9100",),
    ),
    Supplier("puces", "Puces", ("- Forge", "• Fonte", "* Inox", "– Acier"), tags=("- x",)),
    Supplier("un", "Un", ("1",), tags=("1", "2"), certifications=("9001",)),
    Supplier("1e5", "1e5", ("1e5 pièces", "2026-11-22", "1,5", "3.0"), city="3.0", tags=("1.0",)),
    Supplier("degrés", "Degrés", FORGE, lat=0.0, lon=-0.1234567890123, series=("prototype",)),
    Supplier("pôle", "Pôle", FORGE, lat=-90.0, lon=180.0, url="https://a.example/?q=1;2,3&x=é"),
    Supplier("séries", "S", FORGE, series=("grande", "petite"), certifications=("a,b", "c;d")),
    Supplier("point-virgule", "a;b,c\td", ("x;y,z", "tab\tici"), tags=("x;y",)),
    Supplier("ailleurs", "Ailleurs", FORGE, "2A", "97400", "Saint-Denis", tags=("VRAI", "TRUE")),
    Supplier("#DIV/0!", "#Dièse", ("#1 de la forge",), tags=("#Usine",), city="#Ville"),
    Supplier("#REF", "#N", FORGE, tags=("#N/B",)),
    Supplier("beaucoup", "B", tuple(f"{n} {LONG[:250]}" for n in range(200))),
]


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_whole_demo_directory_comes_back_identical(ending: str, tmp_path: Path) -> None:
    demo, file = demo_suppliers(), tmp_path / f"annuaire{ending}"
    assert write_suppliers(file, demo) == 424
    read = read_suppliers(file, strict=True)
    assert read.suppliers == demo
    assert [left.name for left in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("supplier", NASTY, ids=lambda supplier: supplier.id)
def test_nasty_values_come_back_identical(supplier: Supplier, ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"annuaire{ending}"
    assert write_suppliers(file, [supplier]) == 1
    assert read_suppliers(file, strict=True).suppliers == [supplier]


def test_a_line_break_in_a_jsonl_capability_is_a_space_from_the_start(tmp_path: Path) -> None:
    given = tmp_path / "brisé.jsonl"
    given.write_text('{"id": "x", "name": "X", "capabilities": ["Forge\\nlibre", "Vis\\r\\n"]}\n')
    suppliers = read_suppliers(given, strict=True).suppliers
    assert suppliers == [Supplier("x", "X", ("Forge libre", "Vis"))]
    for ending in ENDINGS:
        write_suppliers(tmp_path / f"x{ending}", suppliers)
        assert read_suppliers(tmp_path / f"x{ending}", strict=True).suppliers == suppliers


def test_no_spreadsheet_runs_a_cell_as_a_formula(tmp_path: Path) -> None:
    for ending in (".csv", ".xlsx"):
        write_suppliers(tmp_path / f"annuaire{ending}", NASTY)
    text = (tmp_path / "annuaire.csv").read_text(encoding="utf-8-sig")
    assert text.splitlines()[0] == ";".join(HEADER.values())
    assert "'=1+1;'=CMD()" in text
    assert not any(line.startswith(("=", "+", "-", "@")) for line in text.splitlines())
    sheet = load_workbook(tmp_path / "annuaire.xlsx").active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.value for cell in cells} >= {"=1+1", "=CMD()", "00032917700109"}


def test_an_empty_directory_is_a_file_with_its_header(tmp_path: Path) -> None:
    for ending in ENDINGS:
        assert write_suppliers(tmp_path / f"vide{ending}", []) == 0
    assert (tmp_path / "vide.jsonl").read_bytes() == b""
    assert read_suppliers(tmp_path / "vide.csv").suppliers == []
    assert read_suppliers(tmp_path / "vide.xlsx").suppliers == []


def test_what_cannot_be_written_is_told_and_leaves_the_file_before(tmp_path: Path) -> None:
    with pytest.raises(MaillonError, match=r"a\.pdf: results are written as \.jsonl, \.csv"):
        write_suppliers(tmp_path / "a.pdf", NASTY)
    with pytest.raises(MaillonError, match="the folder .*absent does not exist"):
        write_suppliers(tmp_path / "absent" / "a.csv", NASTY)

    def broken() -> Iterator[Supplier]:
        yield NASTY[0]
        raise OSError("the disk is gone")

    for ending in ENDINGS:
        file = tmp_path / f"a{ending}"
        write_suppliers(file, NASTY[:2])
        before = file.read_bytes()
        with pytest.raises(OSError, match="the disk is gone"):
            write_suppliers(file, broken())
        assert file.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "a.jsonl", "a.xlsx"]


def test_more_than_a_cell_holds_takes_several_lines_of_a_sheet(tmp_path: Path) -> None:
    beaucoup = NASTY[-1]
    assert write_suppliers(tmp_path / "a.xlsx", [NASTY[0], beaucoup]) == 2
    sheet = load_workbook(tmp_path / "a.xlsx").active
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == [
        "0012", "beaucoup", "beaucoup",
    ]  # fmt: skip


def test_a_sheet_gives_the_departement_of_a_postcode(tmp_path: Path) -> None:
    alone = Supplier("x", "X", FORGE, postcode="74300")
    write_suppliers(tmp_path / "x.csv", [alone])
    assert read_suppliers(tmp_path / "x.csv").suppliers == [
        Supplier("x", "X", FORGE, "74", "74300")
    ]
