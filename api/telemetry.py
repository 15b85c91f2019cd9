"""What an operator sees: a line of JSON a request, Prometheus figures, traces where asked for.

Never a need, a key or an address: the line names the route, not the request.
"""

import json
import logging
import os
import re
import secrets
import time
from contextlib import suppress

from fastapi import FastAPI
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable of the folder in which several workers add up their figures."""

_LOG = logging.getLogger("maillon.requests")
_ID = re.compile(r"[0-9a-f-]{8,64}")
_LABELS = ("directory", "method", "route", "status")

_REQUESTS = Counter("maillon_requests", "Requests answered", _LABELS)
_SECONDS = Histogram(
    "maillon_request_seconds",
    "Time to the last byte of an answer",
    ("directory", "route"),
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)


class Telemetry:
    """Counts, times and logs the requests of a service, and gives each an id.

    An `X-Request-Id` of the caller is kept if it is one: hexadecimal, as a UUID.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        status = 500
        start = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            _note(scope, status, time.perf_counter() - start, request_id)


def metrics(_: Request) -> Response:
    """The figures of all workers in Prometheus's text format."""
    registry = REGISTRY
    if SHARED in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def trace(app: FastAPI) -> None:
    """Trace requests with OpenTelemetry where its instrumentation is installed."""
    with suppress(ImportError):
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        FastAPIInstrumentor.instrument_app(app)


def _note(scope: Scope, status: int, seconds: float, request_id: str) -> None:
    route = getattr(scope.get("route"), "path", "other") or "/"
    directory, method = scope.get("directory", ""), _method(scope["method"])
    _REQUESTS.labels(directory, method, route, str(status)).inc()
    _SECONDS.labels(directory, route).observe(seconds)
    line = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "request_id": request_id,
        "directory": directory,
        "method": method,
        "route": route,
        "status": status,
        "ms": round(1000 * seconds, 1),
    }
    _LOG.info(json.dumps(line))


def _method(name: str) -> str:
    """A method of HTTP; what else clients invent is one label, not one each."""
    return name if name in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS") else "other"
