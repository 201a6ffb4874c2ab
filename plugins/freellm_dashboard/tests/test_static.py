"""The pages: who gets them, how small, for how long; and a server whose pages were never built."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from dashboards import NAVIGATION, Answer, Browser, browsing
from freellm_dashboard import static
from freellm_dashboard.headers import POLICY
from running import running_proxy

INDEX = b"<!doctype html><title>freellm</title>" + b" " * 500
SCRIPT = b"export const answer = 42;" * 50
SQUEEZED = b"brotli, as far as this test is concerned"
NAME = "index-CxdXp1.js"


def build(folder: Path) -> None:
    """Make files as the build does."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "assets" / NAME).write_bytes(SCRIPT)
    (folder / "assets" / f"{NAME}.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / f"{NAME}.br").write_bytes(SQUEEZED)
    (folder / "assets" / "index-B2.css").write_text("a{}")


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "built"
    build(folder)
    monkeypatch.setattr(static, "FOLDER", folder)
    return folder


@pytest.fixture
async def browser(tmp_path: Path, built: Path) -> AsyncIterator[Browser]:
    async with running_proxy(tmp_path, {}) as proxy, browsing(proxy) as opened:
        yield opened


async def read(browser: Browser, path: str, **headers: str) -> Answer:
    return await browser.ask_as_told(
        "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.mark.parametrize("path", [page.replace("{id}", "quotas") for page in static.PAGES])
async def test_every_page_is_the_document(browser: Browser, path: str) -> None:
    told = await browser.ask_as_told("GET", f"{path}?token=x", headers=NAVIGATION)
    assert (told.status, told.body) == (200, INDEX)
    assert told.headers["Content-Type"] == "text/html; charset=utf-8"
    assert told.headers["Cache-Control"] == "no-cache"
    assert "Accept" in told.headers["Vary"].split(", ")


@pytest.mark.parametrize("accept", ["application/json", "*/*", ""])
async def test_a_program_is_told_where_things_are(browser: Browser, accept: str) -> None:
    told = await read(browser, "/", Accept=accept)
    assert (told.status, told.json["openai_base_url"]) == (200, f"{browser.url}/v1")
    assert (await read(browser, "/models", Accept=accept)).status == 401
    listed = await read(browser, "/models", Accept=accept, Authorization=f"Bearer {browser.proxy.key}")
    assert (listed.status, listed.json["object"]) == (200, "list")


async def test_a_hashed_file_is_kept_for_ever_and_sent_small(browser: Browser) -> None:
    path = f"/assets/{NAME}"
    bodies: Mapping[str, tuple[str | None, bytes]] = {
        "br, gzip, deflate": ("br", SQUEEZED),
        "gzip, deflate, BR": ("br", SQUEEZED),
        "gzip": ("gzip", SCRIPT),
        "br;q=0, gzip;q=0.5": ("gzip", SCRIPT),
        "identity": (None, SCRIPT),
        "deflate, brotli": (None, SCRIPT),
        "br; q=0.0": (None, SCRIPT),
    }
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        for accepted, (encoding, body) in bodies.items():
            headers = {"Accept-Encoding": accepted}
            async with session.get(f"{browser.url}{path}", headers=headers) as response:
                sent = await response.read()
                assert response.headers.get("Content-Encoding") == encoding, accepted
                assert (gzip.decompress(sent) if encoding == "gzip" else sent) == body
                assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
                assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
                assert "Accept-Encoding" in response.headers["Vary"]


async def test_what_a_browser_has_is_not_sent_again(browser: Browser) -> None:
    for path in ("/keys", "/favicon.svg"):
        first = await browser.ask_as_told("GET", path, headers=NAVIGATION)
        again = await read(browser, path, If_None_Match=first.headers["ETag"])
        assert (again.status, again.body) == (304, b"")
        assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
        assert (await read(browser, path, If_None_Match='"another"')).status == 200


async def test_an_address_without_anything_is_a_page_to_browsers(browser: Browser) -> None:
    keys = await browser.ask_as_told("GET", "/keys", headers=NAVIGATION)
    for path in ("/nowhere", "/a/b/c", "/keys/"):
        told = await read(browser, path, If_None_Match=keys.headers["ETag"], **NAVIGATION)
        assert (told.status, told.body) == (404, keys.body)
        assert told.headers["Content-Security-Policy"] == POLICY
        program = await read(browser, path, Accept="application/json")
        assert (program.status, b"unknown_url" in program.body) == (404, True)


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/nowhere", 404), ("/api/nowhere", 401), ("/assets/no", 404)]
)
async def test_where_programs_ask_nothing_is_a_page(browser: Browser, path: str, status: int) -> None:
    told = await browser.ask_as_told("GET", path, headers=NAVIGATION)
    assert (told.status, told.headers["Content-Type"].partition(";")[0]) == (status, "application/json")


async def test_a_page_takes_the_place_of_no_route(browser: Browser) -> None:
    told = await browser.ask_as_told("GET", "/v1/chat/completions", headers=NAVIGATION)
    assert (told.status, told.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/missing.js",
        f"/assets/{NAME}.br",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/..%2findex.html",
        "/assets/../../plugin.py",
        "/index.html",
        "/.sources",
        "/keys/",
        "/panels/a/b",
    ],
)
async def test_no_other_file_is_served(browser: Browser, path: str) -> None:
    assert (await browser.ask_as_told("GET", path, headers=NAVIGATION)).status == 404


