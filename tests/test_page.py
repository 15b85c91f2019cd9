"""The search page in a real browser (Debian's Chromium), against the real service."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import CONFECTION, DECOLLETEUR, PHONE, THERMOFORMEUR, WIDE, flaws, serving
from playwright.sync_api import Page, Route, expect

import api.app
from api.app import create_app
from embed.encoder import Encoder
from index.departments import DEPARTMENTS
from index.engine import SupplierIndex
from index.suppliers import Supplier

HOSTILE = Supplier(
    id="x",
    name="<img src=x onerror=alert(1)>",
    capabilities=("Forge <script>alert(2)</script> 🔥 libre et estampage",),
    certifications=("<i>label</i>",),
    tags=("<img src=y onerror=alert(3)>",),
)


@pytest.fixture(scope="module")
def url(encoder: Encoder) -> Iterator[str]:
    others = [Supplier(f"o{n:02}", f"Atelier {n}", (f"Usinage numéro {n}",)) for n in range(12)]
    suppliers = [DECOLLETEUR, THERMOFORMEUR, CONFECTION, HOSTILE, *others]
    with serving(create_app(SupplierIndex.build(suppliers, encoder))) as address:
        yield address


@pytest.fixture
def page(page: Page, url: str) -> Page:
    page.goto(url)
    return page


@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_need_typed_by_keyboard_gives_suggestions(page: Page) -> None:
    page.keyboard.type("faire coudre des sacs en toile")
    page.keyboard.press("Enter")
    first = page.locator("ol > li").first
    expect(first.get_by_role("heading")).to_have_text("Coutures du Bocage")
    expect(first.locator(".capability")).to_have_text(
        "Confection de sacs et housses en toile enduite"
    )
    expect(first.locator("mark", has_text="sacs")).to_be_visible()
    expect(first.get_by_text("Département 85")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("10 premiers fournisseurs")


def test_more_suggestions_and_the_way_back(page: Page, url: str) -> None:
    page.get_by_role("link", name="anodisation").click()
    expect(page.locator("ol > li")).to_have_count(10)
    expect(page).to_have_title("anodisation noire sur aluminium : maillon")
    page.get_by_role("button", name="Voir plus").click()
    expect(page.locator("ol > li")).to_have_count(16)
    expect(page.locator("ol > li").nth(10)).to_be_focused()
    expect(page.get_by_role("button", name="Voir plus")).to_be_hidden()
    page.go_back()
    expect(page.locator("ol > li")).to_have_count(0)
    expect(page.get_by_role("heading", name="Par exemple")).to_be_visible()
    assert page.url == url


def test_a_link_opens_its_answer(page: Page, url: str) -> None:
    page.goto(f"{url}?q=d%C3%A9colletage+inox")
    expect(page.get_by_label("Décrivez votre besoin")).to_have_value("décolletage inox")
    first = page.locator("ol > li").first
    expect(first).to_contain_text("EN 9100")
    first.get_by_text("Pourquoi ce résultat").click()
    expect(first.get_by_text("Tournage CN petites séries")).to_be_visible()


def test_text_from_outside_stays_text(page: Page, url: str) -> None:
    page.get_by_label("Décrivez votre besoin").fill("<b>forge</b> libre et estampage 🔥")
    page.get_by_role("button", name="Chercher").click()
    first = page.locator("ol > li").first
    expect(first.get_by_role("heading")).to_have_text("<img src=x onerror=alert(1)>")
    expect(first.locator(".capability")).to_have_text(
        "Forge <script>alert(2)</script> 🔥 libre et estampage"
    )
    expect(first.locator("mark", has_text="estampage")).to_have_text("estampage")
    expect(first.locator(".facts li")).to_have_text(
        ["<i>label</i>", "<img src=y onerror=alert(3)>"]
    )
    page.get_by_text("Affiner").click()
    page.get_by_label("<i>label</i>").check()
    expect(page.locator("ol > li")).to_have_count(1)
    expect(page.locator("summary span")).to_have_text(" : <i>label</i>")


def test_a_completion_stays_text(page: Page) -> None:
    page.keyboard.type("libre et estamp")
    page.get_by_role("option", name=f"{HOSTILE.capabilities[0]} capacité").click()
    expect(page.get_by_label("Décrivez votre besoin")).to_have_value(HOSTILE.capabilities[0])


def test_how_slips_were_read_is_said(page: Page) -> None:
    page.keyboard.type("décoletage laitton")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Lu comme : « décolletage laiton ».")).to_be_visible()


def test_an_error_is_said_in_french(page: Page) -> None:
    page.get_by_label("Décrivez votre besoin").fill("   ")
    page.get_by_role("button", name="Chercher").click()
    expect(page.get_by_role("status")).to_have_text("Décrivez votre besoin en quelques mots.")


def test_a_late_answer_does_not_come_back_after_home(page: Page, url: str) -> None:
    def late(route: Route) -> None:
        page.wait_for_timeout(700)
        route.continue_()

    page.route("**/v1/search", late)
    page.keyboard.type("anodisation")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Recherche en cours…")
    page.go_back()
    page.wait_for_timeout(1_200)
    expect(page.locator("ol > li")).to_have_count(0)
    expect(page.get_by_label("Décrivez votre besoin")).to_have_value("")


def test_what_was_read_stays_when_the_server_stops(page: Page) -> None:
    page.get_by_role("link", name="anodisation").click()
    expect(page.locator("ol > li")).to_have_count(10)
    page.route("**/v1/search", lambda route: route.fulfill(status=200, body="<html>proxy</html>"))
    page.get_by_role("button", name="Voir plus").click()
    expect(page.get_by_role("status")).to_contain_text("n'a pas pu être lue")
    expect(page.locator("ol > li")).to_have_count(10)


def test_a_place_of_the_text_is_a_chip_that_can_be_removed_and_put_back(page: Page) -> None:
    page.keyboard.type("décolletage inox 316L, EN 9100, en Haute-Savoie")
    page.keyboard.press("Enter")
    expect(page.locator("ol > li")).to_have_count(1)
    expect(page.locator(".chips li")).to_have_text(
        ["demandé : inox 316L", "demandé : EN 9100", "Haute-Savoie (74) ×"]
    )
    expect(page.locator("maillon-search")).not_to_contain_text("Lu comme")
    page.get_by_role("button", name="Retirer : Haute-Savoie (74)").press("Enter")
    expect(page.locator("ol > li")).to_have_count(10)
    back = page.get_by_role("button", name="Remettre : Haute-Savoie (74)")
    expect(back).to_be_focused()
    back.press("Enter")
    expect(page.locator("ol > li")).to_have_count(1)


def test_what_is_near_and_what_is_missing_is_said(page: Page) -> None:
    page.keyboard.type("coques en plastique, EN 9100, autour d'Annecy")
    page.keyboard.press("Enter")
    first = page.locator("ol > li").first
    expect(first.get_by_role("heading")).to_have_text("Formes & Plaques")
    expect(first.locator("p").first).to_have_text(
        re.compile(r"^Oyonnax · à environ \d+\skm, département voisin\sformes-plaques.example$")
    )
    expect(first.get_by_text("Non indiqué sur la fiche : EN 9100")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("autour d'Annecy, par correspondance et")


def test_a_sheet_that_names_what_is_ruled_out_says_so(page: Page) -> None:
    page.keyboard.type("faire coudre des sacs et housses, surtout pas de toile")
    page.keyboard.press("Enter")
    first = page.locator("ol > li").first
    expect(first.get_by_role("heading")).to_have_text("Coutures du Bocage")
    expect(first.get_by_text("La fiche cite ce que vous excluez : toile")).to_be_visible()


@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["wide", "phone"])
def test_refining_keeps_its_state_in_the_link(page: Page, url: str) -> None:
    suggestions = page.locator("ol > li")
    page.goto(f"{url}?q=tournage")
    page.get_by_text("Affiner").click()
    expect(page.get_by_label("moyennes séries")).to_have_accessible_name("moyennes séries 1")
    page.get_by_label("moyennes séries").check()
    expect(suggestions).to_have_count(1)
    expect(page.get_by_label("moyennes séries")).to_be_focused()
    page.get_by_label("EN 9100").check()
    page.get_by_label("Haute-Savoie (74)").check()
    page.get_by_label("Près de").fill("annecy")
    page.get_by_label("Près de").press("Enter")
    page.get_by_label("Distance au plus").select_option("50 km")
    expect(suggestions.first.locator("p").first).to_contain_text("km, même département")
    said = " : annecy (50 km au plus), moyennes séries, EN 9100, Haute-Savoie (74)"
    expect(page.locator("summary span")).to_have_text(said)
    page.reload()
    expect(suggestions).to_have_count(1)
    expect(page.locator("summary span")).to_have_text(said)
    page.get_by_text("Affiner").click()
    expect(page.get_by_label("Distance au plus")).to_have_value("50")
    expect(page.get_by_label("EN 9100")).to_be_checked()
    page.get_by_role("button", name="Tout effacer").click()
    expect(suggestions).to_have_count(10)
    assert page.url == f"{url}?q=tournage"
    page.go_back()
    expect(suggestions).to_have_count(1)
    expect(page.get_by_label("Près de")).to_have_value("annecy")


def test_an_answer_leaves_what_is_being_typed(page: Page, url: str) -> None:
    def late(route: Route) -> None:
        page.wait_for_timeout(700)
        route.continue_()

    page.goto(f"{url}?q=tournage")
    page.get_by_text("Affiner").click()
    page.route("**/v1/search", late)
    page.get_by_label("moyennes séries").check()
    page.get_by_label("Près de").press_sequentially("Anne")
    expect(page.locator("ol > li")).to_have_count(1)
    expect(page.get_by_label("Près de")).to_have_value("Anne")


def test_what_is_typed_after_a_change_is_not_asked_with_it(page: Page, url: str) -> None:
    page.goto(f"{url}?q=tournage")
    page.get_by_text("Affiner").click()
    place = page.get_by_label("Près de").element_handle()
    tick_and_type = "(box, place) => { box.click(); place.value = 'An'; }"
    page.get_by_label("moyennes séries").evaluate(tick_and_type, place)
    expect(page.locator("ol > li")).to_have_count(1)
    assert page.url == f"{url}?q=tournage&series=moyenne"
    expect(page.get_by_label("Près de")).to_have_value("An")


def test_several_departments_can_be_chosen(page: Page, url: str) -> None:
    page.goto(f"{url}?q=tournage&departments=74")
    page.get_by_text("Affiner").click()
    expect(page.get_by_label("Ain (01)")).to_have_accessible_name("Ain (01) 1")
    page.get_by_label("Ain (01)").check()
    expect(page.locator("ol > li")).to_have_count(2)
    page.get_by_label("grandes séries").check()
    expect(page.get_by_role("status")).to_have_text(
        "Aucun fournisseur ne remplit tous ces critères. Retirez-en un."
    )


def test_a_distance_counts_from_the_place_of_the_text(page: Page, url: str) -> None:
    page.goto(f"{url}?q=coques+autour+d%27Annecy")
    page.get_by_text("Affiner").click()
    page.get_by_label("Distance au plus").select_option("50 km")
    expect(page.get_by_label("Près de")).to_have_value("Annecy")
    expect(page.locator("ol > li")).to_have_count(1)
    page.goto(f"{url}?q=coques")
    page.get_by_text("Affiner").click()
    page.get_by_label("Distance au plus").select_option("50 km")
    expect(page.locator("#place-error")).to_contain_text("Donnez d'abord un lieu")


def test_the_page_knows_the_departments() -> None:
    script = (Path(api.app.__file__).parent / "static" / "departments.js").read_text("utf-8")
    table = script.split("`")[1]
    assert dict(re.findall(r"(\w+) ([^,]+)", table)) == DEPARTMENTS


def test_an_unknown_place_is_said_beside_its_field(page: Page, url: str) -> None:
    page.goto(f"{url}?q=tournage&city=%3Cb%3EZzville&series=petite")
    field = page.get_by_label("Près de")
    expect(field).to_have_accessible_description(
        re.compile(r"^commune inconnue\s:\s«\s<b>Zzville\s»")
    )
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("<b>Zzville")
    expect(page.get_by_label("petites séries")).to_be_checked()
    expect(page.get_by_label("Décrivez votre besoin")).to_have_value("tournage")
    expect(page.get_by_role("status")).to_contain_text("commune inconnue")
    field.fill("Annecy")
    field.press("Enter")
    expect(page.locator("ol > li")).to_have_count(1)
    expect(page.locator("#place-error")).to_have_text("")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("", "Par exemple"),
        ("?q=tournage&series=grande", "Aucun fournisseur ne remplit tous ces critères"),
        ("?q=gardiennage de nuit&departments=01", "Voici les plus proches, à vérifier"),
        ("?q=tournage&city=Zzville", "commune inconnue"),
    ],
    ids=["empty", "none", "gap", "error"],
)
def test_axe_finds_nothing_in_an_answer(page: Page, url: str, asked: str, said: str) -> None:
    page.goto(f"{url}{asked}")
    expect(page.get_by_text(said).first).to_be_visible()
    assert flaws(page) == []


def test_axe_finds_nothing_where_all_is_open(page: Page, url: str) -> None:
    page.goto(f"{url}?q=décolletage inox 316L, EN 9100, autour d'Annecy")
    page.get_by_text("Affiner").click()
    page.get_by_text("Pourquoi ce résultat").first.click()
    page.get_by_role("button", name="Pertinent", exact=True).first.click()
    expect(page.get_by_label("Pour quelle raison").first).to_be_focused()
    assert flaws(page) == []
