"""Models, their order and profiles over the API."""

from __future__ import annotations

from typing import Any

from dashboards import Browser
from freellm_simulator import Simulation


async def models(browser: Browser) -> dict[str, dict[str, Any]]:
    rows = (await browser.get("/api/models")).json["models"]
    return {row["name"]: row for row in rows}


async def order(browser: Browser) -> list[str]:
    return [row["name"] for row in (await browser.get("/api/fallback")).json["order"]]


async def test_every_model_is_listed_with_its_state_and_limits(browser: Browser) -> None:
    rows = await models(browser)
    assert rows.keys() == {entry.name for entry in browser.proxy.runtime.proxy.catalogue.entries}
    row = rows["groq/openai/gpt-oss-120b"]
    assert (row["state"], row["available"], row["opens_at"]) == ("on", True, None)
    assert {(limit["unit"], limit["window"]) for limit in row["quotas"]} >= {
        ("requests", 60.0),
        ("tokens", 60.0),
    }
    assert all(limit["left"] == limit["limit"] - limit["used"] for limit in row["quotas"] if limit["limit"])
    assert row["measured"] is None
    places = [row["place"] for row in rows.values() if row["place"]]
    assert sorted(places) == list(range(1, len(places) + 1))


async def test_limits_and_speed_follow_what_is_asked(browser: Browser) -> None:
    assert (await browser.proxy.chat("groq/openai/gpt-oss-120b")).status == 200
    row = (await models(browser))["groq/openai/gpt-oss-120b"]
    requests = next(
        limit for limit in row["quotas"] if (limit["unit"], limit["window"]) == ("requests", 60.0)
    )
    assert requests["used"] == 1
    assert row["measured"]["success"] == 1.0


async def test_a_closed_model_says_why_and_until_when(browser: Browser, simulation: Simulation) -> None:
    simulation.fail("groq", "rate_limit_minute", model="openai/gpt-oss-120b", times=3, seconds=40)
    await browser.proxy.chat("groq/openai/gpt-oss-120b")
    row = (await models(browser))["groq/openai/gpt-oss-120b"]
    assert row["available"] is False
    assert row["unavailable_because"] == "30 of 30 requests per minute are used"
    assert 30 < row["opens_at"] - browser.proxy.runtime.proxy.clock.now() < 60
    assert (
        not (await browser.get("/api/overview"))
        .json["readiness"]["serves"]
        .startswith("groq/openai/gpt-oss-120b")
    )


async def test_models_are_switched_by_name_and_by_family(browser: Browser) -> None:
    off = await browser.ask(
        "PATCH", "/api/models", {"models": ["groq/openai/gpt-oss-120b"], "enabled": False}
    )
    (row,) = off.json["models"]
    assert (row["state"], row["why"], row["place"]) == ("off", "switched off", None)
    assert "groq/openai/gpt-oss-120b" not in await order(browser)
    on = await browser.ask("PATCH", "/api/models", {"models": ["gpt-oss-120b"], "enabled": True})
    assert {row["provider"] for row in on.json["models"]} >= {"groq", "cloudflare"}
    assert "groq/openai/gpt-oss-120b" in await order(browser)


async def test_one_wrong_name_switches_nothing(browser: Browser) -> None:
    wanted = {"models": ["groq/openai/gpt-oss-120b", "gpt-oss-12"], "enabled": False}
    refused = await browser.ask("PATCH", "/api/models", wanted)
    assert (refused.status, refused.error["field"]) == (422, "models")
    assert "near it are" in refused.error["message"]
    assert (await models(browser))["groq/openai/gpt-oss-120b"]["state"] == "on"


async def test_an_order_is_kept_as_it_was_dragged(browser: Browser) -> None:
    before = await order(browser)
    wanted = [before[4], before[0], before[2]]
    told = await browser.ask("PUT", "/api/fallback", {"order": wanted})
    rows = told.json["order"]
    assert [row["name"] for row in rows] == [*wanted, *(name for name in before if name not in wanted)]
    assert [row["by_hand"] for row in rows[:3]] == [True, True, True]
    whole = list(reversed(before))
    assert [
        row["name"] for row in (await browser.ask("PUT", "/api/fallback", {"order": whole})).json["order"]
    ] == whole
    reset = await browser.ask("POST", "/api/fallback/sort", {"by": "reset"})
    assert [row["name"] for row in reset.json["order"]] == before
    fast = (await browser.ask("POST", "/api/fallback/sort", {"by": "speed"})).json["order"]
    ranks = [row["speed_rank"] or 1_000 for row in fast]
    assert ranks == sorted(ranks)


async def test_a_wrong_order_changes_nothing(browser: Browser) -> None:
    before = await order(browser)
    for wanted, said in (
        ([before[0], before[0]], "is named twice"),
        (["gpt-oss-120b"], "stands for several models"),
        (["nobody/nothing"], "there is no model"),
    ):
        refused = await browser.ask("PUT", "/api/fallback", {"order": wanted})
        assert (refused.status, refused.error["field"]) == (422, "order")
        assert said in refused.error["message"]
    wrong = await browser.ask("POST", "/api/fallback/sort", {"by": "price; DROP TABLE keys"})
    assert (wrong.status, wrong.error["field"]) == (422, "by")
    assert await order(browser) == before


async def test_a_profile_is_made_used_and_removed(browser: Browser) -> None:
    made = await browser.ask(
        "PUT", "/api/profiles/mine", {"models": ["groq/openai/gpt-oss-20b"], "strategy": "fast"}
    )
    assert made.status == 200
    assert made.json["source"] == "database"
    assert (await browser.get("/api/profiles/mine")).json == made.json
    answer = await browser.proxy.chat("auto:mine")
    assert answer.headers["X-Routed-Via"] == "groq/openai/gpt-oss-20b"
    assert (await browser.ask("DELETE", "/api/profiles/mine")).json["profiles"] == []
    gone = await browser.get("/api/profiles/mine")
    assert (gone.status, gone.error["field"]) == (404, "name")


async def test_what_is_wrong_with_a_profile_is_named(browser: Browser) -> None:
    for name, body, field, said in (
        ("mine", {}, "models", "leaves everything open"),
        ("mine", {"strategy": "fats"}, "strategy", "fast"),
        ("mine", {"only": ["grok"]}, "only", "groq"),
        ("mine", {"models": ["auto"]}, "models", "are no models"),
        ("Mine", {"strategy": "fast"}, "name", "is no name"),
        ("fast", {"models": ["gpt-oss-120b"]}, "name", "strategy of that name"),
    ):
        refused = await browser.ask("PUT", f"/api/profiles/{name}", body)
        assert (refused.status, refused.error["field"]) == (422, field), refused.body
        assert said in refused.error["message"]


async def test_lists_are_compared(browser: Browser) -> None:
    told = await browser.ask("POST", "/api/models/sync", {"providers": ["groq"]})
    (row,) = told.json["providers"]
    assert (row["provider"], row["problem"]) == ("groq", "")
    assert row["listed"] > 0
    unknown = await browser.ask("POST", "/api/models/sync", {"providers": ["grok"]})
    assert (unknown.status, unknown.error["field"]) == (422, "providers")
