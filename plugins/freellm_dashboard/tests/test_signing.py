"""Signing in by a link or a password, once or as often as is allowed, and being signed out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dashboards import PASSWORD, Browser, browsing, signed_in
from freellm.store import Store
from freellm_dashboard import links, sessions, throttle
from freellm_dashboard.context import NAME
from freellm_dashboard.passwords import Password, hashed
from freellm_dashboard.throttle import Throttle, peer_of
from running import running_proxy

WRONG = "incorrect horse battery"


class Time:
    """A monotonic clock that is set forward by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def browser(tmp_path: Path, clock: Time) -> AsyncIterator[Browser]:
    """A browser that is not signed in."""
    async with running_proxy(tmp_path, {}, monotonic=clock) as proxy, browsing(proxy) as opened:
        yield opened


async def signs_in(browser: Browser, **body: Any) -> int:
    return (await browser.ask("POST", "/api/login", body)).status


async def is_signed_in(browser: Browser) -> bool:
    signed: bool = (await browser.get("/api/session")).json["signed_in"]
    assert ((await browser.get("/api/sessions")).status == 200) is signed
    return signed


def token(browser: Browser) -> str:
    return browser.dashboard.links.make(browser.url).partition("token=")[2]


# Links


async def test_a_link_signs_in_once(browser: Browser) -> None:
    used = token(browser)
    assert not await is_signed_in(browser)
    assert await signs_in(browser, token=used) == 200
    assert await is_signed_in(browser)
    told = await browser.ask("POST", "/api/login", {"token": used})
    assert (told.status, told.error["field"]) == (401, "token")
    assert "freellm dashboard link" in told.error["cure"]


async def test_of_many_who_use_a_link_one_gets_in(browser: Browser) -> None:
    used = token(browser)
    told = await asyncio.gather(*(signs_in(browser, token=used) for _ in range(20)))
    assert sorted(told) == [200] + [401] * 19


async def test_a_link_is_good_for_fifteen_minutes(browser: Browser, clock: Time) -> None:
    early, late = token(browser), token(browser)
    clock.ahead = links.VALID - 5
    assert await signs_in(browser, token=early) == 200
    clock.ahead = links.VALID + 1
    assert await signs_in(browser, token=late) == 401


@pytest.mark.parametrize("given", ["", "x", "%", "ü", "a" * 4000, "../../x", "\u0000"])
async def test_what_is_no_link_signs_nobody_in(browser: Browser, given: str) -> None:
    token(browser)
    assert await signs_in(browser, token=given) == 401


async def test_of_links_and_sessions_only_digests_are_stored(browser: Browser) -> None:
    unused = token(browser)
    assert await signs_in(browser, token=token(browser)) == 200
    (cookie,) = [cookie.value for cookie in browser.session.cookie_jar]
    store = browser.proxy.runtime.store
    assert len(store.plugin(NAME).all("", 0.0)) == 2
    for file in store.file.parent.iterdir():
        content = file.read_bytes()
        assert not [secret for secret in (unused, cookie) if secret.encode() in content]


# Cookies


async def test_the_cookie_is_for_this_server_and_out_of_reach_for_scripts(browser: Browser) -> None:
    told = await browser.sign_in()
    name, _, rest = told.headers["Set-Cookie"].partition("=")
    assert name == f"freellm_session_{browser.proxy.server.port}"
    secret, *attributes = rest.split("; ")
    assert len(secret) >= 43
    assert set(attributes) == {"HttpOnly", "Path=/", "SameSite=Strict", "Max-Age=604800"}


async def test_a_browser_that_came_by_tls_is_handed_a_cookie_for_tls_only(browser: Browser) -> None:
    """A proxy in front has the certificate; the browser's own word says that it is there."""
    secure = {"Origin": browser.url.replace("http://", "https://")}
    told = await browser.ask("POST", "/api/login", {"token": token(browser)}, secure)
    name, _, rest = told.headers["Set-Cookie"].partition("=")
    assert name == f"__Host-freellm_session_{browser.proxy.server.port}"
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(rest.split("; "))
    kept = {"Cookie": f"{name}={rest.partition(';')[0]}"}
    assert (await browser.ask("GET", "/api/sessions", headers=kept)).status == 200
    told = await browser.ask("POST", "/api/logout", headers={**kept, **secure})
    assert (told.status, "Max-Age=0" in told.headers["Set-Cookie"]) == (200, True)
    assert (await browser.ask("GET", "/api/sessions", headers=kept)).status == 401


