"""Chromium as the tests use it: pages that write down whatever the browser or the page complains of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

pytest.importorskip(
    "playwright.sync_api", reason="needs the group `browser`: uv run --group browser pytest -m browser"
)
pytest.importorskip(
    "axe_playwright_python", reason="needs the group `browser`: uv run --group browser pytest -m browser"
)

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, expect, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
"""What Chromium is called on the PATH, by who packed it."""

QUIET: Final = (
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""A test's browser talks to nobody but the server under test."""

PATIENCE: Final = 15_000
"""Milliseconds until what should be there at once has certainly not come; the machine may be busy."""

SEVERE: Final = ("serious", "critical")

_REPORT_VIOLATIONS: Final = """
document.addEventListener("securitypolicyviolation", (event) => {
    console.error(`policy violated: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});
"""


class Watched:
    """One browser window (cookies of its own) whose complaints are kept.

    :ivar context: the window
    :ivar complaints: errors and warnings on the console, violations of the policy, uncaught errors, dialogs
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints: list[str] = []
        context.set_default_timeout(PATIENCE)
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(f"uncaught: {error.error}"))
        context.on("dialog", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.type} {dialog.message}")
        dialog.dismiss()

    def open(self, address: str) -> Page:
        """Go to an address in a new tab."""
        page = self.context.new_page()
        page.goto(address)
        return page

    def enter(self, link: str) -> Page:
        """Sign in through a one-time link."""
        page = self.open(link)
        page.get_by_role("navigation", name="Pages").first.wait_for()
        settled(page)
        return page

    def other_than(self, *expected: str) -> list[str]:
        """Return the complaints in which none of these words occur."""
        return [said for said in self.complaints if not any(words in said for words in expected)]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium; skip the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no Chromium on the PATH ({', '.join(NAMES)}): apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(QUIET), chromium_sandbox=False)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(browser: Browser, **how: Any) -> Iterator[Watched]:
    """Open a window, as `Browser.new_context` describes it, and close it at the end."""
    context = browser.new_context(**how)
    try:
        yield Watched(context)
    finally:
        context.close()


def settled(page: Page) -> None:
    """Wait until a page shows what it has, and no grey lines any more."""
    expect(page.locator("h1").first).to_be_visible()
    expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)
    expect(page.get_by_label("Loading")).to_have_count(0)


def severe_faults(page: Page) -> list[str]:
    """Return what axe finds to be serious or critical, with the elements."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {node['target']} {node['failureSummary']}"
        for fault in found
        if fault["impact"] in SEVERE
        for node in fault["nodes"]
    ]


def scrolls_sideways(page: Page) -> int:
    """Return how far the page itself lets itself be scrolled to the right, in pixels."""
    return int(
        page.evaluate("""() => {
            const all = document.scrollingElement;
            all.scrollLeft = 9999;
            const scrolled = all.scrollLeft;
            all.scrollLeft = 0;
            return scrolled;
        }""")
    )


expect.set_options(timeout=PATIENCE)
