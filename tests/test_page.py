"""The search page in a real browser (Debian's Chromium), against the real service."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from api.app import create_app
from embed.encoder import Encoder
from index.engine import SupplierIndex
from index.suppliers import Supplier

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = Supplier(
    id="x",
    name="<img src=x onerror=alert(1)>",
    capabilities=("Forge <script>alert(2)</script> 🔥 libre et estampage",),
)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="no Chromium here: apt-get install chromium (the CI run fails without it)",
)


@pytest.fixture(scope="module")
def url(encoder: Encoder) -> Iterator[str]:
    from conftest import CONFECTION, DECOLLETEUR, THERMOFORMEUR, serving

    others = [Supplier(f"o{n:02}", f"Atelier {n}", (f"Usinage numéro {n}",)) for n in range(12)]
    suppliers = [DECOLLETEUR, THERMOFORMEUR, CONFECTION, HOSTILE, *others]
    with serving(create_app(SupplierIndex.build(suppliers, encoder))) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["wide", "phone"])
def page(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, locale="fr-FR")
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("dialog", lambda dialog: failures.append(f"dialog: {dialog.message}"))
    page.on("console", lambda line: failures.append(line.text) if line.type == "error" else None)
    page.goto(url)
    yield page
    overflow = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    context.close()
    assert (failures, overflow) == ([], False)


def test_a_need_typed_by_keyboard_gives_suggestions(page: Page) -> None:
    page.keyboard.type("faire coudre des sacs en toile")
    page.keyboard.press("Enter")
    first = page.locator("#suggestions > li").first
    expect(first.get_by_role("heading")).to_have_text("Coutures du Bocage")
    expect(first.locator(".capability")).to_have_text(
        "Confection de sacs et housses en toile enduite"
    )
    expect(first.locator("mark", has_text="sacs")).to_be_visible()
    expect(first.get_by_text("Département 85")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("10 premiers fournisseurs")


def test_more_suggestions_and_the_way_back(page: Page, url: str) -> None:
    page.get_by_role("button", name="anodisation").click()
    expect(page.locator("#suggestions > li")).to_have_count(10)
    page.get_by_role("button", name="Voir plus").click()
    expect(page.locator("#suggestions > li")).to_have_count(16)
    expect(page.get_by_role("button", name="Voir plus")).to_be_hidden()
    page.go_back()
    expect(page.locator("#suggestions > li")).to_have_count(0)
    expect(page.get_by_role("heading", name="Par exemple")).to_be_visible()
    assert page.url == url


def test_a_link_opens_its_answer(page: Page, url: str) -> None:
    page.goto(f"{url}?q=d%C3%A9colletage+inox")
    expect(page.get_by_label("Décrivez votre besoin")).to_have_value("décolletage inox")
    first = page.locator("#suggestions > li").first
    expect(first).to_contain_text("EN 9100")
    first.get_by_text("1 autre capacité").click()
    expect(first.get_by_text("Tournage CN petites séries")).to_be_visible()


def test_text_from_outside_stays_text(page: Page, url: str) -> None:
    page.get_by_label("Décrivez votre besoin").fill("<b>forge</b> libre et estampage 🔥")
    page.get_by_role("button", name="Chercher").click()
    first = page.locator("#suggestions > li").first
    expect(first.get_by_role("heading")).to_have_text("<img src=x onerror=alert(1)>")
    expect(first.locator(".capability")).to_have_text(
        "Forge <script>alert(2)</script> 🔥 libre et estampage"
    )
    expect(first.locator("mark", has_text="estampage")).to_have_text("estampage")


def test_an_error_is_said_in_french(page: Page) -> None:
    page.get_by_label("Décrivez votre besoin").fill("   ")
    page.get_by_role("button", name="Chercher").click()
    expect(page.get_by_role("status")).to_have_text("Décrivez votre besoin en quelques mots.")


def test_a_late_answer_does_not_come_back_after_home(page: Page, url: str) -> None:
    def late(route: Route) -> None:
        page.wait_for_timeout(700)
        route.continue_()

    page.route("**/v1/search", late)
    page.get_by_role("button", name="anodisation").click()
    page.go_back()
    page.wait_for_timeout(1_200)
    expect(page.locator("#suggestions > li")).to_have_count(0)
    expect(page.get_by_label("Décrivez votre besoin")).to_have_value("")


def test_what_was_read_stays_when_the_server_stops(page: Page) -> None:
    page.get_by_role("button", name="anodisation").click()
    expect(page.locator("#suggestions > li")).to_have_count(10)
    page.route("**/v1/search", lambda route: route.fulfill(status=200, body="<html>proxy</html>"))
    page.get_by_role("button", name="Voir plus").click()
    expect(page.get_by_role("status")).to_contain_text("n'a pas pu être lue")
    expect(page.locator("#suggestions > li")).to_have_count(10)