# Sessions


async def test_a_session_ends_when_it_is_not_used(browser: Browser, clock: Time) -> None:
    await browser.sign_in()
    for _ in range(3):  # used every eleven hours, it goes on
        clock.ahead += sessions.IDLE - 3600
        assert await is_signed_in(browser)
    clock.ahead += sessions.IDLE + 1
    assert not await is_signed_in(browser)


async def test_a_session_ends_after_a_week_however_much_it_is_used(browser: Browser, clock: Time) -> None:
    await browser.sign_in()
    while clock.ahead < sessions.LONGEST - 3600:
        assert await is_signed_in(browser)
        clock.ahead += 3600 * 10
    clock.ahead = sessions.LONGEST + 1
    assert not await is_signed_in(browser)


async def test_who_signs_out_is_out(browser: Browser) -> None:
    await browser.sign_in()
    (cookie,) = list(browser.session.cookie_jar)
    told = await browser.ask("POST", "/api/logout")
    assert told.status == 200
    assert not list(browser.session.cookie_jar)
    kept = {"Cookie": f"{cookie.key}={cookie.value}"}
    assert (await browser.ask("GET", "/api/sessions", headers=kept)).status == 401


async def test_sessions_are_listed_and_ended_one_by_one(browser: Browser) -> None:
    await browser.sign_in()
    async with browsing(browser.proxy) as other:
        await other.sign_in()
        rows = (await browser.get("/api/sessions")).json["sessions"]
        assert sorted(row["current"] for row in rows) == [False, True]
        (theirs,) = [row["id"] for row in rows if not row["current"]]
        assert "aiohttp" in rows[0]["client"]
        assert (await browser.ask("DELETE", f"/api/sessions/{theirs}")).status == 200
        assert not await is_signed_in(other)
        assert await is_signed_in(browser)
        assert (await browser.ask("DELETE", f"/api/sessions/{theirs}")).status == 404
        for part in ("", theirs[:8], "%25", "_" * 16):
            assert (await browser.ask("DELETE", f"/api/sessions/{part}")).status == 404
        assert await is_signed_in(browser)


# The password


async def test_a_password_signs_in_and_changing_it_signs_everybody_else_out(browser: Browser) -> None:
    await browser.sign_in()
    assert (await browser.ask("PUT", "/api/password", {"password": PASSWORD})).status == 200
    async with browsing(browser.proxy) as other:
        assert await signs_in(other, password=WRONG) == 401
        assert await signs_in(other, password=PASSWORD) == 200
        unused = token(browser)
        told = await browser.ask("PUT", "/api/password", {"password": WRONG})
        assert (told.status, told.error["field"]) == (422, "current")
        told = await browser.ask("PUT", "/api/password", {"password": WRONG, "current": WRONG})
        assert (told.status, told.error["field"]) == (401, "current")
        assert await is_signed_in(other)
        told = await browser.ask("PUT", "/api/password", {"password": WRONG, "current": PASSWORD})
        assert told.status == 200
        assert await is_signed_in(browser)
        assert not await is_signed_in(other)
        assert await signs_in(other, token=unused) == 401
        assert await signs_in(other, password=PASSWORD) == 401
        assert await signs_in(other, password=WRONG) == 200


async def test_a_password_can_be_removed_and_links_go_on(browser: Browser) -> None:
    await browser.sign_in()
    await browser.ask("PUT", "/api/password", {"password": PASSWORD})
    assert (await browser.get("/api/session")).json["password_set"] is True
    told = await browser.ask("PUT", "/api/password", {"password": None, "current": PASSWORD})
    assert told.status == 200
    assert (await browser.get("/api/session")).json["password_set"] is False
    told = await browser.ask("POST", "/api/login", {"password": PASSWORD})
    assert (told.status, told.error["message"]) == (401, "no password is set")
    assert (await browser.sign_in()).status == 200


