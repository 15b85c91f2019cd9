from pathlib import Path

import pytest
from openpyxl import Workbook

from embed.errors import MaillonError
from index.needs import Need, read_needs
from index.places import Near


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "b.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_needs_in_csv_with_their_own_lists(tmp_path: Path) -> None:
    path = csv(tmp_path, "lot;besoin;fournisseurs", "A;des sacs;vendee|ain", "B;une coque;")
    assert read_needs(path).needs == [
        Need("A", "des sacs", ("vendee", "ain")),
        Need("B", "une coque"),
    ]


def test_needs_in_a_workbook_are_numbered_by_line(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["Désignation"])
    book.active.append(["des sacs"])
    book.save(tmp_path / "besoins.xlsx")
    found = read_needs(tmp_path / "besoins.xlsx")
    assert (found.needs, found.lines) == ([Need("2", "des sacs")], [2])
    assert found.in_workbook


def test_needs_in_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "besoins.jsonl"
    path.write_text(
        '{"id":"a","text":"des sacs","suppliers":["vendee"],"near":[{"city":"Lyon"}]}\n'
        '{"text":"une\u2028coque"}\n'
    )
    found = read_needs(path)
    assert found.needs == [
        Need("a", "des sacs", ("vendee",), (Near(city="Lyon"),)),
        Need("2", "une\u2028coque"),
    ]
    assert not found.in_workbook


def test_the_headers_of_purchase_programmes_are_known(tmp_path: Path) -> None:
    for title in (
        "Objet du marché", "Libellé de l'achat", "BESOIN", "Intitulé du besoin", "Désignation",
        "Description du besoin", "Projet d'achat", "Objet de la consultation",
    ):  # fmt: skip
        path = csv(tmp_path, "Direction des achats;;", f"N°;{title};Montant", "7;des sacs;12")
        assert read_needs(path).needs == [Need("7", "des sacs")], title


@pytest.mark.parametrize(
    ("header", "cells", "near"),
    [
        ("Commune;Département", "Cluses;74", [Near(city="Cluses", department="74"),
                                              Near(department="74")]),
        ("Code postal", "1100", [Near(city="01100")]),
        ("Ville;CP", "Lyon;69003", [Near(city="Lyon"), Near(city="69003")]),
        ("Lieu de livraison", "74300 Cluses", [Near(city="74300"), Near(city="Cluses")]),
        ("Lieu", "Haute-Savoie", [Near(department="74")]),
        ("Département", "2A", [Near(department="2A")]),
        ("Département", "", []),
    ],
)  # fmt: skip
def test_a_line_may_say_where_its_need_arises_in_several_ways(
    tmp_path: Path, header: str, cells: str, near: list[Near]
) -> None:
    path = csv(tmp_path, f"besoin;{header}", f"des sacs;{cells}")
    assert read_needs(path).needs == [Need("2", "des sacs", (), tuple(near))]


def test_lines_without_a_need_are_left_and_told(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "besoin;lot",
        "des sacs;A",
        ";B",
        "— ;C",
        "besoin;lot",
        "Total général :;",
        "SOUS-TOTAL HT;",
        "totalisateurs de débit;D",
        "a" * 5_001 + ";E",
    )
    found = read_needs(path)
    assert found.needs == [Need("A", "des sacs"), Need("D", "totalisateurs de débit")]
    assert found.lines == [2, 8]
    assert found.left == [
        (3, "besoin vide"),
        (4, "« — » n'a aucun mot ou dépasse 5000 caractères"),
        (6, "total : « Total général : »"),
        (7, "total : « SOUS-TOTAL HT »"),
        (9, f"« {'a' * 60} » n'a aucun mot ou dépasse 5000 caractères"),
    ]


@pytest.mark.parametrize("lines", [["besoin"], ["besoin;lot", ";A"], ["besoin", "Total"]])
def test_a_file_without_any_need_is_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(MaillonError, match="b.csv : aucun besoin. Ajoutez au moins une ligne."):
        read_needs(csv(tmp_path, *lines))


@pytest.mark.parametrize("content", ['{"text":"x"}\n{"need":1}\n', '{"text":"x"}\n{"text": 3}\n'])
def test_a_bad_line_of_jsonl_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "b.jsonl").write_text(content)
    with pytest.raises(MaillonError, match=r'b.jsonl:2: {"id": …, "text": …} en UTF-8 attendu'):
        read_needs(tmp_path / "b.jsonl")


def test_a_table_with_lines_after_the_last_that_may_be_is_refused(tmp_path: Path) -> None:
    path = csv(tmp_path, "besoin", "des sacs", "", "une coque")
    assert len(read_needs(path, last=4).needs) == 2
    with pytest.raises(MaillonError, match=r"b.csv : plus de 3 lignes \(vides comprises\) de 30"):
        read_needs(path, last=3)
