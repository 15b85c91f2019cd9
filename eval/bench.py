"""How fast maillon is here: every figure beside its baseline, measured in the same run."""

import http.client
import json
import os
import platform
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from embed.encoder import Encoder
from embed.errors import MaillonError
from index.demo import demo_suppliers
from index.engine import SupplierIndex
from index.suppliers import Supplier

SEARCHES = 500
NEEDS = (
    "la coque qui protège la batterie de mon vélo cargo, 500 par an",
    "anodisation de pièces aluminium usinées",
    "tournage inox 316L petite série",
    "faire coudre 300 sacs en toile enduite",
    "couronne bronze pour treuil ancien",
    "étuis carton imprimés pour cosmétique bio",
    "perçage diamètre 6 longueur 1500",
    "carte électronique pour un capteur de niveau, prototypes puis série",
)


def run_bench(capabilities: int, encoder: Encoder) -> Iterator[str]:
    """Yield the lines of the report: start-up, index build, search in process and over HTTP."""
    yield machine(encoder)
    yield from _start_up()
    suppliers = recombined(capabilities)
    yield from _build(suppliers, encoder)
    index = SupplierIndex.build(suppliers, encoder)
    yield from _search(index)
    yield from _over_http(index)


def recombined(capabilities: int, seed: int = 0) -> list[Supplier]:
    """Suppliers with about that many capabilities: halves of real sentences of the demo, joined."""
    draw = random.Random(seed)
    halves = [
        halved(text.split()) for supplier in demo_suppliers() for text in supplier.capabilities
    ]
    texts = (f"{draw.choice(halves)[0]} {draw.choice(halves)[1]}" for _ in range(capabilities))
    groups = zip(*[texts] * 5, strict=False)
    return [Supplier(f"b{n}", f"Atelier {n}", group) for n, group in enumerate(groups)]


def halved(parts: Sequence[str]) -> tuple[str, str]:
    """The first and the second half of the words of a sentence."""
    middle = (len(parts) + 1) // 2
    return " ".join(parts[:middle]), " ".join(parts[middle:])


def machine(encoder: Encoder) -> str:
    """What the figures were measured on, in one line."""
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"FAISS {faiss.__version__}, encoder {encoder.name} ({encoder.dim} dimensions)"
    )


def _start_up() -> Iterator[str]:
    floor = _median([_seconds("-c", "pass") for _ in range(5)])
    helped = _median([_seconds("-m", "api.cli", "--help") for _ in range(5)])
    yield f"start: maillon --help {helped:.2f} s, {helped / floor:.1f} × an empty Python program"
    libraries = _median([_seconds("-c", "import sentence_transformers, faiss") for _ in range(3)])
    with tempfile.TemporaryDirectory() as folder:
        saved(demo_suppliers(), _default(), Path(folder, "demo"))
        search = ["-m", "api.cli", "search", NEEDS[0], "--index", f"{folder}/demo"]
        cold = _median([_seconds(*search) for _ in range(3)])
    yield (
        f"start: maillon search on the demo, cold, {cold:.1f} s, {cold / libraries:.1f} × the bare "
        "import of sentence-transformers and FAISS"
    )


def saved(suppliers: Sequence[Supplier], encoder: Encoder, folder: Path) -> None:
    """Write suppliers into a new index folder."""
    index = SupplierIndex.create(folder, encoder)
    index.upsert(suppliers)
    index.close()


def _default() -> Encoder:
    from embed.encoder import load_encoder

    return load_encoder()


def _build(suppliers: Sequence[Supplier], encoder: Encoder) -> Iterator[str]:
    texts = [text for supplier in suppliers for text in supplier.capabilities]
    alone = _median([timed(lambda: encoder.encode_capabilities(texts)) for _ in range(3)])
    whole = _median([timed(lambda: SupplierIndex.build(suppliers, encoder)) for _ in range(3)])
    yield (
        f"build: {len(texts):,} capabilities in {whole:.2f} s ({len(texts) / whole:,.0f}/s), "
        f"{whole / alone:.1f} × encoding alone"
    )


def _search(index: SupplierIndex) -> Iterator[str]:
    needs = [f"{NEEDS[n % len(NEEDS)]}, lot {n}" for n in range(SEARCHES)]
    encoding = _latencies(lambda need: index.encoder.encode_needs([need]), needs)
    yield "search, in process, p50 / p99 in ms:"
    yield f"  encoding the need alone (baseline)  {_shown(encoding)}"
    for label, explain in (("search", False), ("search, words explained", True)):
        found = _latencies(lambda need, e=explain: index.search(need, explain=e), needs)  # type: ignore[misc]
        yield f"  {label:<34}  {_shown(found)}  {_ratio(found, encoding)} × baseline"


def _over_http(index: SupplierIndex) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        saved(index.suppliers, index.encoder, Path(folder, "index"))
        serve = ["api.cli", "serve", "--index", f"{folder}/index", "--rate", "1000000/minute"]
        with serving([*serve, "--port"]) as port:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            floor = _latencies(lambda _: _get(connection), range(SEARCHES))
            needs = [f"{NEEDS[n % len(NEEDS)]}, lot {n}" for n in range(SEARCHES)]
            found = _latencies(lambda need: _post(connection, need), needs)
    yield "search over HTTP, one client, p50 / p99 in ms:"
    yield f"  GET /v1/health (baseline)           {_shown(floor)}"
    yield f"  POST /v1/search, unexplained       {_shown(found)}  {_ratio(found, floor)} × baseline"


@contextmanager
def serving(command: Sequence[str]) -> Iterator[int]:
    """Run a module of Python that serves on the port that ends its command; gives the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", *command, str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(60)


def _wait(port: int, server: subprocess.Popen[bytes], patience: float = 120) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise MaillonError(f"the server did not answer on port {port} within {patience:.0f} s.")


def _get(connection: http.client.HTTPConnection) -> bytes:
    connection.request("GET", "/v1/health")
    return connection.getresponse().read()


def _post(connection: http.client.HTTPConnection, need: str) -> bytes:
    body = json.dumps({"need": need, "explain": False})
    connection.request("POST", "/v1/search", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise MaillonError(f"the server answered {answer.status}: {content[:200]!r}")
    return content


def _seconds(*arguments: str) -> float:
    return timed(
        lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    )


def timed(action: Callable[[], object]) -> float:
    """The seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _latencies(action: Callable[[Any], object], items: Sequence[Any]) -> np.ndarray:
    for item in items[:20]:
        action(item)
    return np.array([timed(lambda item=item: action(item)) for item in items]) * 1000  # type: ignore[misc]


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def _shown(latencies: np.ndarray) -> str:
    p50, p99 = np.percentile(latencies, [50, 99])
    return f"{p50:6.2f} / {p99:6.2f}"


def _ratio(latencies: np.ndarray, baseline: np.ndarray) -> str:
    return f"{np.median(latencies) / np.median(baseline):4.1f}"
