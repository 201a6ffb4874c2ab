"""A key is proved by its own page, which tells the account and the day's pool too; nothing but a free model is asked."""

from typing import Any

import pytest

from freellm import Answer, ChatRequest, Failure, Key, Model, Reading, Secret, Upstream
from freellm_provider_openrouter import provider

KEY = Key(
    id="k", account="acct", fields={"token": Secret("KEY-token")}, base_url="https://openrouter.ai/api/v1"
)
PAGE: dict[str, Any] = {
    "label": "sk-or-v1-au7...890",
    "limit": None,
    "usage": 0,
    "is_free_tier": True,
    "is_management_key": False,
    "creator_user_id": "user_1",
    "organization_id": None,
    "free_model_daily_requests": {"limit": 1000, "remaining": 990, "used": 10},
}
DAILY = Reading(unit="requests", window=86_400.0, limit=1000, remaining=990, scope="account")


def judged(status: int, body: Any = None, text: str = "") -> Any:
    return provider.judge_key(KEY, [Answer(status, {}, body, text)])


def test_the_probe_is_the_key_s_own_page() -> None:
    (probe,) = provider.check_key(KEY)
    assert (probe.method, probe.path, probe.body) == ("GET", "/key", None)
    assert probe.headers == {"authorization": "Bearer KEY-token"}


@pytest.mark.parametrize(
    ("told", "account", "readings"),
    [
        ({}, "user_1", [DAILY]),
        ({"organization_id": "org_1"}, "org_1", [DAILY]),
        ({"creator_user_id": None, "free_model_daily_requests": None}, None, []),
        ({"free_model_daily_requests": {"limit": "1000", "remaining": 990}}, "user_1", []),
    ],
)
def test_the_page_tells_the_account_and_the_day_s_pool(
    told: dict[str, Any], account: str | None, readings: list[Reading]
) -> None:
    verdict = judged(200, {"data": {**PAGE, **told}})
    assert (verdict.state, verdict.account, list(verdict.readings)) == ("valid", account, readings)
    assert ("990 of today's 1,000 free requests are left" in verdict.message) is bool(readings)


def test_a_key_that_only_manages_others_is_of_no_use() -> None:
    verdict = judged(200, {"data": {**PAGE, "is_management_key": True}})
    assert verdict.state == "invalid"
    assert "make an API key" in verdict.message


@pytest.mark.parametrize(
    ("status", "body", "text", "state"),
    [
        (401, {"error": {"message": "No auth credentials found", "code": 401}}, "", "invalid"),
        (401, {"error": {"message": "User not found.", "code": 401}}, "", "invalid"),
        (200, {"data": [{"id": "a model"}]}, "", "inconclusive"),
        (200, {"data": {}}, "", "inconclusive"),
        (200, None, "<html>", "inconclusive"),
        (401, None, "<html>", "inconclusive"),
        (403, None, "<html>Just a moment...</html>", "inconclusive"),
        (429, {"error": {"message": "Rate limit exceeded", "code": 429}}, "", "inconclusive"),
        (503, {}, "", "inconclusive"),
        (0, None, "refused", "inconclusive"),
    ],
)
def test_only_openrouter_itself_decides(status: int, body: Any, text: str, state: str) -> None:
    assert judged(status, body, text).state == state


@pytest.mark.parametrize(
    ("id_", "asked"),
    [
        ("qwen/qwen3.8-27b:free", True),
        ("somebody/new:free", True),
        ("openrouter/free", True),
        ("openrouter/auto", False),
        ("qwen/qwen3.8-27b", False),
        ("qwen/qwen3.8-27b:free:online", False),
    ],
)
def test_a_paid_model_is_never_asked(id_: str, asked: bool) -> None:
    model = Model(id=id_, family="f", source="a test", checked="2026-11-23")
    request = ChatRequest(messages=[{"role": "user", "content": "Hello"}])
    assert isinstance(provider.translate_request(request, model, KEY), Upstream if asked else Failure)
