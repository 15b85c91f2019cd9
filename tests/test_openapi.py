"""What the API says of itself holds, and nothing that is sent to it makes it fail."""

import json
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from conftest import CONFECTION, DECOLLETEUR, THERMOFORMEUR, serving
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from api.app import create_app
from api.journal import Journal
from api.keys import Keys
from api.sheets import NDJSON
from embed.encoder import Encoder
from index.catalogue import MEMORY
from index.engine import SupplierIndex
from index.suppliers import Supplier

CONFIG = Path(__file__).with_name("schemathesis.toml")

few = settings(max_examples=50, deadline=None, derandomize=True, database=None)
texts = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates as well
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
sheets = st.fixed_dictionaries(
    {"id": texts | values, "name": texts | values, "capabilities": st.lists(texts) | values},
    optional=dict.fromkeys(list(Supplier.__dataclass_fields__)[3:], values),
)
lines = st.one_of(
    sheets.map(json.dumps).map(str.encode), values.map(json.dumps).map(str.encode), st.binary()
)
needs = st.one_of(texts, texts.map(lambda text: text * 200))


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    keys = Keys(MEMORY)
    yield keys
    keys.close()


@pytest.fixture(scope="module")
def secret(keys: Keys) -> str:
    return keys.create("secret").token


@pytest.fixture(scope="module")
def app(encoder: Encoder, keys: Keys) -> FastAPI:
    index = SupplierIndex.build([DECOLLETEUR, THERMOFORMEUR, CONFECTION], encoder)
    return create_app(index, keys, Journal(MEMORY, days=30))


@pytest.fixture(scope="module")
def client(app: FastAPI, secret: str) -> TestClient:
    return TestClient(app, headers={"authorization": f"Bearer {secret}"})


def test_every_answer_is_one_that_the_openapi_document_announces(
    app: FastAPI, secret: str, tmp_path: Path
) -> None:
    with serving(app) as url:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
                *("run", f"{url}v1/openapi.json", "-H", f"Authorization: Bearer {secret}"),
            ],
            cwd=tmp_path,  # where it writes down what it did
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout + done.stderr


@few
@given(content=st.lists(lines, max_size=5).map(b"\n".join))
@example(content=b"[" * 100_000)
def test_each_line_of_sheets_is_stored_or_told(client: TestClient, content: bytes) -> None:
    answer = client.post("/v1/suppliers", content=content, headers={"content-type": NDJSON})
    assert answer.status_code == 200
    told = [json.loads(line)["status"] for line in answer.text.split("\n") if line]
    assert len(told) == sum(bool(line.strip()) for line in content.split(b"\n"))
    assert set(told) <= {"stored", "unchanged", "rejected"}


def workbook() -> dict[str, bytes]:
    """The parts of a workbook of one supplier."""
    written = BytesIO()
    book = Workbook()
    for row in [["nom", "capacités"], ["Forge", "Estampage"]]:
        book.worksheets[0].append(row)
    book.save(written)
    with ZipFile(written) as file:
        return {name: file.read(name) for name in file.namelist()}


@few
@given(
    part=st.sampled_from(sorted(workbook())),
    place=st.floats(0, 1, exclude_max=True),
    wrong=st.sampled_from([b"<", b"/", b"&", b'"', b"0", b"a", b" "]) | st.binary(max_size=3),
)
def test_a_damaged_workbook_is_loaded_or_refused(
    client: TestClient, part: str, place: float, wrong: bytes
) -> None:
    written = BytesIO()
    with ZipFile(written, "w") as file:
        for name, content in workbook().items():
            at = int(place * len(content))
            damaged = content[:at] + wrong + content[at + 1 :]
            file.writestr(name, damaged if name == part else content)
    answer = client.post("/v1/directory", content=written.getvalue(), params={"kind": "xlsx"})
    assert answer.status_code in (200, 422), answer.text


@few
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.lists(lines, max_size=5).map(b"\n".join),
        st.binary(max_size=60).map(lambda tail: b"nom;capacit\xc3\xa9s\n" + tail),
    ),
    kind=st.sampled_from(["csv", "tsv", "xlsx", "jsonl"]),
)
@example(content=b"nom;capacites\nForge;" + b"[" * 100_000, kind="csv")
def test_any_file_is_loaded_or_refused(client: TestClient, content: bytes, kind: str) -> None:
    answer = client.post("/v1/directory", content=content, params={"kind": kind})
    assert answer.status_code in (200, 422), answer.text


@settings(few, max_examples=25)
@given(need=needs)
def test_any_need_is_answered_or_refused(client: TestClient, need: str) -> None:
    typed = {"content-type": "application/json"}
    for path, body in {
        "search": {"need": need},
        "needs": {"needs": [need]},
        "rerank": {"need": need, "suppliers": []},
        "feedback": {"need": need, "supplier": "arve", "relevant": True},
    }.items():
        answer = client.post(f"/v1/{path}", content=json.dumps(body), headers=typed)
        assert answer.status_code in (200, 204, 422), (path, answer.text)
    linked = client.get("/v1/search", params={"q": need.encode("utf-8", "surrogatepass")[:9_000]})
    assert linked.status_code in (200, 422), linked.text


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("search", {"need": "vis", "near": {"city": "\ud83d"}}, "near names no place"),
        ("search", {"need": "vis", "filters": {"departments": ["\ud83d"]}}, "inconnu : «  »"),
        ("search", {"need": "vis", "\ud83d": 1}, "valid string"),
        ("feedback", {"need": "\ud83d", "supplier": "a", "relevant": True}, "holds no word"),
        (
            "feedback",
            {"need": "vis", "supplier": "a", "relevant": True, "rank": 10**30},
            "less than or equal to 1000",
        ),
    ],
)
def test_halves_of_surrogate_pairs_and_huge_numbers_are_refused(
    client: TestClient, path: str, body: dict[str, object], said: str
) -> None:
    typed = {"content-type": "application/json"}
    answer = client.post(f"/v1/{path}", content=json.dumps(body), headers=typed)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
