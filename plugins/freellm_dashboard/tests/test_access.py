"""Nobody gets at anything without a session, however the request is written, and no other site's page at all."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dashboards import NAVIGATION, PASSWORD, Browser, browsing, routes_of, signed_in
from freellm_dashboard import static
from freellm_dashboard.access import COOKIE
from running import RunningProxy, running_proxy

PUBLIC = {
    ("GET", "/"),
    ("GET", "/api/session"),
    ("POST", "/api/login"),
    ("GET", "/assets/{name}"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/v1"),
    *(("GET", page) for page in static.PAGES),
}
"""What answers everyone. A route that is added here has been thought about."""


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[RunningProxy]:
    async with running_proxy(tmp_path, {}) as running:
        yield running


@pytest.fixture
async def stranger(proxy: RunningProxy) -> AsyncIterator[Browser]:
    async with browsing(proxy) as browser:
        yield browser


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with signed_in(tmp_path) as opened:
        yield opened


def path_of(pattern: str) -> str:
    """Return a path that a pattern takes."""
    return pattern.replace("{id}", "x").replace("{name}", "x").replace("{rest}", "x").replace("{model}", "x")


async def raw(proxy: RunningProxy, head: str | bytes) -> bytes:
    """Send bytes as they are, and return all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.server.port)
    writer.write(head.encode("utf-8", "surrogateescape") if isinstance(head, str) else head)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


# A1: every route needs what it says


async def test_the_list_of_public_routes_is_this_one_and_what_lies_beside_the_page(
    proxy: RunningProxy,
) -> None:
    built = static.read(static.FOLDER)
    files = {("GET", "/{rest}" if name == "index.html" else f"/{name}") for name in built if "/" not in name}
    public = {
        (method, path) for method, path, level in routes_of(proxy) if level == "public" and method != "HEAD"
    }
    assert public == PUBLIC | files


async def test_no_route_of_the_api_is_anything_but_public_or_for_sessions(proxy: RunningProxy) -> None:
    levels = {level for _, path, level in routes_of(proxy) if path.startswith("/api")}
    assert levels == {"public", "session"}
    assert {level for _, path, level in routes_of(proxy) if path.startswith("/v1/")} == {"key"}


def credentials(key: str) -> Mapping[str, dict[str, str]]:
    return {
        "nothing": {},
        "an empty cookie": {"Cookie": f"{COOKIE}="},
        "a wrong cookie": {"Cookie": f"{COOKIE}={'x' * 43}; {COOKIE}_80=x"},
        "a cookie of 7 KiB": {"Cookie": f"{COOKIE}={'x' * 7000}"},
        "a cookie that is no ASCII": {"Cookie": f"{COOKIE}=ü\udcff"},
        "the unified key": {"Authorization": f"Bearer {key}"},
        "the unified key by another header": {"x-api-key": key},
        "the unified key as a cookie": {"Cookie": f"{COOKIE}={key}"},
    }


@pytest.mark.parametrize("name", credentials(""))
async def test_without_a_session_no_route_answers(proxy: RunningProxy, name: str) -> None:
    port = proxy.server.port
    given = {
        header: value.replace(f"{COOKIE}=", f"{COOKIE}_{port}=")
        for header, value in credentials(proxy.key)[name].items()
    }
    lines = "".join(f"{header}: {value}\r\n" for header, value in given.items())
    answered = 0
    for _, pattern, level in routes_of(proxy):
        if level != "session":
            continue
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            if (method, pattern) in PUBLIC:
                continue
            told = await raw(
                proxy,
                f"{method} {path_of(pattern)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}"
                f"Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n"
                "Content-Length: 2\r\nConnection: close\r\n\r\n{}",
            )
            assert int(told.split()[1]) in (401, 405), (method, pattern, told[:200])
            answered += 1
    assert answered > 30


async def test_a_session_opens_nothing_that_needs_the_key(browser: Browser) -> None:
    (cookie,) = [cookie.value for cookie in browser.session.cookie_jar]
    for method, pattern, level in routes_of(browser.proxy):
        if level != "key" or method == "HEAD":
            continue
        for headers in ({}, {"Authorization": f"Bearer {cookie}"}, {"x-api-key": cookie}):
            told = await browser.ask(method, path_of(pattern), headers=headers)
            assert told.status == 401, (method, pattern)


