"""The administration page in a real browser (Debian's Chromium), against the real service."""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import CONFECTION, DECOLLETEUR, PHONE, THERMOFORMEUR, flaws, serving
from playwright.sync_api import Page, expect
from pydantic import TypeAdapter, ValidationError

from api.app import create_app
from api.journal import FILE, Feedback, Journal, Judgement
from api.keys import Keys
from api.settings import RATE
from embed.encoder import FAST, Encoder, load_encoder, weights_folder
from index.engine import SupplierIndex
from index.suppliers import Supplier

HOSTILE = "<img src=x onerror=alert(1)>"
BAD_LINE = "SIRET invalide : « 123 ». Vérifiez ses quatorze chiffres ou videz la cellule."
FILE_OF_THREE = Path(__file__).with_name("annuaire.csv")


@dataclass(frozen=True)
class Served:
    """A directory of three suppliers that is served, and what lies behind its page."""

    url: str
    folder: Path
    index: SupplierIndex
    keys: Keys
    journal: Journal
    secret: str


Serve = Callable[..., Served]


def written(folder: Path, encoder: Encoder) -> Path:
    with closing(SupplierIndex.create(folder, encoder)) as index:
        index.upsert([DECOLLETEUR, THERMOFORMEUR, CONFECTION])
    return folder


@pytest.fixture(scope="module")
def original(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("admin") / "index", encoder)


@pytest.fixture
def serve(encoder: Encoder, original: Path, tmp_path: Path) -> Iterator[Serve]:
    shutil.copytree(original, tmp_path / "index")
    with ExitStack() as stack:

        def begin(
            folder: Path = tmp_path / "index",
            encoder: Encoder = encoder,
            days: int = 90,
            rate: str = RATE,
        ) -> Served:
            index = stack.enter_context(closing(SupplierIndex.open(folder, encoder)))
            keys = stack.enter_context(closing(Keys(folder / "keys.sqlite")))
            journal = stack.enter_context(closing(Journal(folder / FILE, days)))
            secret = keys.create("secret").token
            url = stack.enter_context(serving(create_app(index, keys, journal, rate)))
            return Served(url, folder, index, keys, journal, secret)

        yield begin


def enter(page: Page, served: Served) -> None:
    page.goto(f"{served.url}admin")
    page.get_by_label("Clé secrète").fill(served.secret)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="L'annuaire", exact=True)).to_be_focused()


def load(page: Page, name: str, content: str) -> None:
    file = {"name": name, "mimeType": "text/plain", "buffer": content.encode()}
    page.get_by_label("Fichier de fournisseurs").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Charger le fichier").click()


def figures(page: Page, *names: str) -> dict[str, str]:
    return {name: page.locator(f"#{name}").inner_text() for name in names}


def downloaded(page: Page, button: str) -> tuple[str, str]:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    content = download.value.path().read_bytes().decode()
    return download.value.suggested_filename, content


def ids(index: SupplierIndex) -> set[str]:
    return {supplier.id for supplier in index.suppliers}


def test_only_a_secret_key_opens_the_page_until_one_leaves(page: Page, serve: Serve) -> None:
    served = serve()
    page.goto(f"{served.url}admin")
    key = page.get_by_label("Clé secrète")
    expect(key).to_be_focused()
    for token, said in {
        "sk_0_0": "Cette clé n'est pas connue, ou elle a été révoquée.",
        served.keys.create("publishable").token: "Cette clé permet seulement de chercher.",
    }.items():
        key.fill(token)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.get_by_text("Charger un fichier")).to_be_hidden()
    enter(page, served)
    assert figures(page, "suppliers", "capabilities", "delta", "encoder") == {
        "suppliers": "3",
        "capabilities": "4",
        "delta": "0",
        "encoder": FAST,
    }
    page.reload()
    expect(page.get_by_text("Charger un fichier")).to_be_visible()
    assert page.evaluate("[Object.values(sessionStorage), localStorage.length]") == [
        [served.secret],
        0,
    ]
    page.get_by_role("button", name="Se déconnecter").click()
    expect(key).to_be_focused()
    assert page.evaluate("sessionStorage.length") == 0


def test_a_key_that_is_revoked_meanwhile_leads_back_to_the_door(page: Page, serve: Serve) -> None:
    served = serve()
    enter(page, served)
    served.keys.revoke(served.secret.split("_")[1])
    load(page, "a.csv", "nom;capacités\nForge;Estampage\n")
    expect(page.get_by_role("alert")).to_contain_text("elle a été révoquée")
    expect(page.get_by_label("Clé secrète")).to_be_focused()
    assert ids(served.index) == {"arve", "ain", "vendee"}


