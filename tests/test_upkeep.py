"""The commands that keep a directory, as an operator types them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from safetensors.numpy import load_file, save_file

import embed
from api.journal import FILE as JOURNAL
from api.journal import Journal, Judgement
from api.keys import FILE as KEYS
from api.keys import Keys
from embed.encoder import Encoder
from index.engine import SupplierIndex, encoder_of
from index.facets import Filters
from index.places import Near
from index.suppliers import Supplier

MODEL = Path(embed.__file__).parent / "model" / "static"
HEADER = "id;nom;capacités;dép;commune;certifications\n"
FIRST = f"""{HEADER}\
arve;Décolletage de l'Arve;Décolletage inox 316L | Tournage CN;74;Cluses;EN 9100
bocage;Coutures du Bocage;Confection de sacs en toile enduite;85;;
forge;Forge de l'Ain;Forge libre d'acier;01;Oyonnax;
"""
SECOND = f"{HEADER}verre;Verres du Nord;Découpe de verre feuilleté;59;;\n"
CHANGED = f"""{HEADER}\
arve;Décolletage de l'Arve;Décolletage inox 316L | Tournage CN;74;Cluses;EN 9100
bocage;Coutures du Bocage;Confection de sacs en toile enduite | Broderie;85;;
neuve;Fonderie neuve;Fonderie de bronze;08;;
"""
COMMUNES = """nom_standard,dep_code,codes_postaux,population,latitude_centre,longitude_centre
Cluses,74,74300,17525,46.06324,6.5795
Oyonnax,01,01100,22689,46.26112,5.65253
"""


RUN = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from api.cli import main
for command in json.load(sys.stdin):
    sys.argv, code = ["maillon", *command], 0
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as told:
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps([code, out.getvalue(), told.getvalue()]))
"""


class Done(NamedTuple):
    """What a command has ended with."""

    code: int
    out: str
    told: str


def maillon(commands: Sequence[Sequence[str]], cwd: Path) -> list[Done]:
    """Run commands one after the other, in one process: a start takes seconds."""
    run = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(commands),
        cwd=cwd,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [Done(*json.loads(line)) for line in run.stdout.splitlines()]