async def test_what_does_not_exist_is_told_to_who_is_signed_in(browser: Browser) -> None:
    told = await browser.get("/api/nothing/here")
    assert (told.status, "GET /api/nothing/here" in told.error["message"]) == (404, True)


# A2, B1: however the request is written


HOSTS = (
    *("evil.example", "127.0.0.1.evil", "localhost.", "127.0.0.1.", "localhost.evil.example", "[::1%lo]", "127.1"),
    *("a/api/session?x=", "localhost/api/session", "x@localhost", "localhost@evil", "localhost:", "localhost:x"),
    *("localhost:99999999", "[::1", "::1", "0.0.0.0", "2130706433", "localhost,evil", "localhost evil", "ü"),
)  # fmt: skip
TARGETS = (
    *("/api/sessions", "//api/sessions", "/./api/sessions", "/api/./sessions", "/x/../api/sessions", "/api//sessions"),
    *("/api/session/../sessions", "/assets/../api/sessions", "/login/../api/sessions", "/%61pi/sessions"),
    *("/api%2fsessions", "/api/sessions/", "/api/sessions;", "/api/sessions?x", "/API/SESSIONS", "/api/sessions%00"),
    *("/%2e%2e/api/sessions", "/api/%2e/sessions", "/api\\sessions", "http://evil/api/sessions", "*"),
    *("http://localhost/api/sessions", "@localhost/api/sessions", "/api/sessions#/api/session", "/api/sessions/."),
)  # fmt: skip


