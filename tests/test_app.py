import json
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.limits import MAX_BODY
from api.sheets import XLSX
from embed.lexicon import read_lexicon
from index.engine import SupplierIndex


@pytest.fixture
def client(index: SupplierIndex) -> Iterator[TestClient]:
    with TestClient(create_app(index)) as client:
        yield client


def test_a_search_answers_with_the_supplier_its_capability_and_the_words(
    client: TestClient,
) -> None:
    answer = client.post("/v1/search", json={"need": "coudre des sacs en toile", "k": 1}).json()
    (first,) = answer["suggestions"]
    capability = "Confection de sacs et housses en toile enduite"
    marks = [capability[h["start"] : h["end"]] for h in first["highlights"]]
    assert {"sacs", "toile"} <= set(marks)
    assert (first["rank"], first["capability"]) == (1, capability)
    assert 0 < first["score"] <= 1
    assert first["supplier"] == {
        "id": "vendee",
        "name": "Coutures du Bocage",
        "capabilities": [capability],
        "department": "85",
        "postcode": None,
        "city": None,
        "lat": None,
        "lon": None,
        "certifications": [],
        "series": [],
        "naf": None,
        "siret": None,
        "url": None,
        "tags": [],
    }
    assert answer["read_as"] == "coudre des sacs en toile"
    assert any("sacs" in trade for trade in answer["trades"])
    assert set(first["trades"]) <= {entry.label for entry in read_lexicon()}
    assert answer["took_ms"] > 0


def test_a_slip_is_mended_and_told(client: TestClient) -> None:
    answer = client.post("/v1/search", json={"need": "confecsion de sacs", "k": 1}).json()
    assert answer["read_as"] == "confection de sacs"
    assert answer["suggestions"][0]["supplier"]["id"] == "vendee"


def test_a_link_answers_as_a_post_does(client: TestClient) -> None:
    posted = client.post("/v1/search", json={"need": "sacs en toile", "k": 2}).json()
    linked = client.get("/v1/search", params={"q": "sacs en toile", "k": 2}).json()
    assert linked["suggestions"] == posted["suggestions"]


def test_words_are_not_explained_when_not_asked(client: TestClient) -> None:
    body = {"need": "sacs", "explain": False}
    suggestions = client.post("/v1/search", json=body).json()["suggestions"]
    assert [s["highlights"] for s in suggestions] == [[], [], []]


def test_rerank_puts_given_suppliers_in_order(client: TestClient) -> None:
    given = [
        {"id": "a", "name": "Un", "capabilities": ["Forge libre"]},
        {"id": "b", "name": "Deux", "capabilities": ["Couture de sacs", "Broderie"]},
    ]
    answer = client.post("/v1/rerank", json={"need": "des sacs", "suppliers": given}).json()
    ranked = [(s["rank"], s["supplier"]["id"], s["capability"]) for s in answer["suggestions"]]
    assert ranked[0] == (1, "b", "Couture de sacs")
    assert ranked[1][:2] == (2, "a")


def test_rerank_of_its_own_answer_keeps_order_and_scores(client: TestClient) -> None:
    searched = client.post("/v1/search", json={"need": "des sacs"}).json()["suggestions"]
    given = [suggestion["supplier"] for suggestion in reversed(searched)]
    reranked = client.post("/v1/rerank", json={"need": "des sacs", "suppliers": given}).json()
    assert reranked["suggestions"] == searched


def test_health_says_what_is_served(client: TestClient) -> None:
    assert client.get("/v1/health").json() == {
        "status": "ok",
        "encoder": "maillon-static-3",
        "suppliers": 3,
    }


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"need": ""}, "the need holds no word."),
        ({"need": "🚲"}, "the need holds no word."),
        ({"need": "x" * 100_000}, "the need has 100,000 characters, at most 5,000 are read."),
        ({"need": "vis", "k": 0}, "body.k: Input should be greater than or equal to 1"),
        ({"need": "vis", "k": -1}, "body.k: Input should be greater than or equal to 1"),
        ({"need": "vis", "k": 10_000}, "body.k: Input should be less than or equal to 1000"),
        ({"need": 3}, "body.need: Input should be a valid string"),
        ({}, "body.need: Field required"),
        ([], "body: "),
    ],
)
def test_a_bad_search_is_a_422_that_says_why(client: TestClient, body: object, detail: str) -> None:
    answer = client.post("/v1/search", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(detail)
    assert len(answer.content) < 500


@pytest.mark.parametrize(
    ("content", "status"), [(b"{", 422), (b"\xff\xfe\x00", 400), (b'{"need": "\xff"}', 400)]
)
def test_a_body_that_is_no_json_is_a_problem(
    client: TestClient, content: bytes, status: int
) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/search", content=content, headers=headers)
    assert answer.status_code == answer.json()["status"] == status


@pytest.mark.parametrize("sent", ["text/plain", "text/json", "application/x-ndjson", ""])
def test_json_under_another_name_is_a_415_that_says_its_own(client: TestClient, sent: str) -> None:
    answer = client.post("/v1/search", content=b'{"need": "vis"}', headers={"content-type": sent})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "title": "Unsupported Media Type",
        "status": 415,
        "detail": "Send JSON: Content-Type: application/json.",
    }