def test_who_tries_many_keys_is_told_to_wait(page: Page, serve: Serve) -> None:
    page.goto(f"{serve(rate='1/minute').url}admin")
    for _ in range(2):
        page.get_by_label("Clé secrète").fill("sk_0_0")
        page.keyboard.press("Enter")
        expect(page.locator("#door")).to_have_attribute("aria-busy", "false")
    expect(page.get_by_role("alert")).to_have_text(
        re.compile(r"^Trop d'essais depuis cette adresse\. Réessayez dans \d+ s\.$")
    )


def test_a_file_is_loaded_and_its_bad_line_told(page: Page, serve: Serve) -> None:
    served = serve()
    enter(page, served)
    page.get_by_label("Fichier de fournisseurs").set_input_files(FILE_OF_THREE)
    page.get_by_role("button", name="Charger le fichier").click()
    expect(page.locator("#loading")).to_have_text("Chargé. 3 fournisseurs lus, 1 ligne rejetée.")
    expect(page.locator("#detected")).to_have_text(
        "« annuaire.csv » : Windows-1252, séparateur « ; » ; colonnes ignorées : Téléphone."
    )
    assert figures(page, "added", "changed", "unchanged", "removed") == {
        "added": "3",
        "changed": "0",
        "unchanged": "0",
        "removed": "0",
    }
    expect(page.locator("#rejects td")).to_have_text(["5", BAD_LINE])
    assert downloaded(page, "Télécharger ces lignes") == (
        "lignes-rejetees.csv",
        '\ufeff"ligne";"motif";"Raison sociale";"Commune";"Code postal";"Savoir-faire";"Séries";'
        '"SIRET";"Téléphone"\r\n'
        f'"5";"{BAD_LINE}";"Forge du Val d\'Orbieu";"Lagrasse";"11220";"Forge libre";"";"123"\r\n',
    )
    expect(page.locator("#suppliers")).to_have_text("6")
    assert len(served.index) == 6


def test_rejected_lines_are_downloaded_mended_and_loaded(page: Page, serve: Serve) -> None:
    served = serve()
    enter(page, served)
    load(page, "a.csv", 'id;nom;capacités;siret\nforge;"Forge ""Vive""";=Estampage;123\n')
    expect(page.locator("#rejects tr")).to_have_count(1)
    _, rejected = downloaded(page, "Télécharger ces lignes")
    load(page, "b.csv", rejected.replace('"123"', '""'))
    expect(page.locator("#loading")).to_have_text("Chargé. 1 fournisseur lu, 0 ligne rejetée.")
    assert served.index.catalogue.get("forge") == Supplier(
        id="forge", name='Forge "Vive"', capabilities=("=Estampage",)
    )


def test_of_many_bad_lines_the_first_500_are_shown(page: Page, serve: Serve) -> None:
    enter(page, serve())
    load(page, "a.csv", "nom;capacités;siret\n" + "Forge;Estampage;123\n" * 501)
    expect(page.locator("#rejected-title")).to_have_text(
        "Les 500 premières lignes rejetées, sur 501"
    )
    expect(page.locator("#rejects tr")).to_have_count(500)


def test_suppliers_are_taken_out_only_once_confirmed(page: Page, serve: Serve) -> None:
    served = serve()
    enter(page, served)
    page.get_by_role("checkbox", name="Retirer les fournisseurs absents").check()
    load(page, "a.csv", "id;nom;capacités\nforge;Forge;Estampage\n")
    confirm = page.get_by_role("dialog", name="Retirer les fournisseurs absents du fichier ?")
    expect(confirm).to_contain_text("L'annuaire compte aujourd'hui 3 fournisseurs.")
    expect(confirm.get_by_role("button", name="Annuler")).to_be_focused()
    page.keyboard.press("Escape")
    expect(confirm).to_be_hidden()
    assert ids(served.index) == {"arve", "ain", "vendee"}
    page.get_by_role("button", name="Charger le fichier").click()
    confirm.get_by_role("button", name="Charger et retirer").click()
    expect(page.locator("#removed")).to_have_text("3")
    expect(page.locator("#suppliers")).to_have_text("1")
    assert ids(served.index) == {"forge"}


