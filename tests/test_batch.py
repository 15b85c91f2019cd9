"""`maillon rerank` as it is run: workbooks, refusals, a real interruption."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner, Result

from api.cli import app
from embed.encoder import Encoder
from eval.bench import NEEDS, saved
from index.demo import demo_suppliers
from index.engine import SupplierIndex
from index.matching import LOT
from index.needs import Need

COMMAND = [sys.executable, "-m", "api.cli", "rerank"]


def rerank(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rerank", *arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    saved(demo_suppliers(), encoder, folder / "demo.index")
    workbook(
        folder / "programme.xlsx",
        ["Objet du marché", "Commune"],
        ["Tôlerie fine inox", "Metz"],
        [None, "Lyon"],
        ["Anodisation de pièces en aluminium", None],
        ["Couture de sacs en toile", "Trifouillis"],
        ["Total", None],
    )
    return folder


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


@pytest.fixture
def demo(folder: Path, encoder: Encoder) -> Iterator[SupplierIndex]:
    opened = SupplierIndex.open(folder / "demo.index", encoder)
    yield opened
    opened.close()


def workbook(path: Path, *rows: Sequence[str | None]) -> None:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def rows(path: Path) -> list[tuple[object, ...]]:
    return list(load_workbook(path).active.iter_rows(values_only=True))


def test_a_programme_comes_back_answered_from_an_index(folder: Path, demo: SupplierIndex) -> None:
    done = rerank(
        "programme.xlsx", "--index", "demo.index", "-o", "out.xlsx", "-k", "1", "--near", "Lyon",
        "--local-km", "150",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "programme.xlsx : 3 besoins (classeur Excel, feuille « Sheet »).",
        "out.xlsx: 3 needs, 0 that nobody meets.",
    ]
    assert done.stderr.split("\n")[:3] == [
        "  programme.xlsx:3: besoin vide, ligne laissée.",
        "  programme.xlsx:6: total : « Total », ligne laissée.",
        "  lieu inconnu : « Trifouillis ».",
    ]
    found = rows(folder / "out.xlsx")
    assert found[0][2:] == (
        "Fournisseur 1", "Confiance 1", "Fournisseurs locaux (150 km)", "Sans réponse",
    )  # fmt: skip
    assert [row[:2] for row in found] == rows(folder / "programme.xlsx")
    best = [demo.search(str(found[line][0]), 1)[0] for line in (1, 3, 4)]
    named = [
        f"{one.supplier.name} ({one.supplier.city}, {one.supplier.department})" for one in best
    ]
    assert [found[line][2] for line in (1, 3, 4)] == named
    assert [found[line][3] for line in (1, 3, 4)] == [one.confidence for one in best]
    assert [row[4] is None for row in found[1:]] == [False, True, False, True, True]
    assert {file.name for file in folder.iterdir()} == {"demo.index", "programme.xlsx", "out.xlsx"}


def test_pairs_are_listed_on_request(folder: Path) -> None:
    done = rerank(
        "programme.xlsx", "--index", "demo.index", "-o", "pairs.xlsx", "-k", "2", "--pairs",
    )  # fmt: skip
    assert done.stdout.endswith("pairs.xlsx: 6 lines for 3 needs.\n")
    assert [(row[0], row[2]) for row in rows(folder / "pairs.xlsx")[1:]] == [
        (line, rank) for line in ("2", "4", "5") for rank in (1, 2)
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "out.xlsx"], "give either a file of suppliers or --index DIR"),
        (["b.csv", "--index", "demo.index", "-o", "out.xlsx"], "give either a file of suppliers"),
        (["--index", "demo.index", "-o", "programme.xlsx"], "is read by this very command"),
        (["--index", "demo.index", "-o", "out.xlsm"], "written as .xlsx, .csv or .jsonl"),
        (["--index", "demo.index", "-o", "out.xlsx", "--near", "Oz"], "lieu inconnu : « Oz »"),
    ],
)
def test_what_cannot_be_done_is_told_before_it_begins(arguments: list[str], message: str) -> None:
    done = rerank("programme.xlsx", *arguments)
    assert done.exit_code != 0
    assert message in f"{done.output}{done.exception}"
    assert not Path("out.xlsx.reprise.jsonl").exists()


def test_a_run_that_is_killed_goes_on_where_it_was(folder: Path, demo: SupplierIndex) -> None:
    draw = random.Random(0)
    texts = [f"{draw.choice(NEEDS)}, plan {n}, {draw.choice(NEEDS)}" for n in range(6 * LOT)]
    workbook(folder / "long.xlsx", ["besoin"], *([text] for text in texts))
    command = [*COMMAND, "long.xlsx", "--index", "demo.index", "-o", "done.xlsx", "-k", "1"]
    kept = folder / "done.xlsx.reprise.jsonl"
    process = subprocess.Popen(command, cwd=folder)
    while not kept.exists() or kept.read_bytes().count(b"\n") < 3:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (folder / "done.xlsx").exists()
    head, first, *others = kept.read_bytes().split(b"\n")
    name = demo.search(texts[0], 1)[0].supplier.name
    witness = first.replace(name.encode(), b"Temoin", 1)
    kept.write_bytes(b"\n".join([head, witness, *others]))

    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].startswith(f"done.xlsx: {6 * LOT:,} needs, ")
    found = [str(row[1]).rpartition(" (")[0] for row in rows(folder / "done.xlsx")[1:]]
    assert found[0] == "Temoin"
    answers = demo.answer([Need("", text) for text in texts[1:]], 1)
    assert found[1:] == [answered.suggestions[0].supplier.name for answered in answers]
    assert not kept.exists()
