"""Base URLs that a person gives: whether they are on this machine or in its network, and which ones never are asked.

What is said here, with the cure, when a base URL is given is enforced by the guard at each connection.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from freellm.errors import SettingsError
from freellm.upstream.guard import UNENCRYPTED, refusal

_NEVER: Final = (
    "where clouds hand out credentials, so it is never asked; give the server an address of its own network"
)
_NOBODY: Final = "where no server can be; check the address"

CURES: Final[Mapping[str, str]] = {
    UNENCRYPTED: "a public address, and over http anybody on the way could read the key and the prompts; write https://, "
    "or reach the server through a tunnel or a private network",
    "cloud metadata": f"a cloud metadata address, {_NEVER}",
    "link-local": f"a link-local address, {_NEVER}",
    "unspecified": "where servers listen and not where they are reached; for one on this machine write 127.0.0.1",
}
"""What is wrong with a kind of address and what to do about it; any other kind is where nobody can be."""


def is_local(base_url: str) -> bool:
    """Tell from a base URL alone whether it may be on this machine or in its network: nothing is resolved.

    A name over plain http may, because over plain http nothing else is asked; a name over https may not.

    :raises SettingsError: when it is an address that is never asked; says why, and the cure
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return parts.scheme == "http"
    return judge(base_url, (host,))


def resolved_local(base_url: str) -> bool:
    """Tell whether a base URL is on this machine or in its network by the addresses its name has now.

    :raises SettingsError: when the name has no address, or none that may be asked; says why, and the cure
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, parts.port or parts.scheme, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SettingsError(
            f"the name {host} has no address; check the spelling, or write the server's address in its place"
        ) from None
    return judge(base_url, [str(entry[4][0]) for entry in found])


def judge(base_url: str, addresses: Sequence[str]) -> bool:
    """Tell whether the addresses of a base URL that may be asked are on this machine or in its network.

    :param addresses: at least one
    :raises SettingsError: when none may be asked; says why, and the cure
    """
    parts = urlsplit(base_url)
    refused = {address: refusal(address, local=True, plain=parts.scheme == "http") for address in addresses}
    usable = [address for address, reason in refused.items() if reason is None]
    if not usable:
        address, reason = next(iter(refused.items()))
        who = address if address == parts.hostname else f"{parts.hostname} ({address})"
        raise SettingsError(f"{who} is {CURES.get(reason or '', f'a {reason} address, {_NOBODY}')}")
    return any(refusal(address, local=False) for address in usable)
