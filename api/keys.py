"""The keys of a directory: who may search it from where, and who may write to it.

They lie in the directory's own folder, so that a key of one directory is none of another's.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from api.store import Store, now
from embed.errors import MaillonError
from embed.text import clean

FILE = "keys.sqlite"

Kind = Literal["publishable", "secret"]

PREFIXES: dict[Kind, str] = {"publishable": "pk", "secret": "sk"}
PAGE = "page"
"""The id of the key of the service's own search page."""

_USUAL = {"http": 80, "https": 443}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS key (id TEXT PRIMARY KEY, kind TEXT NOT NULL, digest BLOB NOT NULL,
    label TEXT NOT NULL, origins TEXT NOT NULL, created TEXT NOT NULL, revoked TEXT,
    shown TEXT) STRICT, WITHOUT ROWID;
"""
_COLUMNS = "id, kind, label, origins, created, revoked"


class KeysError(MaillonError):
    """A key that cannot be made or is not there."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is told: everything but the token, of which only a digest is kept."""

    id: str
    kind: Kind
    label: str
    origins: tuple[str, ...]
    created: str
    revoked: str | None


class Created(NamedTuple):
    """A new key, and the token that is shown this once."""

    key: Key
    token: str


class Keys:
    """The keys of one directory in a SQLite file, read anew at each use: revoked is revoked.

    Tokens carry 256 random bits, so that their plain SHA-256 cannot be turned back.
    """

    def __init__(self, path: Path | str) -> None:
        self._store = Store(path, _SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def create(self, kind: Kind, label: str = "", origins: Iterable[str] = ()) -> Created:
        """Make a key; raises `KeysError` for an origin that is none.

        The first key of a directory closes it: who searches needs one from then on. The service's
        own page is given one at that moment.
        """
        checked = tuple(dict.fromkeys(map(origin_of, origins)))
        if kind == "secret" and checked:
            raise KeysError("a secret key has no origins: it never belongs in a page.")
        with self._store.writing():
            if not self.closed():
                self._insert_page()
            return self._insert(secrets.token_hex(4), kind, clean(label), checked)

    def closed(self) -> bool:
        """Whether a key is needed to search: once one was ever made."""
        return bool(self._store.run("SELECT 1 FROM key LIMIT 1"))

    def find(self, token: str) -> Key | None:
        """The key of a token, unless it was revoked."""
        one = token.split("_")[1] if token.count("_") == 2 else ""
        rows = self._store.run(
            f"SELECT {_COLUMNS}, digest FROM key WHERE id = ? AND revoked IS NULL", one
        )
        held = rows[0][-1] if rows else b"\0" * 32
        same = hmac.compare_digest(held, _digest(token))
        return _key(rows[0][:-1]) if rows and same else None

    def page_token(self) -> str:
        """The token of the service's own page, "" where it needs or has none."""
        rows = self._store.run("SELECT shown FROM key WHERE id = ? AND revoked IS NULL", PAGE)
        return str(rows[0][0]) if rows else ""

    def revoke(self, one: str) -> Key:
        """End a key at once; raises `KeysError` where there is none of that id."""
        today = now()
        self._store.run("UPDATE key SET revoked = coalesce(revoked, ?) WHERE id = ?", today, one)
        rows = self._store.run(f"SELECT {_COLUMNS} FROM key WHERE id = ?", one)
        if not rows:
            raise KeysError(f"no key has the id {one!r}. maillon keys list shows them.")
        return _key(rows[0])

    def renew_page(self) -> Key:
        """Give the service's own page a new key, in place of the one that it had or has.

        Raises `KeysError` where it needs none.
        """
        with self._store.writing():
            if not self.closed():
                raise KeysError("the search page needs no key: none was made for its directory.")
            self._store.run("DELETE FROM key WHERE id = ?", PAGE)
            return self._insert_page()

    def all(self) -> list[Key]:
        """All keys, the revoked ones too, oldest first."""
        return [
            _key(row) for row in self._store.run(f"SELECT {_COLUMNS} FROM key ORDER BY created, id")
        ]

    def _insert_page(self) -> Key:
        return self._insert(PAGE, "publishable", "page de recherche", (), shown=True).key

    def _insert(
        self, one: str, kind: Kind, label: str, origins: tuple[str, ...], shown: bool = False
    ) -> Created:
        token = f"{PREFIXES[kind]}_{one}_{secrets.token_urlsafe(32).replace('_', '-')}"
        key = Key(one, kind, label, origins, now(), None)
        self._store.run(
            "INSERT INTO key VALUES (?, ?, ?, ?, ?, ?, NULL, ?)",
            one, kind, _digest(token), label, " ".join(origins), key.created,
            token if shown else None,
        )  # fmt: skip
        return Created(key, token)


def origin_of(text: str) -> str:
    """An origin as browsers send it: scheme, host, and a port that is not the usual one.

    Raises `KeysError` for anything else.
    """
    parts = urlsplit(text.strip().rstrip("/").lower())
    try:
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except ValueError:  # no number, or none that a port has, or no name
        port, host = 0, ""
    plain = not (parts.path or parts.query or parts.fragment or parts.username)
    if parts.scheme not in _USUAL or not host or port == 0 or not plain:
        raise KeysError(f"{text!r} is no origin. Give scheme and host: https://www.cci.example")
    told = f":{port}" if port and port != _USUAL[parts.scheme] else ""
    return f"{parts.scheme}://{host}{told}"


def _key(row: tuple[Any, ...]) -> Key:
    one, kind, label, origins, created, revoked = row
    return Key(one, kind, label, tuple(str(origins).split()), created, revoked)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
