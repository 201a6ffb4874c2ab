"""Free models need no key; one that is given is proved by its owner's profile, because they answer any."""

from typing import Any

import pytest

from freellm import Answer, ChatRequest, Failure, Key, Model, Secret, Upstream
from freellm_provider_kilo import provider

KEY = Key(id="k", account="acct", fields={"token": Secret("KEY-token")}, base_url="https://api.kilo.ai/api")
NO_KEY = Key(id="keyless:kilo", account="acct", fields={}, base_url="https://api.kilo.ai/api")
REQUEST = ChatRequest(messages=[{"role": "user", "content": "Hello"}])


def test_without_a_key_no_authorization_is_sent() -> None:
    assert provider.describe_provider().keyless
    upstream = provider.translate_request(REQUEST, provider.declare_models()[0], NO_KEY)
    assert isinstance(upstream, Upstream)
    assert upstream.headers == {}


def test_one_pool_of_the_address_holds_for_every_model() -> None:
    (quota,) = provider.declare_quotas()
    assert (quota.unit, quota.limit, quota.window, quota.scope, quota.members) == (
        "requests",
        200,
        3600,
        "ip",
        (),
    )


def test_the_probe_is_the_profile() -> None:
    (probe,) = provider.check_key(KEY)
    assert (probe.method, probe.path, probe.headers) == (
        "GET",
        "/profile",
        {"authorization": "Bearer KEY-token"},
    )


@pytest.mark.parametrize(
    ("status", "body", "text", "state"),
    [
        (200, {"user": {"email": "a@example.com"}, "organizations": []}, "", "valid"),
        (401, {"error": "Unauthorized"}, "", "invalid"),
        (200, {"data": [{"id": "a model"}]}, "", "inconclusive"),
        (200, None, "<html>", "inconclusive"),
        (403, None, "<html>Just a moment...</html>", "inconclusive"),
        (404, {"error": "Not found"}, "", "inconclusive"),
        (503, {}, "", "inconclusive"),
        (0, None, "refused", "inconclusive"),
    ],
)
def test_only_kilo_itself_decides(status: int, body: Any, text: str, state: str) -> None:
    assert provider.judge_key(KEY, [Answer(status, {}, body, text)]).state == state


@pytest.mark.parametrize(
    ("id_", "asked"),
    [("somebody/new:free", True), ("kilo-auto/free", True), ("kilo-auto/frontier", False), ("a/b", False)],
)
def test_a_paid_model_is_never_asked(id_: str, asked: bool) -> None:
    model = Model(id=id_, family="f", source="a test", checked="2026-11-23")
    assert isinstance(provider.translate_request(REQUEST, model, KEY), Upstream if asked else Failure)
