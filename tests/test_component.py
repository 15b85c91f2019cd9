"""`<maillon-search>` in a page of another origin, in a real browser, under a strict policy."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from conftest import (
    CONFECTION,
    DECOLLETEUR,
    PHONE,
    THERMOFORMEUR,
    WIDE,
    flaws,
    serving,
)
from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse
from playwright.sync_api import Page, Response, Route, expect

from api.app import create_app
from api.journal import Journal
from api.keys import Keys
from embed.encoder import Encoder
from index.catalogue import MEMORY
from index.engine import SupplierIndex

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MODULES = (
    *("card", "complete", "departments", "maillon-search"),
    *("refine", "service", "style", "words"),
)
POLICY = (
    "default-src 'none'; script-src {0}; connect-src {0}; img-src 'self'; style-src 'self'; "
    "require-trusted-types-for 'script'"
)
BUDGET = 30_000
LISTEN = """() => {
    window.heard = [];
    for (const name of ["search", "results", "select", "feedback"]) {
        const hear = ({ type, detail }) => heard.push([type, detail]);
        document.addEventListener(`maillon-${name}`, hear);
    }
}"""


@dataclass(frozen=True)
class Portal:
    """A foreign page that embeds the search, and the journal of the service behind it."""

    address: str
    service: str
    journal: Journal

    def page(self, attributes: str = "") -> str:
        return f"{self.address}?attributes={quote(attributes)}"


@pytest.fixture(scope="module")
def portal(encoder: Encoder) -> Iterator[Portal]:
    index = SupplierIndex.build([DECOLLETEUR, THERMOFORMEUR, CONFECTION], encoder)
    keys, journal = Keys(MEMORY), Journal(MEMORY)
    service = FastAPI()
    service.mount("/arve", create_app(index, keys, journal))
    service.mount("/", create_app(index, keys, journal))
    pages = FastAPI()
    with serving(service) as served, serving(pages) as address:
        token = keys.create("publishable", origins=[address]).token
        html = (DOCS / "embedding.html").read_text(encoding="utf-8")
        html = html.replace("https://maillon.example", served.rstrip("/")).replace("pk_…", token)

        @pages.get("/")
        def page(attributes: str = "") -> HTMLResponse:
            policy = {"content-security-policy": POLICY.format(served)}
            return HTMLResponse(html.replace("></mai", f" {attributes}></mai"), headers=policy)

        @pages.get("/embedding.css")
        def style() -> FileResponse:
            return FileResponse(DOCS / "embedding.css")

        @pages.get("/favicon.ico")
        def icon() -> FileResponse:
            return FileResponse(ROOT / "api/static/icon.svg")

        yield Portal(address, served, journal)


def focus(page: Page) -> None:
    page.locator("maillon-search").evaluate("search => search.focus()")


def heard(page: Page) -> list[list[Any]]:
    found: list[list[Any]] = page.evaluate("heard")
    return found


def test_it_weighs_less_than_its_budget_and_asks_nobody_else(page: Page, portal: Portal) -> None:
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(portal.page())
    focus(page)
    page.keyboard.type("décolletage")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("ol > li").first).to_contain_text("Décolletage de l'Arve")
    loaded = {answer.url: len(answer.body()) for answer in answers if "/static/" in answer.url}
    assert set(loaded) == {f"{portal.service}static/{name}.js" for name in MODULES}
    assert sum(loaded.values()) < BUDGET
    assert {answer.url.split("/")[2] for answer in answers} == {
        portal.address.split("/")[2],
        portal.service.split("/")[2],
    }


@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_visitor_without_a_mouse_completes_chooses_filters_and_judges(
    page: Page, portal: Portal
) -> None:
    page.goto(portal.page())
    page.keyboard.press("Tab")
    field = page.get_by_role("combobox", name="Décrivez votre besoin")
    expect(field).to_be_focused()
    page.keyboard.type("confection de sa")
    option = page.get_by_role("option", name="Confection de sacs et housses en toile enduite")
    expect(option).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowUp")
    last = page.get_by_role("option").last
    expect(last).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(last.get_attribute("id")))
    page.keyboard.press("ArrowDown")
    expect(page.locator("[aria-selected=true]")).to_have_count(0)
    while option.get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value("Confection de sacs et housses en toile enduite")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(page.locator("ol > li")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Coutures du Bocage")).to_be_visible()

    page.get_by_text("Affiner").press("Enter")
    page.get_by_label("Vendée (85)").press("Space")
    expect(page.locator("ol > li")).to_have_count(1)
    page.get_by_role("button", name="Pas pertinent").press("Enter")
    page.keyboard.type("trop loin")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Merci, votre avis est enregistré.")).to_be_focused()
    (*_, said) = portal.journal.events("feedback")
    assert (said.supplier, said.value, said.reason, said.rank) == ("vendee", 0, "trop loin", 1)


def test_escape_closes_the_completions_and_keeps_what_was_typed(page: Page, portal: Portal) -> None:
    page.goto(portal.page())
    focus(page)
    page.keyboard.type("thermo")
    expect(page.get_by_role("listbox")).to_be_visible()
    expect(page.get_by_text("Propositions : ")).to_have_attribute("aria-live", "polite")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[aria-selected=true]")).to_have_count(1)
    page.keyboard.type("f")
    expect(page.locator("[aria-selected=true]")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(page.get_by_role("combobox").first).to_have_value("thermof")


def test_a_click_takes_a_completion(page: Page, portal: Portal) -> None:
    page.goto(portal.page())
    focus(page)
    page.keyboard.type("tournage cn pe")
    page.get_by_role("option", name="Tournage CN petites séries capacité").click()
    expect(page.get_by_label("Décrivez votre besoin")).to_have_value("Tournage CN petites séries")
    expect(page.get_by_label("Décrivez votre besoin")).to_be_focused()


def test_a_late_completion_is_dropped_and_a_failed_one_disturbs_nothing(
    page: Page, portal: Portal
) -> None:
    def late(route: Route) -> None:
        page.wait_for_timeout(500)
        route.continue_()

    page.goto(portal.page())
    page.route("**/v1/complete?q=thermo&k=8", late)
    page.route("**/v1/complete?q=tournage*", lambda route: route.fulfill(status=500))
    focus(page)
    with page.expect_request("**/v1/complete?q=thermo&k=8"):
        page.keyboard.type("thermo")
    page.get_by_label("Décrivez votre besoin").fill("tournage")
    page.wait_for_timeout(800)
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("")
    page.keyboard.press("Enter")
    expect(page.locator("ol > li").first).to_contain_text("Décolletage de l'Arve")


def test_the_host_page_hears_what_happens(page: Page, portal: Portal) -> None:
    page.goto(portal.page("department='74'"))
    page.evaluate(LISTEN)
    focus(page)
    page.keyboard.type("décolletage")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Décolletage de l'Arve").click()
    page.get_by_role("button", name="Pertinent", exact=True).click()
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_text("Merci")).to_be_visible()
    supplier = {"id": "arve", "name": "Décolletage de l'Arve"}
    search, results, select, feedback = heard(page)
    assert search == [
        "maillon-search",
        {
            "need": "décolletage",
            "filters": {"series": [], "certifications": [], "departments": ["74"]},
            "ignore": [],
            "facets": True,
            "k": 10,
        },
    ]
    assert results[0] == "maillon-results"
    assert results[1]["suggestions"][0]["supplier"].items() >= supplier.items()
    assert select[0] == "maillon-select"
    assert select[1].pop("supplier").items() >= supplier.items()
    assert select[1] == {"need": "décolletage", "rank": 1}
    said = {"need": "décolletage", "supplier": "arve", "relevant": True, "reason": None, "rank": 1}
    assert feedback == ["maillon-feedback", said]


def test_the_host_page_may_show_a_supplier_itself(page: Page, portal: Portal) -> None:
    page.goto(portal.page())
    focus(page)
    page.keyboard.type("coques thermoformées")
    page.keyboard.press("Enter")
    name = page.get_by_role("button", name="Formes & Plaques")
    name.click()
    expect(page.locator("li details").first).to_have_attribute("open", "")
    page.locator("li summary").first.click()
    page.evaluate("document.addEventListener('maillon-select', (event) => event.preventDefault())")
    name.click()
    expect(page.locator("li details").first).not_to_have_attribute("open", "")
    link = page.get_by_role("link", name="formes-plaques.example")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    link.click()
    assert len(page.context.pages) == 1


@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_gap_is_said_with_the_nearest(page: Page, portal: Portal) -> None:
    page.goto(portal.page())
    focus(page)
    page.keyboard.type("gardiennage de nuit d'un entrepôt")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(
        "Aucun fournisseur ne correspond bien à ce besoin. Voici les plus proches, à vérifier."
    )
    expect(page.locator("ol > li")).to_have_count(3)


def test_attributes_of_the_page_hold(page: Page, portal: Portal) -> None:
    page.goto(portal.page("""tenant=arve filters='{"series": ["petite"]}'"""))
    focus(page)
    page.keyboard.type("tournage")
    with page.expect_request(f"{portal.service}arve/v1/search") as asked:
        page.keyboard.press("Enter")
    assert (asked.value.post_data_json or {})["filters"]["series"] == ["petite"]
    expect(page.locator("ol > li")).to_have_count(1)
    page.get_by_text("Affiner").click()
    expect(page.get_by_role("group", name="Certificats")).to_be_visible()
    expect(page.get_by_role("group", name="Série")).to_be_hidden()


def test_the_page_gives_its_texts_and_its_colours(page: Page, portal: Portal) -> None:
    texts = """{"Chercher": "Trouver un atelier", "Pertinent": "Oui <b>bien</b>"}"""
    page.goto(portal.page(f"texts='{texts}'"))
    button = page.get_by_role("button", name="Trouver un atelier")
    expect(button).to_have_css("background-color", "rgb(138, 59, 18)")
    expect(button).to_have_css("border-radius", "2px")
    expect(button).to_have_css("font-family", "Georgia, serif")
    focus(page)
    page.keyboard.type("tournage")
    button.click()
    expect(page.get_by_role("button", name="Oui <b>bien</b>").first).to_be_visible()


def test_it_is_dark_where_the_page_is(page: Page, portal: Portal) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(portal.page())
    field = page.get_by_label("Décrivez votre besoin")
    expect(field).to_have_css("background-color", "rgb(38, 32, 27)")
    page.evaluate("document.documentElement.style.colorScheme = 'normal'")
    expect(field).to_have_css("background-color", "rgb(255, 255, 255)")


def test_the_link_keeps_what_the_page_says_in_it(page: Page, portal: Portal) -> None:
    page.goto(portal.page("link") + "&langue=fr")
    focus(page)
    page.keyboard.type("tournage")
    page.keyboard.press("Enter")
    expect(page.locator("ol > li")).to_have_count(3)
    assert page.url == f"{portal.address}?attributes=link&langue=fr&q=tournage"
    page.reload()
    expect(page.locator("ol > li")).to_have_count(3)
    page.go_back()
    expect(page.locator("ol > li")).to_have_count(0)


def test_without_a_link_the_address_stays(page: Page, portal: Portal) -> None:
    page.goto(portal.page() + "&q=tournage")
    expect(page.get_by_label("Décrivez votre besoin")).to_have_value("")
    focus(page)
    page.keyboard.type("confection")
    page.keyboard.press("Enter")
    expect(page.locator("ol > li")).to_have_count(3)
    assert page.url == portal.page() + "&q=tournage"


def test_enter_in_a_place_asks_once(page: Page, portal: Portal) -> None:
    page.goto(portal.page("link") + "&q=tournage")
    page.evaluate(LISTEN)
    page.get_by_text("Affiner").click()
    page.get_by_label("Près de").fill("haute savoie")
    page.get_by_label("Près de").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("par correspondance et proximité")
    expect(page.locator("ol > li").first).to_contain_text("Cluses · même département")
    (asked,) = (detail for name, detail in heard(page) if name == "maillon-search")
    assert asked["near"] == {"department": "74", "max_km": None}


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (401, {}, "Cette page n'est pas autorisée à interroger l'annuaire."),
        (403, {}, "Cette page n'est pas autorisée à interroger l'annuaire."),
        (429, {"retry-after": "12"}, "Trop de demandes à la suite. Réessayez dans 12 s."),
        (503, {}, "Le serveur a répondu par une erreur (503). Réessayez dans un instant."),
    ],
)
def test_a_refusal_is_said_in_french(
    page: Page, portal: Portal, status: int, headers: dict[str, str], said: str
) -> None:
    page.goto(portal.page())
    allowed = {"access-control-allow-origin": "*", "access-control-expose-headers": "retry-after"}
    page.route("**/v1/*", lambda route: route.fulfill(status=status, headers=headers | allowed))
    focus(page)
    page.keyboard.type("tournage")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(said)


def test_a_judgement_that_fails_can_be_sent_again(page: Page, portal: Portal) -> None:
    page.goto(portal.page())
    focus(page)
    page.keyboard.type("tournage")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pertinent", exact=True).first.click()
    page.route("**/v1/feedback", lambda route: route.abort())
    page.keyboard.type("<b>proche</b>")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_role("alert").filter(has_text="Le serveur ne répond pas")).to_be_visible()
    page.unroute("**/v1/feedback")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_text("Merci, votre avis est enregistré.")).to_be_visible()
    (*_, said) = portal.journal.events("feedback")
    assert (said.value, said.reason) == (1, "<b>proche</b>")


def test_axe_finds_nothing_in_a_foreign_page(page: Page, portal: Portal) -> None:
    page.goto(portal.page())
    focus(page)
    page.keyboard.type("tournage")
    expect(page.get_by_role("listbox")).to_be_visible()
    assert flaws(page) == []
    page.keyboard.press("Enter")
    page.get_by_text("Affiner").click()
    page.get_by_text("Pourquoi ce résultat").first.click()
    page.get_by_role("button", name="Pertinent", exact=True).first.click()
    assert flaws(page) == []


@pytest.mark.parametrize(
    ("need", "said"),
    [("gardiennage de nuit", "Voici les plus proches"), (" ", "Décrivez votre besoin en quelques")],
    ids=["gap", "error"],
)
def test_axe_finds_nothing_where_nobody_fits_or_nothing_is_asked(
    page: Page, portal: Portal, need: str, said: str
) -> None:
    page.goto(portal.page())
    focus(page)
    page.keyboard.type(need)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text(said)
    assert flaws(page) == []


def test_every_sentence_can_be_replaced_by_the_one_that_the_documentation_gives() -> None:
    code = "".join((ROOT / f"api/static/{name}.js").read_text("utf-8") for name in MODULES)
    given = re.findall(r"^\| `([^`]+)` \|$", (DOCS / "embedding.md").read_text("utf-8"), re.M)
    assert len(given) > 50
    assert [text for text in given if f'"{text}"' not in code] == []
    assert [text for text in re.findall(r'\bt\("([^"]+)"', code) if text not in given] == []
