"""Who is signed in: sessions that the server keeps, and can end. Of a session's secret only the digest is stored."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from freellm.store import PluginTable

IDLE: Final = 12 * 3_600.0
"""Seconds after which a session that is not used ends."""

LONGEST: Final = 7 * 86_400.0
"""Seconds after which a session ends however much it is used."""

TOUCHED: Final = 60.0
"""Seconds between two notes of a session's use: not every request is a write."""

_BYTES: Final = 32
_LONGEST_CLIENT: Final = 200
_PREFIX: Final = "session/"
_ID: Final = 16


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser that is signed in.

    :param created_at: Unix time
    :param seen_at: Unix time of its last use, to the minute
    :param client: the browser, as it calls itself
    :param digest: the SHA-256 of its secret, in hexadecimal
    """

    created_at: float
    seen_at: float
    client: str = ""
    digest: str = ""

    @property
    def id(self) -> str:
        """What it is called; tells nothing of its secret."""
        return self.digest[:_ID]

    @property
    def expires_at(self) -> float:
        """Unix time at which it ends, unless it is used before."""
        return min(self.created_at + LONGEST, self.seen_at + IDLE)


_decode = msgspec.json.Decoder(Session).decode


def digest(secret: str) -> str:
    """Return the digest of a secret of 256 random bits, which needs no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class Sessions:
    """The sessions of one data folder.

    :param table: the plugin's rows
    :param now: returns Unix time
    """

    def __init__(self, table: PluginTable, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def begin(self, client: str) -> tuple[str, Session]:
        """Begin a session.

        :param client: the browser, as it calls itself
        :return: its secret, which is nowhere else, and the session
        """
        now, secret = self._now(), secrets.token_urlsafe(_BYTES)
        session = Session(created_at=now, seen_at=now, client=client[:_LONGEST_CLIENT], digest=digest(secret))
        self._table.sweep(now)
        self._table.set(f"{_PREFIX}{session.digest}", msgspec.json.encode(session), session.expires_at)
        return secret, session

    def find(self, secret: str) -> Session | None:
        """Return the session of a secret, or None when there is none (any more)."""
        value = self._table.get(f"{_PREFIX}{digest(secret)}", self._now())
        return None if value is None else _decode(value)

    def is_due(self, session: Session) -> bool:
        """Tell whether it is time to note that a session is used."""
        return self._now() - session.seen_at >= TOUCHED

    def touch(self, session: Session) -> None:
        """Note that a session is used. One that was ended meanwhile stays ended."""
        now = self._now()
        seen = msgspec.structs.replace(session, seen_at=now)
        self._table.replace(f"{_PREFIX}{seen.digest}", msgspec.json.encode(seen), seen.expires_at, now)

    def is_good(self, session: Session) -> bool:
        """Tell whether a session has not ended."""
        return self._table.get(f"{_PREFIX}{session.digest}", self._now()) is not None

    def all(self) -> Sequence[Session]:
        """Return every session, the last used first."""
        found = [_decode(value) for value in self._table.all(_PREFIX, self._now()).values()]
        return sorted(found, key=lambda session: (-session.seen_at, session.id))

    def end(self, id_: str) -> bool:
        """End a session; return whether there was one of this id."""
        return len(id_) == _ID and self._table.clear(f"{_PREFIX}{id_}") > 0

    def end_all(self) -> int:
        """End every session; return how many there were."""
        return self._table.clear(_PREFIX)
