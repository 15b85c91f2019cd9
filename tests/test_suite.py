"""Evaluation suites: what is read, what is refused; the measures on cases worked out by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from eval import measures
from eval.exchange import write_qrels
from eval.suite import OURS, Need, Suite, SuiteError, agreed, read_suite, write_needs

FORGE = {"id": "f", "name": "Forge", "capabilities": ["Forge libre"]}
SCIERIE = {"id": "s", "name": "Scierie", "capabilities": ["Sciage de chêne"]}
BESOIN = {"id": "n1", "text": "un portail en fer", "style": "profane", "split": "dev"}
TROU = {"id": "n2", "text": "une fusée", "gap": True}


def suite(folder: Path, needs: Sequence[Mapping[str, object]], qrels: str) -> Path:
    lines: dict[str, Sequence[Mapping[str, object]]]
    lines = {"suppliers": [FORGE, SCIERIE], "needs": needs}
    for name, records in lines.items():
        content = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
        (folder / f"{name}.jsonl").write_text(content, encoding="utf-8")
    (folder / "qrels.tsv").write_text(qrels, encoding="utf-8")
    return folder


def test_a_suite_is_read_with_its_judgements(tmp_path: Path) -> None:
    twin = {"id": "n3", "text": "PORTAIL EN FER", "twin_of": "n1", "twist": "majuscules"}
    found = read_suite(suite(tmp_path, [BESOIN, TROU, twin], "n1\t0\tf\t3\nn1\t0\ts\t0\n"))
    assert [supplier.id for supplier in found.suppliers] == ["f", "s"]
    assert found.needs == [
        Need(id="n1", text="un portail en fer", style="profane", split="dev"),
        Need(id="n2", text="une fusée", gap=True),
        Need(id="n3", text="PORTAIL EN FER", twin_of="n1", twist="majuscules"),
    ]
    assert found.qrels == {"n1": {"f": 3, "s": 0}}
    assert [found.grades(need) for need in found.needs] == [{"f": 3, "s": 0}, {}, {"f": 3, "s": 0}]
    write_needs(tmp_path / "again.jsonl", found.needs)
    again = (tmp_path / "again.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in again] == ["n1", "n2", "n3"]


def test_a_blank_in_the_id_of_a_supplier_is_written_as_in_a_link(tmp_path: Path) -> None:
    rows = [("n1", "la forge", 3)]
    write_qrels(tmp_path / "q.tsv", rows)
    qrels = (tmp_path / "q.tsv").read_text(encoding="utf-8")
    assert qrels == "n1\t0\tla%20forge\t3\n"
    folder = suite(tmp_path, [BESOIN], qrels)
    forge = json.dumps(FORGE | {"id": "la forge"})
    (folder / "suppliers.jsonl").write_text(forge, encoding="utf-8")
    assert read_suite(folder).qrels == {"n1": {"la forge": 3}}


@pytest.mark.parametrize(
    ("needs", "qrels", "fault"),
    [
        ([BESOIN], "n1 0 x 3", "qrels.tsv:1: le fournisseur x n'est pas dans l'annuaire."),
        ([BESOIN], "n9 0 f 3", "qrels.tsv:1: le besoin n9 n'est pas dans needs.jsonl."),
        ([BESOIN], "n1 0 f 7", "qrels.tsv:1: note 7, attendue de 0 à 3."),
        ([BESOIN], "n1 f 3", "qrels.tsv:1: 3 colonnes, 4 attendues : besoin 0 fournisseur note."),
        ([BESOIN], "n1 0 f 3\nn1 0 f 1", "qrels.tsv:2: n1 et f sont déjà jugés autrement."),
        ([BESOIN, BESOIN], "n1 0 f 3", "needs.jsonl:2: l'identifiant n1 sert déjà."),
        ([{**BESOIN, "x": 1}], "", "needs.jsonl:1: x: champ inconnu."),
        ([{"id": "n1"}], "", "needs.jsonl:1: text: champ manquant."),
        ([{**BESOIN, "text": " "}], "", "needs.jsonl:1: besoin sans texte."),
        ([{**BESOIN, "twin_of": "n9"}], "", "needs.jsonl: n1 est le jumeau de n9, qui n'existe"),
        ([BESOIN], "n1 0 f 1", "needs.jsonl: n1 n'a aucun fournisseur noté 2 ou 3."),
        ([TROU], "n2 0 f 2", "needs.jsonl: n2 est dit sans fournisseur (gap), or l'un est noté 2."),
    ],
)
def test_a_fault_is_told_with_its_file_and_line(
    tmp_path: Path, needs: Sequence[Mapping[str, object]], qrels: str, fault: str
) -> None:
    with pytest.raises(SuiteError) as caught:
        read_suite(suite(tmp_path, needs, qrels))
    assert fault in str(caught.value)


def test_a_file_that_is_missing_or_in_another_encoding_is_told(tmp_path: Path) -> None:
    folder = suite(tmp_path, [BESOIN], "n1 0 f 3")
    (folder / "needs.jsonl").write_bytes('{"id": "n1", "text": "pièce"}'.encode("cp1252"))
    with pytest.raises(SuiteError, match=r"needs.jsonl:1: le fichier n'est pas en UTF-8"):
        read_suite(folder)
    (folder / "qrels.tsv").unlink()
    (folder / "needs.jsonl").write_text(json.dumps(BESOIN))
    with pytest.raises(SuiteError, match="qrels.tsv: introuvable"):
        read_suite(folder)


def test_measures_by_hand() -> None:
    qrels = {"n": {"a": 3, "b": 0, "c": 2}, "unanswered": {"a": 2}}
    run = {"n": {"b": 0.9, "a": 0.8, "x": 0.7, "c": 0.6}}
    found = measures.values(qrels, run, ["n", "unanswered"])
    best = 3 + 2 / np.log2(3)
    expected = {
        "nDCG@10": [(3 / np.log2(3) + 2 / np.log2(5)) / best, 0],
        "rappel@10": [1, 0],
        "rappel@100": [1, 0],
        "RR": [1 / 2, 0],
        "P@5": [2 / 5, 0],
        "succès@5": [1, 0],
        "jugés@10": [3 / 4, 0],
        "bpref": [0, 0],  # the one judged wrong stands above both right ones
    }
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-6, err_msg=name)


def test_chance_and_certainty() -> None:
    rng = np.random.default_rng(0)
    one = rng.random(60)
    assert measures.p_value(one, one) == 1
    assert measures.p_value(one + 0.3, one) < 0.001
    low, high = measures.interval(one)
    assert low < one.mean() < high
    assert measures.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert measures.auroc([0.9, 0.5], [0.5, 0.1]) == pytest.approx(7 / 8)
    assert measures.false_alarms([0.9, 0.8, 0.7, 0.1], [0.75, 0.0], coverage=0.75) == 0.5


def test_two_judges_agree_as_cohen_says(tmp_path: Path) -> None:
    needs = [Need(id=name, text="x") for name in "abcd"]
    grades = {"a": 3, "b": 2, "c": 0, "d": 0}
    folder = read_suite(suite(tmp_path, [BESOIN], "n1 0 f 3"))
    judged = Suite(folder.suppliers, needs, {n: {"f": g} for n, g in grades.items()}, "")
    second = tmp_path / "second.tsv"
    second.write_text("".join(f"{n} 0 f {g}\n" for n, g in {**grades, "b": 3}.items()))
    # apart: one pair by 1, of 4; by chance: 3 and 2 and 0, 0 against 3, 3, 0, 0
    chance = np.mean([(g - h) ** 2 for g in (3, 2, 0, 0) for h in (3, 3, 0, 0)])
    pairs, kappa = agreed(judged, second)
    assert pairs == 4
    assert kappa == pytest.approx(1 - 0.25 / chance)


def test_our_suite_is_sound_and_as_wide_as_it_says() -> None:
    ours = read_suite(OURS)
    plain = [need for need in ours.needs if not need.twin_of]
    assert len([need for need in plain if not need.gap]) >= 240
    assert len([need for need in plain if need.gap]) >= 25
    assert {need.split for need in ours.needs} == {"dev", "test"}
    parts = {need.id: need.split for need in ours.needs}
    assert all(parts[n.twin_of] == n.split for n in ours.needs if n.twin_of)
    pairs, kappa = agreed(ours, OURS / "second.tsv")
    assert pairs >= 0.15 * sum(map(len, ours.qrels.values()))
    assert kappa > 0.8