async def test_no_way_to_write_a_request_gets_past(proxy: RunningProxy) -> None:
    """Each way of writing the host and the path, and the secret of nobody's session."""
    for host, target in (
        *(("localhost", target) for target in TARGETS),
        *itertools.product(HOSTS, TARGETS[:3]),
    ):
        told = await raw(proxy, f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        assert told, (host, target)
        assert int(told.split()[1]) in (400, 401, 403, 404, 405, 421), (host, target, told[:200])


@pytest.mark.parametrize("path", ["/", "/keys", "/login", "/assets/x.js", "/api/session", "/api/sessions"])
async def test_only_the_names_of_loopback_are_answered_to(browser: Browser, path: str) -> None:
    (cookie,) = [f"{cookie.key}={cookie.value}" for cookie in browser.session.cookie_jar]
    port = browser.proxy.server.port
    for host, well in (
        *((f"{name}:{port}", True) for name in ("localhost", "LOCALHOST", "127.0.0.1", "[::1]")),
        *((name, False) for name in HOSTS),
    ):
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        status = int((await raw(browser.proxy, head)).split()[1])
        assert (status not in (400, 421)) is well, (host, status)


# B2: what other sites' pages make a browser send


SITES = (None, "same-origin", "none", "same-site", "cross-site", "")
TYPES = (None, "application/json", "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")  # fmt: skip


def origins(own: str) -> tuple[str | None, ...]:
    """Return origins, the browser's own among them."""
    return (None, own, own.replace("http://", "https://"), "null", "http://evil.example", f"{own}.evil.example",
            own.rpartition(":")[0], f"{own}0", "file://", own.removeprefix("http://"))  # fmt: skip


@pytest.mark.parametrize("site", SITES)
async def test_only_pages_of_ours_change_anything(browser: Browser, site: str | None) -> None:
    own = browser.url
    fine = 0
    for origin, media_type in itertools.product(origins(own), TYPES):
        headers = {"Sec-Fetch-Site": site, "Origin": origin, "Content-Type": media_type}
        sent = {name: value for name, value in headers.items() if value is not None}
        told = await browser.ask_as_told("DELETE", "/api/sessions/0000000000000000", headers=sent)
        by_site = site in ("same-origin", "none")
        by_origin = origin in (own, own.replace("http://", "https://"))
        ours = (by_site or site is None) and (by_origin or origin is None) and (by_site or by_origin)
        typed = media_type is not None and media_type.startswith("application/json")
        expected = 404 if ours and typed else 415 if ours else 403
        assert told.status == expected, sent
        fine += told.status == 404
    assert (fine > 0) == (site in (None, "same-origin", "none"))


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://localhost:1"}])  # fmt: skip
async def test_nothing_is_read_nor_anybody_signed_in_from_elsewhere(
    browser: Browser, headers: dict[str, str]
) -> None:
    for path in ("/api/session", "/api/sessions", "/api/events"):
        assert (await browser.ask_as_told("GET", path, headers=headers)).status == 403, path
    link = browser.dashboard.links.make(browser.url)
    body = {"token": link.partition("token=")[2]}
    typed = {**headers, "Content-Type": "application/json"}
    assert (await browser.ask_as_told("POST", "/api/login", body, typed)).status == 403
    assert (await browser.ask("POST", "/api/login", body)).status == 200


# B3: no other origin is ever invited


async def test_no_origin_gets_a_header_that_lets_it_read(browser: Browser) -> None:
    tried = [
        *filter(None, origins(browser.url)),
        "http://localhost:3000",
        "http://127.0.0.1.evil",
        "https://a.b",
    ]
    for origin, path in itertools.product(
        tried, ("/", "/api/session", "/api/sessions", "/keys", "/v1/models")
    ):
        for method in ("GET", "OPTIONS"):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true"}  # fmt: skip
            told = await browser.ask_as_told(method, path, headers=headers)
            assert not [name for name in told.headers if name.lower().startswith("access-control")]


# B4: what browsers are told


async def test_every_answer_tells_the_browser_what_it_must_not_do(browser: Browser) -> None:
    """Of the pages, of the API, and of what it refuses."""
    for method, pattern, level in routes_of(browser.proxy):
        path = path_of(pattern)
        ours = level == "session" or path.startswith("/api") or pattern in static.PAGES
        if method not in ("GET", "*") or not ours or path == "/api/events":
            continue
        for headers in (NAVIGATION, {**NAVIGATION, "Sec-Fetch-Site": "cross-site"}):
            told = await browser.ask("GET", path, headers=headers)
            assert told.headers["X-Content-Type-Options"] == "nosniff", path
            assert told.headers["Referrer-Policy"] == "no-referrer", path
            assert told.headers["Cross-Origin-Resource-Policy"] == "same-origin", path
            policy = told.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy, path
            if path.startswith("/api"):
                assert told.headers["Cache-Control"] == "no-store", path


# B5: what is secret stays where it is


async def test_nothing_that_is_read_holds_a_secret(tmp_path: Path) -> None:
    """Keys of providers, the unified key, the password and sessions: none in any answer that is read."""
    canaries = {
        "groq": ["gsk_canary0123456789abcdefghij"],
        "google": ["AIzaSyCanary0123456789abcdefghijklmno"],
    }
    urls = {"groq": "http://127.0.0.1:9", "google": "http://127.0.0.1:9"}
    async with signed_in(tmp_path, base_urls=urls, keys=canaries) as browser:
        changed = await browser.ask("PUT", "/api/password", {"password": PASSWORD})
        assert changed.status == 200
        (cookie,) = [cookie.value for cookie in browser.session.cookie_jar]
        secrets = [*itertools.chain(*canaries.values()), browser.proxy.key, PASSWORD, cookie]
        read = 0
        for method, pattern, level in routes_of(browser.proxy):
            if method != "GET" or level == "key" or pattern == "/api/events":
                continue
            told = await browser.get(path_of(pattern))
            body = told.body.decode("utf-8", "replace") + str(told.headers)
            assert not [secret for secret in secrets if secret in body], pattern
            read += told.status == 200
        copy = await browser.ask("POST", "/api/backup")
        assert copy.status == 200
        assert not [secret for secret in secrets if secret.encode() in copy.body]
        assert read >= 20


def test_the_policy_is_the_one_that_the_documentation_promises() -> None:
    from freellm_dashboard.headers import POLICY

    rules: dict[str, Any] = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("img-src") == "'self' data:"
    assert set(rules.values()) == {"'self'", "'none'"}
