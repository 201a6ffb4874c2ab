"""The log, what it sums up to, and quotas: requests are not attempts, and nothing is not 0 %."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from dashboards import Browser
from freellm.store import RequestRecord
from freellm_simulator import Simulation

DAY = 86_400.0


async def asked(browser: Browser, simulation: Simulation) -> None:
    """Have three requests answered, one of them by the second route, and one refused; all in the log."""
    for _ in range(2):
        assert (await browser.proxy.chat("groq/openai/gpt-oss-20b")).status == 200
    simulation.fail("groq", "overloaded", model="openai/gpt-oss-120b", times=9)
    assert (await browser.proxy.chat("gpt-oss-120b", stream=True)).status == 200
    simulation.reset()
    simulation.fail("groq", "content_filter", times=1)
    assert (await browser.proxy.chat("groq/openai/gpt-oss-20b")).status == 400
    await browser.proxy.runtime.journal.flush()


async def test_nothing_is_not_zero_per_cent(browser: Browser) -> None:
    for range_ in ("1h", "24h", "7d", "30d", "90d"):
        told = (await browser.get(f"/api/analytics?range={range_}")).json
        totals = told["totals"]
        assert (totals["requests"], totals["success"], totals["latency"]) == (0, None, None)
        assert told["groups"] == []
        assert all(moment["p50_ms"] is None for moment in told["series"])
        assert told["series"][1]["at"] - told["series"][0]["at"] == told["step"]


async def test_requests_are_what_clients_saw_and_attempts_are_not(
    browser: Browser, simulation: Simulation
) -> None:
    await asked(browser, simulation)
    told = (await browser.get("/api/analytics?range=1h&by=provider")).json
    totals, groups = told["totals"], {group["name"]: group for group in told["groups"]}
    assert (totals["requests"], totals["succeeded"], totals["success"]) == (4, 3, 0.75)
    assert totals["fell_back"] == 1
    assert totals["attempts"] > totals["requests"]
    assert totals["latency"]["count"] == 3
    assert totals["first_token"]["count"] == 1
    assert totals["latency"]["p50"] <= totals["latency"]["p95"] <= totals["latency"]["max"]
    assert sum(group["tally"]["requests"] for group in groups.values()) == 4
    assert groups["groq"]["attempts_failed"] >= 2
    assert groups["groq"]["attempts_made"] == 2 + groups["groq"]["attempts_failed"]
    assert sum(sum(group["requests"]) for group in groups.values()) == 4
    kinds = {reason["kind"]: reason for reason in told["fallbacks"]}
    assert kinds["overloaded"]["providers"] == {"groq": kinds["overloaded"]["count"]}
    assert "content_filtered" in kinds


async def test_groups_are_by_provider_model_and_key(browser: Browser, simulation: Simulation) -> None:
    await asked(browser, simulation)
    models = (await browser.get("/api/analytics?range=24h&by=model")).json["groups"]
    assert "groq/openai/gpt-oss-20b" in {group["name"] for group in models}
    keys = (await browser.get("/api/analytics?range=24h&by=key")).json["groups"]
    assert {group["title"] for group in keys} >= {"GroqCloud: key 0"}


async def test_what_was_long_ago_is_in_the_long_ranges_only(browser: Browser) -> None:
    proxy = browser.proxy.runtime
    now = proxy.clock.now()
    records = [
        RequestRecord(
            id=f"old-{days}", created=now - days * DAY, surface="openai", requested="auto", provider="groq",
            model="m", key="k", status=200, attempts=1, input_tokens=10, output_tokens=5, duration_ms=100.0 * days,
        )
        for days in (0, 2, 10, 50)
    ]  # fmt: skip
    proxy.store.save(records, now=now)
    counts = [
        (await browser.get(f"/api/analytics?range={range_}")).json["totals"]["requests"]
        for range_ in ("1h", "24h", "7d", "30d", "90d")
    ]
    assert counts == [1, 1, 2, 3, 4]
    week = (await browser.get("/api/analytics?range=7d&by=model")).json
    assert week["before"]["requests"] == 1
    assert sum(moment["input_tokens"] for moment in week["series"]) == 20


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("range=5h", "range"),
        ("by=status", "by"),
        ("by=provider;DROP TABLE requests", "by"),
        ("range=1h&days=3", "days"),
    ],
)
async def test_a_wrong_question_is_refused_by_its_field(browser: Browser, query: str, field: str) -> None:
    refused = await browser.get(f"/api/analytics?{query}")
    assert (refused.status, refused.error["field"]) == (422, field)


async def listed(browser: Browser, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await browser.get(f"/api/requests?{query}")).json["requests"]
    return rows


async def test_the_log_is_read_page_by_page(browser: Browser) -> None:
    proxy = browser.proxy.runtime
    now = proxy.clock.now()
    records = [
        RequestRecord(
            id=f"r{number:03d}", created=now - number // 2, surface="openai", requested="auto", status=200,
            attempts=1, duration_ms=float(number % 7),
        )
        for number in range(130)
    ]  # fmt: skip
    proxy.store.save(records, now=now)
    for sort in ("created", "duration_ms"):
        seen, following = [], ""
        while True:
            page = (await browser.get(f"/api/requests?limit=50&sort={sort}{following}")).json
            seen += page["requests"]
            if page["next"] is None:
                break
            following = f"&before={quote(page['next'])}"
        assert len(seen) == len({row["id"] for row in seen}) == 130
        values = [row[sort] for row in seen]
        assert values == sorted(values, reverse=True)


async def test_a_search_takes_no_sign_for_a_wildcard(browser: Browser) -> None:
    proxy = browser.proxy.runtime
    now = proxy.clock.now()
    records = [
        RequestRecord(
            id=id_, created=now, surface="openai", requested="auto", status=200, attempts=1, duration_ms=1.0
        )
        for id_ in ("plain", "with%sign", "with_line", "with\\back", "quote'; DROP TABLE requests; --")
    ]
    proxy.store.save(records, now=now)
    for text, found in (
        ("%", ["with%sign"]),
        ("_", ["with_line"]),
        ("\\", ["with\\back"]),
        ("'; DROP TABLE", ["quote'; DROP TABLE requests; --"]),
        ("PLAIN", ["plain"]),
        ("nothing of the kind", []),
    ):
        assert [row["id"] for row in await listed(browser, f"q={quote(text)}")] == found
    assert len(await listed(browser)) == 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=id;DROP TABLE requests", "sort"),
        ("limit=0", "limit"),
        ("limit=1000", "limit"),
        ("limit=x", "limit"),
        ("before=1~2~3", "before"),
        ("before=nan", "before"),
        ("before=1 OR 1=1~3", "before"),
        ("outcome=bad", "outcome"),
        ("columns=key", "columns"),
    ],
)
async def test_a_wrong_page_is_refused_by_its_field(browser: Browser, query: str, field: str) -> None:
    refused = await browser.get(f"/api/requests?{query}")
    assert (refused.status, refused.error["field"]) == (422, field)


async def test_the_log_is_filtered(browser: Browser, simulation: Simulation) -> None:
    await asked(browser, simulation)
    assert {row["ok"] for row in await listed(browser, "outcome=ok")} == {True}
    (failed,) = await listed(browser, "outcome=failed")
    assert failed["status"] == 400
    (fell,) = await listed(browser, "outcome=fell_back")
    assert fell["attempts"] > 1
    assert fell["stream"]
    assert {row["provider"] for row in await listed(browser, "provider=groq")} == {"groq"}
    key = (await listed(browser, "provider=groq"))[0]["key"]
    assert {row["key_label"] for row in await listed(browser, f"key={key}")} == {"key 0"}


async def test_a_request_shows_its_ladder(browser: Browser, simulation: Simulation) -> None:
    await asked(browser, simulation)
    (fell,) = await listed(browser, "outcome=fell_back")
    told = (await browser.get(f"/api/requests/{fell['id']}")).json
    assert told["request"] == fell
    first = told["attempts"][0]
    assert (first["provider"], first["kind"], first["key_label"]) == ("groq", "overloaded", "key 0")
    assert first["duration_ms"] is not None
    assert first["message"]
    last = told["attempts"][-1]
    assert (last["provider"], last["kind"]) == (fell["provider"], "ok")
    assert [attempt["number"] for attempt in told["attempts"]] == list(range(1, fell["attempts"] + 1))
    whole = next(row for row in await listed(browser, "outcome=ok") if not row["stream"])
    assert whole["overhead_ms"] < whole["duration_ms"]
    (rung,) = (await browser.get(f"/api/requests/{whole['id']}")).json["attempts"]
    assert (rung["kind"], rung["provider"]) == ("ok", "groq")
    missing = await browser.get("/api/requests/req_nobody")
    assert (missing.status, missing.error["field"]) == (404, "id")


async def test_quotas_say_what_is_left_and_how_it_went(browser: Browser, simulation: Simulation) -> None:
    await asked(browser, simulation)
    told = (await browser.get("/api/quotas")).json
    assert told["totals"]["today"]["tokens"] > 0
    daily = next(
        pool
        for pool in told["pools"]
        if pool["provider"] == "groq"
        and pool["unit"] == "requests"
        and pool["window"] == DAY
        and pool["members"] == ["openai/gpt-oss-20b"]
    )
    assert daily["used"] >= 2
    line = (await browser.get(f"/api/quotas/burndown?pool={quote(daily['pool'])}")).json
    assert line["past"][-1]["left"] == line["pool"]["left"]
    lefts = [point["left"] for point in line["past"]]
    assert lefts[0] == daily["limit"]
    assert lefts == sorted(lefts, reverse=True)
    assert line["future"][0]["left"] == line["pool"]["left"]
    unknown = await browser.get("/api/quotas/burndown?pool=nobody")
    assert (unknown.status, unknown.error["field"]) == (404, "pool")


async def test_the_overview_answers_the_one_question(browser: Browser, simulation: Simulation) -> None:
    told = (await browser.get("/api/overview")).json
    assert told["readiness"]["state"] == "ready"
    answer = await browser.proxy.chat()
    assert answer.headers["X-Routed-Via"] == told["readiness"]["serves"]
    assert {provider["provider"]: provider["state"] for provider in told["providers"]}["groq"] == "untested"
    assert [step["done"] for step in told["steps"]] == [True, False, False]
    await browser.proxy.runtime.journal.flush()
    told = (await browser.get("/api/overview")).json
    assert [step["done"] for step in told["steps"]] == [True, True, True]
    assert told["last"][0]["ok"]
    assert told["under_way"] == []
    assert told["demo"] is False


async def test_a_refused_key_is_on_the_list_of_fixes(browser: Browser, simulation: Simulation) -> None:
    row = next(key for key in browser.proxy.runtime.proxy.keys if key.provider == "groq")
    simulation.fail("groq", "bad_key", on="all", times=None)
    await browser.ask("POST", f"/api/keys/{row.id}/check")
    told = (await browser.get("/api/overview")).json
    assert told["fixes"][0]["title"] == "GroqCloud refused your key"
    assert {provider["provider"]: provider["state"] for provider in told["providers"]}["groq"] == "no_key"
