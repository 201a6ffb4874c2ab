"""The walk that introduced the original system, from the open dashboard to the first request, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from browser.chromium import Browser, Page, expect, severe_faults, window
from browser.serving import Services, simulated_services
from processes import freellm_serving

pytestmark = pytest.mark.browser

PROVIDERS = ("google", "groq")


@pytest.fixture
def services() -> Iterator[Services]:
    with simulated_services() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, services: Services) -> Iterator[dict[str, Any]]:
    """A server without any key, whose providers are simulated."""
    variables = {
        "FREELLM_DATA_DIR": str(tmp_path / "data"),
        "FREELLM_CONFIG_DIR": str(tmp_path / "config"),
        "FREELLM_LOAD_PLUGINS": ",".join((*PROVIDERS, "dashboard")),
        **services.addresses(*PROVIDERS),
    }
    with freellm_serving([], variables) as (_, facts):
        yield facts


def test_from_the_link_to_the_first_request(
    browser: Browser, server: dict[str, Any], services: Services
) -> None:
    with window(browser, permissions=["clipboard-read", "clipboard-write"]) as opened:
        page = opened.enter(server["announced"]["dashboard"])  # step 3: open the dashboard
        expect(page).to_have_url(f"{server['url']}/")
        add_keys(page, services)  # step 4
        first = reorder(page)  # step 5
        key = copy_the_unified_key(page)  # step 6
        request(page, OpenAI(base_url=server["openai_base_url"], api_key=key), first)  # step 7
        assert opened.other_than("status of 422") == []


def add_keys(page: Page, services: Services) -> None:
    """Add a key of Google, which is refused at first, and one of Groq, with the keyboard alone."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Keys").click()
    expect(page.get_by_role("button", name="Add the first key")).to_be_visible()
    assert severe_faults(page) == []
    page.get_by_role("button", name="Add the first key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Provider").click()
    page.get_by_role("option", name="Google").click()
    key, unlocked = (
        dialog.get_by_label("API key"),
        dialog.get_by_role("heading", name=re.compile(r"unlocks \d+ models")),
    )
    services.refuse_keys("google")
    key.fill("AIza-of-nobody")
    dialog.get_by_role("button", name="Check and add").click()
    expect(dialog.get_by_role("alert")).to_contain_text("API key not valid")
    expect(key).to_have_value("AIza-of-nobody")
    services.recover()
    key.fill(services.key("google"))
    dialog.get_by_role("button", name="Check and add").click()
    expect(unlocked).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Add a key of GroqCloud").press("Enter")
    expect(key).to_be_focused()
    page.keyboard.insert_text(services.key("groq"))
    page.keyboard.press("Enter")
    expect(unlocked).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("2 keys")).to_be_visible()
    for secret in map(services.key, PROVIDERS):
        assert secret not in page.content()


def names(page: Page) -> list[str]:
    """Return the names of the order's rows, `provider/id`, as they stand on the page."""
    rows = page.get_by_role("list", name="Fallback order").get_by_role("listitem")
    found = [re.search(r"(?:google|groq)/\S+", text) for text in rows.all_inner_texts()]
    return [name.group() for name in found if name]


def put(page: Page, name: str, place: int) -> None:
    """Insist that a model has got a place in the order."""
    row = page.get_by_role("list", name="Fallback order").get_by_role("listitem").nth(place)
    expect(row).to_contain_text(name)


def reorder(page: Page) -> str:
    """Drag the third model to the top, and take the second there by keyboard; return the first one then."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Models").click()
    page.get_by_text("Fallback order").click()
    handles = page.get_by_role("list", name="Fallback order").get_by_role(
        "button", name=re.compile("Move .*, place")
    )
    expect(handles.nth(2)).to_be_visible()
    before = names(page)
    handles.nth(2).drag_to(handles.nth(0), steps=12)
    put(page, before[2], 0)
    handles.nth(1).focus()
    for key, said in (
        ("Space", "over place 2"),
        ("ArrowUp", "over place 1"),
        ("Space", "put down at place 1"),
    ):
        page.keyboard.press(key)
        expect(page.get_by_text(re.compile(said))).to_be_attached()  # what a screen reader is told
    put(page, before[0], 0)
    page.reload()
    put(page, before[0], 0)
    put(page, before[2], 1)
    return before[0]


def copy_the_unified_key(page: Page) -> str:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied", exact=True)).to_be_visible()
    return str(page.evaluate("() => navigator.clipboard.readText()"))


def request(page: Page, client: OpenAI, first: str) -> None:
    """Ask as the article does, and see the request appear without a reload."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Overview").click()
    expect(page.get_by_text("No requests yet")).to_be_visible()
    page.evaluate("() => { window.stayed = true; }")
    answer = client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "Explain how neural networks learn in simple terms."}],
    )
    assert answer.choices[0].message.content
    assert answer._routed_via["platform"] + "/" + answer._routed_via["model"] == first  # type: ignore[attr-defined]
    row = page.get_by_role("row").filter(has_text=first)
    expect(row).to_contain_text("answered")
    row.get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text(first)
    assert page.evaluate("() => window.stayed")
