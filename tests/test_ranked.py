import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from embed.errors import MaillonError
from index.engine import SupplierIndex
from index.needs import Need
from index.ranked import HEADER, Ranked, write_ranking
from index.suppliers import Suggestion, Supplier

LINE = Ranked(
    Need("n1", "=des sacs"),
    Suggestion(1, 0.5, Supplier("v", "Coutures", ("Sacs en toile",), "85"), "Sacs en toile"),
    ("Sacs",),
)


def test_a_need_has_a_line_for_each_supplier_with_the_words_in_common(
    index: SupplierIndex,
) -> None:
    (answered,) = index.answer([Need("A", "coudre des sacs en toile", ("ain", "vendee"))])
    lines = Ranked.of(answered)
    assert [(one.suggestion.rank, one.suggestion.supplier.id, one.common) for one in lines] == [
        (1, "vendee", ("sacs", "toile")),
        (2, "ain", ()),
    ]


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
    assert line["need"] == {"id": "n1", "text": "=des sacs", "suppliers": [], "near": []}
    assert (line["suggestion"]["supplier"]["id"], line["common"]) == ("v", ["Sacs"])


def test_an_earlier_result_survives_an_error(tmp_path: Path) -> None:
    write_ranking(tmp_path / "out.csv", [LINE])
    before = (tmp_path / "out.csv").read_text(encoding="utf-8-sig")

    def lines() -> Iterator[Ranked]:
        yield LINE
        raise MaillonError("stopped")

    for name in ("out.csv", "out.xlsx"):
        with pytest.raises(MaillonError, match="stopped"):
            write_ranking(tmp_path / name, lines())
    assert (tmp_path / "out.csv").read_text(encoding="utf-8-sig") == before
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(MaillonError, match="does not exist. Create it first"):
        write_ranking(tmp_path / "nowhere" / "out.csv", [LINE])


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaillonError, match=r"as \.xlsx, \.csv or \.jsonl, not '\.ods'"):
        write_ranking(tmp_path / "out.ods", [LINE])
