import json
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from embed.errors import MaillonError
from index.engine import SupplierIndex
from index.matching import rank_needs
from index.needs import HEADER, Need, Ranked, read_needs, write_ranking
from index.suppliers import Suggestion, Supplier

LINE = Ranked(
    Need("n1", "=des sacs"),
    Suggestion(1, 0.5, Supplier("v", "Coutures", ("Sacs en toile",), "85"), "Sacs en toile"),
    ("Sacs",),
)


def test_needs_in_csv_with_their_own_lists(tmp_path: Path) -> None:
    path = tmp_path / "besoins.csv"
    path.write_text("lot;besoin;fournisseurs\nA;des sacs;vendee|ain\nB;une coque;\n")
    assert read_needs(path).needs == [
        Need("A", "des sacs", ("vendee", "ain")),
        Need("B", "une coque"),
    ]


def test_needs_in_a_workbook_are_numbered_by_line(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["Désignation"])
    book.active.append(["des sacs"])
    book.save(tmp_path / "besoins.xlsx")
    assert read_needs(tmp_path / "besoins.xlsx").needs == [Need("2", "des sacs")]


def test_needs_in_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "besoins.jsonl"
    path.write_text('{"id":"a","text":"des sacs","suppliers":["vendee"]}\n{"text":"une coque"}\n')
    assert read_needs(path).needs == [
        Need("a", "des sacs", ("vendee",)),
        Need("2", "une\u2028coque"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("b.csv", "besoin;lot\n;A\n", "b.csv:2: besoin vide. Complétez ou retirez la ligne."),
        ("b.csv", "besoin\n", "b.csv : aucun besoin. Ajoutez au moins une ligne."),
        (
            "b.jsonl",
            '{"text":"x"}\n{"need":1}\n',
            'b.jsonl:2: {"id": …, "text": …} en UTF-8 attendu',
        ),
        ("b.jsonl", '{"text": 3}\n', 'b.jsonl:1: {"id": …, "text": …} en UTF-8 attendu'),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(MaillonError) as caught:
        read_needs(tmp_path / name)
    assert str(caught.value).startswith(message)


def test_each_need_ranks_its_own_list_or_everybody(index: SupplierIndex) -> None:
    needs = [Need("A", "coudre des sacs en toile", ("ain", "vendee")), Need("B", "coque plastique")]
    lines = [
        (line.need.id, line.suggestion.rank, line.suggestion.supplier.id, line.common)
        for line in rank_needs(index, needs)
    ]
    assert lines[:3] == [
        ("A", 1, "vendee", ("sacs", "toile")),
        ("A", 2, "ain", ()),
        ("B", 1, "ain", ("coques", "plastique")),
    ]
    assert len(lines) == 5
    assert len(list(rank_needs(index, needs, k=1))) == 2


def test_an_unknown_supplier_or_an_empty_need_names_the_need(index: SupplierIndex) -> None:
    with pytest.raises(MaillonError, match="besoin A : fournisseur « x » absent du fichier"):
        list(rank_needs(index, [Need("A", "des sacs", ("x",))]))
    with pytest.raises(
        MaillonError, match="besoin B : « ! » n'a aucun mot ou dépasse 5000 caractères. Corrigez"
    ):
        list(rank_needs(index, [Need("B", "!")]))


def test_a_workbook_holds_text_and_no_formula(tmp_path: Path) -> None:
    assert write_ranking(tmp_path / "out.xlsx", [LINE]) == 1
    rows = list(load_workbook(tmp_path / "out.xlsx").active.iter_rows())
    assert tuple(cell.value for cell in rows[0]) == HEADER
    assert [cell.value for cell in rows[1]] == [
        "n1",
        "=des sacs",
        1,
        0.5,
        "v",
        "Coutures",
        "85",
        None,
        "Sacs en toile",
        "Sacs",
        None,
    ]
    assert rows[1][1].data_type == "s"


def test_csv_for_excel_neutralises_formulas(tmp_path: Path) -> None:
    write_ranking(tmp_path / "out.csv", [LINE])
    assert (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines() == [
        ";".join(HEADER),
        "n1;'=des sacs;1;0.5;v;Coutures;85;;Sacs en toile;Sacs;",
    ]


def test_jsonl_holds_the_whole_suggestion(tmp_path: Path) -> None:
    write_ranking(tmp_path / "out.jsonl", [LINE])
    line = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    assert line["need"] == {"id": "n1", "text": "=des sacs", "suppliers": []}
    assert (line["suggestion"]["supplier"]["id"], line["common"]) == ("v", ["Sacs"])


def test_an_earlier_result_survives_an_error(tmp_path: Path, index: SupplierIndex) -> None:
    write_ranking(tmp_path / "out.csv", [LINE])
    before = (tmp_path / "out.csv").read_text(encoding="utf-8-sig")
    needs = [Need("A", "des sacs"), Need("B", "des sacs", ("x",))]
    for name in ("out.csv", "out.xlsx"):
        with pytest.raises(MaillonError, match="fournisseur « x » absent"):
            write_ranking(tmp_path / name, rank_needs(index, needs))
    assert (tmp_path / "out.csv").read_text(encoding="utf-8-sig") == before
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_suppliers_of_a_need_may_be_named(index: SupplierIndex) -> None:
    (line,) = rank_needs(index, [Need("A", "des sacs", ("Coutures du Bocage",))])
    assert line.suggestion.supplier.id == "vendee"


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(MaillonError, match="does not exist. Create it first"):
        write_ranking(tmp_path / "nowhere" / "out.csv", [LINE])


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaillonError, match=r"as \.xlsx, \.csv or \.jsonl, not '\.ods'"):
        write_ranking(tmp_path / "out.ods", [LINE])
