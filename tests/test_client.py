"""The Python client against the service itself, and the examples of its documentation."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import CONFECTION, DECOLLETEUR, THERMOFORMEUR, serving
from test_docs import close

from api.administration import State
from api.app import Health, create_app
from api.client import Client, ServiceError
from api.journal import Feedback, Journal, Judgement, need_id
from api.keys import Keys
from api.sheets import Imported, Line, Rejected
from embed.encoder import DEEP, EMBEDDED, FAST
from embed.errors import MaillonError
from index.catalogue import MEMORY, Changes
from index.completion import Completion
from index.engine import SupplierIndex
from index.facets import Filters
from index.suppliers import Supplier

API = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
FILE_OF_THREE = Path(__file__).with_name("annuaire.csv")
NEW = Supplier("neuf/1 é", "Neuf", ("Vannerie d'osier",), certifications=("EN 9100",))


class Served(NamedTuple):
    """A directory of three suppliers that is served, with a key of each kind."""

    url: str
    secret: str
    publishable: str
    directory: SupplierIndex


@pytest.fixture
def served(index: SupplierIndex) -> Iterator[Served]:
    with ExitStack() as stack:
        keys = stack.enter_context(closing(Keys(MEMORY)))
        journal = stack.enter_context(closing(Journal(MEMORY, days=30)))
        app = create_app(index, keys, journal, rate="2/second")
        secret, publishable = (keys.create(kind).token for kind in ("secret", "publishable"))
        yield Served(stack.enter_context(serving(app)), secret, publishable, index)


@pytest.fixture
def maillon(served: Served) -> Iterator[Client]:
    with Client(served.url, served.secret) as maillon:
        yield maillon


def ids(client: Client, need: str, k: int) -> list[list[str]]:
    return [[one.supplier.id for one in page.suggestions] for page in client.pages(need, k)]


def test_a_search_answers_with_what_the_index_answers(maillon: Client, served: Served) -> None:
    answer = maillon.search("sacs en toile", k=2)
    assert answer.suggestions == served.directory.search(
        "sacs en toile", 2, explain=True, day=answer.day
    )
    assert answer.read_as == "sacs en toile"


def test_filters_facets_and_a_place_in_the_text_are_answered(maillon: Client) -> None:
    only = Filters(departments=("Haute-Savoie",))
    answer = maillon.search("tournage près de Lyon", filters=only, facets=True, ignore=("x",))
    assert [one.supplier for one in answer.suggestions] == [DECOLLETEUR]
    assert answer.facets == maillon.facets(only)
    assert maillon.facets(only)["certifications"] == {"EN 9100": 1}
    assert maillon.facets(city="Lyon", max_km=100)["departments"] == {"01": 1}
    assert [(wish.kind, wish.label) for wish in answer.wishes] == [("near", "autour de Lyon")]


def test_pages_follow_one_another_until_there_are_no_more(maillon: Client) -> None:
    (whole,) = ids(maillon, "sacs en toile", 4)
    assert ids(maillon, "sacs en toile", 2) == [whole[:2], whole[2:]]
    assert ids(maillon, "sacs en toile", 3) == [whole, []]


def test_a_need_being_typed_is_completed(maillon: Client) -> None:
    (only,) = maillon.complete("confection de sacs et ho", k=1).completions
    assert only == Completion("Confection de sacs et housses en toile enduite", "capability")


def test_given_suppliers_and_many_needs_are_answered(maillon: Client, served: Served) -> None:
    ranked = maillon.rerank("des paniers", [DECOLLETEUR, NEW], explain=False)
    assert [one.supplier for one in ranked.suggestions] == [NEW, DECOLLETEUR]
    first, second = maillon.needs(["sacs en toile", "coques en ABS"], k=1).answers
    assert [one.supplier for one in first.suggestions] == [CONFECTION]
    assert [one.supplier for one in second.suggestions] == [THERMOFORMEUR]


def test_a_sheet_is_written_read_compared_and_taken_out(maillon: Client) -> None:
    assert maillon.put(NEW) == Changes(added=1)
    assert maillon.supplier(NEW.id) == NEW
    assert {one.supplier.id for one in maillon.similar(NEW.id, 3).suggestions} == {
        "arve", "ain", "vendee",
    }  # fmt: skip
    assert maillon.delete(NEW.id) == Changes(removed=1)
    with pytest.raises(ServiceError) as refused:
        maillon.supplier(NEW.id)
    assert str(refused.value) == "Not Found (404): No supplier has the id 'neuf/1 é'."


@pytest.mark.parametrize("one", ["..", ".", "arve/similar", "a/../b", "/", "%2F", "é ?#&=;\\"])
def test_every_id_has_an_address(maillon: Client, one: str) -> None:
    odd = Supplier(one, "Neuf", ("Vannerie d'osier",))
    assert maillon.put(odd) == Changes(added=1)
    assert maillon.supplier(one) == odd
    assert len(maillon.similar(one, 2).suggestions) == 2
    assert maillon.delete(one) == Changes(removed=1)
    assert [line.status for line in maillon.bulk([odd])] == ["stored"]
    assert maillon.supplier(one) == odd


def test_more_sheets_than_go_at_once_are_all_written_and_told_in_order(maillon: Client) -> None:
    many = [Supplier(f"f{n}", f"Forge {n}", ("Forge libre\u2028à chaud",)) for n in range(201)]
    told = [Line(n, "stored", f"f{n - 1}") for n in range(1, 202)]
    assert maillon.bulk(iter(many)) == told
    assert maillon.bulk(many[:1]) == [Line(1, "unchanged", "f0")]
    assert maillon.bulk([]) == []
    assert maillon.health() == Health("ok", FAST, 204)


def test_a_file_is_loaded_and_its_bad_line_told(maillon: Client) -> None:
    bad = "SIRET invalide : « 123 ». Vérifiez ses quatorze chiffres ou videz la cellule."
    header = ["Raison sociale", "Commune", "Code postal", "Savoir-faire", "Séries", "SIRET"]
    cells = ["Forge du Val d'Orbieu", "Lagrasse", "11220", "Forge libre", "", "123"]
    assert maillon.load(FILE_OF_THREE, sync=True) == Imported(
        "Windows-1252, séparateur « ; » ; colonnes ignorées : Téléphone",
        [*header, "Téléphone"], 3, Changes(added=3), 1, [Rejected(5, bad, cells)],
    )  # fmt: skip


def test_what_people_say_is_kept_and_given_back(maillon: Client) -> None:
    maillon.search("des vis")
    maillon.feedback(Feedback("des vis", "arve", relevant=False, reason="trop loin"))
    maillon.judge([Judgement("des vis", "arve", 3, "Léa"), Judgement("des vis", "ain", 0, "Léa")])
    kept = [(one.supplier, one.value, one.judge) for one in maillon.judgements()]
    assert kept == [("arve", 3, "Léa"), ("ain", 0, "Léa")]
    need = need_id("des vis")
    assert maillon.qrels() == f"{need} 0 arve 3\n{need} 0 ain 0\n"
    assert maillon.qrels("feedback") == f"{need} 0 arve 0\n"
    line = f'{{"id": "{need}", "text": "des vis", "gap": %s}}\n'
    assert maillon.judged_needs() == line % "false"
    assert maillon.judged_needs("feedback") == line % "true"
    actions = [event.get("action_name", "search") for event in maillon.events()]
    assert actions == ["search", "feedback", "judgement", "judgement"]
    assert len(maillon.events(after=3)) == 1
    stats = maillon.stats()
    assert (stats.suppliers, stats.counts["judgements"]) == (3, 2)
    assert [(asked.need, asked.times) for asked in stats.frequent] == [("des vis", 1)]


def test_the_state_is_told_and_an_index_in_memory_keeps_its_encoder(maillon: Client) -> None:
    assert maillon.state() == State(3, FAST, (EMBEDDED, FAST, DEEP), 4, 0, None)
    with pytest.raises(ServiceError, match=r"Conflict \(409\): This directory is in memory only"):
        maillon.change_encoder("maillon-static-3")


def test_a_refusal_carries_what_the_service_says(served: Served) -> None:
    maillon = Client(served.url, served.publishable)
    with maillon, pytest.raises(ServiceError) as refused:
        maillon.delete("arve")
    said = refused.value
    assert (said.title, said.status, said.detail, said.retry_after) == (
        "Forbidden", 403, "This key may search only. Use a secret one: sk_…", None,
    )  # fmt: skip


def test_who_asks_too_often_waits_once_unless_told_otherwise(served: Served) -> None:
    with Client(served.url, served.publishable) as patient:
        assert [len(patient.complete("tourn", k=1).completions) for _ in range(5)] == [1] * 5
    hasty = Client(served.url, served.publishable, retries=0)
    with hasty, pytest.raises(ServiceError) as refused:
        [hasty.complete("tourn") for _ in range(3)]
    assert (refused.value.status, refused.value.retry_after) == (429, 1)


@pytest.mark.parametrize(("key", "wrong"), [("sk_é", "'é'"), ("sk_a\n", "'\\n'"), ("…", "'…'")])
def test_what_is_no_key_is_refused_without_being_told(key: str, wrong: str) -> None:
    with pytest.raises(MaillonError) as refused:
        Client("http://127.0.0.1:9", key)
    assert str(refused.value) == (
        f"the key holds {wrong}, as none does. Give it as maillon keys create told it."
    )


def test_a_service_that_does_not_answer_is_an_error_of_the_same_kind() -> None:
    nobody = Client("http://127.0.0.1:9", timeout=5)
    with nobody, pytest.raises(ServiceError, match="The service does not answer: http:") as error:
        nobody.health()
    assert (error.value.status, error.value.retry_after) == (None, None)


def test_an_answer_that_is_no_maillons_is_told(served: Served) -> None:
    elsewhere = Client(f"{served.url}nowhere", served.secret)
    with elsewhere, pytest.raises(ServiceError, match=r"^Not Found \(404\): Not Found$"):
        elsewhere.health()


def test_the_client_needs_neither_torch_nor_faiss() -> None:
    program = "import sys, api.client; print({'torch', 'faiss', 'spacy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "set()"


def ran(served: Served, folder: Path, command: list[str]) -> str:
    told = {"MAILLON": served.url.rstrip("/"), "KEY": served.secret, "CURL_HOME": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **told}, capture_output=True, text=True
    )
    assert done.returncode == 0, (command[-1], done.stdout, done.stderr)
    return done.stdout


def lasting(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what depends on the moment."""
    return {name: value for name, value in answer.items() if name not in ("day", "took_ms")}