async def test_a_file_has_the_policy_and_its_own_type(browser: Browser) -> None:
    for path, media_type in (
        ("/favicon.svg", "image/svg+xml"),
        ("/assets/index-B2.css", "text/css; charset=utf-8"),
    ):
        told = await read(browser, path)
        assert told.headers["Content-Type"] == media_type
        assert told.headers["X-Content-Type-Options"] == "nosniff"
        assert told.headers["Content-Security-Policy"] == POLICY


async def test_pages_that_were_not_built_are_missed_once_and_the_api_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(static, "FOLDER", tmp_path / "nowhere")
    async with running_proxy(tmp_path, {}) as proxy, browsing(proxy) as browser:
        assert caplog.text.count("pages were not built") == 1
        for path in ("/", "/keys"):
            told = await browser.ask_as_told("GET", path, headers=NAVIGATION)
            assert (told.status, static.MISSING in told.body.decode()) == (503, True)
        assert (await browser.sign_in()).status == 200
        assert caplog.text.count("pages were not built") == 1


async def test_without_the_plugin_core_answers_as_it_does_alone(tmp_path: Path) -> None:
    async with (
        running_proxy(tmp_path, {}, load_plugins=["groq"]) as proxy,
        aiohttp.ClientSession() as session,
    ):
        async with session.get(proxy.url, headers=NAVIGATION) as response:
            assert (await response.json())["name"] == "freellm"
        for path in ("/api/session", "/keys", "/login"):
            async with session.get(f"{proxy.url}{path}", headers=NAVIGATION) as response:
                assert response.status == 404
        assert proxy.runtime.extensions.announce(proxy.runtime.proxy, proxy.url) == {}


def test_the_documents_that_were_built_load_nothing_inline() -> None:
    """Of the real build, when there is one."""
    if not (document := static.FOLDER / "index.html").exists():
        pytest.skip("the pages are not built here")
    text = document.read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert all('src="/' in script for script in re.findall(r"<script[^>]*>", text))
    assets = static.read(static.FOLDER)
    sent = sum(
        len(asset.bodies.get("gzip", asset.bodies["identity"]))  # what every browser takes, by http too
        for name, asset in assets.items()
        if name.endswith((".js", ".css"))
    )
    assert sent <= 300_000
    squeezed = [
        set(asset.bodies)
        for name, asset in assets.items()
        if name.endswith((".js", ".css")) and len(asset.bodies["identity"]) > 1_000
    ]
    assert squeezed
    assert all(bodies == {"identity", "br", "gzip"} for bodies in squeezed)
