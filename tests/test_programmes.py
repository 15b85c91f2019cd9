"""`POST /v1/rerank` with a workbook: the same workbook, answered."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Event
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from conftest import CONFECTION, THERMOFORMEUR
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from openpyxl import Workbook, load_workbook

from api.access import Access
from api.keys import Keys
from api.limits import MAX_BODY, SizeLimit
from api.problems import add_problems
from api.programme import MAX_LINES, MAX_PROGRAMME, MAX_UNPACKED, programme_routes
from api.searching import batch_routes
from api.sheets import XLSX
from embed.encoder import Encoder
from index.catalogue import MEMORY
from index.engine import SupplierIndex
from index.needs import Answered, Need

PROGRAMME: list[list[str | None]] = [
    ["Besoin", "Département"],
    ["des sacs en toile", "85"],
    [None, "01"],
]
SHEET = "xl/worksheets/sheet1.xml"


def workbook(*rows: Sequence[str | None]) -> bytes:
    book, file = Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """A workbook of which one part is another."""
    out = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for one in {*old.namelist(), name}:
            new.writestr(one, part if one == name else old.read(one))
    return out.getvalue()


@pytest.fixture(scope="module")
def index(encoder: Encoder) -> Iterator[SupplierIndex]:
    built = SupplierIndex.build([CONFECTION, THERMOFORMEUR], encoder)
    yield built
    built.close()


def client(index: SupplierIndex, keys: Keys) -> TestClient:
    app = FastAPI()
    app.add_middleware(SizeLimit)
    add_problems(app)
    access = Access.of(keys)
    app.include_router(programme_routes(index, access))
    app.include_router(batch_routes(index, access))
    return TestClient(app)


@pytest.fixture
def service(index: SupplierIndex) -> Iterator[TestClient]:
    with client(index, Keys(MEMORY)) as service:
        yield service


def send(service: TestClient, content: bytes, query: str = "", **headers: str) -> Response:
    return service.post(
        f"/v1/rerank{query}", content=content, headers={"content-type": XLSX} | headers
    )


def test_a_workbook_comes_back_answered(service: TestClient, index: SupplierIndex) -> None:
    answer = send(service, workbook(*PROGRAMME), "?k=1&local_km=50&near=Lyon")
    assert (answer.status_code, answer.headers["content-type"]) == (200, XLSX)
    confidence = index.search("des sacs en toile")[0].confidence
    assert list(load_workbook(BytesIO(answer.content)).active.iter_rows(values_only=True)) == [
        (*PROGRAMME[0], "Fournisseur 1", "Confiance 1", "Fournisseurs locaux (50 km)",
         "Sans réponse"),
        (*PROGRAMME[1], "Coutures du Bocage (85)", confidence, 1, None),
        (*PROGRAMME[2], None, None, None, None),
    ]  # fmt: skip


def test_json_on_the_same_path_is_one_need_with_its_suppliers(service: TestClient) -> None:
    given = [{"id": "a", "name": "Un", "capabilities": ["Couture de sacs"]}]
    answer = service.post("/v1/rerank", json={"need": "des sacs", "suppliers": given})
    assert [one["supplier"]["id"] for one in answer.json()["suggestions"]] == ["a"]
    assert service.get("/v1/rerank").status_code == 405


@pytest.mark.parametrize(
    ("content", "query", "detail"),
    [
        (b"besoin;lot", "", "classeur illisible (File is not a zip file). Envoyez un .xlsx."),
        (workbook(["Article"], ["x"]), "", "programme.xlsx : aucune ligne de titres reconnue."),
        (workbook(["besoin"], [None]), "", "programme.xlsx : aucun besoin."),
        (workbook(*PROGRAMME), "?near=Oz", "lieu inconnu : « Oz »."),
        (workbook(*PROGRAMME), "?k=0", "query.k: Input should be greater than or equal to 1"),
        (workbook(["besoin", "fournisseurs"], ["sacs", "x"]), "",
         "besoin 2 : fournisseur « x » absent de l'annuaire."),
        (workbook(["besoin"], *([f"vis {n}"] for n in range(MAX_PROGRAMME + 1))), "",
         "5001 besoins, 5000 au plus."),
        (workbook(["besoin"], ["vis"], *([[None]] * MAX_LINES), ["écrou"]), "",
         "programme.xlsx : plus de 20000 lignes (vides comprises) de 30 colonnes en moyenne."),
        (with_part(workbook(["besoin"]), SHEET, b"<worksheet><sheetData><row>"), "",
         "programme.xlsx : classeur illisible (no element found"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_a_problem(
    service: TestClient, content: bytes, query: str, detail: str
) -> None:
    answer = send(service, content, query)
    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (422, detail)


def test_bombs_are_refused(service: TestClient) -> None:
    blank = with_part(workbook(*PROGRAMME), "xl/media/i.png", bytes(MAX_UNPACKED))
    assert len(blank) < 100_000
    assert "une fois décompressé, 25000000 au plus" in send(service, blank).json()["detail"]
    nested = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 50) for n in range(1, 12))
    laughs = (
        b'<!DOCTYPE x [<!ENTITY e0 "lol">%s]><worksheet><sheetData><row><c t="inlineStr"><is><t>'
        b"&e11;</t></is></c></row></sheetData></worksheet>" % nested
    )
    answer = send(service, with_part(workbook(*PROGRAMME), SHEET, laughs))
    assert (answer.status_code, answer.json()["detail"][:38]) == (
        422,
        "programme.xlsx : classeur illisible (l",
    )
    assert send(service, bytes(MAX_BODY + 1)).status_code == 413


def test_one_programme_is_answered_at_a_time(
    service: TestClient, index: SupplierIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, going_on, answer = Event(), Event(), index.answer

    def slow(needs: Sequence[Need], k: int, local_km: float) -> list[Answered]:
        begun.set()
        assert going_on.wait(30)
        return answer(needs, k, local_km)

    monkeypatch.setattr(index, "answer", slow)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(send, service, workbook(*PROGRAMME))
        assert begun.wait(30)
        second = send(service, workbook(*PROGRAMME))
        going_on.set()
        assert first.result().status_code == 200
    assert (second.status_code, second.headers["retry-after"]) == (429, "30")
    assert send(service, workbook(*PROGRAMME)).status_code == 200


def test_where_there_are_keys_a_secret_one_is_needed(index: SupplierIndex) -> None:
    keys = Keys(MEMORY)
    secret = keys.create("secret").token
    with client(index, keys) as closed:
        assert send(closed, workbook(*PROGRAMME)).status_code == 401
        allowed = send(closed, workbook(*PROGRAMME), authorization=f"Bearer {secret}")
        assert allowed.status_code == 200
