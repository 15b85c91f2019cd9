import json
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

SUPPLIERS = """nom;capacités;cp
Décolletage de l'Arve;Décolletage inox 316L|Tournage CN;74300
Coutures du Bocage;Confection de sacs en toile enduite;85000
"""


def maillon(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "api.cli", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "annuaire.csv").write_bytes(SUPPLIERS.encode("cp1252"))
    built = maillon("index", "annuaire.csv", "--to", "annuaire.index", cwd=folder)
    assert built.returncode == 0, built.stderr
    assert built.stdout == (
        "annuaire.csv : 2 fournisseurs (Windows-1252, séparateur « ; »).\n"
        "annuaire.index: 2 added; 2 suppliers in all.\n"
    )
    return folder


def test_search_prints_a_line_a_suggestion(folder: Path) -> None:
    done = maillon("search", "des sacs en toile", "--index", "annuaire.index", "--json", cwd=folder)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["supplier"]["name"] for line in lines] == [
        "Coutures du Bocage",
        "Décolletage de l'Arve",
    ]


def test_search_prints_a_table_for_people(folder: Path) -> None:
    done = maillon("search", "des sacs", "--index", "annuaire.index", "-k", "1", cwd=folder)
    assert done.returncode == 0
    assert "Coutures du Bocage" in done.stdout
    assert "Arve" not in done.stdout


def test_rerank_writes_the_workbook(folder: Path) -> None:
    (folder / "besoins.csv").write_text("besoin\ndes sacs en toile\ntournage\n")
    done = maillon("rerank", "besoins.csv", "annuaire.csv", "-o", "out.xlsx", cwd=folder)
    assert done.stdout.endswith("out.xlsx: 4 lines for 2 needs.\n")
    rows = list(load_workbook(folder / "out.xlsx").active.iter_rows(values_only=True))
    assert [row[5] for row in rows] == [
        "fournisseur",
        "Coutures du Bocage",
        "Décolletage de l'Arve",
        "Décolletage de l'Arve",
        "Coutures du Bocage",
    ]


def test_bad_lines_are_reported_and_kept(folder: Path) -> None:
    (folder / "mauvais.csv").write_text("nom;capacités\nArve;Tournage\nBielle;\n")
    done = maillon("index", "mauvais.csv", "--to", "m.index", cwd=folder)
    assert done.returncode == 0
    assert "mauvais.csv:3: aucune capacité." in done.stderr
    assert "1 ligne rejetée : mauvais.csv.rejects.csv" in done.stderr
    assert (folder / "mauvais.csv.rejects.csv").is_file()
    strict = maillon("index", "mauvais.csv", "--to", "s.index", "--strict", cwd=folder)
    assert (strict.returncode, (folder / "s.index").exists()) == (2, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "vis", "--index", "nothing"), "nothing holds no index"),
        (("search", "", "--index", "annuaire.index"), "the need holds no word"),
        (("search", "vis", "--index", "annuaire.index", "-k", "0"), "k is 0. Ask for 1 to 1,000"),
        (("index", "nothing.csv", "--to", "x"), "nothing.csv: no such file"),
        (("search", "vis", "--index", "annuaire.index", "--encoder", "./x"), "cannot be loaded"),
        (("rerank", "a.csv", "annuaire.csv", "-o", "annuaire.csv"), "is read by this very command"),
        (("serve",), "give either --index DIR or --demo"),
    ],
)
def test_an_error_is_one_sentence_without_a_stack_trace(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = maillon(*arguments, cwd=folder)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom api.cli import main\nsys.argv = ['maillon', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'faiss', 'spacy', 'sentence_transformers', 'numpy', 'pydantic'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("heavy: []\n")


def test_a_search_needs_no_torch(folder: Path) -> None:
    code = (
        "import sys\nfrom api.cli import app\nfrom embed.passages import passages\n"
        "need = ['search', 'sacs, ISO 9001', '--index', 'annuaire.index', '-k', '1', '--json']\n"
        "app(need, standalone_mode=False)\n"
        "print(len(passages('Une phrase. ' * 50)), {'torch', 'spacy'} & set(sys.modules))\n"
        "import spacy, torch\nprint(torch.ones(1).item(), len(spacy.blank('xx')('un mot')))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    found, *said = done.stdout.splitlines()
    assert json.loads(found)["supplier"]["name"] == "Coutures du Bocage"
    assert said == ["2 {'spacy'}", "1.0 2"]