def said(*commands: str, cwd: Path) -> list[str]:
    done = maillon([command.split() for command in commands], cwd)
    assert [one.told for one in done if one.code] == []
    return [one.out for one in done]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of two files, indexed, then brought up to date, then placed."""
    folder = tmp_path_factory.mktemp("upkeep")
    (folder / "un.csv").write_text(FIRST, encoding="utf-8")
    (folder / "deux.csv").write_text(SECOND, encoding="utf-8")
    (folder / "communes.csv").write_text(COMMUNES, encoding="utf-8")
    (folder / "changé.csv").write_text(CHANGED, encoding="utf-8")
    told = said(
        "index un.csv deux.csv --to a.index --encoder fast",
        "index changé.csv --to a.index",
        "index changé.csv deux.csv --to a.index --sync",
        "delete verre --index a.index",
        "places communes.csv --index a.index",
        cwd=folder,
    )
    assert told[0] == (
        "un.csv : 3 fournisseurs (UTF-8, séparateur « ; »).\n"
        "deux.csv : 1 fournisseur (UTF-8, séparateur « ; »).\n"
        "a.index: 4 added; 4 suppliers in all.\n"
    )
    assert [one.splitlines()[-1] for one in told[1:]] == [
        "a.index: 1 added, 1 changed, 1 unchanged; 5 suppliers in all.",
        "a.index: 4 unchanged, 1 removed; 4 suppliers in all.",
        "a.index: 1 removed; 3 suppliers in all.",
        "a.index: 2 communes.",
    ]
    return folder


def test_an_index_holds_what_the_files_last_said(folder: Path, encoder: Encoder) -> None:
    with closing(SupplierIndex.open(folder / "a.index", encoder)) as index:
        assert index.suppliers == [
            Supplier(
                "arve", "Décolletage de l'Arve", ("Décolletage inox 316L", "Tournage CN"), "74",
                city="Cluses", certifications=("EN 9100",),
            ),
            Supplier(
                "bocage", "Coutures du Bocage",
                ("Confection de sacs en toile enduite", "Broderie"), "85",
            ),
            Supplier("neuve", "Fonderie neuve", ("Fonderie de bronze",), "08"),
        ]  # fmt: skip
        assert index.search("broderie", 1)[0].supplier.id == "bocage"
        near = Near(city="Oyonnax", max_km=100)
        found = index.search("tournage", near=near, filters=Filters(certifications=("EN 9100",)))
        assert [(s.supplier.id, s.distance_km) for s in found] == [("arve", 74.7)]


def test_an_export_and_a_backup_give_the_same_index_again(folder: Path, encoder: Encoder) -> None:
    told = said(
        "export tout.xlsx --index a.index",
        "index tout.xlsx --to b.index --encoder fast",
        "backup a.backup --index a.index",
        "restore a.backup --to c.index",
        cwd=folder,
    )
    size = (folder / "a.backup" / "catalogue.sqlite").stat().st_size
    assert told == [
        "tout.xlsx: 3 suppliers.\n",
        "tout.xlsx : 3 fournisseurs (classeur Excel, feuille « Fournisseurs »).\n"
        "b.index: 3 added; 3 suppliers in all.\n",
        f"a.backup: catalogue.sqlite; {size:,} bytes.\n",
        "c.index: 3 suppliers.\n",
    ]
    answers = []
    for name in ("a.index", "b.index", "c.index"):
        with closing(SupplierIndex.open(folder / name, encoder)) as index:
            answers.append((index.suppliers, index.search("des sacs", explain=True)))
    assert answers[1] == answers[2] == answers[0]
    with closing(SupplierIndex.open(folder / "c.index", encoder)) as index:
        assert index.search("vis", near=Near(city="Cluses"))[0].distance_km is not None


def test_a_backup_holds_keys_and_what_people_said_while_they_are_used(
    folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder / "a.index", tmp_path / "a.index")
    with (
        closing(Keys(tmp_path / "a.index" / KEYS)) as keys,
        closing(Journal(tmp_path / "a.index" / JOURNAL, days=30)) as journal,
    ):
        token = keys.create("secret").token
        journal.judge([Judgement("des sacs", "bocage", 3, "Léa")])
        told = said("backup b --index a.index", "restore b --to c.index", cwd=tmp_path)
        assert told[0].startswith("b: catalogue.sqlite, journal.sqlite, keys.sqlite; ")
        with (
            closing(Keys(tmp_path / "c.index" / KEYS)) as again,
            closing(Journal(tmp_path / "c.index" / JOURNAL)) as heard,
        ):
            assert again.all() == keys.all()
            assert again.find(token) == keys.find(token) is not None
            assert list(heard.events()) == list(journal.events())
    rights = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "b").iterdir()}
    assert (rights[KEYS], rights[JOURNAL]) == (0o600, 0o600)


ERRORS = {
    "delete arve personne --index a.index":
        "a.index holds no supplier 'personne'. Nothing was taken out.",
    "places un.csv --index a.index":
        "un.csv: no column for lat, lon among id, nom, capacités, dép, commune",
    "places absent.csv --index a.index": "absent.csv: no such file.",
    "export tout.pdf --index a.index": "tout.pdf: results are written as .jsonl, .csv or .xlsx",
    "export tout.csv --index absent": "absent holds no index",
    "backup un.csv --index a.index": "un.csv exists and is not empty. Name a new folder.",
    "restore un.csv --to d.index": "un.csv holds no index",
    "restore faux --to d.index": "faux/catalogue.sqlite is damaged (file is not a database)",
    "restore a.index --to a.index": "a.index exists and is not empty.",
    "index vide.csv --to e.index": "no supplier to index.",
    "index un.csv --to .": ". exists and is no maillon index",
    "reindex --index absent --encoder x": "absent holds no index",
}  # fmt: skip


def test_an_error_is_one_sentence_and_changes_nothing(folder: Path, encoder: Encoder) -> None:
    (folder / "vide.csv").write_text("nom;capacités\n")
    (folder / "faux").mkdir()
    (folder / "faux" / "catalogue.sqlite").write_text(FIRST)
    done = maillon([command.split() for command in ERRORS], folder)
    for one, message in zip(done, ERRORS.values(), strict=True):
        assert one.told.startswith(f"maillon: {message}")
        assert (one.code, one.told.count("\n")) == (2, 1)
    assert not any((folder / name).exists() for name in ("d.index", "e.index", "tout.pdf"))
    with closing(SupplierIndex.open(folder / "a.index", encoder)) as index:
        assert [supplier.id for supplier in index.suppliers] == ["arve", "bocage", "neuve"]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Three needs that share no word with the sheet that meets them."""
    sheets = {
        "coque": ("Thermoformage de plaques ABS", "capot en plastique pour protéger une machine"),
        "couture": ("Confection de housses en toile", "quelqu'un qui coud des sacs"),
        "axe": ("Décolletage inox", "petits axes ronds tournés dans la barre"),
        "bois": ("Menuiserie d'agencement", "fabriquer une table en chêne"),
        "peinture": ("Thermolaquage poudre époxy", "mettre en couleur un portail en fer"),
    }
    home = tmp_path / "suite"
    home.mkdir()
    for name, lines in {
        "suppliers.jsonl": [
            json.dumps({"id": one, "name": one, "capabilities": [sheet]})
            for one, (sheet, _) in sheets.items()
        ],
        "needs.jsonl": [
            json.dumps({"id": f"n-{one}", "text": need}) for one, (_, need) in sheets.items()
        ],
        "qrels.tsv": [
            f"n-{need}\t0\t{one}\t{3 if need == one else 0}" for need in sheets for one in sheets
        ],
    }.items():
        (home / name).write_text("\n".join(lines) + "\n")
    return home


def test_another_encoder_passes_the_gate_or_leaves_the_index_as_it_is(
    folder: Path, suite: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder / "a.index", tmp_path / "a.index")
    for name in ("same", "worse"):
        shutil.copytree(MODEL, tmp_path / name)
    weights = tmp_path / "worse" / "model.safetensors"
    tables = load_file(weights)
    save_file({key: table[::-1].copy() for key, table in tables.items()}, weights)

    shutil.copytree(folder / "a.index", tmp_path / "b.index")
    commands = [
        f"reindex --index a.index --gate {suite} --encoder same",
        f"reindex --index b.index --gate {suite} --encoder worse",
        "search sacs --index a.index -k 1 --json",
    ]
    same, worse, found = maillon([command.split() for command in commands], tmp_path)

    assert same.out.splitlines()[1:] == [f"a.index: 5 capabilities, encoder {tmp_path / 'same'}."]
    assert encoder_of(tmp_path / "a.index") == str(tmp_path / "same")
    assert json.loads(found.out)["supplier"]["id"] == "bocage"

    assert (worse.code, worse.told.count("\n")) == (2, 1)
    assert "The index stays as it is; without --gate it would be switched." in worse.told
    assert encoder_of(tmp_path / "b.index") == encoder_of(folder / "a.index")
