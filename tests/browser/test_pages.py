"""Every page, in both themes and three widths: nothing to complain of, nothing too wide, open to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from browser.chromium import Browser, expect, scrolls_sideways, settled, severe_faults, window
from browser.serving import chat
from processes import freellm_demo

pytestmark = pytest.mark.browser

PAGES = {
    "overview": "/",
    "keys": "/keys",
    "key form": "/keys?add=groq",
    "import": "/keys?import=1",
    "models": "/models",
    "fallback order": "/models?view=order",
    "profiles": "/models?view=profiles",
    "playground": "/playground",
    "analytics": "/analytics?range=1h",
    "panels": "/panels",
    "panel": "/panels/simulator",
    "plugins": "/plugins",
    "settings": "/settings",
    "request": "/?call=%s",
}

MODELS = ("groq/openai/gpt-oss-120b", "cerebras/gpt-oss-120b", "google/gemini-3.5-flash", "llm7/minimax-m2.7")
"""Who is asked before the pages are looked at."""

WIDTHS = {360: 740, 768: 1024, 1440: 900}
"""Widths of a small phone, a tablet and a laptop, with their heights, in pixels."""


@pytest.fixture(scope="module")
def demo() -> Iterator[dict[str, Any]]:
    """A demo that has answered and refused."""
    with freellm_demo(providers=("cerebras", "github", "google", "groq", "llm7", "dashboard")) as facts:
        for model in MODELS:
            facts["last"] = chat(facts, model, max_tokens=20)
        chat(facts, MODELS[0], stream=True, max_tokens=20)
        chat(facts, "no-such-model")
        yield facts


@pytest.fixture(scope="module")
def cookies(browser: Browser, demo: dict[str, Any]) -> Any:
    """What a browser keeps that came in through the link of the first screen."""
    with window(browser) as opened:
        opened.enter(demo["announced"]["dashboard"])
        assert opened.complaints == []
        return opened.context.storage_state()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound(browser: Browser, demo: dict[str, Any], cookies: Any, name: str, theme: Any) -> None:
    path = PAGES[name] % demo["last"] if "%" in PAGES[name] else PAGES[name]
    with window(browser, storage_state=cookies, color_scheme=theme, reduced_motion="reduce") as opened:
        page = opened.open("about:blank")
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"{demo['url']}{path}")
            settled(page)
            background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
            assert (sum(map(int, background[4:-1].split(","))) < 380) == (theme == "dark"), background
            assert scrolls_sideways(page) == 0, f"{width} px"
            assert severe_faults(page) == [], f"{width} px"
        assert opened.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sign_in_page_is_sound(browser: Browser, demo: dict[str, Any], theme: Any) -> None:
    with window(browser, color_scheme=theme, reduced_motion="reduce") as opened:
        page = opened.open("about:blank")
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"{demo['url']}/settings")
            page.get_by_text("Sign in to your dashboard").wait_for()
            assert scrolls_sideways(page) == 0
            assert severe_faults(page) == []
        assert opened.complaints == []


def test_an_address_without_a_page_says_so(browser: Browser, demo: dict[str, Any], cookies: Any) -> None:
    with window(browser, storage_state=cookies) as opened:
        page = opened.open(f"{demo['url']}/nowhere")
        expect(page.get_by_role("heading", name="Not found")).to_be_visible()
        assert severe_faults(page) == []
        assert opened.other_than("status of 404") == []


def test_a_violation_would_be_noticed(browser: Browser, demo: dict[str, Any], cookies: Any) -> None:
    """What the other tests find nothing of can be found."""
    with window(browser, storage_state=cookies) as opened:
        page = opened.open(demo["url"])
        settled(page)
        page.evaluate("""() => {
            const made = document.createElement("style");
            made.textContent = "body { width: 9000px }";
            document.head.append(made);
            const image = document.createElement("img");
            image.src = "/assets/none.png";
            document.body.append(image);
        }""")
        page.locator("img[src='/assets/none.png']").wait_for(state="attached")
        assert any("policy violated: style-src" in said for said in opened.complaints)
        assert any("image-alt (critical)" in fault for fault in severe_faults(page))