@pytest.mark.parametrize(
    ("content", "place", "said"),
    [
        ("nom;capacités\n", "loading", "annuaire.csv : aucun fournisseur. Rien n'a été changé."),
        ("nom;capacités;siret\nForge;Estampage;123\n", "kept", "Rien n'a été retiré : une ligne"),
    ],
)
def test_nobody_is_taken_out_by_a_file_that_is_empty_or_not_all_read(
    page: Page, serve: Serve, content: str, place: str, said: str
) -> None:
    served = serve()
    enter(page, served)
    page.get_by_role("checkbox", name="Retirer les fournisseurs absents").check()
    load(page, "a.csv", content)
    page.get_by_role("button", name="Charger et retirer").click()
    expect(page.locator(f"#{place}")).to_contain_text(said)
    assert ids(served.index) == {"arve", "ain", "vendee"}


def test_a_file_may_be_dropped_and_sent_again_after_a_failure(page: Page, serve: Serve) -> None:
    served = serve()
    enter(page, served)
    dropped = page.evaluate_handle(
        "() => { const held = new DataTransfer();"
        'held.items.add(new File(["nom;capacités\\nForge;Estampage\\n"], "forge.csv"));'
        "return held; }"
    )
    page.dispatch_event("main", "drop", {"dataTransfer": dropped})
    page.route("**/v1/directory*", lambda route: route.abort())
    page.get_by_role("button", name="Charger le fichier").click()
    expect(page.locator("#loading")).to_contain_text("Rien n'est perdu")
    page.unroute("**/v1/directory*")
    page.get_by_role("button", name="Charger le fichier").click()
    expect(page.locator("#added")).to_have_text("1")
    assert len(served.index) == 4


def test_a_file_that_cannot_be_sent_is_told(page: Page, serve: Serve, tmp_path: Path) -> None:
    enter(page, serve())
    load(page, "photo.jpg", "")
    field = page.get_by_label("Fichier de fournisseurs")
    assert field.evaluate("field => field.validationMessage") == (
        "Choisissez un fichier .xlsx, .csv, .tsv ou .jsonl."
    )
    (tmp_path / "a.csv").write_text("nom;capacités\n" + "x" * 32_000_000, encoding="utf-8")
    field.set_input_files(tmp_path / "a.csv")
    page.get_by_role("button", name="Charger le fichier").click()
    expect(page.locator("#loading")).to_contain_text("32 Mo")


def test_what_comes_from_outside_stays_text_and_is_no_formula(page: Page, serve: Serve) -> None:
    served = serve()
    served.journal.searched(f"{HOSTILE} vis", answered=False)
    enter(page, served)
    expect(page.locator("#unanswered td").first).to_have_text(f"{HOSTILE} vis")
    load(page, f"{HOSTILE}.csv", f'nom;capacités;{HOSTILE};siret\nForge;Pli;;"{HOSTILE}"\n')
    expect(page.locator("#detected")).to_contain_text(f"« {HOSTILE}.csv »")
    expect(page.locator("#detected")).to_contain_text(f"colonnes ignorées : {HOSTILE}")
    expect(page.locator("#rejects")).to_contain_text(HOSTILE)
    imported = {
        "detected": "UTF-8",
        "header": ["@nom"],
        "read": 0,
        "changes": {},
        "rejected": 1,
        "rejects": [{"line": 2, "reason": '=HYPERLINK("x")', "cells": ["+1"]}],
    }
    page.route("**/v1/directory*", lambda route: route.fulfill(json=imported))
    page.get_by_role("button", name="Charger le fichier").click()
    expect(page.locator("#rejects td")).to_have_text(["2", '=HYPERLINK("x")'])
    assert downloaded(page, "Télécharger ces lignes")[1] == (
        '\ufeff"ligne";"motif";"\'@nom"\r\n"2";"\'=HYPERLINK(""x"")";"\'+1"\r\n'
    )


def test_what_people_look_for_and_nobody_answers_is_shown(page: Page, serve: Serve) -> None:
    served = serve()
    for need, answered in [("vis", True), ("Vis", True), ("un moteur", False), ("vis", True)]:
        served.journal.searched(need, answered)
    with closing(sqlite3.connect(served.folder / FILE)) as file, file:
        file.execute("UPDATE event SET at = '2126-02-03T10:00:00+00:00'")
    enter(page, served)
    expect(page.locator("#needs-kept")).to_have_text(
        "4 recherches en 90 jours, dont 1 sans réponse."
    )
    expect(page.locator("#frequent tr")).to_have_count(2)
    expect(page.locator("#frequent tr").first.locator("td")).to_have_text(
        [re.compile("^vis$", re.IGNORECASE), "3", "3 février 2126"]
    )
    expect(page.locator("#unanswered td")).to_have_text(["un moteur", "1", "3 février 2126"])


