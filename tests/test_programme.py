from datetime import date, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart
from openpyxl.styles import Border, Font, PatternFill, Side
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from embed.errors import MaillonError
from index.engine import SupplierIndex
from index.needs import Answered, Needs, read_needs
from index.programme import lost, write_programme
from index.suppliers import Supplier

BLUE = PatternFill("solid", fgColor="FF1F4E78")
THIN = Border(bottom=Side(style="thin"))
NAMES = {
    "arve": "Décolletage de l'Arve (Cluses, 74)",
    "ain": "Formes & Plaques (Oyonnax, 01)",
    "vendee": "Coutures du Bocage (85)",
}


def programme(folder: Path) -> Path:
    """A programme as people make them: titles, a filter, formulas, a total, another sheet."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Achats 2027"
    sheet["A1"] = "Programme prévisionnel des achats"
    sheet.merge_cells("A1:H1")
    sheet.append([])
    sheet.append(["N°", "Objet du marché", "Département", "Montant (€ HT)", "Échéance"])
    for cell in sheet[3]:
        cell.font, cell.fill = Font(bold=True, color="FFFFFFFF"), BLUE
    sheet.append([1, "Sacs en toile cousus", 85, 15_000.5, date(2027, 3, 1)])
    sheet.append([2, None, 74, "=D4*2"])
    sheet.append([3, "Décolletage de vis en inox 316L", "Haute-Savoie", 900, date(2027, 4, 2)])
    sheet.append([4, "élevage de pandas roux", None, 1])
    sheet.append(["Total", None, None, "=SUM(D4:D7)"])
    sheet["B4"] = CellRichText("Sacs en ", TextBlock(InlineFont(b=True), "toile"), " cousus")
    for row in sheet["A4:E7"]:
        for cell in row:
            cell.border = THIN
    sheet["D4"].number_format = '# ##0.00 "€"'
    sheet["E4"].number_format = "dd/mm/yyyy"
    sheet.auto_filter.ref = "A3:E7"
    sheet.freeze_panes = "C4"
    sheet.column_dimensions["B"].width = 47
    sheet.column_dimensions.group("F", "Z", hidden=True)
    notes = book.create_sheet("Notes")
    notes["A1"], notes["B2"] = "Ne pas diffuser", "='Achats 2027'!D8"
    book.save(folder / "programme.xlsx")
    return folder / "programme.xlsx"


def answered(index: SupplierIndex, source: Path, k: int = 2) -> tuple[Path, Needs, int]:
    needs = read_needs(source)
    out = source.with_name("out.xlsx")
    gaps = write_programme(out, source, needs, index.answer(needs.needs, k), k, 100)
    return out, needs, gaps


def suggested(answered: Answered) -> list[object]:
    return [
        cell for one in answered.suggestions for cell in (NAMES[one.supplier.id], one.confidence)
    ]


def values(sheet: Worksheet, cells: str) -> list[list[object]]:
    return [[cell.value for cell in row] for row in sheet[cells]]


def look(cell: Cell) -> list[str]:
    return [str(part) for part in (cell.number_format, cell.font, cell.fill, cell.border)]


def test_each_need_has_its_suppliers_to_the_right(index: SupplierIndex, tmp_path: Path) -> None:
    out, needs, gaps = answered(index, programme(tmp_path))
    first, second, nobody = index.answer(needs.needs, 2)
    sheet = load_workbook(out)["Achats 2027"]
    assert values(sheet, "F3:K8") == [
        ["Fournisseur 1", "Confiance 1", "Fournisseur 2", "Confiance 2",
         "Fournisseurs locaux (100 km)", "Sans réponse"],
        [*suggested(first), 1, None],
        [None] * 6,
        [*suggested(second), 1, None],
        [*suggested(nobody), None, "oui"],
        [None] * 6,
    ]  # fmt: skip
    assert [one.suggestions[0].supplier.id for one in (first, second)] == ["vendee", "arve"]
    assert gaps == 1


def test_nothing_else_of_the_workbook_changes(index: SupplierIndex, tmp_path: Path) -> None:
    source = programme(tmp_path)
    out, _, _ = answered(index, source)
    before, after = (load_workbook(path, rich_text=True) for path in (source, out))
    assert before.sheetnames == after.sheetnames
    for was, now in zip(before, after, strict=True):
        assert values(was, "A1:E8") == values(now, "A1:E8")
        for row in was["A1:E8"]:
            for cell in row:
                assert look(cell) == look(now[cell.coordinate])
        assert was.merged_cells.ranges == now.merged_cells.ranges
        assert (was.freeze_panes, was.column_dimensions["B"].width) == (
            now.freeze_panes,
            now.column_dimensions["B"].width,
        )
    assert after["Achats 2027"]["E4"].value == datetime(2027, 3, 1)
    assert lost(source, out) == []


def test_new_columns_look_like_their_neighbours_and_are_seen(
    index: SupplierIndex, tmp_path: Path
) -> None:
    out, _, _ = answered(index, programme(tmp_path))
    sheet = load_workbook(out)["Achats 2027"]
    assert look(sheet["F3"]) == look(sheet["E3"])
    assert [cell.border.bottom.style for cell in sheet[4]] == ["thin"] * 11
    assert [cell.number_format for cell in sheet[4][5:]] == [
        "General", "0 %", "General", "0 %", "0", "General",
    ]  # fmt: skip
    assert [sheet[cell].font.color.rgb for cell in ("F7", "G7")] == ["FF808080"] * 2
    shapes = sheet.column_dimensions
    assert {name: (shape.width, shape.hidden) for name, shape in shapes.items() if name > "E"} == {
        "F": (38, False), "G": (13, False), "H": (38, False), "I": (13, False),
        "J": (13, False), "K": (13, False),
    }  # fmt: skip
    assert sheet.auto_filter.ref == "A3:K7"


def test_columns_begin_after_notes_and_merged_cells_beside_the_table(
    index: SupplierIndex, tmp_path: Path
) -> None:
    book = Workbook()
    book.active.append(["besoin"])
    book.active.append(["des sacs en toile"])
    book.active["D2"] = "voir l'annexe"
    book.active.merge_cells("D2:F2")
    book.save(tmp_path / "programme.xlsx")
    out, _, _ = answered(index, tmp_path / "programme.xlsx", k=1)
    assert values(load_workbook(out).active, "A1:J2") == [
        ["besoin", None, None, None, None, None, "Fournisseur 1", "Confiance 1",
         "Fournisseurs locaux (100 km)", "Sans réponse"],
        ["des sacs en toile", None, None, "voir l'annexe", None, None, "Coutures du Bocage (85)",
         index.search("des sacs en toile")[0].confidence, None, None],
    ]  # fmt: skip


def test_fewer_suppliers_than_columns_leave_cells_empty(
    index: SupplierIndex, tmp_path: Path
) -> None:
    out, _, _ = answered(index, programme(tmp_path), k=4)
    assert values(load_workbook(out)["Achats 2027"], "L3:M4") == [
        ["Fournisseur 4", "Confiance 4"],
        [None, None],
    ]


def test_a_name_that_looks_like_a_formula_stays_text(index: SupplierIndex, tmp_path: Path) -> None:
    index.upsert([Supplier("f", '=HYPERLINK("http://x.example")', ("Sacs en toile cousus",))])
    index.upsert([Supplier("g", "#N/A", ("Sacs en toile cousus à la main",))])
    out, _, _ = answered(index, programme(tmp_path), k=3)
    cells = [load_workbook(out)["Achats 2027"][name] for name in ("F4", "H4", "J4")]
    assert {'=HYPERLINK("http://x.example")', "#N/A"} < {cell.value for cell in cells}
    assert [cell.data_type for cell in cells] == ["s", "s", "s"]


def test_what_openpyxl_cannot_keep_is_told(index: SupplierIndex, tmp_path: Path) -> None:
    source = programme(tmp_path)
    book = load_workbook(source)
    book.active.add_chart(BarChart(), "H10")
    lists = DataValidation(type="list", formula1='"oui,non"')
    lists.add("A4:A7")
    book.active.add_data_validation(lists)
    book.save(source)
    with ZipFile(source, "a", ZIP_DEFLATED) as file:
        file.writestr("xl/ctrlProps/ctrlProp1.xml", "<formControlPr/>")
        sheet = file.read("xl/worksheets/sheet1.xml").decode()
    extension = (
        '<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}" '
        'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main">'
        '<x14:dataValidations count="0"/></ext></extLst></worksheet>'
    )
    with ZipFile(source) as old, ZipFile(tmp_path / "b.xlsx", "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            extended = sheet.replace("</worksheet>", extension)
            new.writestr(name, extended if name.endswith("sheet1.xml") else old.read(name))
    out, _, _ = answered(index, tmp_path / "b.xlsx")
    assert lost(tmp_path / "b.xlsx", out) == [
        "contrôles de formulaire",
        "listes déroulantes tirées d'une autre feuille",
    ]
    kept = load_workbook(out).active
    assert (len(kept._charts), kept.data_validations.count) == (1, 1)


def test_macros_and_other_files_are_refused(index: SupplierIndex, tmp_path: Path) -> None:
    macros = programme(tmp_path).rename(tmp_path / "programme.xlsm")
    with pytest.raises(MaillonError, match="seul un classeur .xlsx est rendu complété"):
        answered(index, macros)
    (tmp_path / "b.csv").write_text("besoin\ndes sacs\n")
    with pytest.raises(MaillonError, match="seul un classeur .xlsx est rendu complété"):
        answered(index, tmp_path / "b.csv")
    assert not (tmp_path / "out.xlsx").exists()


def test_a_table_without_room_to_its_right_is_refused(index: SupplierIndex, tmp_path: Path) -> None:
    source = programme(tmp_path)
    book = load_workbook(source)
    book.active["XFD5"] = "loin"
    book.save(source)
    with pytest.raises(MaillonError, match="pas de place pour 6 colonnes après la colonne 16384"):
        answered(index, source)
