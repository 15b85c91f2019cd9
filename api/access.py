"""Who may ask what of a directory, from which pages, and how often."""

import time
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.exceptions import HTTPException

from api.keys import Key, Keys
from api.settings import RATE

_TOLD = parse("30/minute")
"""Verdicts of one address under one key: each takes room on the disk."""

_CHALLENGE = {"www-authenticate": "Bearer"}

Credentials = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(
        HTTPBearer(
            auto_error=False,
            description="A key made by `maillon keys create`: pk_… searches, sk_… also writes.",
        )
    ),
]


@dataclass(frozen=True, slots=True)
class Access:
    """The doors of a directory, as dependencies of its routes.

    A directory without keys is open to search, and closed to writing.
    """

    keys: Keys
    rate: RateLimitItem
    limiter: FixedWindowRateLimiter

    @classmethod
    def of(cls, keys: Keys, rate: str = RATE) -> "Access":
        """Access by these keys; `rate` is "300/minute" or the like, of each process."""
        return cls(keys, parse(rate), FixedWindowRateLimiter(MemoryStorage()))

    def search(self, request: Request, credentials: Credentials) -> None:
        """Let through who may search; raises 401, 403 or 429."""
        key = self._key(request, credentials)
        if key is None and self.keys.closed():
            raise HTTPException(401, "A key is needed: Authorization: Bearer pk_…", _CHALLENGE)
        if key is None or key.kind == "publishable":
            _check_origin(request, key.origins if key else ())

    def tell(self, request: Request, credentials: Credentials) -> None:
        """Let through who may search and has not told much; raises 401, 403 or 429."""
        self.search(request, credentials)
        self._count(request, "told", _TOLD)

    def write(self, request: Request, credentials: Credentials) -> None:
        """Let through who may write; raises 401, 403 or 429."""
        key = self._key(request, credentials)
        if key is None:
            said = "A secret key is needed (maillon keys create --secret): Bearer sk_…"
            raise HTTPException(401, said, _CHALLENGE)
        if key.kind != "secret":
            raise HTTPException(403, "This key may search only. Use a secret one: sk_…")

    def search_much(self, request: Request, credentials: Credentials) -> None:
        """Let through who may ask for much at once: with a secret key, where keys are needed."""
        (self.write if self.keys.closed() else self.search)(request, credentials)

    def _key(
        self, request: Request, credentials: HTTPAuthorizationCredentials | None
    ) -> Key | None:
        key = self.keys.find(credentials.credentials) if credentials else None
        if key is None or key.kind == "publishable":  # who tries keys is counted as well
            self._count(request, key.id if key else "", self.rate)
        if credentials and key is None:
            raise HTTPException(401, "This key is not known, or was revoked.", _CHALLENGE)
        return key

    def _count(self, request: Request, of: str, rate: RateLimitItem) -> None:
        address = _network(request.client.host if request.client else "")
        if self.limiter.hit(rate, of, address):
            return
        free = self.limiter.get_window_stats(rate, of, address).reset_time
        wait = str(max(1, round(free - time.time())))
        said = f"More than {rate} from this address. Try again in {wait} s."
        raise HTTPException(429, said, {"retry-after": wait})


def _network(address: str) -> str:
    """An address, or of IPv6 the /64 that one subscriber has."""
    return ":".join(address.split(":")[:4])


def _check_origin(request: Request, origins: tuple[str, ...]) -> None:
    """Refuse a page of another site to which a key is not bound; servers send no origin.

    CORS lets every page read the answer, so that this one can be read: no cookie says who asks.
    """
    origin = request.headers.get("origin")
    own = origin and urlsplit(origin).netloc == request.headers.get("host")
    if origin and not own and origin not in origins:
        raise HTTPException(403, f"No key was given that is for pages of {origin}.")