def test_the_curl_examples_answer_what_the_documentation_shows(
    served: Served, tmp_path: Path
) -> None:
    shutil.copy(FILE_OF_THREE, tmp_path)
    (tmp_path / ".curlrc").write_text("silent\nfail-with-body\nwrite-out=\\n\n")
    examples = re.findall(r"```sh\n(.+?)```(?:\n\n```json\n(.+?)```)?", API, re.DOTALL)
    printed = [
        (ran(served, tmp_path, ["bash", "-e", "-o", "pipefail", "-c", example]), shown)
        for example, shown in examples
    ]
    answers = [lasting(json.loads(answer.splitlines()[-1])) for answer, shown in printed if shown]
    shown = [lasting(json.loads(shown)) for _, shown in printed if shown]
    assert close(shown, answers), answers
    assert len(shown) == API.count("```json") - 1  # the error is that of no example


def test_the_python_example_of_the_documentation_runs(served: Served, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.+?)```", API, re.DOTALL)
    program = f"import os\nMAILLON, KEY = os.environ['MAILLON'], os.environ['KEY']\n{example}"
    lines = ran(served, tmp_path, [sys.executable, "-c", program]).splitlines()
    assert lines[0].startswith("1 Coutures du Bocage 0.9")
    assert lines[1:] == ["2", "1", "404 No supplier has the id 'forge-43'. None"]
    error = {"title": "Not Found", "status": 404, "detail": "No supplier has the id 'forge-43'."}
    assert json.dumps(error) in API
