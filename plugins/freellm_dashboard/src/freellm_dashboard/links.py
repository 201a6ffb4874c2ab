"""Links that open the dashboard once. Of a link's token only the digest is stored."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from freellm.store import PluginTable
from freellm_dashboard.sessions import digest

VALID: Final = 15 * 60.0
"""Seconds after which an unused link opens nothing."""

_BYTES: Final = 32
_PREFIX: Final = "link/"


class Links:
    """The links of one data folder.

    :param table: the plugin's rows
    :param now: returns Unix time
    """

    def __init__(self, table: PluginTable, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def make(self, url: str) -> str:
        """Return a new link.

        :param url: the server's root
        """
        token, now = secrets.token_urlsafe(_BYTES), self._now()
        self._table.sweep(now)
        self._table.set(f"{_PREFIX}{digest(token)}", b"", now + VALID)
        return f"{url}/login?token={quote(token)}"

    def use(self, token: str) -> bool:
        """Use a link up; return whether it was good. Of several who use it at the same time, one gets in."""
        return self._table.take(f"{_PREFIX}{digest(token)}", self._now()) is not None

    def void_all(self) -> int:
        """Let no link that was made open anything; return how many there were."""
        return self._table.clear(_PREFIX)
