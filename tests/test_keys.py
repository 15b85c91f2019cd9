"""Keys: made, found, refused; what each may do over HTTP, from which pages and how often."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from api.keys import Keys, KeysError, origin_of
from api.serving import app
from embed.encoder import Encoder
from index.engine import SupplierIndex

SITE = "https://www.cci.example"
SEARCH = {"need": "sacs en toile", "k": 1}
SHEET = {"id": "neuf", "name": "Neuf", "capabilities": ["Vannerie d'osier"]}


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    keys = Keys(tmp_path / "keys.sqlite")
    yield keys
    keys.close()


@pytest.fixture
def client(index: SupplierIndex, keys: Keys) -> Iterator[TestClient]:
    with TestClient(create_app(index, keys, rate="5/minute")) as client:
        yield client


def bearer(token: str, **headers: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", **headers}


def test_a_key_is_found_by_its_token_alone(keys: Keys) -> None:
    key, token = keys.create("publishable", "page d'accueil", [SITE + "/"])
    assert token.startswith(f"pk_{key.id}_")
    assert (key.kind, key.label, key.origins, key.revoked) == (
        "publishable", "page d'accueil", (SITE,), None,
    )  # fmt: skip
    assert keys.find(token) == key
    for wrong in ("", key.id, f"pk_{key.id}_", token[:-1], token + "x", "pk__", "\ud83d_a_b"):
        assert keys.find(wrong) is None


def test_no_token_is_kept_but_that_of_the_page(keys: Keys, tmp_path: Path) -> None:
    token = keys.create("secret").token
    page = keys.page_token()
    dump = "\n".join(sqlite3.connect(tmp_path / "keys.sqlite").iterdump())
    assert token not in dump
    assert page in dump
    assert keys.find(page) == keys.all()[-1] or keys.find(page) == keys.all()[0]


def test_a_revoked_key_is_revoked_at_once_and_in_other_processes(
    keys: Keys, tmp_path: Path
) -> None:
    key, token = keys.create("secret")
    other = Keys(tmp_path / "keys.sqlite")
    assert other.find(token) == key
    revoked = keys.revoke(key.id)
    assert revoked.revoked
    assert other.find(token) is None
    assert keys.revoke(key.id) == revoked
    with pytest.raises(KeysError, match="no key has the id 'nope'. maillon keys list shows them."):
        keys.revoke("nope")
    other.close()


@pytest.mark.parametrize(("given", "origin"), [
    ("https://CCI.example/", "https://cci.example"),
    ("https://cci.example:443", "https://cci.example"),
    ("http://localhost:8080", "http://localhost:8080"),
    ("https://métiers.example", "https://xn--mtiers-bva.example"),
])  # fmt: skip
def test_origins_are_written_as_browsers_send_them(given: str, origin: str) -> None:
    assert origin_of(given) == origin


@pytest.mark.parametrize(
    "given", ["cci.example", "*", "null", "https://", "https://cci.example/page", "file:///x",
              "https://user@cci.example", "https://cci.example:port"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(keys: Keys, given: str) -> None:
    with pytest.raises(KeysError, match="is no origin. Give scheme and host"):
        keys.create("publishable", origins=[given])
    assert keys.all() == []


def test_a_secret_key_is_for_no_page(keys: Keys) -> None:
    with pytest.raises(KeysError, match="a secret key has no origins"):
        keys.create("secret", origins=[SITE])


def test_without_keys_anybody_searches_and_nobody_writes(client: TestClient) -> None:
    assert client.post("/v1/search", json=SEARCH).status_code == 200
    assert client.put("/v1/suppliers/neuf", json=SHEET).status_code == 401


def test_from_the_first_key_on_one_is_needed(client: TestClient, keys: Keys) -> None:
    token = keys.create("publishable").token
    refused = client.post("/v1/search", json=SEARCH)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json() == {
        "title": "Unauthorized",
        "status": 401,
        "detail": "A key is needed: Authorization: Bearer pk_…",
    }
    assert client.post("/v1/search", json=SEARCH, headers=bearer(token)).status_code == 200
    unknown = client.post("/v1/search", json=SEARCH, headers=bearer("pk_x_y"))
    assert unknown.json()["detail"] == "This key is not known, or was revoked."


def test_a_publishable_key_searches_and_does_nothing_else(client: TestClient, keys: Keys) -> None:
    token = keys.create("publishable").token
    for method, path in [
        ("PUT", "/v1/suppliers/neuf"), ("DELETE", "/v1/suppliers/arve"), ("POST", "/v1/suppliers"),
        ("POST", "/v1/rerank"),
    ]:  # fmt: skip
        answer = client.request(method, path, json=SHEET, headers=bearer(token))
        assert (answer.status_code, answer.json()["detail"]) == (
            403, "This key may search only. Use a secret one: sk_…",
        )  # fmt: skip


def test_a_secret_key_writes_and_is_not_counted(client: TestClient, keys: Keys) -> None:
    headers = bearer(keys.create("secret").token)
    for _ in range(8):
        stored = client.put("/v1/suppliers/neuf", json=SHEET, headers=headers)
        assert stored.status_code == 200
    found = client.post("/v1/search", json={"need": "vannerie d'osier", "k": 1}, headers=headers)
    assert found.json()["suggestions"][0]["supplier"]["id"] == "neuf"


def test_who_asks_too_often_is_told_when_to_come_back(client: TestClient, keys: Keys) -> None:
    one, other = (keys.create("publishable").token for _ in range(2))
    codes = [client.get("/v1/complete?q=th", headers=bearer(one)).status_code for _ in range(6)]
    assert codes == [200, 200, 200, 200, 200, 429]
    refused = client.get("/v1/complete?q=th", headers=bearer(one))
    wait = int(refused.headers["retry-after"])
    assert 1 <= wait <= 60
    assert refused.json()["detail"] == (
        f"More than 5 per 1 minute from this address. Try again in {wait} s."
    )
    assert client.get("/v1/complete?q=th", headers=bearer(other)).status_code == 200


def test_tries_at_keys_are_counted(client: TestClient, keys: Keys) -> None:
    keys.create("secret")
    codes = [client.get("/v1/stats", headers=bearer(f"sk_a_{n}")).status_code for n in range(6)]
    assert codes == [401, 401, 401, 401, 401, 429]


def test_a_page_of_another_site_may_not_use_a_key(client: TestClient, keys: Keys) -> None:
    token = keys.create("publishable", origins=[SITE]).token
    own = client.get("/v1/complete?q=th", headers=bearer(token, origin=SITE))
    assert own.status_code == 200
    other = client.get("/v1/complete?q=th", headers=bearer(token, origin="https://evil.example"))
    assert other.status_code == 403
    assert other.json()["detail"] == "No key was given that is for pages of https://evil.example."
    assert other.headers["access-control-allow-origin"] == "*"  # so that the page can tell why
    server = client.get("/v1/complete?q=th", headers=bearer(token))
    assert server.status_code == 200


def test_browsers_may_search_from_other_sites_and_never_write(client: TestClient) -> None:
    def preflight(method: str) -> int:
        return client.options(
            "/v1/search",
            headers={
                "origin": SITE,
                "access-control-request-method": method,
                "access-control-request-headers": "authorization, content-type",
            },
        ).status_code

    assert (preflight("POST"), preflight("PUT")) == (200, 400)


def test_an_open_directory_is_for_its_own_pages_alone(client: TestClient) -> None:
    codes = [
        client.get("/v1/complete?q=th", headers={"origin": origin}).status_code
        for origin in ("http://testserver", "https://evil.example")
    ]
    assert codes == [200, 403]


def test_the_services_own_page_brings_a_key_for_itself_alone(
    client: TestClient, keys: Keys
) -> None:
    assert 'key=""' in client.get("/").text
    keys.create("secret")
    token = keys.page_token()
    assert f'key="{token}"' in client.get("/").text
    own = bearer(token, origin="http://testserver")
    assert client.post("/v1/search", json=SEARCH, headers=own).status_code == 200
    foreign = bearer(token, origin=SITE)
    assert client.post("/v1/search", json=SEARCH, headers=foreign).status_code == 403
    keys.revoke("page")
    assert client.get("/").status_code == 404
    assert client.post("/v1/search", json=SEARCH, headers=own).status_code == 401


def test_the_key_of_the_page_is_brought_back_after_it_was_revoked(
    client: TestClient, keys: Keys
) -> None:
    with pytest.raises(KeysError, match="needs no key: none was made"):
        keys.renew_page()
    keys.create("secret")
    old = keys.page_token()
    keys.revoke("page")
    assert client.get("/").json()["detail"] == (
        "The key of this search page was revoked. maillon keys page makes another."
    )
    keys.renew_page()
    token = keys.page_token()
    assert f'key="{token}"' in client.get("/").text
    codes = [
        client.post("/v1/search", json=SEARCH, headers=bearer(one)).status_code
        for one in (token, old)
    ]
    assert codes == [200, 401]
    assert [key.id for key in keys.all()].count("page") == 1


def test_who_revokes_the_key_of_the_page_is_told_how_to_make_another(
    tmp_path: Path, encoder: Encoder
) -> None:
    folder = tmp_path / "a.index"
    SupplierIndex.create(folder, encoder).close()
    told = [
        CliRunner().invoke(app, ["keys", *command, "--index", str(folder)])
        for command in (["create", "--secret"], ["revoke", "page"], ["page"])
    ]
    assert [one.exit_code for one in told] == [0, 0, 0]
    assert told[1].stderr == "The search page is closed; maillon keys page opens it again.\n"
    revoked, renewed = told[1].stdout, told[2].stdout
    assert (", revoked 20" in revoked, ", revoked" in renewed) == (True, False)
    assert renewed.startswith("page publishable (page de recherche), made 20")


def test_keys_are_their_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    (tmp_path / "old.sqlite").touch(0o644)
    before = os.umask(0)
    try:
        for name in ("new.sqlite", "old.sqlite"):
            Keys(tmp_path / name).create("secret")
    finally:
        os.umask(before)
    rights = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    names = [f"{one}.sqlite{end}" for one in ("new", "old") for end in ("", "-shm", "-wal")]
    assert rights == dict.fromkeys(names, 0o600)


def test_scripts_are_for_every_page(client: TestClient) -> None:
    script = client.get("/static/maillon-search.js", headers={"origin": SITE})
    assert (script.status_code, script.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"],
)
def test_no_file_outside_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
