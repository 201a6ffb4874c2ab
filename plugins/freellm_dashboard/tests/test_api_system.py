"""The playground, plugins, settings, the unified key, the backup and panels; and no secret anywhere."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dashboards import Browser, signed_in
from freellm import hookimpl
from freellm.built_in import BUILT_IN
from freellm.extensions import Extensions
from freellm.panels import Block, Figure, Figures, Panel, Text
from freellm_dashboard import plugin
from freellm_dashboard.api.endpoints import ENDPOINTS
from freellm_simulator import Simulation
from running import KEYS, UNIFIED

PAGES = [
    f"/api/{path}"
    for path in (
        "overview",
        "keys",
        "models",
        "fallback",
        "providers",
        "analytics?range=90d",
        "quotas",
        "requests",
        "plugins",
        "settings",
        "openapi.json",
    )
]

HELLO = {"model": "groq/openai/gpt-oss-20b", "messages": [{"role": "user", "content": "Hello"}]}


async def test_the_playground_gets_what_clients_get(browser: Browser) -> None:
    theirs = await browser.proxy.post({**HELLO, "stream": True})
    ours = await browser.ask("POST", "/api/chat", {**HELLO, "stream": True})
    assert ours.status == 200
    told, known = ({name.lower() for name in answer.headers} for answer in (ours, theirs))
    assert told == known
    for name in told - {"x-request-id", "x-freellm-pool-remaining", "date"}:
        assert ours.headers[name] == theirs.headers[name]
    assert ours.headers["X-Routed-Via"] == "groq/openai/gpt-oss-20b"
    assert ours.body.endswith(b"data: [DONE]\n\n")
    whole = await browser.ask("POST", "/api/chat", HELLO)
    assert whole.json["choices"][0]["message"]["content"]
    wrong = await browser.ask("POST", "/api/chat", {"model": "auto"})
    assert (wrong.status, wrong.json["error"]["param"]) == (400, "messages")


async def test_the_unified_key_opens_nothing_here(browser: Browser) -> None:
    await browser.ask("POST", "/api/logout")
    for endpoint in ENDPOINTS:
        if not endpoint.public:
            headers = {"Authorization": f"Bearer {UNIFIED}"}
            refused = await browser.ask(
                endpoint.method, endpoint.path.replace("{", "").replace("}", ""), {}, headers
            )
            assert refused.status == 401, endpoint.name


async def test_an_explanation_spends_nothing(browser: Browser) -> None:
    told = (await browser.ask("POST", "/api/explain", HELLO)).json
    assert told["serves"] == "groq/openai/gpt-oss-20b"
    assert told["routes"][0]["verdict"] == "serves"
    assert not [pool for pool in browser.proxy.runtime.proxy.quotas if pool.counter.used]


async def test_plugins_are_listed_with_what_they_say_of_themselves(browser: Browser) -> None:
    told = (await browser.get("/api/plugins")).json
    rows = {(row["kind"], row["id"]): row for row in told["plugins"]}
    assert "register_routes" in rows["plugin", "dashboard"]["hooks"]
    assert rows["provider", "groq"]["status"] == "loaded"
    assert rows["provider", "google"]["status"] == "disabled"
    assert rows["command", "dashboard"]["package"] == "freellm-dashboard"
    assert rows["plugin", "dashboard"]["summary"]
    assert told["folder"].endswith("plugins")


async def test_settings_are_told_but_for_secrets(browser: Browser) -> None:
    answer = await browser.get("/api/settings")
    rows = {row["name"]: row for row in answer.json["settings"]}
    assert rows["max_attempts"] == {
        "name": "max_attempts",
        "environment": "FREELLM_MAX_ATTEMPTS",
        "value": "20",
        "source": "default",
        "help": "Routes tried for one request, at most.",
    }
    assert rows["api_key"]["value"] == "(set, not shown)"
    assert answer.json["openai_base_url"] == f"{browser.url}/v1"


async def test_a_key_that_is_fixed_is_shown_but_not_replaced(browser: Browser) -> None:
    told = (await browser.get("/api/apikey")).json
    assert told == {"masked": "fl-u…ests", "source": "FREELLM_API_KEY", "rotatable": False}
    assert (await browser.ask("POST", "/api/apikey/reveal")).json == {"api_key": UNIFIED}
    refused = await browser.ask("POST", "/api/apikey/rotate")
    assert refused.status == 422
    assert "FREELLM_API_KEY fixes" in refused.error["message"]


async def test_a_key_is_shown_ten_times_a_minute_and_no_more(browser: Browser) -> None:
    answers = [await browser.ask("POST", "/api/apikey/reveal") for _ in range(11)]
    assert [answer.status for answer in answers] == [200] * 10 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


async def test_a_replaced_key_opens_nothing_from_that_moment(tmp_path: Path) -> None:
    async with signed_in(tmp_path, fixed_key=False) as browser:
        old = (await browser.ask("POST", "/api/apikey/reveal")).json["api_key"]
        new = (await browser.ask("POST", "/api/apikey/rotate")).json["api_key"]
        for key, status in ((old, 401), (new, 200)):
            async with browser.session.get(
                f"{browser.url}/v1/models", headers={"Authorization": f"Bearer {key}"}
            ) as response:
                assert response.status == status


async def test_a_backup_is_a_database_without_plaintext(browser: Browser, tmp_path: Path) -> None:
    assert (await browser.proxy.chat(HELLO["model"])).status == 200
    await browser.proxy.runtime.journal.flush()
    told = await browser.ask("POST", "/api/backup")
    assert told.status == 200
    assert told.headers["Content-Disposition"].startswith('attachment; filename="freellm-')
    copy = tmp_path / "copy.db"
    copy.write_bytes(told.body)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT COUNT(*) FROM keys").fetchone() == (3,)
        assert connection.execute("SELECT COUNT(*) FROM requests").fetchone() == (1,)
    master = next((tmp_path / "config").glob("master*")).read_bytes().strip()
    for secret in (KEYS["groq"].encode(), b"token-test", master):
        assert secret not in told.body


class Shown:
    """A plugin with a good panel and some that will not do."""

    @hookimpl
    def register_panels(self, register: Any) -> None:
        async def good() -> Sequence[Block]:
            return [
                Figures(figures=[Figure(label="<b>Answers</b>", value=42, unit="requests")]),
                Text(text="a & b"),
            ]

        async def raising() -> Sequence[Block]:
            raise RuntimeError("the secret of the plugin")

        async def nonsense() -> Any:
            return [{"type": "html", "html": "<script>"}]

        for id_, draw in (("good", good), ("raising", raising), ("nonsense", nonsense)):
            register(Panel(id=id_, title=id_.title(), subtitle="of a test", draw=draw))


@pytest.fixture
async def with_panels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def load(*args: Any, **kwargs: Any) -> Any:
        return Extensions([*BUILT_IN, ("dashboard", plugin), ("shown", Shown())]), []

    monkeypatch.setattr("freellm.runtime.load_extensions", load)
    async with signed_in(tmp_path) as browser:
        yield browser


async def test_a_plugins_panel_is_drawn_from_what_it_says(with_panels: Browser) -> None:
    cards = (await with_panels.get("/api/panels")).json["panels"]
    assert [card["id"] for card in cards] == ["good", "nonsense", "raising"]
    told = (await with_panels.get("/api/panels/good")).json
    assert told["blocks"][0]["figures"][0] == {
        "label": "<b>Answers</b>", "value": 42.0, "unit": "requests", "note": "", "tone": "neutral",
    }  # fmt: skip
    assert told["blocks"][1]["type"] == "text"


@pytest.mark.parametrize("id_", ["raising", "nonsense"])
async def test_a_panel_that_fails_says_so_and_no_more(with_panels: Browser, id_: str) -> None:
    failed = await with_panels.get(f"/api/panels/{id_}")
    assert failed.status == 502
    assert b"secret" not in failed.body
    assert (await with_panels.get("/api/panels/other")).status == 404
    assert (await with_panels.get("/api/panels/good")).status == 200


async def test_no_answer_holds_a_secret(browser: Browser, simulation: Simulation) -> None:
    """Every route is asked, with keys at work, refused and stored; none of their texts comes back."""
    canaries = [*KEYS.values(), "token-test", "gsk_canary_0123456789abcdef", "bad-canary-0123456789"]
    secrets = {
        part for canary in canaries for part in canary.split(":") if len(part) > 6 and part != "a" * 32
    }
    secrets.add(UNIFIED)
    simulation.fail("groq", "bad_key", times=1)
    await browser.proxy.chat(HELLO["model"])
    await browser.ask("POST", "/api/keys", {"provider": "groq", "fields": {"token": "bad-canary-0123456789"}})
    stored = await browser.ask(
        "POST", "/api/keys", {"provider": "groq", "fields": {"token": "gsk_canary_0123456789abcdef"}}
    )
    await browser.proxy.runtime.journal.flush()
    bodies: dict[str, Any] = {
        "POST /api/keys/import": {"text": "GROQ_API_KEY=bad-canary-0123456789", "preview": False},
        "POST /api/clear": {"name": "groq"},
        "PATCH /api/models": {"models": ["gpt-oss-20b"], "enabled": True},
        "POST /api/chat": HELLO,
        "POST /api/explain": HELLO,
        "PUT /api/profiles/{name}": {"strategy": "fast"},
        "POST /api/fallback/sort": {"by": "reset"},
    }
    told = [stored.body]
    for endpoint in ENDPOINTS:
        if endpoint.path.startswith(
            ("/api/log", "/api/sessions", "/api/password", "/api/events")
        ) or endpoint.name in (
            "POST /api/apikey/reveal",
            "DELETE /api/keys/{id}",
        ):
            continue
        path = endpoint.path.replace("{id}", stored.json["key"]["id"]).replace("{name}", "mine")
        answer = await browser.ask(endpoint.method, path, bodies.get(endpoint.name, {}))
        assert answer.status < 500, (endpoint.name, answer.body)
        told.append(answer.body)
    for secret in secrets:
        for body in told:
            assert secret.encode() not in body, body[:300]


async def test_bad_bodies_are_refused_and_nothing_breaks(browser: Browser) -> None:
    for endpoint in ENDPOINTS:
        if endpoint.method == "GET" or endpoint.path in ("/api/chat", "/api/explain", "/api/logout"):
            continue
        path = endpoint.path.replace("{id}", "none").replace("{name}", "mine")
        for body in (b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"a":' * 500, b'{"unknown": 1}'):
            if endpoint.body is None and not body:
                continue
            answer = await browser.ask(endpoint.method, path, body)
            assert 400 <= answer.status < 500, (endpoint.name, body[:20], answer.body)
            assert answer.error["message"]


async def test_an_open_dashboard_does_not_hold_up_requests(browser: Browser) -> None:
    """Whatever a page asks for, the event loop works on it for a moment only before it serves others.

    Counted is the loop's own processor time, and of three times the best, so that a busy machine and the collection of
    garbage make no difference.
    """
    longest, worked = 0.0, time.thread_time()

    async def watch() -> None:
        nonlocal longest, worked
        while True:
            await asyncio.sleep(0)
            longest, worked = max(longest, time.thread_time() - worked), time.thread_time()

    watching = asyncio.create_task(watch())
    for path in PAGES:
        holds = []
        for _ in range(3):
            longest = 0.0
            assert (await browser.get(path)).status == 200
            holds.append(longest)
        assert min(holds) < 0.015, f"{path}: {min(holds) * 1000:.0f} ms"
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
