"""What strangers write is shown as it is written: models' names, labels, errors, answers, profiles, browsers' names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from browser.chromium import Browser, Page, Watched, expect, settled, window
from browser.payloads import PAYLOADS
from browser.serving import chat
from commandline import Commandline, answering
from processes import freellm_serving, models, soon

pytestmark = pytest.mark.browser

REFUSALS = ("status of 400", "status of 404", "status of 422", "status of 502")
"""What Chromium writes on the console of answers that these tests ask for; of a request that has just ended, too, which
is logged a moment later."""


TABLE = "\n".join(("| as it is | bold |", "|---|--:|", *(f"| {name} | **{name}** |" for name in PAYLOADS)))
"""The payloads where an answer's own marks are drawn."""


async def hostile(request: web.BaseRequest) -> web.StreamResponse:
    """A server whose models are called as the payloads, and answer with all of them or refuse with their own."""
    if request.path.startswith("/groq"):
        wrong = PAYLOADS[int(request.headers["Authorization"].rpartition("_")[2])]
        return web.json_response({"error": {"message": wrong, "code": "invalid_api_key"}}, status=401)
    if request.method == "GET":
        listed = [{"id": f"m{number}", "name": name} for number, name in enumerate(PAYLOADS)]
        return web.json_response({"object": "list", "data": listed})
    number = int((await request.json())["model"].removeprefix("m"))
    if number % 2:
        said = PAYLOADS[number]
        return web.json_response({"error": {"message": said, "type": said, "code": said}}, status=400)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "\n\n".join((*PAYLOADS, TABLE))},
        "finish_reason": "stop",
    }
    return web.json_response(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("strangers")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[dict[str, Any]]:
    """A server that knows the payloads as models, labels and profiles, and has had them in requests and in errors."""
    (folder / "data").mkdir()
    with answering(hostile) as url:
        config = f'[instances.lab]\nbase_url = "{url}/v1"\n'
        (folder / "data" / "config.toml").write_text(config, "utf-8")
        line = Commandline(
            folder, FREELLM_LOAD_PLUGINS="groq,custom,dashboard", FREELLM_GROQ_BASE_URL=f"{url}/groq/v1"
        )
        for number, label in enumerate(PAYLOADS):
            line.run(
                "keys", "add", "groq", "--no-check", "--label", label, stdin=f"gsk_{'x' * 40}_{number}\n"
            )
        with freellm_serving([], line.variables) as (_, facts):
            told = {**facts, "api_key": line.document("apikey", "show")["api_key"]}
            assert soon(lambda: f"m{len(PAYLOADS) - 1}" in models(facts["url"], told["api_key"]))
            for number, name in enumerate(PAYLOADS):
                chat(told, f"lab/m{number}")
                chat(told, name)
            yield told


@pytest.fixture(scope="module")
def cookies(browser: Browser, server: dict[str, Any]) -> Any:
    """What a browser keeps whose own name is one of the payloads."""
    with window(browser, user_agent=PAYLOADS[0]) as opened:
        opened.enter(server["announced"]["dashboard"])
        return opened.context.storage_state()


@pytest.fixture
def opened(browser: Browser, cookies: Any) -> Iterator[Watched]:
    """A window that is signed in; at the end nothing may have happened in it."""
    with window(browser, storage_state=cookies, viewport={"width": 1440, "height": 900}) as made:
        yield made
        for page in made.context.pages:
            inert(page)
        assert made.other_than(*REFUSALS) == []


def inert(page: Page) -> None:
    """Insist that nothing has been made of what strangers write."""
    suspicious = (
        "[data-planted], script:not([src]), iframe, object, embed, base, style, a[href^='javascript' i]"
    )
    assert page.locator(suspicious).evaluate_all("found => found.map((one) => one.outerHTML)") == []
    handlers = """() => [...document.querySelectorAll("*")].flatMap(
        (one) => [...one.attributes].filter((name) => name.name.startsWith("on")).map(() => one.outerHTML)
    )"""
    assert page.evaluate(handlers) == []


def shown(page: Page) -> list[str]:
    """Return the payloads that can be read on a page."""
    text = page.locator("body").inner_text()
    return [name for name in PAYLOADS if name in text]


PAGES = {
    "/": 0,
    "/keys": 50,
    "/models": 50,
    "/models?view=order": 50,
    "/analytics?range=1h": 0,
    "/analytics?range=1h&by=model": 0,
    "/plugins": 0,
    "/settings": 0,
}
"""How many of the payloads a page shows at least."""


@pytest.mark.parametrize("path", PAGES)
def test_pages_show_what_strangers_write(opened: Watched, server: dict[str, Any], path: str) -> None:
    page = opened.open(f"{server['url']}{path}")
    settled(page)
    assert len(shown(page)) >= PAGES[path]


def test_labels_and_refusals_of_keys(opened: Watched, server: dict[str, Any]) -> None:
    page = opened.open(f"{server['url']}/keys")
    page.get_by_role("button", name="Check all").click()
    expect(page.get_by_text("key refused")).to_have_count(len(PAYLOADS))
    text = page.locator("body").inner_text()
    assert [name for name in PAYLOADS if text.count(name) < 2] == []
    page.goto(server["url"])
    settled(page)
    assert len(shown(page)) == len(PAYLOADS)  # what is to be fixed


def test_the_ladder_of_a_refusal(opened: Watched, server: dict[str, Any]) -> None:
    page = opened.open(f"{server['url']}/?call={chat(server, 'lab/m1')}")
    expect(page.get_by_role("dialog").get_by_text(PAYLOADS[1]).first).to_be_visible()


def test_an_answer_of_markup_and_a_refusal_of_it(opened: Watched, server: dict[str, Any]) -> None:
    page = opened.open("about:blank")
    for number in range(6):
        page.goto(f"{server['url']}/playground?model=lab/m{number}")
        page.get_by_label("Prompt", exact=True).fill("Hello")
        page.keyboard.press("Enter")
        answer = page.get_by_role("article")
        expect(answer).to_have_attribute("aria-busy", "false")
        if number % 2:
            expect(answer.get_by_text(PAYLOADS[number]).first).to_be_visible()
        else:
            expect(answer).to_contain_text("<script>alert(1)</script>")
            assert len([name for name in PAYLOADS if name in answer.inner_text()]) >= 40
            expect(answer.get_by_role("row")).to_have_count(len(PAYLOADS) + 1)
        inert(page)


def test_the_palette(opened: Watched, server: dict[str, Any]) -> None:
    page = opened.open(server["url"])
    settled(page)
    page.keyboard.press("Control+k")
    search = page.get_by_role("combobox", name="Search")
    search.fill("lab/m49")
    expect(page.get_by_role("option").first).to_contain_text("lab/m49")
    for name in PAYLOADS:
        search.fill(name)
        expect(search).to_have_value(name)


@pytest.mark.parametrize("name", PAYLOADS[:3])
def test_a_profile_of_that_name(opened: Watched, server: dict[str, Any], name: str) -> None:
    page = opened.open(f"{server['url']}/models?view=profiles")
    page.get_by_role("button", name="New profile").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    expect(dialog).to_contain_text(f"auto:{name}")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_be_visible()


def test_markup_would_be_noticed(browser: Browser, cookies: Any, server: dict[str, Any]) -> None:
    """What the other tests find nothing of can be found."""
    with window(browser, storage_state=cookies) as careless:
        page = careless.open(server["url"])
        settled(page)
        inert(page)
        for name in PAYLOADS[10], PAYLOADS[15], PAYLOADS[30]:
            page.evaluate("(html) => { document.querySelector('h1').innerHTML = html; }", name)
            with pytest.raises(AssertionError):
                inert(page)
        assert careless.complaints  # the policy has kept the handlers from running
        assert not any(said.startswith("dialog") for said in careless.complaints)
