"""How often a password may be guessed: five wrong ones are free, then each costs twice the wait of the one before."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

PEER_FREE: Final = 5
"""Wrong passwords in a row that cost one peer nothing."""

ALL_FREE: Final = 25
"""Wrong passwords in a row that cost all peers together nothing."""

FIRST_WAIT: Final = 1.0
"""Seconds that the next wrong password costs; each further one costs twice as much."""

PEER_LONGEST: Final = 15 * 60.0
"""Seconds that one peer waits, at most."""

ALL_LONGEST: Final = 30.0
"""Seconds that all wait because of all, at most: a stranger must not keep the owner out for long."""

FORGOTTEN: Final = 3_600.0
"""Seconds without a wrong password after which the earlier ones are forgotten."""

MOST_PEERS: Final = 1_000
"""Peers that are remembered, at most."""


class _Count:
    """Wrong passwords in a row, those that are being checked included."""

    __slots__ = ("failures", "last", "opens_at")

    def __init__(self) -> None:
        self.failures = 0
        self.last = 0.0
        self.opens_at = 0.0


class Throttle:
    """Decides who may try a password.

    :param now: returns Unix time
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._peers: OrderedDict[str, _Count] = OrderedDict()
        self._all = _Count()

    def enter(self, peer: str) -> float:
        """Count a try, as a wrong one until `passed` says otherwise, so that tries at the same time all count.

        :param peer: see `peer_of`
        :return: seconds to wait first; 0 when the password may be checked now. Only then is the try counted
        """
        now = self._now()
        mine = self._count(peer)
        wait = max(mine.opens_at, self._all.opens_at) - now
        if wait > 0:
            return wait
        _fail(mine, now, PEER_FREE, PEER_LONGEST)
        _fail(self._all, now, ALL_FREE, ALL_LONGEST)
        return 0.0

    def passed(self, peer: str) -> None:
        """Forget the wrong passwords of somebody who knew the right one."""
        self._peers.pop(peer, None)
        self._all = _Count()

    def _count(self, peer: str) -> _Count:
        count = self._peers.setdefault(peer, _Count())
        self._peers.move_to_end(peer)
        if len(self._peers) > MOST_PEERS:
            self._peers.popitem(last=False)
        return count


def _fail(count: _Count, now: float, free: int, longest: float) -> None:
    if now - count.last > FORGOTTEN:
        count.failures = 0
    count.failures += 1
    count.last = now
    beyond = count.failures - free
    if beyond >= 0:
        count.opens_at = now + min(FIRST_WAIT * 2.0 ** min(beyond, 30), longest)


def peer_of(address: str | None) -> str:
    """Return what counts as one peer: an IPv4 address, or the /64 that an IPv6 user has to himself.

    :param address: the socket's, never a header's
    """
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if parsed.is_loopback:
        return "loopback"
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(parsed), 64), strict=False).network_address)
    return str(parsed)
