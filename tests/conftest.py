"""What the tests share: the fast embedded encoder, three invented suppliers, and a browser."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from itertools import product
from typing import Literal

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from embed.encoder import Encoder, load_encoder
from index.engine import SupplierIndex
from index.suppliers import Supplier

DECOLLETEUR = Supplier(
    id="arve",
    name="Décolletage de l'Arve",
    capabilities=("Décolletage inox 316L et laiton, Ø 3 à 32 mm", "Tournage CN petites séries"),
    department="74",
    city="Cluses",
    certifications=("EN 9100",),
    series=("petite", "moyenne"),
)
THERMOFORMEUR = Supplier(
    id="ain",
    name="Formes & Plaques",
    capabilities=("Thermoformage grand format ABS et PMMA, capots et coques en plastique",),
    department="01",
    city="Oyonnax",
    url="https://formes-plaques.example",
)
CONFECTION = Supplier(
    id="vendee",
    name="Coutures du Bocage",
    capabilities=("Confection de sacs et housses en toile enduite",),
    department="85",
)
FRENCH = [
    "tournage de pièces en inox",
    "fraisage cinq axes",
    "couture de sacs en toile",
    "broderie sur vêtements",
    "fonderie de bronze",
    "moulage de l'aluminium",
    "anodisation noire",
    "peinture en poudre",
]
DOMAINS = ["usinage", "usinage", "textile", "textile", "fonderie", "fonderie", "surface", "surface"]

Screen = tuple[int, int]
"""Width and height in CSS pixels."""

WIDE: Screen = (1280, 900)
PHONE: Screen = (390, 844)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
VIOLATIONS = """async () => {
    const rules = { "target-size": { enabled: true } };
    const { violations } = await axe.run({ preload: false, rules });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
}"""


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder("fast")


@pytest.fixture
def suppliers() -> list[Supplier]:
    return [DECOLLETEUR, THERMOFORMEUR, CONFECTION]


@pytest.fixture
def index(suppliers: list[Supplier], encoder: Encoder) -> SupplierIndex:
    return SupplierIndex.build(suppliers, encoder)


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an app on a free port, in a thread; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        thread.join(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, for all tests: one that calls `asyncio.run` does so in another thread."""
    if CHROMIUM is None and "CI" not in os.environ:
        pytest.skip("no Chromium here: apt-get install chromium (the CI run fails without it)")
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM)


@pytest.fixture
def screen() -> Screen:
    return WIDE


@pytest.fixture
def page(browser: Browser, screen: Screen) -> Iterator[Page]:
    """An empty page; an error or a dialog in it fails the test, and so does what is too wide.

    Only the API may answer with errors.
    """
    width, height = screen
    failures: list[str] = []

    def hear(line: ConsoleMessage) -> None:
        if line.type == "error" and "/v1/" not in line.location["url"]:
            failures.append(line.text)

    size: ViewportSize = {"width": width, "height": height}
    with closing(browser.new_context(viewport=size, locale="fr-FR")) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("dialog", lambda dialog: failures.append(f"dialog: {dialog.message}"))
        page.on("console", hear)
        yield page
        wide = too_wide(page)
    assert (failures, wide) == ([], False)


def too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def flaws(page: Page) -> list[str]:
    """What axe finds in a page, light and dark, on a wide screen and a phone, and what is too wide.

    The policy of the page stays as strict as it is: axe comes in by the debugger's door, and does
    not fetch the style sheets again (`preload`).
    """
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = []
    for scheme, (width, height) in product(SCHEMES, (WIDE, PHONE)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        seen = page.evaluate(VIOLATIONS) + ["too wide"] * too_wide(page)
        found += [f"{scheme}, {width} px: {flaw}" for flaw in seen]
    return found
