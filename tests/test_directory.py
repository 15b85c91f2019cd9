from pathlib import Path

import pytest
from openpyxl import Workbook

from embed.errors import MaillonError
from index.directory import read_suppliers
from index.suppliers import Supplier

FRENCH = """Raison sociale;Département;Code postal;Commune;Savoir-faire;Certifications;Séries;NAF;\
SIRET;Site web;Téléphone
Décolletage de l'Arve;Haute-Savoie;74300;Cluses;Décolletage inox|Tournage CN;ISO 9001, EN 9100;\
petites séries;25.62A;73282932000074;arve.example;04
Formes & Plaques;1;1100;Oyonnax;Thermoformage;;;;;;
"""
ARVE = Supplier(
    id="73282932000074",
    name="Décolletage de l'Arve",
    capabilities=("Décolletage inox", "Tournage CN"),
    department="74",
    postcode="74300",
    city="Cluses",
    certifications=("ISO 9001", "EN 9100"),
    series=("petite",),
    naf="25.62A",
    siret="73282932000074",
    url="https://arve.example",
)
FORMES = Supplier(
    id="formes-plaques-01100",
    name="Formes & Plaques",
    capabilities=("Thermoformage",),
    department="01",
    postcode="01100",
    city="Oyonnax",
)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252"), ("utf-16", "UTF-16")],
)
@pytest.mark.parametrize(("delimiter", "named"), [(";", "« ; »"), ("\t", "tabulation")])
def test_french_csv_in_the_usual_encodings(
    tmp_path: Path, encoding: str, shown: str, delimiter: str, named: str
) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_bytes(FRENCH.replace(";", delimiter).encode(encoding))
    directory = read_suppliers(path)
    assert directory.suppliers == [ARVE, FORMES]
    assert directory.rejects == []
    assert directory.detected == f"{shown}, séparateur {named} ; colonnes ignorées : Téléphone"


def test_english_csv_with_commas_and_quotes(tmp_path: Path) -> None:
    path = tmp_path / "suppliers.csv"
    path.write_text('id,name,capabilities,department\ns1,Arve,"turning, milling|honing",74\n')
    assert read_suppliers(path).suppliers == [
        Supplier("s1", "Arve", ("turning, milling", "honing"), "74")
    ]


def test_capabilities_in_several_columns_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text('nom;activité 1;activité 2\nArve;"- Tournage\n• Fraisage";Rectification\n')
    assert read_suppliers(path).suppliers == [
        Supplier("arve", "Arve", ("Tournage", "Fraisage", "Rectification"))
    ]


