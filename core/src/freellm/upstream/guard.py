"""Which addresses may be connected to: judged at the socket, where literals, names and rebinding look alike.

The ranges are those of IANA's IPv4 and IPv6 special-purpose address registries (RFC 6890), written out because the
answers of `ipaddress` differ between Python releases. Cloud metadata services outside the link-local range:
Alibaba 100.100.100.200, Oracle 192.0.0.192, Azure 168.63.129.16, AWS fd00:ec2::254, GCP fd20:ce::254
(from their documentation, 2026-11).
"""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp import AddrInfoType, SocketFactoryType

_V4: Final = tuple(
    (IPv4Network(network), reason, local)
    for network, reason, local in (
        ("100.100.100.200/32", "cloud metadata", False),
        ("168.63.129.16/32", "cloud metadata", False),
        ("192.0.0.192/32", "cloud metadata", False),
        ("169.254.0.0/16", "link-local", False),
        ("0.0.0.0/8", "unspecified", False),
        ("127.0.0.0/8", "loopback", True),
        ("10.0.0.0/8", "private", True),
        ("172.16.0.0/12", "private", True),
        ("192.168.0.0/16", "private", True),
        ("100.64.0.0/10", "carrier-grade NAT", True),
        ("192.0.0.0/24", "reserved", False),
        ("192.0.2.0/24", "documentation", False),
        ("198.51.100.0/24", "documentation", False),
        ("203.0.113.0/24", "documentation", False),
        ("192.88.99.0/24", "reserved", False),
        ("198.18.0.0/15", "benchmarking", True),
        ("224.0.0.0/4", "multicast", False),
        ("240.0.0.0/4", "reserved", False),
    )
)
_V6: Final = tuple(
    (IPv6Network(network), reason, local)
    for network, reason, local in (
        ("::/128", "unspecified", False),
        ("::1/128", "loopback", True),
        ("fd00:ec2::254/128", "cloud metadata", False),
        ("fd20:ce::254/128", "cloud metadata", False),
        ("fc00::/7", "private", True),
        ("fe80::/10", "link-local", False),
        ("fec0::/10", "site-local", False),
        ("ff00::/8", "multicast", False),
        ("2001:db8::/32", "documentation", False),
        ("3fff::/20", "documentation", False),
        ("2001::/32", "Teredo", False),
        ("2001::/23", "reserved", False),
    )
)
UNENCRYPTED: Final = "public"
"""The kind of address that is refused to plain http alone."""

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")


class BlockedAddressError(OSError):
    """A connection was refused before it was tried. An `OSError`, so that other addresses of a name are tried.

    Its text does not tell the kind: when every address of a name fails with one text, the first error is raised as it
    is.

    :param reason: the kind of address
    """

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EACCES, "this kind of address is refused")
        self.reason = reason


def refusal(address: str, *, local: bool, plain: bool = False) -> str | None:
    """Say why an address is refused: the kind of address in one or two words; None when it may be connected to.

    An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) is judged as what it is.

    :param address: an IP address; a zone after `%` is ignored
    :param local: whether loopback and private addresses are allowed; link-local and metadata ones never are
    :param plain: whether the connection is not encrypted: then no public address is allowed
    """
    reason = _judged(address, local)
    if reason is None and plain and _judged(address, False) is None:
        return UNENCRYPTED
    return reason


def _judged(address: str, local: bool) -> str | None:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "unreadable"
    if isinstance(parsed, IPv4Address):
        return _first_match(_V4, parsed, local)
    if embedded := _embedded(parsed):
        return _first_match(_V4, embedded, local)
    for network, reason, allowed in _V6:
        if parsed in network:
            return None if local and allowed else reason
    return None if parsed in _GLOBAL_UNICAST else "reserved"


def guarded(*, local: bool, plain: bool = False) -> SocketFactoryType:
    """Return a socket factory for `aiohttp.TCPConnector` that makes no socket for a refused address.

    :param local: see `refusal`
    :param plain: see `refusal`
    """

    def make_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, target = info
        if reason := refusal(str(target[0]), local=local, plain=plain):
            raise BlockedAddressError(reason)
        return socket.socket(family, kind, protocol)

    return make_socket


def _first_match(
    table: tuple[tuple[IPv4Network, str, bool], ...], address: IPv4Address, local: bool
) -> str | None:
    for network, reason, allowed in table:
        if address in network:
            return None if local and allowed else reason
    return None


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
