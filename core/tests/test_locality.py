"""Base URLs that a person gives: which are local, which are public, and which are never asked, with the cure."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from faults.faultup import faultup
from freellm.errors import SettingsError, UpstreamError
from freellm.types import Kind, Upstream
from freellm.upstream import UpstreamClient
from freellm.upstream.locality import is_local, judge, resolved_local

# base URL, the addresses of its host, what comes of it
VERDICTS = """
https://api.example/v1        93.184.216.34                 public
https://api.example/v1        2606:4700::6810:1             public
https://93.184.216.34/v1      93.184.216.34                 public
http://lab.lan:8080/v1        192.168.1.7                   local
http://lab.lan:8080/v1        10.0.0.7                      local
http://lab.lan:8080/v1        172.20.0.2                    local
http://lab.tail.net/v1        100.90.1.2                    local
http://lab.lan:8080/v1        fd12::7                       local
https://lab.lan/v1            192.168.1.7                   local
http://localhost:8080/v1      127.0.0.1,::1                 local
http://127.0.0.1:8080/v1      127.0.0.1                     local
https://127.0.0.1:8443/v1     127.0.0.1                     local
http://[::1]:8080/v1          ::1                           local
http://[::ffff:127.0.0.1]/v1  ::ffff:127.0.0.1              local
https://both.example/v1       93.184.216.34,192.168.1.7     local
http://both.example/v1        93.184.216.34,192.168.1.7     local
http://api.example/v1         93.184.216.34                 https://
http://93.184.216.34/v1       93.184.216.34                 https://
http://api.example/v1         2606:4700::6810:1             https://
http://169.254.169.254/v1     169.254.169.254               hand out credentials
https://169.254.169.254/v1    169.254.169.254               hand out credentials
http://meta.example/v1        169.254.169.254               hand out credentials
http://meta.example/v1        fe80::1                       hand out credentials
http://meta.example/v1        ::ffff:169.254.169.254        hand out credentials
http://meta.example/v1        64:ff9b::a9fe:a9fe            hand out credentials
http://meta.example/v1        100.100.100.200               hand out credentials
https://meta.example/v1       168.63.129.16                 hand out credentials
http://meta.example/v1        192.0.0.192                   hand out credentials
http://meta.example/v1        fd00:ec2::254                 hand out credentials
http://0.0.0.0:8080/v1        0.0.0.0                       write 127.0.0.1
http://[::]:8080/v1           ::                            write 127.0.0.1
https://x.example/v1          224.0.0.1                     check the address
https://x.example/v1          240.0.0.1                     check the address
https://x.example/v1          192.0.2.1                     check the address
https://x.example/v1          2001:db8::1                   check the address
"""
TABLE = [line.split(maxsplit=2) for line in VERDICTS.strip().splitlines()]


@pytest.mark.parametrize(("base_url", "addresses", "verdict"), TABLE)
def test_a_base_url_is_judged_by_the_addresses_of_its_host(
    base_url: str, addresses: str, verdict: str
) -> None:
    found = addresses.split(",")
    if verdict in ("local", "public"):
        assert judge(base_url, found) == (verdict == "local")
        return
    with pytest.raises(SettingsError) as caught:
        judge(base_url, found)
    assert verdict in str(caught.value)
    assert found[0] in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "local"),
    [
        ("http://lab.lan:8080/v1", True),
        ("https://lab.lan/v1", False),
        ("http://localhost:8080/v1", True),
        ("https://lab.localhost/v1", True),
        ("http://127.0.0.1/v1", True),
        ("https://10.0.0.1/v1", True),
        ("https://1.1.1.1/v1", False),
    ],
)
def test_without_resolving_the_base_url_alone_tells(base_url: str, local: bool) -> None:
    assert is_local(base_url) is local


@pytest.mark.parametrize(
    "base_url", ["http://169.254.169.254/v1", "http://1.1.1.1/v1", "http://[fe80::1%25eth0]/v1"]
)
def test_an_address_that_is_never_asked_is_refused_without_resolving(base_url: str) -> None:
    with pytest.raises(SettingsError):
        is_local(base_url)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1"])
def test_however_an_address_is_written_it_is_what_it_is(host: str) -> None:
    assert resolved_local(f"http://{host}:8080/v1") is True
    with pytest.raises(SettingsError, match="hand out credentials"):
        resolved_local("http://0xa9fea9fe/v1")


def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(SettingsError, match="has no address; check the spelling"):
        resolved_local("http://lab.invalid/v1")


class Flipping(AbstractResolver):
    """Answers with one address after the other, as a rebinding name server does."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        address = self.addresses.pop(0)
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [{"hostname": host, "host": address, "port": port, "family": kind, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        """Hold nothing."""


REQUEST = Upstream("GET", "/models", {"authorization": "Bearer canary"})


@pytest.mark.parametrize(
    ("scheme", "local", "address", "words"),
    [
        ("http", True, "169.254.169.254", "link-local"),
        ("http", True, "100.100.100.200", "cloud metadata"),
        ("http", True, "93.184.216.34", "over https only"),
        ("https", True, "169.254.169.254", "link-local"),
        ("https", False, "127.0.0.1", "loopback"),
        ("https", False, "192.168.1.7", "private"),
        ("http", False, "127.0.0.1", "must be https"),
    ],
)
async def test_a_name_that_changes_its_address_reaches_nobody(
    scheme: str, local: bool, address: str, words: str
) -> None:
    """The server is asked once, then its name points elsewhere; the connection is judged anew each time."""
    async with faultup() as canary:
        client = UpstreamClient(resolver=Flipping(address))
        try:
            with pytest.raises(UpstreamError) as caught:
                await client.send(
                    REQUEST,
                    f"{scheme}://rebound.example:{canary.port}/v1",
                    local=local,
                    first_byte_timeout=5.0,
                )
        finally:
            await client.close()
        assert caught.value.kind is Kind.NETWORK
        assert words in caught.value.message
        assert (canary.requests, canary.connections) == ([], 0)


async def test_a_private_name_over_plain_http_is_asked() -> None:
    async with faultup() as server:
        client = UpstreamClient(resolver=Flipping("127.0.0.1"))
        try:
            await client.send(
                REQUEST, f"http://lab.example:{server.port}/v1", local=True, first_byte_timeout=5.0
            )
        finally:
            await client.close()
        assert len(server.requests) == 1
