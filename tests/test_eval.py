"""`maillon eval` as an evaluator runs it, on a suite of two needs and the embedded encoder."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from embed.encoder import Encoder
from eval.measures import Run, risk_coverage
from eval.page import write_page
from eval.report import Figure, figures
from eval.suite import Need, Suite
from eval.systems import read_run, run_system, write_run
from index.suppliers import Supplier

FORGE = Supplier("f", "Forge", ("Forge libre de pièces en acier",))
COUTURE = Supplier("c", "Couture", ("Confection de sacs en toile",))
NEEDS = [
    Need(id="n1", text="sacs en toile", style="mots-cles", split="dev"),
    Need(id="n2", text="SACS EN TOILE", style="jumeau", split="dev", twin_of="n1", twist="haut"),
    Need(id="n3", text="une fusée", gap=True, split="dev"),
]
SUITE = Suite([FORGE, COUTURE], NEEDS, {"n1": {"c": 3, "f": 0}}, "abc")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from eval.suite import write_needs
    from index.suppliers import as_json_line

    write_needs(tmp_path / "needs.jsonl", NEEDS)
    (tmp_path / "qrels.tsv").write_text("n1\t0\tc\t3\nn1\t0\tf\t0\n")
    lines = "\n".join(as_json_line(supplier) for supplier in SUITE.suppliers)
    (tmp_path / "suppliers.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


def test_figures_by_hand() -> None:
    run: Run = {"n1": {"c": 0.9, "f": 0.2}, "n2": {"f": 0.5, "c": 0.4}, "n3": {"f": 0.3}}
    found = figures(SUITE, NEEDS, run)
    assert found.measures[0] == Figure("nDCG@10", 1, 1, 1, 1)
    assert found.styles == [Figure("mots-cles", 1, 1, 1, 1)]
    assert found.sectors == [Figure("", 1, 1, 1, 1)]
    assert found.lengths == [Figure("6 mots au plus", 1, 1, 1, 1)]
    assert [(twin.name, round(twin.mean, 3)) for twin in found.twins] == [("haut", 0.631)]
    assert found.twin_loss == pytest.approx(1 - 0.6309, abs=1e-4)
    assert (found.gap_auroc, found.gap_false_alarms) == (1, 0)


@pytest.mark.parametrize("system", ["lexical", "dense", "hybrid"])
def test_every_system_finds_the_sewer(encoder: Encoder, system: str) -> None:
    run = run_system(system, SUITE.suppliers, NEEDS[:1], encoder)
    assert list(run["n1"]) == ["c", "f"]
    assert run["n1"]["c"] > run["n1"]["f"]


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = {"n1": {"f": 0.25, "la couture": 0.5}}
    write_run(tmp_path / "x.trec", run, "hybrid")
    lines = (tmp_path / "x.trec").read_text().splitlines()
    assert lines == ["n1 Q0 la%20couture 1 0.5000 hybrid", "n1 Q0 f 2 0.2500 hybrid"]
    assert read_run(tmp_path / "x.trec") == run


def test_run_prints_and_writes_what_it_measured(folder: Path) -> None:
    shown = CliRunner().invoke(
        app,
        [
            "eval",
            "run",
            str(folder),
            "--json",
            str(folder / "f.json"),
            "--run",
            str(folder / "r.trec"),
        ],
    )
    assert shown.exit_code == 0, shown.output
    assert "nDCG@10, style mots-cles" in shown.output
    content = json.loads((folder / "f.json").read_text(encoding="utf-8"))
    assert content["system"] == "hybrid"
    assert content["measures"][0] == {
        "name": "nDCG@10",
        "mean": 1.0,
        "low": 1.0,
        "high": 1.0,
        "needs": 1,
    }
    assert set(read_run(folder / "r.trec")) == {"n1", "n2", "n3"}


def test_compare_tells_the_difference_and_its_chance(folder: Path) -> None:
    (folder / "bad.trec").write_text("n1 Q0 f 1 0.9 x\n")
    arguments = ["eval", "compare", str(folder / "bad.trec"), "lexical", "--suite", str(folder)]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    assert "+1,000" in shown.output
    assert "10000 tirages" in shown.output


def test_what_cannot_be_measured_is_told(folder: Path) -> None:
    from embed.errors import MaillonError

    for arguments, message in (
        (["compare", "lexical", "--suite", str(folder)], "au moins deux systèmes"),
        (["compare", "lexical", "magic", "--suite", str(folder)], "système magic inconnu"),
        (["run", str(folder), "--split", "test"], "aucun besoin dans la partie test"),
    ):
        result = CliRunner().invoke(app, ["eval", *arguments])
        assert isinstance(result.exception, MaillonError)
        assert message in str(result.exception)


def test_the_report_is_one_page_that_shows_both_sides(folder: Path) -> None:
    target = folder / "rapport.html"
    arguments = ["eval", "report", str(target), "lexical", "hybrid", "--suite", str(folder)]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    page = target.read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "")
    for words in ("hybrid</strong> est comparé à", "jumeaux : haut", "Fiabilité de hybrid"):
        assert words in page, words
    assert page.index("sacs en toile") < page.index("Ce qui a été mesuré")
    assert page.count('<span class="grade g3">3</span> Couture') == 2


def test_the_report_escapes_what_people_wrote(tmp_path: Path) -> None:
    need = Need(id="n1", text="<script>alert(1)</script>", style="<b>", split="dev")
    suite = Suite([FORGE], [need], {"n1": {"f": 3}}, "<i>")
    write_page(tmp_path / "r.html", suite, [need], {"<u>": {"n1": {"f": 1.0}}}, {}, "dev")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert not any(tag in page for tag in ("<script", "<b>", "<u>", "<i>"))


def test_risk_grows_with_coverage_as_worked_out_by_hand() -> None:
    coverage, risk = risk_coverage([0.9, 0.2, 0.5, 0.4], [True, False, False, True])
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert risk.tolist() == [0, 1 / 2, 1 / 3, 1 / 2]
