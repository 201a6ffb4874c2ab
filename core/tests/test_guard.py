"""Which addresses may be connected to, and which URLs a path may make."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from faults.faultup import faultup
from freellm.errors import RequestError, UpstreamError
from freellm.types import Kind, Upstream
from freellm.upstream import UpstreamClient
from freellm.upstream.guard import BlockedAddressError, guarded, refusal
from freellm.upstream.urls import join

# address, refused to the public session as, refused to the local session as (a dash: allowed)
VERDICTS = """
8.8.8.8                               -                    -
1.1.1.1                               -                    -
104.18.2.161                          -                    -
9.255.255.255                         -                    -
11.0.0.0                              -                    -
100.63.255.255                        -                    -
100.128.0.0                           -                    -
126.255.255.255                       -                    -
128.0.0.0                             -                    -
169.253.255.255                       -                    -
169.255.0.0                           -                    -
172.15.255.255                        -                    -
172.32.0.0                            -                    -
192.0.1.0                             -                    -
192.167.255.255                       -                    -
192.169.0.0                           -                    -
198.17.255.255                        -                    -
198.20.0.0                            -                    -
223.255.255.255                       -                    -
0.0.0.0                               unspecified          unspecified
0.1.2.3                               unspecified          unspecified
127.0.0.1                             loopback             -
127.1.2.3                             loopback             -
127.255.255.255                       loopback             -
10.0.0.0                              private              -
10.255.255.255                        private              -
172.16.0.1                            private              -
172.31.255.255                        private              -
192.168.0.1                           private              -
192.168.255.255                       private              -
100.64.0.0                            carrier-grade NAT    -
100.127.255.255                       carrier-grade NAT    -
100.100.100.200                       cloud metadata       cloud metadata
168.63.129.16                         cloud metadata       cloud metadata
192.0.0.192                           cloud metadata       cloud metadata
169.254.0.0                           link-local           link-local
169.254.169.254                       link-local           link-local
169.254.170.2                         link-local           link-local
169.254.255.255                       link-local           link-local
192.0.0.1                             reserved             reserved
192.0.0.255                           reserved             reserved
192.0.2.1                             documentation        documentation
198.51.100.255                        documentation        documentation
203.0.113.7                           documentation        documentation
192.88.99.1                           reserved             reserved
198.18.0.0                            benchmarking         -
198.19.255.255                        benchmarking         -
224.0.0.1                             multicast            multicast
239.255.255.255                       multicast            multicast
240.0.0.1                             reserved             reserved
255.255.255.255                       reserved             reserved
2606:4700::6810:1                     -                    -
2a00:1450:4001:80f::200a              -                    -
2000::                                -                    -
3fff:1000::1                          -                    -
2001:200::1                           -                    -
::                                    unspecified          unspecified
::1                                   loopback             -
fc00::1                               private              -
fdff:ffff::1                          private              -
fd00:ec2::254                         cloud metadata       cloud metadata
fd20:ce::254                          cloud metadata       cloud metadata
fe80::1                               link-local           link-local
fe80::1%eth0                          link-local           link-local
febf::1                               link-local           link-local
fec0::1                               site-local           site-local
ff02::1                               multicast            multicast
2001:db8::1                           documentation        documentation
3fff::1                               documentation        documentation
2001::1                               Teredo               Teredo
2001:0:4136:e378:8000:63bf:3fff:fdd2  Teredo               Teredo
2001:20::1                            reserved             reserved
100::1                                reserved             reserved
5f00::1                               reserved             reserved
4000::1                               reserved             reserved
64:ff9b:1::7f00:1                     reserved             reserved
::7f00:1                              reserved             reserved
::ffff:0:7f00:1                       reserved             reserved
::ffff:8.8.8.8                        -                    -
::ffff:127.0.0.1                      loopback             -
::ffff:a9fe:a9fe                      link-local           link-local
::ffff:0.0.0.0                        unspecified          unspecified
::ffff:100.100.100.200                cloud metadata       cloud metadata
64:ff9b::8.8.8.8                      -                    -
64:ff9b::7f00:1                       loopback             -
64:ff9b::169.254.169.254              link-local           link-local
2002:808:808::1                       -                    -
2002:7f00:1::1                        loopback             -
2002:a9fe:a9fe::1                     link-local           link-local
localhost                             unreadable           unreadable
127.1                                 unreadable           unreadable
2130706433                            unreadable           unreadable
0x7f000001                            unreadable           unreadable
0177.0.0.1                            unreadable           unreadable
-                                     unreadable           unreadable
"""


@pytest.mark.parametrize("row", VERDICTS.strip().splitlines(), ids=lambda row: row.split()[0])
def test_the_verdict_on_every_kind_of_address(row: str) -> None:
    address, public, local = row[:38].strip(), row[38:59].strip(), row[59:].strip()
    assert (refusal(address, local=False) or "-") == public
    assert (refusal(address, local=True) or "-") == local


@given(st.ip_addresses())
def test_the_public_session_refuses_whatever_the_standard_library_calls_not_global(address: Any) -> None:
    embedded = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if (
        refusal(str(address), local=False) is None
        and embedded is None
        and not str(address).startswith("64:ff9b::")
    ):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_judged_as_what_it_is(address: Any) -> None:
    number = int(address)
    for wrapped in (
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::",
    ):
        for local in (False, True):
            assert refusal(wrapped, local=local) == refusal(str(address), local=local)


def test_no_socket_is_made_for_a_refused_address() -> None:
    make_socket = guarded(local=False)
    with pytest.raises(BlockedAddressError):
        make_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))
    made = make_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443)))
    assert (made.family, made.type) == (socket.AF_INET, socket.SOCK_STREAM)
    made.close()


# -- at the socket ----------------------------------------------------------------------------------------------


class Flipping(AbstractResolver):
    """Answers with one address after the other."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [{"hostname": host, "host": address, "port": port, "family": family, "proto": 6, "flags": 0}]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "0x7f000001",
        "①②⑦.⓪.⓪.①",
        "2130706433",
        "127.1",
    ],
)
async def test_the_public_session_never_reaches_loopback_however_it_is_written(host: str) -> None:
    client = UpstreamClient()
    async with faultup() as upstream:
        with pytest.raises(RequestError) as caught:
            await client.fetch_image(f"http://{host}:{upstream.port}/cat.png")
        assert upstream.connections == 0
    assert caught.value.param == "messages"
    await client.close()


