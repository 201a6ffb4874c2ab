"""Keys over the API: added after a check, never shown, changed, imported, removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashboards import Browser, signed_in
from freellm_simulator import Simulation

ANOTHER = "gsk_another_key_of_groq_0123456789abcdef"


async def rows(browser: Browser) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = (await browser.get("/api/keys")).json["keys"]
    return keys


async def groq(browser: Browser) -> dict[str, Any]:
    return next(row for row in await rows(browser) if row["provider"] == "groq")


async def test_a_list_of_keys_says_what_each_is_worth_and_shows_none(browser: Browser) -> None:
    row = await groq(browser)
    assert (row["title"], row["label"], row["state"], row["fix"]) == (
        "GroqCloud",
        "key 0",
        "untested",
        "Check it",
    )
    assert row["masked"] == "g…t"  # of gsk_test: a third of eight characters
    assert "openai/gpt-oss-120b" in row["models"]


async def test_a_key_is_checked_before_it_is_stored(browser: Browser) -> None:
    added = await browser.ask("POST", "/api/keys", {"provider": "groq", "fields": {"token": ANOTHER}})
    assert added.status == 201
    assert added.json["key"]["state"] == "valid"
    assert added.json["message"].startswith("GroqCloud accepted the key: it unlocks ")
    assert added.json["models"] == added.json["key"]["models"] != []
    assert ANOTHER.encode() not in added.body
    assert {key.id for key in browser.proxy.runtime.proxy.keys} >= {added.json["key"]["id"]}


async def test_a_key_that_is_refused_is_not_stored_and_the_cure_is_told(browser: Browser) -> None:
    before = await rows(browser)
    refused = await browser.ask(
        "POST", "/api/keys", {"provider": "groq", "fields": {"token": "bad-key-of-mine"}}
    )
    assert refused.status == 422
    assert refused.error["field"] == "fields"
    assert "nothing was stored" in refused.error["message"]
    assert "https://console.groq.com/keys" in refused.error["message"]
    assert b"bad-key-of-mine" not in refused.body
    assert await rows(browser) == before


async def test_nothing_is_lost_when_the_provider_cannot_be_asked(tmp_path: Path) -> None:
    async with signed_in(tmp_path, base_urls={"groq": "http://127.0.0.1:9/openai/v1"}, keys={}) as browser:
        added = await browser.ask("POST", "/api/keys", {"provider": "groq", "fields": {"token": ANOTHER}})
        assert added.status == 201
        assert added.json["key"]["state"] == "untested"
        assert "could not be asked" in added.json["message"]
        assert [row["id"] for row in await rows(browser)] == [added.json["key"]["id"]]


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        (
            {"provider": "groq", "fields": {"token": ANOTHER}, "api_base": "http://evil.example"},
            "api_base",
            "unknown field",
        ),
        ({"fields": {"token": ANOTHER}}, "provider", "missing required field"),
        ({"provider": "grok", "fields": {"token": ANOTHER}}, "provider", "did you mean groq?"),
        ({"provider": "groq", "fields": {"token": 7}}, "fields", "Expected `str`"),
        ({"provider": "groq", "fields": {}}, "fields", "token missing"),
        ({"provider": "groq", "fields": {"token": "two words"}}, "fields", "with a space"),
        ({"provider": "cloudflare", "fields": {"token": "t"}}, "fields", "account_id missing"),
        (
            {"provider": "groq", "fields": {"token": ANOTHER}, "base_url": "ftp://192.168.0.1/v1"},
            "base_url",
            "this is not a base URL",
        ),
        ({"provider": "groq", "fields": {"token": ANOTHER}, "name": "lab"}, "name", "servers of your own"),
        ({"provider": "custom", "fields": {}}, "name", "needs a name"),
        ({"provider": "custom", "fields": {}, "name": "lab"}, "base_url", "needs a name and a base URL"),
    ],
)
async def test_what_is_wrong_with_a_new_key_is_named(
    browser: Browser, body: dict[str, Any], field: str, said: str
) -> None:
    before = await rows(browser)
    refused = await browser.ask("POST", "/api/keys", body)
    assert refused.status == 422
    assert said in refused.error["message"]
    assert (refused.error["field"] or "").startswith(field)
    assert ANOTHER.encode() not in refused.body
    assert await rows(browser) == before


async def test_a_key_of_two_parts_is_taken_field_by_field_and_in_one_line(browser: Browser) -> None:
    account, token = "b" * 32, "a-token-of-cloudflare"
    for number, fields in enumerate(
        ({"token": f"{token}-1", "account_id": account}, {"account_id": f"{account}:{token}-2"})
    ):
        added = await browser.ask(
            "POST", "/api/keys", {"provider": "cloudflare", "fields": fields, "label": f"n{number}"}
        )
        assert added.status == 201, added.body
        assert added.json["key"]["masked"].count(":") == 1


async def test_a_server_of_ones_own_is_added_under_its_name(browser: Browser, simulation: Simulation) -> None:
    added = await browser.ask(
        "POST",
        "/api/keys",
        {
            "provider": "custom",
            "name": "lab",
            "base_url": simulation.base_urls["groq"],
            "fields": {"token": ANOTHER},
            "concurrent": 2,
        },
    )
    assert added.status == 201, added.body
    assert added.json["key"]["provider"] == "lab"
    assert added.json["models"]
    removed = await browser.ask("DELETE", f"/api/keys/{added.json['key']['id']}")
    assert removed.json["provider"] == "lab"
    assert "lab" not in {row["provider"] for row in await rows(browser)}


async def test_a_key_is_changed_switched_off_and_removed(browser: Browser) -> None:
    row = await groq(browser)
    path = f"/api/keys/{row['id']}"
    changed = await browser.ask("PATCH", path, {"label": "work", "enabled": False, "unlimited": True})
    assert (changed.json["label"], changed.json["enabled"], changed.json["unlimited"]) == (
        "work",
        False,
        True,
    )
    assert "groq" not in {route.provider.name for route in browser.proxy.runtime.proxy.routes}
    assert (await browser.ask("PATCH", path, {"enabled": True})).json["label"] == "work"
    assert "groq" in {route.provider.name for route in browser.proxy.runtime.proxy.routes}
    assert (await browser.ask("DELETE", path)).json == {"id": row["id"], "provider": "groq", "label": "work"}
    gone = await browser.ask("DELETE", path)
    assert (gone.status, gone.error["field"]) == (404, "id")


async def test_a_check_says_what_the_provider_says(browser: Browser) -> None:
    row = await groq(browser)
    checked = await browser.ask("POST", f"/api/keys/{row['id']}/check")
    assert (checked.json["state"], checked.json["fix"]) == ("valid", None)
    assert checked.json["checked_at"]
    every = await browser.ask("POST", "/api/keys/check")
    assert {key["state"] for key in every.json["keys"] if key["source"] == "stored"} == {"valid"}


async def test_a_check_of_a_key_of_the_environment_is_remembered(
    tmp_path: Path, simulation: Simulation
) -> None:
    async with signed_in(
        tmp_path,
        base_urls={"groq": simulation.base_urls["groq"]},
        keys={},
        environ={"GROQ_API_KEY": "gsk_of_the_environment"},
    ) as browser:
        path = "/api/keys/env:GROQ_API_KEY"
        assert (await groq(browser))["source"] == "environment"
        assert (await browser.ask("POST", f"{path}/check")).json["state"] == "valid"
        assert (await groq(browser))["state"] == "valid"
        refused = await browser.ask("PATCH", path, {"enabled": False})
        assert refused.status == 422
        assert "GROQ_API_KEY" in refused.error["message"]
        assert (await browser.ask("DELETE", path)).status == 422


async def test_an_import_is_previewed_and_then_done(browser: Browser) -> None:
    text = f"export GROQ_API_KEY='{ANOTHER}'\nMISTRAL_API_KEY=bad-mistral-key-0123456789\nFOO=bar\n"
    before = await rows(browser)
    preview = (await browser.ask("POST", "/api/keys/import", {"text": text})).json
    assert preview["preview"] is True
    assert {(key["provider"], key["outcome"], key["id"]) for key in preview["keys"]} == {
        ("groq", "take", None),
        ("mistral", "take", None),
    }
    assert preview["ignored"] == ["FOO"]
    assert await rows(browser) == before
    done = await browser.ask("POST", "/api/keys/import", {"text": text, "preview": False})
    outcomes = {key["provider"]: key["outcome"] for key in done.json["keys"]}
    assert outcomes == {"groq": "stored", "mistral": "refused"}
    again = await browser.ask("POST", "/api/keys/import", {"text": text})
    assert {key["provider"]: key["outcome"] for key in again.json["keys"]}["groq"] == "known"
    assert ANOTHER.encode() not in preview.__repr__().encode() + done.body + again.body


async def test_a_file_that_is_none_is_refused_by_its_line(browser: Browser) -> None:
    refused = await browser.ask("POST", "/api/keys/import", {"text": "GROQ_API_KEY=x\nwhat is this"})
    assert (refused.status, refused.error["field"]) == (422, "text")
    assert "line 2" in refused.error["message"]


async def test_what_is_closed_is_shown_and_opened_again(browser: Browser, simulation: Simulation) -> None:
    simulation.fail("groq", "forbidden", times=20)
    answer = await browser.proxy.chat("groq/openai/gpt-oss-120b")
    assert answer.status == 502
    closed = (await groq(browser))["closed"]
    assert closed
    assert closed[0]["stated"]
    cleared = await browser.ask("POST", "/api/clear", {"name": closed[0]["what"]})
    assert cleared.status == 200
    unknown = await browser.ask("POST", "/api/clear", {"name": "nobody"})
    assert (unknown.status, unknown.error["field"]) == (404, "name")


async def test_providers_come_with_what_a_form_needs(browser: Browser) -> None:
    cards = {card["id"]: card for card in (await browser.get("/api/providers")).json["providers"]}
    assert cards["cloudflare"]["effort"].startswith("2 fields: ")
    assert [field["name"] for field in cards["cloudflare"]["fields"]] == ["account_id", "token"]
    assert cards["groq"]["signup_url"] == "https://console.groq.com/keys"
    assert cards["groq"]["keys"] == 1
    assert cards["groq"]["tokens_per_day"] > 100_000
    assert any("requests/min" in quota for quota in cards["groq"]["quotas"])
    assert cards["custom"]["own_server"]