@pytest.mark.parametrize("password", ["", "short", "nine char", "x" * 1001])
async def test_a_password_is_neither_short_nor_endless(browser: Browser, password: str) -> None:
    await browser.sign_in()
    told = await browser.ask("PUT", "/api/password", {"password": password})
    assert (told.status, told.error["field"]) == (422, "password")
    assert (await browser.get("/api/session")).json["password_set"] is False


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b"[]", 422, None),
        (b"{}", 422, "password"),
        (b'{"password": 1}', 422, "password"),
        (b'{"password": "x", "is_admin": true}', 422, "is_admin"),
        (b'{"token": "' + b"x" * 70_000 + b'"}', 413, None),
    ],
)
async def test_a_body_that_is_wrong_is_refused_by_name(
    browser: Browser, body: bytes, status: int, field: str | None
) -> None:
    told = await browser.ask("POST", "/api/login", body)
    assert (told.status, told.error["field"]) == (status, field)


async def test_the_password_is_stored_as_a_slow_hash_with_a_salt(browser: Browser) -> None:
    await browser.sign_in()
    await browser.ask("PUT", "/api/password", {"password": PASSWORD})
    for file in browser.proxy.runtime.store.file.parent.iterdir():
        assert PASSWORD.encode() not in file.read_bytes()
    one, other = hashed(PASSWORD), hashed(PASSWORD)
    assert one.key != other.key
    assert (one.fits(PASSWORD), one.fits(WRONG)) == (True, False)
    assert one.cost * one.block * 128 == 32 * 2**20


# Guessing


