"""Suites to and from BEIR folders and workbooks."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from api.cli import app
from embed.errors import MaillonError
from eval.exchange import (
    read_beir,
    read_needs_table,
    read_workbook,
    write_beir,
    write_workbook,
)
from eval.suite import Need, Suite, SuiteError, read_suite
from index.suppliers import Supplier

FORGE = Supplier("f", "Forge", ("Forge libre", "Estampage"))
SCIERIE = Supplier("s", "Scierie", ("Sciage de chêne",))
NEEDS = [
    Need(id="n1", text="=un portail en fer", style="profane", split="dev"),
    Need(id="n2", text="une fusée", gap=True, split="test"),
]
QRELS = {"n1": {"f": 3, "s": 0}, "n2": {"f": 1}}
SUITE = Suite([FORGE, SCIERIE], NEEDS, QRELS, "")


def test_a_suite_comes_back_from_beir_as_it_went(tmp_path: Path) -> None:
    write_beir(tmp_path / "beir", SUITE)
    corpus = (tmp_path / "beir" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(corpus[0]) == {"_id": "f", "title": "Forge", "text": "Forge libre\nEstampage"}
    dev = (tmp_path / "beir" / "qrels" / "dev.tsv").read_text().splitlines()
    assert dev == ["query-id\tcorpus-id\tscore", "n1\tf\t3", "n1\ts\t0"]
    read_beir(tmp_path / "beir", tmp_path / "suite")
    again = read_suite(tmp_path / "suite")
    assert (again.suppliers, again.needs, again.qrels) == (SUITE.suppliers, NEEDS, QRELS)


def test_one_is_relevant_where_beir_knows_no_grades(tmp_path: Path) -> None:
    write_beir(tmp_path, SUITE)
    (tmp_path / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nn1\tf\t1\n")
    (tmp_path / "qrels" / "test.tsv").unlink()
    read_beir(tmp_path, tmp_path / "suite")
    assert read_suite(tmp_path / "suite").qrels == {"n1": {"f": 3}}


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        ("qrels/dev.tsv", "h\nn1\tf\t9\n", "dev.tsv:2: attendu besoin, fournisseur, note"),
        ("queries.jsonl", "{", "queries.jsonl:1: la ligne n'est pas un objet JSON."),
        ("queries.jsonl", '{"_id": "n1"}', "queries.jsonl:1: champ text vide ou absent."),
        ("corpus.jsonl", '{"_id": "f", "text": "!"}', "corpus.jsonl:1: capacité sans aucun mot"),
    ],
)
def test_a_fault_of_a_beir_folder_is_told(
    tmp_path: Path, file: str, content: str, fault: str
) -> None:
    write_beir(tmp_path, SUITE)
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(SuiteError) as caught:
        read_beir(tmp_path, tmp_path / "suite")
    assert fault in str(caught.value)


def test_judgements_come_back_from_a_workbook_mended(tmp_path: Path) -> None:
    write_workbook(tmp_path / "j.xlsx", SUITE)
    book = load_workbook(tmp_path / "j.xlsx")
    rows = list(book["jugements"].iter_rows(values_only=True))
    assert rows[1] == ("n1", "'=un portail en fer", "f", "Forge", "Forge libre | Estampage", 3)
    book["jugements"]["F3"] = 2
    book["jugements"]["F4"] = None
    book.save(tmp_path / "j.xlsx")
    assert read_workbook(tmp_path / "j.xlsx") == [("n1", "f", 3), ("n1", "s", 2)]
    book["jugements"]["F3"] = "trois"
    book.save(tmp_path / "j.xlsx")
    with pytest.raises(SuiteError, match=r"j.xlsx, ligne 3 : note trois, attendue de 0 à 3"):
        read_workbook(tmp_path / "j.xlsx")


def test_a_suite_comes_back_from_a_workbook_with_its_twins(tmp_path: Path) -> None:
    twin = Need(id="n3", text="portail fer", split="dev", twin_of="n1", twist="abrege")
    write_workbook(tmp_path / "j.xlsx", replace(SUITE, needs=[*NEEDS, twin]))
    (tmp_path / "annuaire.csv").write_text(
        "id;nom;capacités\nf;Forge;Forge libre|Estampage\ns;Scierie;Sciage de chêne\n"
    )
    read_needs_table(tmp_path / "j.xlsx", tmp_path / "annuaire.csv", tmp_path / "suite")
    again = read_suite(tmp_path / "suite")
    assert (again.suppliers, again.qrels) == (SUITE.suppliers, QRELS)
    assert again.needs == [*NEEDS, twin]


def test_a_table_of_needs_becomes_a_suite_to_be_judged(tmp_path: Path) -> None:
    file, directory, to = tmp_path / "b.csv", tmp_path / "a.csv", tmp_path / "suite"
    file.write_text("Réf;Besoin;Partie;Sans réponse\nA1;un portail;dev;\nA2;une fusée;;oui\n")
    directory.write_text("id;nom;capacités\nf;Forge;Forge libre\n")
    arguments = ["eval", "import", str(file), str(to), "--suppliers", str(directory)]
    told = CliRunner().invoke(app, arguments)
    assert told.output == f"{to} : 2 besoins ; à juger : maillon eval judge {to}\n"
    assert read_suite(to, judged=False).needs == [
        Need(id="A1", text="un portail", split="dev"),
        Need(id="A2", text="une fusée", gap=True),
    ]
    file.write_text("Besoin;Partie\nun portail;essai\n")
    with pytest.raises(SuiteError, match="b.csv, ligne 2 : partie « essai », attendue dev ou test"):
        read_needs_table(file, directory, tmp_path / "autre")


def test_import_never_overwrites(tmp_path: Path) -> None:
    write_workbook(tmp_path / "j.xlsx", SUITE)
    target = tmp_path / "qrels.tsv"
    arguments = ["eval", "import", str(tmp_path / "j.xlsx"), str(target)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert target.read_text() == "n1\t0\tf\t3\nn1\t0\ts\t0\nn2\t0\tf\t1\n"
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, MaillonError)
    assert "existe déjà : rien n'est écrit" in str(result.exception)
