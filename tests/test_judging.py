"""Judgements that last, and the judging page in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import serving
from playwright.sync_api import Page, expect

from eval.judge import create_judging
from eval.judging import FOLDER, Journal, Judgement, merged, pool, shuffled
from eval.suite import Need, Suite, SuiteError
from index.suppliers import Supplier

FORGE = Supplier("f", "Forge <b>Vive</b>", ("Forge libre",), department="42", series=("petite",))
SCIERIE = Supplier("s", "Scierie", ("Sciage de chêne",))
NEEDS = [
    Need(id="n1", text="un portail <i>en fer</i>"),
    Need(id="n2", text="des planches"),
    Need(id="n3", text="DES PLANCHES", twin_of="n2"),
]
SUITE = Suite([FORGE, SCIERIE], NEEDS, {"n1": {"s": 0}}, "")
POOLS = {"n1": ["f", "s"], "n2": ["s"]}


def test_a_pool_is_blind_and_each_judge_has_an_order_of_his_own() -> None:
    runs = [{"n1": {"f": 0.9, "s": 0.1}, "n2": {"s": 1.0}}, {"n1": {"f": 0.5}, "n3": {"f": 1.0}}]
    assert pool(SUITE, NEEDS, runs, depth=1) == POOLS
    wide = {f"n{n}": [f"s{m}" for m in range(9)] for n in range(9)}
    assert shuffled(wide, "anne") == shuffled(wide, "anne") != shuffled(wide, "luc")
    assert sorted(shuffled(wide, "anne")) == sorted(shuffled(wide, "luc"))


def test_a_judgement_outlives_a_crash(tmp_path: Path) -> None:
    file = tmp_path / FOLDER / "anne.jsonl"
    Journal(file).append(Judgement("n1", "f", 3, "forge à main"))
    with file.open("a") as lines:
        lines.write('{"need": "n1", "supp')  # the power went
    again = Journal(file)
    again.append(Judgement("n2", "s", 1))
    again.append(Judgement("n2", "s", None))
    assert [(said.need, said.grade, said.reason) for said in again.read()] == [
        ("n1", 3, "forge à main"),
        ("n2", 1, ""),
        ("n2", None, ""),
    ]
    assert again.grades() == {"n1": {"f": 3}, "n2": {}}


def test_judges_are_merged_by_the_median(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="aucun jugement"):
        merged(tmp_path)
    for judge, grade in (("a", 3), ("b", 1), ("c", 2)):
        Journal(tmp_path / FOLDER / f"{judge}.jsonl").append(Judgement("n1", "f", grade))
    Journal(tmp_path / FOLDER / "a.jsonl").append(Judgement("n1", "s", 2))
    Journal(tmp_path / FOLDER / "b.jsonl").append(Judgement("n1", "s", 0))
    assert merged(tmp_path) == {"n1": {"f": 2, "s": 0}}


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with serving(create_judging(SUITE, POOLS, tmp_path)) as address:
        yield address


def test_a_judge_grades_by_keyboard_takes_back_and_is_told_when_all_is_done(
    page: Page, url: str, tmp_path: Path
) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(url)
    page.get_by_label("Votre nom de juge").fill("anne")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("0 / 3")
    (need, first), *_ = shuffled(POOLS, "anne")
    expect(page.locator("#need")).to_have_text({n.id: n.text for n in NEEDS}[need])
    expect(page.locator("#name")).to_have_text(FORGE.name if first == "f" else SCIERIE.name)
    page.keyboard.press("r")
    page.keyboard.type("une raison de 3 mots")
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    expect(page.locator("#count")).to_have_text("1 / 3")
    page.keyboard.press("0")
    expect(page.locator("#count")).to_have_text("2 / 3")
    page.keyboard.press("z")
    expect(page.locator("#status")).to_have_text("Dernière note reprise.")
    expect(page.locator("#count")).to_have_text("1 / 3")
    page.reload()
    expect(page.locator("#count")).to_have_text("1 / 3")
    page.get_by_role("button", name="second contact").click()
    expect(page.locator("#count")).to_have_text("2 / 3")
    page.keyboard.press("2")
    expect(page.get_by_text("Tout est jugé, merci.")).to_be_visible()
    lines = (tmp_path / FOLDER / "anne.jsonl").read_text(encoding="utf-8").splitlines()
    said = [json.loads(line) for line in lines]
    assert [one["grade"] for one in said] == [3, 0, None, 1, 2]
    assert said[0]["reason"] == "une raison de 3 mots"
    assert sum(len(grades) for grades in merged(tmp_path).values()) == 3
    assert refused == []


def test_two_judges_at_once_and_a_stopped_server(page: Page, url: str, tmp_path: Path) -> None:
    other = page.context.new_page()
    for tab, judge in ((page, "luc"), (other, "eva")):
        tab.goto(f"{url}?juge={judge}")
        expect(tab.locator("#count")).to_have_text("0 / 3")
    page.keyboard.press("1")
    other.keyboard.press("2")
    for tab in (page, other):
        expect(tab.locator("#count")).to_have_text("1 / 3")
    names = sorted(file.name for file in (tmp_path / FOLDER).iterdir())
    assert names == ["eva.jsonl", "luc.jsonl"]
    other.route("**/judgements", lambda route: route.abort())
    other.get_by_role("button", name="second contact").click()
    expect(other.locator("#status")).to_contain_text("La note n'est pas enregistrée")
    expect(other.locator("#count")).to_have_text("1 / 3")
    other.close()
