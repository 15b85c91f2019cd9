"""What the tests share: the fast embedded encoder, and three invented suppliers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from fastapi import FastAPI

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
