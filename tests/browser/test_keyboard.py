"""Everything without a mouse: where the focus is can be seen, dialogs keep it and give it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from browser.chromium import Browser, Page, Watched, expect, settled, window
from processes import freellm_demo

pytestmark = pytest.mark.browser

PAGES = ("/", "/keys", "/models", "/models?view=order", "/playground", "/analytics", "/plugins", "/settings")

STOPS = 24
"""How often the Tab key is pressed on a page; then the kinds of controls repeat."""

_FOCUS = """async () => {
    const moving = document.getAnimations().filter((one) => one.effect.getTiming().iterations !== Infinity);
    await Promise.allSettled(moving.map((one) => one.finished));
    const one = document.activeElement;
    const label = one.closest("label") ?? one;
    const parts = [one, one.parentElement, one.nextElementSibling, one.previousElementSibling, label.querySelector("span"), label.querySelector("div")];
    const marked = parts.filter(Boolean).some((part) => {
        const style = getComputedStyle(part);
        const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
        return outlined || style.boxShadow !== "none" || part.matches("input:focus, textarea:focus");
    });
    const box = one.getBoundingClientRect();
    return {
        what: one === document.body ? "" : one.outerHTML.slice(0, 160),
        marked,
        inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
}"""


@pytest.fixture(scope="module")
def demo() -> Iterator[dict[str, Any]]:
    with freellm_demo(providers=("groq", "google", "dashboard")) as facts:
        yield facts


@pytest.fixture(scope="module")
def cookies(browser: Browser, demo: dict[str, Any]) -> Any:
    with window(browser) as opened:
        opened.enter(demo["announced"]["dashboard"])
        return opened.context.storage_state()


@pytest.fixture
def opened(browser: Browser, cookies: Any) -> Iterator[Watched]:
    with window(browser, storage_state=cookies, reduced_motion="reduce") as made:
        yield made
        assert made.complaints == []


def at(opened: Watched, demo: dict[str, Any], path: str) -> Page:
    page = opened.open(f"{demo['url']}{path}")
    settled(page)
    return page


def test_the_first_stop_leads_past_the_navigation(opened: Watched, demo: dict[str, Any]) -> None:
    page = at(opened, demo, "/keys")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator("main :focus").count() == 1


@pytest.mark.parametrize("path", PAGES)
def test_the_focus_can_be_seen(opened: Watched, demo: dict[str, Any], path: str) -> None:
    page = at(opened, demo, path)
    stops = []
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(_FOCUS))
    assert [stop["what"] for stop in stops if stop["what"] and not (stop["marked"] and stop["inside"])] == []
    assert len({stop["what"] for stop in stops}) > 8


def test_the_palette_leads_anywhere_and_gives_the_focus_back(opened: Watched, demo: dict[str, Any]) -> None:
    page = at(opened, demo, "/models")
    before = page.get_by_placeholder("Search models")
    before.focus()
    page.keyboard.press("Control+k")
    search = page.get_by_role("combobox", name="Search", exact=True)
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(search).to_have_count(0)
    expect(before).to_be_focused()
    page.keyboard.press("Control+k")
    expect(search).to_be_focused()
    page.keyboard.insert_text("analyt")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Analytics")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Analytics")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "button"),
    [
        ("/keys", "Add a key"),
        ("/keys", "Import .env"),
        ("/models?view=profiles", "New profile"),
        ("/settings", "Rotate"),
    ],
)
def test_a_dialog_keeps_the_focus_and_gives_it_back(
    opened: Watched, demo: dict[str, Any], path: str, button: str
) -> None:
    page = at(opened, demo, path)
    opener = page.get_by_role("main").get_by_role("button", name=button, exact=True)
    opener.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator(":focus")).to_have_count(1)
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        assert dialog.locator(":focus").count() == 1
    page.keyboard.press("Shift+Tab")
    assert dialog.locator(":focus").count() == 1
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_a_model_is_switched_off_and_on(opened: Watched, demo: dict[str, Any]) -> None:
    page = at(opened, demo, "/models?search=gpt-oss-120b")
    switch = page.get_by_role("switch").first
    expect(switch).to_be_checked()
    switch.press("Space")
    expect(switch).not_to_be_checked()
    switch.press("Space")
    expect(switch).to_be_checked()


def test_a_question_is_asked(opened: Watched, demo: dict[str, Any]) -> None:
    page = at(opened, demo, "/playground?model=groq/openai/gpt-oss-120b")
    prompt = page.get_by_label("Prompt", exact=True)
    prompt.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(prompt).to_be_focused()
    page.keyboard.insert_text("Hello")
    page.keyboard.press("Enter")
    answer = page.get_by_role("article")
    expect(answer).to_have_attribute("aria-busy", "false")
    expect(answer).to_contain_text("simulated")
    expect(answer).to_contain_text("groq/openai/gpt-oss-120b")
    expect(prompt).to_be_focused()
