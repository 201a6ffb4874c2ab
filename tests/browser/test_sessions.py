"""Who is in and who is out, as browsers see it; and what is live stays live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.chromium import Browser, Page, expect, window
from browser.serving import chat, link, simulated_services
from commandline import Commandline
from processes import free_port, freellm_serving

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"

RECONNECTED = 20_000
"""Milliseconds within which a page has found a server again that was gone for a moment."""

GONE = (
    "ERR_CONNECTION_REFUSED",
    "ERR_CONNECTION_RESET",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
    "ERR_EMPTY_RESPONSE",
)
"""What Chromium itself writes on the console when nobody listens."""


@pytest.fixture
def line(tmp_path: Path) -> Commandline:
    """The command line on the server's own data."""
    return Commandline(tmp_path, FREELLM_LOAD_PLUGINS="groq,dashboard")


@pytest.fixture
def server(line: Commandline) -> Iterator[dict[str, Any]]:
    with freellm_serving([], line.variables) as (_, facts):
        yield facts


def is_out(page: Page) -> None:
    """Insist that a page asks to sign in."""
    expect(page.get_by_text("Sign in to your dashboard")).to_be_visible()


def test_a_link_opens_once(browser: Browser, server: dict[str, Any]) -> None:
    address = server["announced"]["dashboard"]
    with window(browser) as one, window(browser) as other:
        page = one.enter(address)
        assert "token" not in page.url
        late = other.open(address)
        is_out(late)
        expect(late.get_by_role("alert")).to_be_visible()
        assert "token" not in late.url
        assert one.complaints == []
        assert other.other_than("status of 401") == []


def test_signing_out_and_in_with_a_password(
    browser: Browser, server: dict[str, Any], line: Commandline
) -> None:
    with window(browser) as opened:
        page = opened.open(f"{server['url']}/keys")
        is_out(page)
        line.run("dashboard", "password", stdin=f"{PASSWORD}\n{PASSWORD}\n")
        page.reload()
        field = page.locator("input[type=password]")
        field.fill("wrong horse battery")
        field.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        field.fill(PASSWORD)
        field.press("Enter")
        expect(page.get_by_role("heading", name="Keys", exact=True)).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        is_out(page)
        page.goto(f"{server['url']}/models")
        is_out(page)
        assert opened.other_than("status of 401", "status of 429") == []


def test_a_session_that_is_ended_elsewhere_ends_at_once(
    browser: Browser, server: dict[str, Any], line: Commandline
) -> None:
    with window(browser) as mine, window(browser) as theirs, window(browser) as another:
        page = mine.enter(server["announced"]["dashboard"])
        stranger = theirs.enter(link(server, line.data.parent))
        page.goto(f"{server['url']}/settings")
        page.get_by_role("main").get_by_role("button", name="Sign out").click()
        is_out(stranger)
        third = another.enter(link(server, line.data.parent))
        for session in line.document("dashboard", "sessions")["sessions"]:
            line.run("dashboard", "sessions", "end", session["id"])
        is_out(page)
        is_out(third)
        assert theirs.other_than("status of 401") == []


def test_a_page_finds_the_server_again(browser: Browser, line: Commandline) -> None:
    port = str(free_port())
    with simulated_services() as services:
        variables = {**line.variables, **services.addresses("groq")}
        told = Commandline(line.data.parent, **variables)
        told.run("keys", "add", "groq", "--no-check", stdin=f"{services.key('groq')}\n")
        with window(browser) as opened:
            with freellm_serving(["--port", port], variables) as (_, facts):
                page = opened.enter(facts["announced"]["dashboard"])
                side = page.get_by_role("complementary", name="Navigation")
                live = side.get_by_text("Live", exact=True)
                expect(live).to_be_visible()
                page.evaluate("() => { window.stayed = true; }")
            expect(side.get_by_text("Reconnecting…")).to_be_visible()
            with freellm_serving(["--port", port], variables) as (_, facts):
                expect(live).to_be_visible(timeout=RECONNECTED)
                key = told.document("apikey", "show")["api_key"]
                chat({**facts, "api_key": key}, "groq/openai/gpt-oss-120b")
                expect(page.get_by_role("row").filter(has_text=re.compile("gpt-oss-120b"))).to_contain_text(
                    "answered"
                )
                assert page.evaluate("() => window.stayed")
            assert opened.other_than(*GONE) == []
