"""`python -m eval.load`: a service under load, beside FastAPI's own floor.

Clients on this machine ask a running `maillon serve` as fast as it answers, while a writer puts
sheets into the same directory; the floor is a FastAPI endpoint that returns the same bytes.
"""

import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

import numpy as np
import typer

from embed.encoder import load_encoder
from eval.bench import machine, serving
from eval.scale import real, recombined, written
from index.engine import SupplierIndex

NEEDS = 500
WRITTEN_EVERY = 0.05
"""Seconds between two sheets that are written during the load."""

_FLOOR = "MAILLON_FLOOR"
_SETTLED = 50
_BESIDE = 5

app = typer.Typer(add_completion=False, help=__doc__)


class Load(NamedTuple):
    """What clients saw: requests answered, errors, seconds, and each request's milliseconds."""

    answered: int
    errors: int
    seconds: float
    times: list[float]


class Written(NamedTuple):
    """What became of the sheets that were written during a load."""

    acknowledged: int
    lost: int


@app.command()
def main(
    sizes: Annotated[str, typer.Option(help="Capabilities, several split by commas.")] = "10000",
    workers: Annotated[str, typer.Option(help="Workers, several split by commas.")] = "1,4",
    clients: Annotated[int, typer.Option(min=1, help="Clients that ask at once.")] = 8,
    seconds: Annotated[float, typer.Option(min=1, help="Time of each measure.")] = 10,
    data: Annotated[Path | None, typer.Option(help="Folder of the data sets.", exists=True)] = None,
    encoder: Annotated[str, typer.Option(help="Hub id or folder.")] = "fast",
) -> None:
    """Measure each size with each number of workers and print what clients saw."""
    loaded = load_encoder(encoder)
    sentences = real(data) if data else written()
    typer.echo(f"{machine(loaded)}; {clients} clients on the same machine")
    draw = random.Random(1)
    needs = [" ".join(draw.choice(sentences).split()[:12]) for _ in range(NEEDS)]
    paths = [f"/v1/search?q={quote(need)}" for need in needs if any(c.isalpha() for c in need)]
    for size in map(int, sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            index = Path(folder, "charge.index")
            with_index = SupplierIndex.create(index, loaded)
            with_index.upsert(list(recombined(sentences, size)))
            with_index.close()
            for count in map(int, workers.split(",")):
                for line in _measured(index, paths, count, clients, seconds):
                    typer.echo(f"{size:,} capabilities, {count} workers: {line}")


def floor() -> Any:  # noqa: ANN401  # a FastAPI app, imported late
    """The app of the floor: the bytes of the file that the environment names, and nothing else."""
    from fastapi import FastAPI, Response

    content = Path(os.environ[_FLOOR]).read_bytes()
    served = FastAPI()

    @served.get("/v1/search")
    def same(q: str) -> Response:
        return Response(content, media_type="application/json")

    return served


def _measured(
    index: Path, paths: Sequence[str], workers: int, clients: int, seconds: float
) -> Iterator[str]:
    key = _maillon("keys", "create", "--secret", "--index", str(index))
    command = ["api.cli", "serve", "--index", str(index), "--workers", str(workers)]
    with serving([*command, "--port"]) as port:
        _settle(port)
        sample = _get(port, paths[0], key)
        alone = _loaded(port, paths, key, clients, seconds)
        done = Event()
        with ThreadPoolExecutor() as pool:
            writing = pool.submit(_write, port, key, done)
            beside = _loaded(port, paths, key, clients, seconds)
            done.set()
        written = _checked(port, key, writing.result())
    floored = _floor(sample, paths, clients, seconds)
    yield _told("search", alone)
    yield (
        f"{_told('search beside a writer', beside)}; {written.acknowledged} sheets written, "
        f"{written.lost} lost"
    )
    yield _told(f"floor, one worker, {len(sample):,} bytes", floored)


def _told(name: str, load: Load) -> str:
    p50, p99 = np.percentile(load.times, (50, 99))
    return (
        f"{name}: {load.answered / load.seconds:,.0f} requests a second, p50 {p50:.1f} ms, "
        f"p99 {p99:.1f} ms, {load.errors} errors"
    )


def _floor(content: bytes, paths: Sequence[str], clients: int, seconds: float) -> Load:
    """What one worker of an app that does nothing answers (several delay each answer by 40 ms)."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        os.environ[_FLOOR] = file.name
        command = ["uvicorn", "eval.load:floor", "--factory", "--log-level", "warning", "--port"]
        with serving(command) as port:
            _settle(port)
            return _loaded(port, paths, "", clients, seconds)


def _loaded(port: int, paths: Sequence[str], key: str, clients: int, seconds: float) -> Load:
    """Ask from several processes at once for some seconds."""
    until = time.time() + 1 + seconds  # a second to start them
    with ProcessPoolExecutor(clients) as pool:
        asked = [pool.submit(_ask, port, paths[n::clients], key, until) for n in range(clients)]
        loads = [one.result() for one in asked]
    return Load(
        sum(load.answered for load in loads),
        sum(load.errors for load in loads),
        max(load.seconds for load in loads),
        [ms for load in loads for ms in load.times],
    )


def _ask(port: int, paths: Sequence[str], key: str, until: float) -> Load:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    times: list[float] = []
    errors, start = 0, time.perf_counter()
    while time.time() < until:
        asked = time.perf_counter()
        try:
            connection.request("GET", paths[len(times) % len(paths)], headers=headers)
            answer = connection.getresponse()
            answer.read()
            errors += answer.status != 200
        except OSError:
            connection.close()  # and open again at the next request
            errors += 1
        times.append(1000 * (time.perf_counter() - asked))
    return Load(len(times) - errors, errors, time.perf_counter() - start, times)


def _write(port: int, key: str, done: Event) -> list[str]:
    """Put sheets until told to stop; gives the ids that were acknowledged."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    written: list[str] = []
    while not done.wait(WRITTEN_EVERY):
        one = f"charge-{time.time_ns()}"
        sheet = {"id": one, "name": one, "capabilities": [f"Gravure de plaques, lot {one}"]}
        connection.request("PUT", f"/v1/suppliers/{one}", json.dumps(sheet), headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            written.append(one)
    return written


def _checked(port: int, key: str, ids: Sequence[str]) -> Written:
    found = [json.loads(_get(port, f"/v1/suppliers/{one}", key)).get("id") for one in ids]
    return Written(len(ids), sum(one != held for one, held in zip(ids, found, strict=True)))


def _get(port: int, path: str, key: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"authorization": f"Bearer {key}"})
    return connection.getresponse().read()


def _settle(port: int) -> None:
    """Ask until it has answered often, and wait for workers that start beside."""
    for _ in range(_SETTLED):
        _get(port, "/v1/search?q=tournage", "")
    time.sleep(_BESIDE)


def _maillon(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", *command], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    app()
