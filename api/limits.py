"""What the service refuses to read, and what it tells browsers."""

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from embed.errors import MaillonError

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
            most = MAX_DIRECTORY if _is_directory(scope) else MAX_BODY
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


def media_type(headers: Headers) -> str:
    """The type of a body, without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def check_unpacked(workbook: Path, most: int) -> None:
    """Raise `MaillonError` for a workbook whose parts, unpacked, hold more bytes, or that is none.

    No part gives more than the archive declares.
    """
    try:
        with ZipFile(workbook) as file:
            size = sum(part.file_size for part in file.infolist())
    except BadZipFile as error:
        raise MaillonError(f"classeur illisible ({error}). Envoyez un .xlsx.") from error
    if size > most:
        raise MaillonError(
            f"classeur de {size} octets une fois décompressé, {most} au plus. Retirez-en "
            "les images et les feuilles inutiles."
        )


def _is_directory(scope: Scope) -> bool:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return scope["method"] == "POST" and path in _DIRECTORIES


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