async def test_after_five_wrong_passwords_a_peer_waits_longer_and_longer(
    browser: Browser, clock: Time
) -> None:
    """Wherever a header says that it comes from; and a link still lets the owner in."""
    browser.dashboard.password.set(PASSWORD)
    for number in range(throttle.PEER_FREE):
        forged = {"X-Forwarded-For": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"}
        told = await browser.ask("POST", "/api/login", {"password": WRONG}, forged)
        assert told.status == 401
    for wait in (1, 2, 4):
        told = await browser.ask("POST", "/api/login", {"password": PASSWORD})
        assert (told.status, told.headers["Retry-After"]) == (429, str(wait))
        assert "freellm dashboard link" in told.error["cure"]
        clock.ahead += wait
        assert await signs_in(browser, password=WRONG) == 401
    assert (await browser.sign_in()).status == 200
    clock.ahead += 8
    assert await signs_in(browser, password=PASSWORD) == 200
    assert await signs_in(browser, password=WRONG) == 401  # and the count has begun anew
    assert await signs_in(browser, password=PASSWORD) == 200


async def test_passwords_that_are_tried_at_the_same_time_all_count(browser: Browser) -> None:
    browser.dashboard.password.set(PASSWORD)
    told = await asyncio.gather(*(signs_in(browser, password=WRONG) for _ in range(20)))
    assert sorted(told) == [401] * throttle.PEER_FREE + [429] * 15


async def test_checking_passwords_holds_nobody_up(browser: Browser) -> None:
    """The event loop turns while hashes are made: no turn takes as long as a hash does."""
    browser.dashboard.password.set(PASSWORD)
    began = time.perf_counter()
    hashed(PASSWORD)
    hash_takes = time.perf_counter() - began
    tries = asyncio.gather(*(signs_in(browser, password=WRONG) for _ in range(throttle.PEER_FREE)))
    turns, last = [], time.perf_counter()
    while not tries.done():
        await asyncio.sleep(0.002)
        now = time.perf_counter()
        turns.append(now - last)
        last = now
    assert await tries == [401] * throttle.PEER_FREE
    turns.sort()
    assert len(turns) > 20
    assert turns[int(len(turns) * 0.95)] < hash_takes / 2


def test_the_wait_is_doubled_up_to_a_bound_and_forgotten_after_an_hour() -> None:
    now = 1_000.0
    gate = Throttle(lambda: now)
    waits = []
    for _ in range(throttle.PEER_FREE):
        assert gate.enter("a") == 0
    while len(waits) < 14:
        waits.append(gate.enter("a"))
        now += waits[-1]
        assert gate.enter("a") == 0
    assert waits == [*(2.0**n for n in range(10)), *[throttle.PEER_LONGEST] * 4]
    now += throttle.FORGOTTEN + 1
    assert [gate.enter("a") for _ in range(6)] == [0, 0, 0, 0, 0, 1.0]


def test_many_peers_wait_together_and_are_not_remembered_for_ever() -> None:
    now = 1_000.0
    gate = Throttle(lambda: now)
    waits = [gate.enter(f"203.0.113.{number}") for number in range(throttle.ALL_FREE + 1)]
    assert waits == [0.0] * throttle.ALL_FREE + [1.0]
    for number in range(10_000):
        now += throttle.ALL_LONGEST
        gate.enter(f"peer {number}")
    assert len(gate._peers) <= throttle.MOST_PEERS
    assert gate.enter("another") <= throttle.ALL_LONGEST
    gate.passed("another")
    assert gate.enter("another") == 0


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("::1", "loopback"),
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
def test_a_peer_is_an_address_or_what_somebody_has_to_himself(address: str | None, peer: str) -> None:
    assert peer_of(address) == peer


# Beyond loopback


async def test_beyond_loopback_nobody_gets_in_before_a_password_is_set(tmp_path: Path) -> None:
    """Not by a link, and from this machine neither: whose connection it is cannot be told behind a proxy."""
    async with running_proxy(tmp_path, {}, host="0.0.0.0") as proxy, browsing(proxy) as browser:
        assert (await browser.get("/api/session")).json["password_required"] is True
        for body in ({"token": token(browser)}, {"password": PASSWORD}):
            for headers in ({}, {"X-Forwarded-For": "127.0.0.1"}):
                told = await browser.ask("POST", "/api/login", body, headers)
                assert told.status == 403
                assert told.error["cure"] == "run: freellm dashboard password"
        (lines,) = browser.proxy.runtime.extensions.announce(proxy.runtime.proxy, proxy.url).values()
        assert "freellm dashboard password" in lines
        assert "token" not in lines
        browser.dashboard.password.set(PASSWORD)
        assert (await browser.get("/api/session")).json["password_required"] is False
        assert await signs_in(browser, password=PASSWORD) == 200
        assert (await browser.sign_in()).status == 200
        told = await browser.ask("PUT", "/api/password", {"password": None, "current": PASSWORD})
        assert (told.status, told.error["field"]) == (409, "password")


# Streams


@pytest.mark.parametrize(
    "how", ["by the command line", "by another page", "by signing out", "by a new password"]
)
async def test_an_ended_session_has_no_open_stream_within_a_second(tmp_path: Path, how: str) -> None:
    async with signed_in(tmp_path) as browser, browsing(browser.proxy) as other:
        await other.sign_in()
        stream = await browser.session.get(
            f"{browser.url}/api/events", timeout=aiohttp.ClientTimeout(total=20)
        )
        assert b"event: hello" in await read_until(stream, b"event: activity")
        (id_,) = [
            row["id"] for row in (await browser.get("/api/sessions")).json["sessions"] if row["current"]
        ]
        began = time.perf_counter()
        if how == "by the command line":
            with Store(tmp_path / "data") as store:
                sessions.Sessions(store.plugin(NAME), browser.dashboard.proxy.clock.now).end(id_)
        elif how == "by another page":
            await other.ask("DELETE", f"/api/sessions/{id_}")
        elif how == "by signing out":
            await browser.ask("POST", "/api/logout")
        else:
            await other.ask("PUT", "/api/password", {"password": PASSWORD})
            began = time.perf_counter()
        rest = await stream.read()
        assert time.perf_counter() - began < 1.0
        (last,) = rest.split(b"\n\n")[-2:-1]
        assert last.startswith(b"event: signed-out\ndata: ")


async def read_until(stream: aiohttp.ClientResponse, mark: bytes) -> bytes:
    data = b""
    while mark not in data:
        data += await asyncio.wait_for(stream.content.readany(), 5)
    return data


async def test_a_password_of_another_process_counts_at_once(browser: Browser) -> None:
    with Store(browser.proxy.runtime.settings.data_dir) as store:
        Password(store.plugin(NAME)).set(PASSWORD)
    assert await signs_in(browser, password=PASSWORD) == 200