def test_where_searches_are_not_kept_the_page_says_how_to(page: Page, serve: Serve) -> None:
    enter(page, serve(days=0))
    expect(page.get_by_text("Les recherches ne sont pas conservées.")).to_be_visible()
    expect(page.get_by_text("maillon serve --keep-needs 90")).to_be_visible()
    expect(page.get_by_role("heading", name="Les plus fréquents")).to_be_hidden()


def test_verdicts_are_counted_and_downloaded(page: Page, serve: Serve) -> None:
    served = serve()
    served.journal.tell(Feedback("des vis", "arve", relevant=True))
    served.journal.tell(Feedback("des vis", "ain", relevant=False))
    served.journal.judge([Judgement("des vis", "arve", 3, "Léa")])
    enter(page, served)
    assert figures(page, "relevant", "irrelevant", "judgements") == {
        "relevant": "1",
        "irrelevant": "1",
        "judgements": "1",
    }
    need = "36d3d2aeefab"
    assert downloaded(page, "Télécharger les jugements") == (
        "qrels-jugements.txt",
        f"{need} 0 arve 3\n",
    )
    assert downloaded(page, "Télécharger les avis") == (
        "qrels-avis.txt",
        f"{need} 0 arve 2\n{need} 0 ain 0\n",
    )
    name, events = downloaded(page, "Télécharger tous les événements")
    assert (name, events.count("\n"), '"judge": "Léa"' in events) == ("evenements.ndjson", 3, True)


def test_the_encoder_is_changed_while_the_page_tells_how_it_goes(
    page: Page, serve: Serve, tmp_path: Path
) -> None:
    shutil.copytree(str(weights_folder(FAST)), tmp_path / "ancien")
    old = load_encoder(str(tmp_path / "ancien"))
    served = serve(written(tmp_path / "other", old), old)
    enter(page, served)
    expect(page.locator("#encoder")).to_have_text(str(tmp_path / "ancien"))
    page.get_by_label("maillon-static-3").check()
    expect(page.get_by_label("Seulement s'il ne fait pas moins bien")).to_be_checked()
    page.get_by_label("Seulement s'il ne fait pas moins bien").uncheck()
    page.get_by_role("button", name="Changer d'encodeur").click()
    expect(page.locator("#changing")).to_have_text("Changement en cours…")
    expect(page.locator("#changing")).to_have_text(
        f"C'est fait : l'annuaire répond maintenant avec {FAST}.", timeout=180_000
    )
    expect(page.locator("#log")).to_contain_text(f"4 capabilities, encoder {FAST}.")
    expect(page.locator("#encoder")).to_have_text(FAST)
    expect(page.get_by_label("maillon-static-3")).to_be_disabled()


@pytest.mark.parametrize("screen", [PHONE], ids=["phone"])
def test_on_a_phone_no_table_is_cut(page: Page, serve: Serve) -> None:
    served = serve()
    served.journal.searched("un très long besoin " * 20 + "x" * 200, answered=False)
    enter(page, served)
    load(page, f"{'x' * 100}.csv", "nom;capacités;siret\nForge;Estampage;" + "1" * 300 + "\n")
    expect(page.locator("#rejects tr")).to_have_count(1)
    for name in ("Restés sans réponse", "1 ligne rejetée"):
        region = page.get_by_role("region", name=name)
        assert region.evaluate("node => node.scrollWidth - node.clientWidth") == 0


def test_axe_finds_nothing_on_the_administration_page(page: Page, serve: Serve) -> None:
    served = serve()
    served.journal.searched("un moteur", answered=False)
    page.goto(f"{served.url}admin")
    page.get_by_label("Clé secrète").fill("sk_0_0")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Cette clé n'est pas connue")
    assert flaws(page) == []
    enter(page, served)
    load(page, "a.csv", "nom;capacités;siret\nForge;Estampage;123\n")
    expect(page.locator("#rejects td")).to_have_count(2)
    assert flaws(page) == []
    page.get_by_role("checkbox", name="Retirer les fournisseurs absents").check()
    page.get_by_role("button", name="Charger le fichier").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert flaws(page) == []


@pytest.mark.parametrize("supplier", ["", "a" * 301])
def test_the_supplier_of_a_verdict_has_the_bounds_of_an_id(supplier: str) -> None:
    said = {"need": "des vis", "supplier": supplier, "relevant": True}
    with pytest.raises(ValidationError, match="supplier holds"):
        TypeAdapter(Feedback).validate_python(said)
    assert Feedback("des vis", "a\n0 b", relevant=True).supplier == "a 0 b"
