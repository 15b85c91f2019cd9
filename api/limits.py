"""What the service refuses to read, and what it tells browsers."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 4_000_000
"""Bytes of a request body: a thousand supplier sheets with room to spare."""

MAX_DIRECTORY = 32_000_000
"""Bytes of a whole directory, in a file or as NDJSON; nobody without a secret key gets so far."""

_DIRECTORIES = ("/v1/directory", "/v1/suppliers")

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class SizeLimit:
    """Refuses with 413 a body that is too large, declared or streamed, without keeping it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, counting what is read of its body."""
        if scope["type"] == "http":
            declared = Headers(scope=scope).get("content-length", "")
            most = MAX_DIRECTORY if scope["path"].endswith(_DIRECTORIES) else MAX_BODY
            receive = _counted(receive, int(declared) if declared.isdigit() else 0, most)
        await self._app(scope, receive, send)


class SecurityHeaders:
    """Adds to every answer the headers that keep scripts and frames of others out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _counted(receive: Receive, declared: int, most: int) -> Receive:
    read = 0

    async def receive_some() -> Message:
        nonlocal read
        message = {} if declared > most else await receive()
        read += len(message.get("body", b""))
        if max(read, declared) > most:
            raise HTTPException(
                413, f"At most {most:,} bytes are read. Send fewer suppliers at a time."
            )
        return message

    return receive_some