def test_a_page_of_prose_is_cut_into_passages(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    sentences = [f"Nous fabriquons la pièce numéro {n} en acier traité." for n in range(100)]
    path.write_text(f"nom;description\nArve;{' '.join(sentences)}\n")
    (supplier,) = read_suppliers(path).suppliers
    assert len(supplier.capabilities) == 15
    assert " ".join(supplier.capabilities) == " ".join(sentences)


def test_lines_of_one_company_are_one_supplier(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text("nom;capacité;cp\nArve;Tournage;74300\nArve;Fraisage;74300\n")
    assert read_suppliers(path).suppliers == [
        Supplier("arve-74300", "Arve", ("Tournage", "Fraisage"), "74", "74300")
    ]


def test_workbook_with_a_title_above_its_header_and_numbers_in_cells(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["Annuaire 2026 de la chambre"])
    sheet.append([])
    sheet.append(["Entreprise", "CP", "Ville", "Compétences", "SIRET"])
    sheet.append(["Formes & Plaques", 1100, "Oyonnax", "Thermoformage", None])
    sheet.append(["Arve", 74300.0, "Cluses", "Tournage\nFraisage", 73282932000074])
    book.save(tmp_path / "annuaire.xlsx")
    assert read_suppliers(tmp_path / "annuaire.xlsx").suppliers == [
        FORMES,
        Supplier(
            id="73282932000074",
            name="Arve",
            capabilities=("Tournage", "Fraisage"),
            department="74",
            postcode="74300",
            city="Cluses",
            siret="73282932000074",
        ),
    ]


def test_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"id":"a","name":"Arve","capabilities":["Tournage"],"series":["petite"]}\n\n')
    assert read_suppliers(path).suppliers == [
        Supplier("a", "Arve", ("Tournage",), series=("petite",))
    ]


BROKEN = """nom;capacités;siret;séries
Arve;Tournage;;
;Fraisage;;
Bielle;;;
Came;Taillage;123;
Douille;Rectification;;énorme
Engrenage;Taillage;;;de trop
"""


def test_every_bad_line_is_reported_and_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text(BROKEN)
    directory = read_suppliers(path)
    assert [s.name for s in directory.suppliers] == ["Arve"]
    assert [str(reject) for reject in directory.rejects] == [
        "annuaire.csv:3: nom (name) vide. Complétez-le.",
        "annuaire.csv:4: aucune capacité. Décrivez au moins un savoir-faire du fournisseur.",
        "annuaire.csv:5: SIRET invalide : « 123 ». Vérifiez ses quatorze chiffres ou videz la "
        "cellule.",
        "annuaire.csv:6: série inconnue : « énorme ». Donnez prototype, petite, moyenne ou grande.",
        "annuaire.csv:7: 5 cellules pour 4 colonnes. Mettez entre guillemets les textes qui "
        "contiennent le séparateur.",
    ]
    rejects = directory.write_rejects()
    assert rejects == tmp_path / "annuaire.csv.rejects.csv"
    lines = rejects.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "ligne;motif;nom;capacités;siret;séries"
    assert lines[2] == (
        "4;aucune capacité. Décrivez au moins un savoir-faire du fournisseur.;Bielle"
    )
    assert len(lines) == 6


def test_mended_rejects_are_a_directory_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text("nom;capacités\nArve;Tournage\nBielle;\n")
    rejects = read_suppliers(path).write_rejects()
    assert rejects is not None
    mended = rejects.read_text(encoding="utf-8-sig").replace(";Bielle", ";Bielle;Forge libre")
    rejects.write_text(mended, encoding="utf-8-sig")
    assert read_suppliers(rejects).suppliers == [Supplier("bielle", "Bielle", ("Forge libre",))]


def test_a_mended_file_loses_its_rejects(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text(BROKEN)
    read_suppliers(path).write_rejects()
    path.write_text("nom;capacités\nArve;Tournage\n")
    assert read_suppliers(path).write_rejects() is None
    assert list(tmp_path.iterdir()) == [path]


def test_a_rejected_cell_is_no_formula_in_excel(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text("nom;capacités\n=HYPERLINK(1);\n")
    rejects = read_suppliers(path).write_rejects()
    assert rejects is not None
    assert "'=HYPERLINK(1)" in rejects.read_text(encoding="utf-8-sig")


def test_strict_stops_at_the_first_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text(BROKEN)
    with pytest.raises(MaillonError, match=r"annuaire\.csv:3: nom \(name\) vide"):
        read_suppliers(path, strict=True)


def test_one_id_for_two_companies_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(
        '{"id":"a","name":"Arve","capabilities":["Tournage"]}\n'
        '{"id":"a","name":"Bielle","capabilities":["Forge"]}\n'
    )
    assert [str(reject) for reject in read_suppliers(path).rejects] == [
        "s.jsonl:2: identifiant « a » déjà donné ligne 1 à une fiche différente (« Arve »). "
        "Corrigez l'un des deux ou ajoutez une colonne « id »."
    ]


def test_lines_that_are_no_json_object_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"id": \n[1]\n{"id":"a","name":"Arve","capabilities":["Tournage"]}\n')
    directory = read_suppliers(path)
    assert [reject.line for reject in directory.rejects] == [1, 2]
    assert [supplier.id for supplier in directory.suppliers] == ["a"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv : aucune ligne de titres avec « nom » et « capacites ». Trouvé en "),
        ("a.csv", b"rue;ville\nx;y\n", "première ligne : « rue | ville »"),
        ("a.csv", b"\x00\x01\x02", "a.csv : fichier binaire, et non un texte."),
        ("a.csv", b"nom;capacites\nArve;\xc3\x28\x81\n", "a.csv:2: octet 0x81 illisible"),
        ("a.csv", b'nom;capacites\nArve;"jamais\nferm\xe9;\n', "a.csv:2: ligne illisible"),
        ("a.xlsx", b"nom;capacites", "a.xlsx : classeur illisible"),
        ("a.pdf", b"%PDF", "a.pdf : format « .pdf » non lu. Enregistrez le fichier en .xlsx,"),
    ],
)
def test_a_file_that_is_no_directory_says_what_to_do(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MaillonError) as caught:
        read_suppliers(tmp_path / name)
    assert message in str(caught.value)


def test_a_truncated_workbook_is_told(tmp_path: Path) -> None:
    book = Workbook()
    for n in range(200):
        book.active.append([f"Entreprise {n}", f"Capacité {n}"])
    book.save(tmp_path / "a.xlsx")
    content = (tmp_path / "a.xlsx").read_bytes()
    (tmp_path / "a.xlsx").write_bytes(content[: len(content) // 2])
    with pytest.raises(MaillonError, match=r"a\.xlsx : classeur illisible"):
        read_suppliers(tmp_path / "a.xlsx")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MaillonError, match=r"nowhere\.csv: no such file"):
        read_suppliers(tmp_path / "nowhere.csv")