@pytest.mark.parametrize("local", [False, True])
async def test_a_name_that_turns_into_a_metadata_address_is_stopped_at_the_socket(local: bool) -> None:
    client = UpstreamClient(Flipping("169.254.169.254"))
    with pytest.raises(UpstreamError) as caught:
        await client.send(Upstream("GET", "/"), "https://innocent.test", local=local, first_byte_timeout=3)
    assert caught.value.kind is Kind.NETWORK
    assert caught.value.message == "no connection to innocent.test: link-local addresses are refused"
    await client.close()


async def test_a_name_that_is_rebound_to_loopback_between_two_requests_is_stopped_at_the_socket() -> None:
    async with faultup() as upstream:
        client = UpstreamClient(Flipping("10.0.0.1", "127.0.0.1"))
        base_url = f"https://innocent.test:{upstream.port}"
        for _ in range(3):
            with pytest.raises(UpstreamError, match="addresses are refused"):
                await client.send(Upstream("GET", "/"), base_url, local=False, first_byte_timeout=3)
        assert upstream.connections == 0
        await client.close()


# -- the URL ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "path", "expected"),
    [
        ("https://api.test/v1", "/chat", "https://api.test/v1/chat"),
        ("https://api.test/v1/", "/chat", "https://api.test/v1/chat"),
        ("https://api.test", "/", "https://api.test/"),
        ("https://api.test:8443/a/b", "/c?alt=sse", "https://api.test:8443/a/b/c?alt=sse"),
        (
            "https://api.test",
            "/models/a:generate?alt=sse&x=%2F",
            "https://api.test/models/a:generate?alt=sse&x=%2F",
        ),
        ("https://api.test", "/@cf/meta/llama-3.1:free", "https://api.test/@cf/meta/llama-3.1:free"),
        ("https://api.test", "/models/a%2Fb", "https://api.test/models/a%2Fb"),
        ("https://api.test", "/models/ü b#c", "https://api.test/models/%C3%BC%20b%23c"),
        ("https://api.test", "/a..b/...", "https://api.test/a..b/..."),
        ("https://bücher.test", "/", "https://xn--bcher-kva.test/"),
        ("https://[2606:4700::1]:444/v1", "/x", "https://[2606:4700::1]:444/v1/x"),
    ],
)
def test_a_path_is_joined_below_the_base_url(base_url: str, path: str, expected: str) -> None:
    assert str(join(base_url, path, False)) == expected


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "chat",
            "@evil.test/",
            ":80/",
            ".evil.test/",
            "?x",
            "//evil.test/",
            "/a//b",
            "/..",
            "/../x",
            "/a/../b",
        ),
        *(
            "/.",
            "/./a",
            "/%2e%2e/x",
            "/%2E./x",
            "/a%2f..%2fb",
            "/%252e%252e/x",
            "/a\\b",
            "/a%5c..%5cb",
            "/%5c%5cevil",
        ),
        *("https://evil.test/", "/a/..?x", "\n/a"),
    ],
)
def test_a_path_that_could_leave_the_base_url_is_refused(path: str) -> None:
    with pytest.raises(UpstreamError, match="the path must start"):
        join("https://api.test/v1", path, False)


@pytest.mark.parametrize(
    "base_url",
    [
        *(
            "",
            "api.test",
            "ftp://api.test",
            "https://",
            "https:///v1",
            "https://user:pw@api.test",
            "https://a.test?x=1",
        ),
        *(
            "https://a.test#x",
            "https://a.test\\@b.test",
            "https://a test",
            "https://a.test:port",
            "https://a.test/\n",
        ),
        *(
            "https://a.test/v1/../x",
            "https://a.test/%2e%2e",
            "http://api.test",
            "https://:443",
            "https://a.test:99999",
        ),
    ],
)
def test_a_base_url_that_is_not_an_https_origin_with_a_path_is_refused(base_url: str) -> None:
    with pytest.raises(UpstreamError):
        join(base_url, "/x", False)


def test_a_local_base_url_may_be_plain_http() -> None:
    assert str(join("http://127.0.0.1:11434/v1", "/x", True)) == "http://127.0.0.1:11434/v1/x"


@given(st.text(max_size=40), st.sampled_from(["/", "/models/", ""]))
def test_no_path_changes_host_or_prefix(text: str, head: str) -> None:
    try:
        url = join("https://api.test/v1", head + text, False)
    except UpstreamError:
        return
    assert (url.scheme, url.host, url.port, url.user) == ("https", "api.test", 443, None)
    assert url.raw_path.startswith("/v1/")
    assert url.path.startswith("/v1/")
    assert str(url).isascii()
    assert str(url).isprintable()
    assert " " not in str(url)
