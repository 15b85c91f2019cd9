from pathlib import Path

import pytest
from openpyxl import Workbook

from embed.errors import MaillonError
from index.directory import Known, read_suppliers
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


def test_commas_in_prose_do_not_hide_the_semicolons(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text("Nom;Activité;Ville\nArve;Tournage, fraisage, perçage, alésage;Cluses\n")
    assert read_suppliers(path).suppliers == [
        Supplier("arve-cluses", "Arve", ("Tournage, fraisage, perçage, alésage",), city="Cluses")
    ]


def test_of_two_columns_for_one_field_the_surer_is_read_and_the_other_told(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text("Nom;Prénom;Entreprise;Activité\nDurand;Anne;Forge SA;Forge libre\n")
    directory = read_suppliers(path)
    assert directory.suppliers == [Supplier("forge-sa", "Forge SA", ("Forge libre",))]
    assert directory.detected.endswith("colonnes ignorées : Nom, Prénom")


def test_what_web_sites_and_spreadsheets_leave_in_cells_is_no_capability(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text(
        "nom;capacités 1;capacités 2\n"
        'Arve;"<p>Nous <b>usinons</b> l&apos;inox &lt;3 mm</p><ul><li>Tournage</li></ul>";#REF!\n'
        'Bielle;N/A;"&nbsp;"\n'
    )
    directory = read_suppliers(path)
    assert directory.suppliers == [
        Supplier("arve", "Arve", ("Nous usinons l'inox <3 mm", "Tournage"))
    ]
    assert [reject.line for reject in directory.rejects] == [3]


@pytest.mark.parametrize(
    ("written", "code"),
    [("Isère (38)", "38"), ("FR-38", "38"), ("Haute Savoie", "74"), ("Réunion", "974"),
     ("La Reunion", "974"), ("69D", "69"), ("2b", "2B"), ("1", "01"), ("COTE D'OR", "21")],
)  # fmt: skip
def test_departments_as_people_write_them(tmp_path: Path, written: str, code: str) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text(f"nom;capacités;département\nArve;Tournage;{written}\n")
    assert [s.department for s in read_suppliers(path).suppliers] == [code]


def test_the_sheet_that_has_a_header_is_read_and_the_others_told(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Lisez-moi"
    for name in ("Ain", "Savoie"):
        sheet = book.create_sheet(name)
        sheet.append(["Nom", "Activité"])
        sheet.append([f"Atelier {name}", "Tournage"])
    book["Ain"].sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    directory = read_suppliers(tmp_path / "a.xlsx")
    assert [supplier.name for supplier in directory.suppliers] == ["Atelier Savoie"]
    assert directory.detected == (
        "classeur Excel, feuille « Savoie » ; feuilles non lues : « Lisez-moi », « Ain »"
    )


def test_one_company_in_two_files_is_one_supplier(tmp_path: Path) -> None:
    for name, capability in (("a", "Tournage"), ("b", "Fraisage")):
        (tmp_path / f"{name}.csv").write_text(
            f"nom;capacités;siret\nArve;{capability};732 829 320 00074\n"
        )
    known: Known = {}
    first, second = (read_suppliers(tmp_path / f"{n}.csv", known=known) for n in "ab")
    assert (second.suppliers, second.rejects) == ([], [])
    assert first.suppliers == [
        Supplier("73282932000074", "Arve", ("Tournage", "Fraisage"), siret="73282932000074")
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
        "annuaire.csv:7: cellules au-delà des colonnes titrées : « de trop ». Donnez-leur un titre "
        "ou videz-les ; dans un CSV, mettez entre guillemets les textes où est le séparateur.",
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


def test_an_earlier_rejects_file_is_set_aside_for_it_may_have_been_mended(tmp_path: Path) -> None:
    path = tmp_path / "annuaire.csv"
    path.write_text(BROKEN)
    for _ in range(3):
        read_suppliers(path).write_rejects()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "annuaire.csv",
        "annuaire.csv.rejects-1.csv",
        "annuaire.csv.rejects-2.csv",
        "annuaire.csv.rejects.csv",
    ]
    path.write_text("nom;capacités\nArve;Tournage\n")
    assert read_suppliers(path).write_rejects() is None


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
        "s.jsonl:2: identifiant « a » déjà donné en s.jsonl:1, avec un autre champ « name » : "
        "« Arve » là, « Bielle » ici. Accordez les deux lignes, ou distinguez les entreprises par "
        "une colonne « id »."
    ]


def test_lines_that_are_no_json_object_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    good = b'{"id":"a","name":"Arve","capabilities":["Tournage"]}'
    path.write_bytes(b'{"id": \n[1]\n' + good + b"\n" + good.replace(b"T", b"\xc9t"))
    directory = read_suppliers(path)
    assert [str(reject) for reject in directory.rejects] == [
        's.jsonl:1: JSON illisible : « {"id": ». Corrigez la ligne.',
        "s.jsonl:2: un objet JSON {…} est attendu, trouvé : « [1] ».",
        "s.jsonl:4: octet 0xc9 illisible en UTF-8. Enregistrez le fichier en UTF-8.",
    ]
    assert [supplier.id for supplier in directory.suppliers] == ["a"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv : aucune ligne de titres reconnue. Il faut une colonne « nom »,"),
        ("a.csv", b"rue;ville\nx;y\n", "Ligne la plus proche : « rue | ville ». Renommez ses"),
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
