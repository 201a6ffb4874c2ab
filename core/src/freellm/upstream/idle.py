"""Connections that wait for the next request to the same address.

aiohttp's connector keeps some too; to hand one back and ask for it again costs it 20,000 instructions a request
(aiohttp 3.14.5). It still opens them all, and what is kept here counts as taken there.
"""

from __future__ import annotations

import asyncio
from collections import deque

from aiohttp.connector import Connection


class IdleConnections:
    """The idle connections to one address.

    :param seconds: how long one may be idle
    """

    __slots__ = ("_idle", "_loop", "_seconds", "_sweep")

    def __init__(self, seconds: float) -> None:
        self._idle: deque[tuple[Connection, float]] = deque()
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._sweep: asyncio.TimerHandle | None = None

    def take(self) -> Connection | None:
        """Return the connection that was used last, if it is still good; those that are not are closed."""
        oldest = self._loop.time() - self._seconds
        while self._idle:
            connection, since = self._idle.pop()
            protocol = connection.protocol
            if (
                protocol is not None
                and since >= oldest
                and protocol.is_connected()
                and not protocol.should_close
            ):
                return connection
            connection.close()
        return None

    def give(self, connection: Connection) -> None:
        """Keep a connection whose answer has been read, unless it cannot take another request."""
        protocol = connection.protocol
        if protocol is None or protocol.should_close:
            connection.close()
            return
        self._idle.append((connection, self._loop.time()))
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._seconds, self._close_old)

    def close(self) -> None:
        """Close them all."""
        if self._sweep is not None:
            self._sweep.cancel()
        while self._idle:
            self._idle.pop()[0].close()

    def _close_old(self) -> None:
        self._sweep = None
        oldest = self._loop.time() - self._seconds
        while self._idle and self._idle[0][1] <= oldest:
            self._idle.popleft()[0].close()
        if self._idle:
            self._sweep = self._loop.call_at(self._idle[0][1] + self._seconds, self._close_old)
