"""The password: optional while only this machine reaches the server, needed beyond."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from typing import Final

import msgspec

from freellm.store import PluginTable

SHORTEST: Final = 10
"""Characters of a password, at least."""

LONGEST: Final = 1_000
"""Characters of a password, at most."""

AT_ONCE: Final = 2
"""Hashes that are computed at the same time, at most: each takes a core for 0.1 s and 32 MiB."""

_COST, _BLOCK, _PARALLEL = 2**15, 8, 1
_MEMORY: Final = 64 * 1024**2
_NAME: Final = "password"


class Hashed(msgspec.Struct, frozen=True):
    """A password's scrypt hash with what it was made with, so that a later release may make it slower.

    :param salt: random bytes
    :param key: what came out
    :param cost: scrypt's n
    :param block: scrypt's r
    :param parallel: scrypt's p
    """

    salt: bytes
    key: bytes
    cost: int = _COST
    block: int = _BLOCK
    parallel: int = _PARALLEL

    def fits(self, password: str) -> bool:
        """Tell whether this is the password. Takes about 0.1 s."""
        made = _derive(password, self.salt, self.cost, self.block, self.parallel)
        return hmac.compare_digest(made, self.key)


def _derive(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=cost, r=block, p=parallel, maxmem=_MEMORY
    )


def hashed(password: str) -> Hashed:
    """Hash a password. Takes about 0.1 s."""
    salt = os.urandom(16)
    return Hashed(salt, _derive(password, salt, _COST, _BLOCK, _PARALLEL))


def problem_of(password: str) -> str | None:
    """Say why something cannot be a password; None when it can."""
    if len(password) < SHORTEST:
        return f"a password has at least {SHORTEST} characters; a few random words are easy to keep"
    if len(password) > LONGEST:
        return f"a password has at most {LONGEST} characters"
    return None


class Password:
    """The password of one data folder.

    :param table: the plugin's rows
    """

    def __init__(self, table: PluginTable) -> None:
        self._table = table
        self._turns = asyncio.Semaphore(AT_ONCE)

    @property
    def is_set(self) -> bool:
        """Whether there is one."""
        return self._table.get(_NAME, 0.0) is not None

    def fits(self, password: str) -> bool:
        """Tell whether this is the password; never when none is set. Takes about 0.1 s."""
        stored = self._table.get(_NAME, 0.0)
        return stored is not None and msgspec.json.decode(stored, type=Hashed).fits(password)

    def set(self, password: str) -> None:
        """Set it. Takes about 0.1 s."""
        self._table.set(_NAME, msgspec.json.encode(hashed(password)))

    def remove(self) -> bool:
        """Let there be none; return whether there was one."""
        return self._table.remove(_NAME)

    async def checked(self, password: str) -> bool:
        """Tell whether this is the password, in a thread: streams go on meanwhile."""
        async with self._turns:
            return await asyncio.to_thread(self.fits, password)

    async def changed(self, password: str) -> None:
        """Set it, in a thread."""
        async with self._turns:
            await asyncio.to_thread(self.set, password)
