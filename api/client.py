"""A Python client of the HTTP API: its types are the service's own, from file to wire."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypedDict, TypeVar, Unpack
from urllib.parse import quote

import httpx2
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from api.administration import Shipped, State, Switch, Switching
from api.app import Health
from api.journal import Event, Feedback, Judgement
from api.limits import MAX_BODY
from api.problems import Problem
from api.searching import Answer, Answers, Completed, NeedsRequest, RerankRequest, SearchRequest
from api.sheets import NDJSON, Imported, Line, Similar
from api.verdicts import Source, Stats
from embed.errors import MaillonError
from index.catalogue import Changes
from index.engine import MAX_K
from index.facets import Filters
from index.finding import EVERYBODY
from index.places import Near
from index.suppliers import Supplier, as_json_line

T = TypeVar("T")

MAX_WAIT = 60
"""Seconds that are waited at most to send a request again; a longer wait is left to the caller."""

_LOT = 200
"""Sheets that are sent at once: few enough to be encoded and stored before a proxy gives up."""

_SAID = 200
"""Characters that are told of an answer that is not the service's: a proxy's page, say."""

_NOT_IN_KEYS = re.compile(r"[^\w-]", re.ASCII)

_adapter: Callable[[Any], TypeAdapter[Any]] = lru_cache(TypeAdapter)


@dataclass(eq=False)
class ServiceError(MaillonError):
    """A service that refuses, or whose answer did not come or cannot be read.

    `status` is that of HTTP, None where no answer came; `retry_after` the seconds after which a
    refused request may be tried again, where the service says so.
    """

    title: str
    status: int | None
    detail: str
    retry_after: int | None = None

    def __str__(self) -> str:
        status = f" ({self.status})" if self.status else ""
        return f"{self.title}{status}: {self.detail}"


class Options(TypedDict, total=False):
    """What may be asked besides the need, as in `SearchRequest`."""

    explain: bool
    filters: Filters
    near: Near | None
    proximity: float | None
    ignore: tuple[str, ...]
    facets: bool


class Client:
    """One directory of a service, at its address: "https://maillon.example/metiers".

    A publishable key searches, a secret one does everything. A request that is refused because
    there were too many is sent again up to `retries` times, when the service says. `timeout` is in
    seconds, for connecting and for each silence; a large file wants more. Every method that asks
    raises `ServiceError`; threads may share a client. Raises `MaillonError` for what is no key.
    """

    def __init__(
        self, url: str, key: str | None = None, *, timeout: float = 60, retries: int = 1
    ) -> None:
        wrong = _NOT_IN_KEYS.search(key or "")
        if wrong:  # the key itself is not for logs
            raise MaillonError(
                f"the key holds {wrong[0]!r}, as none does. Give it as maillon keys create told it."
            )
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=timeout)
        self._retries = retries

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def health(self) -> Health:
        """What is being served."""
        return self._ask(Health, "GET", "health")

    def search(self, need: str, k: int = 10, **options: Unpack[Options]) -> Answer:
        """The `k` suppliers who can best meet a need."""
        return self._ask(Answer, "POST", "search", SearchRequest(need, k, **options))

    def pages(self, need: str, k: int = 10, **options: Unpack[Options]) -> Iterator[Answer]:
        """Answers of `k` suppliers each, up to the 1,000th; the last one may hold fewer, or none.

        All are of the day of the first, so that no supplier comes twice.
        """
        request = SearchRequest(need, k, **options)
        while request.offset < MAX_K:
            answer = self._ask(Answer, "POST", "search", request)
            yield answer
            if len(answer.suggestions) < k:
                return
            request = replace(request, offset=request.offset + k, day=answer.day)

    def complete(self, typed: str, k: int = 8) -> Completed:
        """What a need that is being typed may become."""
        return self._ask(Completed, "GET", "complete", q=typed, k=k)

    def facets(
        self, filters: Filters = EVERYBODY, city: str | None = None, max_km: float | None = None
    ) -> Mapping[str, Mapping[str, int]]:
        """How many suppliers that fit have each value of each field, most first."""
        query = {**asdict(filters), "city": city, "max_km": max_km}
        return self._ask(dict[str, dict[str, int]], "GET", "facets", **query)

    def rerank(self, need: str, suppliers: Iterable[Supplier], explain: bool = True) -> Answer:
        """Suppliers of the caller's in order, at most 1,000; they need not be in the directory."""
        request = RerankRequest(need, list(suppliers), explain)
        return self._ask(Answer, "POST", "rerank", request)

    def needs(self, needs: Iterable[str], k: int = 3, filters: Filters = EVERYBODY) -> Answers:
        """One answer a need, at most 200 at once."""
        return self._ask(Answers, "POST", "needs", NeedsRequest(list(needs), k, filters))

    def supplier(self, one: str) -> Supplier:
        """The sheet of a supplier, by its id."""
        return self._ask(Supplier, "GET", _sheet(one))

    def similar(self, one: str, k: int = 10) -> Similar:
        """The suppliers who can do most of what the one of an id can."""
        return self._ask(Similar, "GET", f"{_sheet(one)}/similar", k=k)

    def put(self, supplier: Supplier) -> Changes:
        """Write a sheet: durable, and found by the next search, when this returns."""
        return self._ask(Changes, "PUT", _sheet(supplier.id), supplier)

    def delete(self, one: str) -> Changes:
        """Take a supplier out, by its id."""
        return self._ask(Changes, "DELETE", _sheet(one))

    def bulk(self, suppliers: Iterable[Supplier]) -> list[Line]:
        """Write any number of sheets; tells what became of each, in their order, from 1.

        They go in lots, each stored whole or not at all. Sent again after an error, what was
        stored is left unchanged.
        """
        answers = (self._send("POST", "suppliers", lot, NDJSON) for lot in _lots(suppliers))
        told = (line for answer in answers for line in _lines(Line, answer))
        return [replace(line, line=number) for number, line in enumerate(told, start=1)]

    def load(self, file: Path, sync: bool = False) -> Imported:
        """Bring the directory up to date with a file, .csv, .tsv, .xlsx or .jsonl, up to 32 MB.

        With `sync`, suppliers that it does not hold are taken out, unless a line was rejected.
        """
        media, kind = "application/octet-stream", file.suffix[1:].lower()
        answer = self._send("POST", "directory", file.read_bytes(), media, kind=kind, sync=sync)
        return _read(Imported, answer)

    def feedback(self, said: Feedback) -> None:
        """Keep what a visitor says of a suggestion: on the disk when this returns."""
        self._send("POST", "feedback", to_json(said))

    def judge(self, judgements: Iterable[Judgement]) -> None:
        """Keep grades, at most 1,000, all or none: on the disk when this returns."""
        self._send("POST", "judgements", to_json(list(judgements)))

    def judgements(self) -> list[Event]:
        """All grades, in their order."""
        return _lines(Event, self._send("GET", "judgements"))

    def qrels(self, source: Source = "judgement") -> str:
        """The last grade of each pair as TREC qrels."""
        return self._send("GET", "qrels", source=source).decode()

    def judged_needs(self, source: Source = "judgement") -> str:
        """The needs of the qrels, with the same ids, as `needs.jsonl` of an evaluation suite."""
        return self._send("GET", "qrels/needs", source=source).decode()

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """All events as User Behavior Insights has them, from a number on."""
        return _lines(dict[str, Any], self._send("GET", "events", after=after))

    def stats(self) -> Stats:
        """What is searched most, what nobody answers, and how suggestions are judged."""
        return self._ask(Stats, "GET", "stats")

    def state(self) -> State:
        """The index, its encoder, and how a change of encoder goes."""
        return self._ask(State, "GET", "state")

    def change_encoder(self, encoder: Shipped, gate: bool = True) -> Switching:
        """Begin to change the encoder beside the searches; `state` tells how it goes."""
        return self._ask(Switching, "POST", "encoder", Switch(encoder, gate))

    def _ask(
        self,
        kind: type[T],
        method: str,
        path: str,
        body: object = None,
        **query: Any,  # noqa: ANN401
    ) -> T:
        content = b"" if body is None else to_json(body)
        return _read(kind, self._send(method, path, content, **query))

    def _send(
        self,
        method: str,
        path: str,
        content: bytes = b"",
        media: str = "application/json",
        **query: Any,  # noqa: ANN401
    ) -> bytes:
        request = self._http.build_request(
            method,
            f"v1/{path}",
            content=content,
            headers={"content-type": media},
            params={name: value for name, value in query.items() if value is not None},
        )
        try:
            response = self._patiently(request)
        except httpx2.RequestError as error:
            said = f"{self._http.base_url}: {error or type(error).__name__}"
            raise ServiceError("The service does not answer", None, said) from error
        if not response.is_success:
            raise _error(response)
        return response.content

    def _patiently(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and again after the time that a service asks for."""
        response = self._http.send(request)
        for _ in range(self._retries):
            wait = _wait(response)
            if response.status_code != 429 or wait is None or wait > MAX_WAIT:
                break
            time.sleep(wait)
            response = self._http.send(request)
        return response


def _sheet(one: str) -> str:
    """The path of a sheet; dots are encoded too, or ".." would be a step up."""
    return f"suppliers/{quote(one, safe='').replace('.', '%2E')}"


def _lots(suppliers: Iterable[Supplier]) -> Iterator[bytes]:
    """Sheets as NDJSON, in lots that the service reads."""
    lot: list[bytes] = []
    for supplier in suppliers:
        line = f"{as_json_line(supplier)}\n".encode()
        if len(lot) == _LOT or sum(map(len, lot)) + len(line) > MAX_BODY:
            yield b"".join(lot)
            lot = []
        lot.append(line)
    if lot:
        yield b"".join(lot)


def _lines(kind: type[T], content: bytes) -> list[T]:
    return [_read(kind, line) for line in content.split(b"\n") if line]


def _read(kind: type[T], content: bytes) -> T:
    try:
        read: T = _adapter(kind).validate_json(content)
    except ValidationError as error:
        said = f"{content[:_SAID]!r} is no {kind.__name__}. Is this a maillon of the same version?"
        raise ServiceError("The answer cannot be read", 200, said) from error
    return read


def _error(response: httpx2.Response) -> ServiceError:
    try:
        said = _adapter(Problem).validate_json(response.content)
    except ValidationError:  # of a proxy before the service
        said = Problem(response.reason_phrase, response.status_code, response.text[:_SAID])
    return ServiceError(said.title, said.status, said.detail, _wait(response))


def _wait(response: httpx2.Response) -> int | None:
    """The seconds of `Retry-After`, None where there is none or it is a date."""
    text = response.headers.get("retry-after", "")
    return int(text) if text.isdecimal() else None