@pytest.mark.parametrize("need", ["\x00vis", "أنا أبحث", "<script>alert(1)</script>", "\ud83d vis"])
def test_odd_needs_never_break_the_service(client: TestClient, need: str) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/search", content=json.dumps({"need": need}), headers=headers)
    assert answer.status_code in (200, 422)


def test_a_bad_supplier_is_named(client: TestClient) -> None:
    given = [{"id": "a", "name": "Un", "capabilities": [], "siret": "1"}]
    answer = client.post("/v1/rerank", json={"need": "des sacs", "suppliers": given})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("body.suppliers.0: ")


def test_a_body_too_large_is_a_413_declared_or_streamed(client: TestClient) -> None:
    def stream() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 1_000_000 + 1):
            yield b" " * 1_000_000

    headers = {"content-type": "application/json"}
    declared = client.post("/v1/rerank", content=b" " * (MAX_BODY + 1), headers=headers)
    streamed = client.post("/v1/rerank", content=stream(), headers=headers)
    for answer in (declared, streamed):
        assert answer.status_code == 413
        assert answer.json()["detail"] == (
            "At most 4,000,000 bytes are read. Send fewer suppliers at a time."
        )


def test_the_page_is_served_with_its_script_and_headers(client: TestClient) -> None:
    page = client.get("/")
    assert "Qui sait le fabriquer" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert client.get("/static/maillon-search.js").status_code == 200
    assert client.get("/static/../cli.py").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/v1/nope", 404, None),
        ("DELETE", "/nope", 404, None),
        ("GET", "/v1/rerank", 405, "POST"),
        ("POST", "/v1/health", 405, "GET"),
    ],
)
def test_unknown_paths_and_methods(
    client: TestClient, method: str, path: str, status: int, allowed: str | None
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers.get("allow")) == (status, allowed)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("supplier", "detail"),
    [
        ({"siret": "\ud800"}, "body.suppliers.0: SIRET invalide"),
        ({"colour": "red"}, "body.suppliers.0.colour: Unexpected keyword argument"),
        ({"id": "b"}, "body: an id stands twice among the suppliers."),
    ],
)
def test_a_supplier_that_cannot_be_ranked_is_a_422(
    client: TestClient, supplier: dict[str, str], detail: str
) -> None:
    least = {"id": "a", "name": "Un", "capabilities": ["Forge"]}
    body = json.dumps({"need": "vis", "suppliers": [least | supplier, least | {"id": "b"}]})
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/rerank", content=body, headers=headers)
    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (422, detail)


def test_a_rerank_is_bounded(client: TestClient) -> None:
    texts = [f"Forge {n}" for n in range(200)]
    given = [{"id": str(n), "name": "Un", "capabilities": texts} for n in range(101)]
    answer = client.post("/v1/rerank", json={"need": "vis", "suppliers": given})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("body: 20,200 capabilities, at most 20,000")


def test_the_openapi_document_shows_examples(client: TestClient) -> None:
    document = client.get("/v1/openapi.json").json()
    operation = document["paths"]["/v1/search"]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    assert client.post("/v1/search", json=body["example"]).status_code == 200
    assert set(operation["responses"]) == {
        "200",
        "400",
        "401",
        "403",
        "413",
        "415",
        "422",
        "429",
        "503",
    }
    assert list(operation["responses"]["422"]["content"]) == ["application/problem+json"]
    rerank = document["paths"]["/v1/rerank"]["post"]["requestBody"]["content"]
    assert client.post("/v1/rerank", json=rerank["application/json"]["example"]).status_code == 200


def test_the_openapi_document_tells_that_a_rerank_takes_and_gives_workbooks(
    client: TestClient,
) -> None:
    rerank = client.get("/v1/openapi.json").json()["paths"]["/v1/rerank"]["post"]
    for content in (rerank["requestBody"]["content"], rerank["responses"]["200"]["content"]):
        assert sorted(content) == ["application/json", XLSX]
        assert content[XLSX] == {"schema": {"type": "string", "format": "binary"}}
