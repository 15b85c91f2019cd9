"""A service of several directories: what each answers, and that none tells of another."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest
from conftest import CONFECTION, DECOLLETEUR, THERMOFORMEUR
from fastapi.testclient import TestClient

from api.keys import FILE, Keys
from api.service import create_service, names_of, open_directories
from api.settings import Settings
from embed.encoder import Encoder
from embed.errors import MaillonError
from eval.suite import read_suite
from index.engine import SupplierIndex
from index.export import write_suppliers
from index.suppliers import Supplier

METHODS = {"get", "post", "put", "delete"}


class Served(NamedTuple):
    """Two directories, `alpes` and `ouest`, and a secret key of each."""

    client: TestClient
    alpes: dict[str, str]
    ouest: dict[str, str]


class Workers(NamedTuple):
    """A service in processes of its own, a secret key of its directory, and its log."""

    server: subprocess.Popen[bytes]
    url: str
    headers: dict[str, str]
    log: Path


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def made(folder: Path, encoder: Encoder, suppliers: list[Supplier]) -> str:
    """An index folder of these suppliers; gives the token of a secret key."""
    index = SupplierIndex.create(folder, encoder)
    index.upsert(suppliers)
    index.close()
    keys = Keys(folder / FILE)
    token = keys.create("secret").token
    keys.close()
    return token


@pytest.fixture
def served(tmp_path: Path, encoder: Encoder) -> Iterator[Served]:
    alpes = made(tmp_path / "alpes.index", encoder, [DECOLLETEUR, THERMOFORMEUR])
    ouest = made(tmp_path / "ouest.index", encoder, [CONFECTION])
    folders = (tmp_path / "alpes.index", tmp_path / "ouest.index")
    service = create_service(open_directories(Settings(folders, keep_needs=30)), figures=True)
    with TestClient(service) as client:
        yield Served(client, bearer(alpes), bearer(ouest))


def test_each_directory_answers_under_its_name(served: Served) -> None:
    need = {"need": "sacs en toile", "k": 5}
    alpes = served.client.post("/alpes/v1/search", json=need, headers=served.alpes).json()
    ouest = served.client.post("/ouest/v1/search", json=need, headers=served.ouest).json()
    assert {s["supplier"]["id"] for s in alpes["suggestions"]} == {"arve", "ain"}
    assert {s["supplier"]["id"] for s in ouest["suggestions"]} == {"vendee"}
    for path in ("/v1/search?q=sacs", "/v1/health", "/nord/v1/health"):
        assert served.client.get(path).status_code == 404
    assert served.client.get("/").text == (
        "Ce service de recherche fonctionne. Chaque annuaire y a sa propre adresse : demandez-la "
        "à qui vous l’a fait connaître.\n"
    )


def test_no_key_of_one_opens_any_door_of_another(served: Served) -> None:
    document = served.client.get("/alpes/v1/openapi.json").json()
    doors = [
        (method, path)
        for path, operations in document["paths"].items()
        for method in operations.keys() & METHODS
        if path != "/v1/health"
    ]
    assert len(doors) >= 20
    for method, path in doors:
        one = path.replace("{one}", "vendee")
        crossed = served.client.request(method, f"/ouest{one}", headers=served.alpes, json={})
        assert (crossed.status_code, path) == (401, path)
        nobody = served.client.request(method, f"/ouest{one}", json={})
        assert (nobody.status_code, path) == (401, path)
    assert served.client.get("/ouest/v1/suppliers/vendee", headers=served.ouest).is_success


def test_what_one_is_told_another_does_not_hear(served: Served) -> None:
    client = served.client
    client.put("/alpes/v1/suppliers/neuf", headers=served.alpes, json=NEW)
    said = {"need": "vannerie", "supplier": "neuf", "relevant": True}
    assert client.post("/alpes/v1/feedback", headers=served.alpes, json=said).status_code == 204
    client.get("/alpes/v1/search?q=vannerie", headers=served.alpes)
    assert client.get("/ouest/v1/suppliers/neuf", headers=served.ouest).status_code == 404
    stats = client.get("/ouest/v1/stats", headers=served.ouest).json()
    assert stats == {
        "suppliers": 1,
        "encoder": "maillon-static-3",
        "needs_kept_days": 30,
        "counts": dict.fromkeys(("searches", "gaps", "relevant", "irrelevant", "judgements"), 0),
        "frequent": [],
        "unanswered": [],
    }
    assert client.get("/ouest/v1/events", headers=served.ouest).text == ""
    paths = ("/alpes/../ouest/v1/stats", "/alpes/static/../../ouest/v1/stats")
    assert [client.get(path, headers=served.alpes).status_code for path in paths] == [401, 401]


NEW = {"id": "neuf", "name": "Neuf", "capabilities": ["Vannerie d'osier"]}


def test_a_sheet_is_written_read_found_and_taken_out(served: Served) -> None:
    client, headers = served.client, served.alpes
    done = client.put("/alpes/v1/suppliers/neuf", json=NEW, headers=headers)
    assert done.json() == {"added": 1, "changed": 0, "unchanged": 0, "removed": 0}
    read = client.get("/alpes/v1/suppliers/neuf", headers=headers).json()
    assert (read["name"], read["capabilities"]) == ("Neuf", ["Vannerie d'osier"])
    found = client.get("/alpes/v1/search?q=panier en osier&k=1", headers=headers).json()
    assert found["suggestions"][0]["supplier"]["id"] == "neuf"
    like = client.get("/alpes/v1/suppliers/neuf/similar?k=1", headers=headers).json()
    assert like["suggestions"][0]["supplier"]["id"] in ("arve", "ain")
    gone = client.delete("/alpes/v1/suppliers/neuf", headers=headers)
    assert gone.json() == {"added": 0, "changed": 0, "unchanged": 0, "removed": 1}
    for method in ("GET", "DELETE"):
        absent = client.request(method, "/alpes/v1/suppliers/neuf", headers=headers)
        assert (absent.status_code, absent.json()["detail"]) == (
            404, "No supplier has the id 'neuf'.",
        )  # fmt: skip
    other = client.put("/alpes/v1/suppliers/autre", json=NEW, headers=headers)
    assert other.status_code == 422


def test_many_sheets_are_written_and_each_line_is_told(served: Served) -> None:
    lines = [
        json.dumps(NEW),
        "",
        '{"id": "x", "name": "X"}',
        "pas du JSON",
        json.dumps(NEW | {"id": "osier/2"}),
        json.dumps(NEW | {"id": "osier/2", "capabilities": ["Rotin"]}),
    ]
    headers = served.alpes | {"content-type": "application/x-ndjson"}
    url = "/alpes/v1/suppliers"
    told = served.client.post(url, content="\n".join(lines), headers=headers)
    assert [json.loads(line) for line in told.text.splitlines()] == [
        {"line": 1, "status": "stored", "id": "neuf", "detail": None},
        {
            "line": 3,
            "status": "rejected",
            "id": None,
            "detail": "champ « capabilities » absent. Ajoutez-le.",
        },
        {
            "line": 4,
            "status": "rejected",
            "id": None,
            "detail": "JSON illisible : « pas du JSON ». Corrigez la ligne.",
        },
        {
            "line": 5,
            "status": "rejected",
            "id": "osier/2",
            "detail": "identifiant redonné ligne 6, qui seule compte.",
        },
        {"line": 6, "status": "stored", "id": "osier/2", "detail": None},
    ]
    again = served.client.post(url, content=lines[0], headers=headers)
    assert json.loads(again.text)["status"] == "unchanged"
    slashed = served.client.get("/alpes/v1/suppliers/osier/2", headers=served.alpes)
    assert slashed.json()["capabilities"] == ["Rotin"]
    wrong = served.client.post(url, json=NEW, headers=served.alpes)
    assert wrong.status_code == 415


def test_a_file_brings_the_directory_up_to_date(served: Served) -> None:
    file = Path(__file__).with_name("annuaire.csv").read_bytes()
    url = "/ouest/v1/directory?kind=csv"
    first = served.client.post(url, content=file, headers=served.ouest).json()
    assert (first["read"], first["rejected"], first["changes"]["added"]) == (3, 1, 3)
    assert first["detected"].startswith("Windows-1252, séparateur « ; »")
    assert first["rejects"] == [
        {
            "line": 5,
            "reason": "SIRET invalide : « 123 ». Vérifiez ses quatorze chiffres ou videz la "
            "cellule.",
            "cells": ["Forge du Val d'Orbieu", "Lagrasse", "11220", "Forge libre", "", "123"],
        }
    ]
    assert first["header"][:2] == ["Raison sociale", "Commune"]
    long = ("nom;capacités;siret\n" + f"Forge;{'x' * 3_000_000};123\n" * 2).encode()
    told = served.client.post(url, content=long, headers=served.ouest).json()["rejects"]
    assert [len(one["cells"]) for one in told] == [3, 0]
    kept = served.client.post(f"{url}&sync=true", content=file, headers=served.ouest).json()
    assert kept["changes"] == {"added": 0, "changed": 0, "unchanged": 3, "removed": 0}
    whole = b"nom;savoir-faire\nVannerie;osier\n"
    synced = served.client.post(f"{url}&sync=true", content=whole, headers=served.ouest).json()
    assert synced["changes"] == {"added": 1, "changed": 0, "unchanged": 0, "removed": 4}
    broken = served.client.post(
        "/ouest/v1/directory?kind=xlsx", content=b"PK", headers=served.ouest
    )
    assert broken.status_code == 422


def test_pages_of_an_answer_follow_one_another(served: Served) -> None:
    whole = served.client.get("/alpes/v1/search?q=pièces&k=2", headers=served.alpes).json()
    day = whole["day"]
    second = served.client.get(
        f"/alpes/v1/search?q=pièces&k=1&offset=1&day={day}", headers=served.alpes
    ).json()
    assert second["suggestions"] == whole["suggestions"][1:]
    assert second["suggestions"][0]["rank"] == 2


def test_many_needs_are_answered_in_their_order(served: Served) -> None:
    body = {"needs": ["sacs en toile", "coques thermoformées"], "k": 1}
    answers = served.client.post("/alpes/v1/needs", json=body, headers=served.alpes).json()
    assert [one["read_as"] for one in answers["answers"]] == body["needs"]
    best = [one["suggestions"][0]["supplier"]["id"] for one in answers["answers"]]
    assert best[1] == "ain"


def test_feedback_and_grades_come_back_as_qrels_and_events(served: Served) -> None:
    client, headers = served.client, served.alpes
    grades = [
        {"need": "coques", "supplier": "ain", "grade": 2, "judge": "anne"},
        {"need": "coques", "supplier": "ain", "grade": 3, "judge": "anne"},
        {"need": "coques", "supplier": "arve", "grade": 0, "judge": "anne", "reason": "métal"},
    ]
    assert client.post("/alpes/v1/judgements", json=grades, headers=headers).status_code == 204
    said = {"need": "coques", "supplier": "ain", "relevant": True, "rank": 1}
    client.post("/alpes/v1/feedback", json=said, headers=headers)
    need = "1dc2d25a06a3"
    qrels = client.get("/alpes/v1/qrels", headers=headers).text
    assert qrels == f"{need} 0 ain 3\n{need} 0 arve 0\n"
    assert client.get("/alpes/v1/qrels?source=feedback", headers=headers).text == (
        f"{need} 0 ain 2\n"
    )
    events = client.get("/alpes/v1/events", headers=headers).text.splitlines()
    last = json.loads(events[-1])
    assert last.pop("timestamp").endswith("+00:00")
    assert last == {
        "application": "maillon",
        "query_id": need,
        "user_query": "coques",
        "action_name": "feedback",
        "event_attributes": {
            "object": {"object_id": "ain", "object_id_field": "supplier"},
            "position": {"ordinal": 1},
            "value": 1,
        },
    }
    unknown = client.post("/alpes/v1/feedback", json=said | {"supplier": "x"}, headers=headers)
    assert unknown.status_code == 404
    nobody = [grades[0], grades[0] | {"supplier": "x"}]
    refused = client.post("/alpes/v1/judgements", json=nobody, headers=headers)
    assert (refused.status_code, refused.json()["detail"]) == (
        404, "No supplier has the id 'x'.",
    )  # fmt: skip
    bad = client.post("/alpes/v1/judgements", json=[grades[0] | {"grade": 4}], headers=headers)
    assert bad.status_code == 422
    assert len(client.get("/alpes/v1/judgements", headers=headers).text.splitlines()) == 3


def test_what_judges_said_becomes_an_evaluation_suite(
    served: Served, encoder: Encoder, tmp_path: Path
) -> None:
    client, headers = served.client, served.alpes
    client.put("/alpes/v1/suppliers/neuf", json=NEW, headers=headers)
    grades = [
        {"need": need, "supplier": supplier, "grade": grade, "judge": "anne"}
        for need, supplier, grade in [
            ("coques", "ain", 3), ("coques", "neuf", 2), ("skis", "arve", 1), ("osier", "neuf", 3),
        ]
    ]  # fmt: skip
    client.post("/alpes/v1/judgements", json=grades, headers=headers)
    client.delete("/alpes/v1/suppliers/neuf", headers=headers)
    suite = tmp_path / "suite"
    suite.mkdir()
    for name, path in {"qrels.tsv": "qrels", "needs.jsonl": "qrels/needs"}.items():
        (suite / name).write_text(client.get(f"/alpes/v1/{path}", headers=headers).text)
    write_suppliers(suite / "suppliers.jsonl", [DECOLLETEUR, THERMOFORMEUR])
    read = read_suite(suite)
    assert [(need.text, need.gap, read.grades(need)) for need in read.needs] == [
        ("coques", False, {"ain": 3}),
        ("skis", True, {"arve": 1}),
    ]


def test_what_is_searched_and_what_nobody_answers_is_counted(served: Served) -> None:
    for need in ("sacs en toile", "Sacs en toile", "ski de fond en bambou"):
        served.client.get("/ouest/v1/search", params={"q": need}, headers=served.ouest)
    stats = served.client.get("/ouest/v1/stats", headers=served.ouest).json()
    assert [(one["times"], one["gaps"]) for one in stats["frequent"]] == [(2, 0), (1, 1)]
    assert [one["need"] for one in stats["unanswered"]] == ["ski de fond en bambou"]


def test_requests_are_logged_without_what_was_said(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "maillon.requests")
    token = served.alpes["authorization"]
    answer = served.client.get(
        "/alpes/v1/search?q=secret+de+fabrique",
        headers=served.alpes | {"x-request-id": "4bf92f35-77b3"},
    )
    assert answer.headers["x-request-id"] == "4bf92f35-77b3"
    line = json.loads(caplog.records[-1].message)
    assert (line.pop("ms") > 0, line.pop("time")[:2]) == (True, "20")
    assert line == {
        "request_id": "4bf92f35-77b3",
        "directory": "alpes",
        "method": "GET",
        "route": "/v1/search",
        "status": 200,
    }
    for said in ("secret", "fabrique", token, "testclient"):
        assert said not in caplog.text
    odd = served.client.get("/alpes/v1/health", headers={"x-request-id": "a b;{}"})
    assert odd.headers["x-request-id"] != "a b;{}"


def test_figures_name_routes_not_requests(served: Served) -> None:
    served.client.get("/alpes/v1/suppliers/arve", headers=served.alpes)
    text = served.client.get("/metrics").text
    route = 'directory="alpes",method="GET",route="/v1/suppliers/{one:path}",status="200"'
    assert f"maillon_requests_total{{{route}}}" in text
    assert "arve" not in text


def test_a_name_is_for_one_directory(tmp_path: Path) -> None:
    assert names_of([tmp_path / "a.index", tmp_path / "b"]) == ["a", "b"]
    with pytest.raises(MaillonError, match="'a' is taken as an address"):
        names_of([tmp_path / "a.index", tmp_path / "sub" / "a"])
    with pytest.raises(MaillonError, match="'metrics' is taken as an address"):
        names_of([tmp_path / "metrics", tmp_path / "b"])
    assert names_of([tmp_path / "metrics.index"]) == ["metrics"]  # served at the root


@pytest.fixture
def workers(tmp_path: Path, encoder: Encoder) -> Iterator[Workers]:
    """A service of one directory and two workers, as an operator starts it."""
    headers = bearer(made(tmp_path / "un.index", encoder, [CONFECTION]))
    command = [sys.executable, "-m", "api.cli", "serve", "--index", str(tmp_path / "un.index")]
    environment = os.environ | {"MAILLON_PORT": "18571", "MAILLON_WORKERS": "2"}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stderr=log)
    url = "http://127.0.0.1:18571/v1"
    try:
        wait_for(lambda: answers(f"{url}/health"))
        yield Workers(server, url, headers, tmp_path / "log")
    finally:
        server.kill()
        server.wait()


def test_workers_share_a_folder_and_stop_when_told(workers: Workers) -> None:
    url = workers.url
    written = httpx2.put(f"{url}/suppliers/neuf", json=NEW, headers=workers.headers)
    assert written.json()["added"] == 1
    seen = [httpx2.get(f"{url}/health").json()["suppliers"] for _ in range(20)]
    assert seen == [2] * 20  # whichever worker answers
    workers.server.send_signal(signal.SIGTERM)
    assert workers.server.wait(30) == 0


def test_a_worker_that_died_is_told_and_replaced_and_none_outlives_a_killed_parent(
    workers: Workers,
) -> None:
    parent = workers.server.pid
    one, other = sorted(started_by(parent))
    os.kill(one, signal.SIGKILL)
    wait_for(lambda: f"Child process [{one}] died\n" in workers.log.read_text())
    wait_for(lambda: len(started_by(parent)) == 2)
    replaced = started_by(parent)
    assert (one in replaced, other in replaced) == (False, True)
    workers.server.kill()
    wait_for(lambda: not any(map(is_worker, replaced)))
    assert not answers(f"{workers.url}/health")


def started_by(parent: int) -> set[int]:
    """The workers that a process has started and that are alive."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {one for one in map(int, children) if is_worker(one)}


def is_worker(process: int) -> bool:
    """Whether there is such a process; of a dead one the command is gone, or empty."""
    command = Path(f"/proc/{process}/cmdline")
    return command.exists() and "spawn_main" in command.read_text()


def answers(url: str) -> bool:
    try:
        return httpx2.get(url).is_success
    except httpx2.TransportError:
        return False


def wait_for(met: Callable[[], bool]) -> None:
    for _ in range(600):
        if met():
            return
        time.sleep(0.1)
    raise AssertionError("it has not come to pass in a minute")
