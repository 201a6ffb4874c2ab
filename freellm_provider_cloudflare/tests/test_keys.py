from typing import Any

import pytest

from freellm import Answer, Key, Secret
from freellm_provider_cloudflare import provider

ACTIVE = {"result": {"id": "1", "status": "active"}, "success": True, "errors": [], "messages": []}
LISTED = {"result": [{"name": "@cf/openai/gpt-oss-120b"}], "success": True, "errors": [], "messages": []}


def refusal(status: int, code: int, message: str) -> Answer:
    body = {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}
    return Answer(status=status, headers={}, body=body)


def good(body: dict[str, Any]) -> Answer:
    return Answer(status=200, headers={}, body=body)


UNKNOWN = refusal(401, 1000, "Invalid API Token")
MALFORMED = refusal(400, 6003, "Invalid request headers")
NOT_ALLOWED = refusal(403, 10000, "Authentication error")
NO_ACCOUNT = refusal(404, 7003, "Could not route to /accounts/x, perhaps your object identifier is invalid?")
DOWN = Answer(status=0, headers={}, text="connection refused")
PAGE = Answer(status=503, headers={}, text="<html></html>")


@pytest.fixture
def key() -> Key:
    fields = {"account_id": Secret("abc/../def"), "token": Secret("t0ken")}
    return Key(id="1", account="abc", fields=fields, base_url="https://api.cloudflare.com/client/v4")


def test_the_probes_ask_both_endpoints_that_know_tokens_and_one_that_knows_the_account(key: Key) -> None:
    probes = provider.check_key(key)
    assert [probe.path for probe in probes] == [
        "/user/tokens/verify",
        "/accounts/abc%2F..%2Fdef/tokens/verify",
        "/accounts/abc%2F..%2Fdef/ai/models/search?per_page=1",
    ]
    assert all(
        probe.method == "GET" and probe.headers == {"authorization": "Bearer t0ken"} for probe in probes
    )


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ((good(ACTIVE), UNKNOWN, good(LISTED)), "valid"),
        ((UNKNOWN, good(ACTIVE), good(LISTED)), "valid"),
        ((DOWN, DOWN, good(LISTED)), "valid"),
        ((good(ACTIVE), UNKNOWN, PAGE), "valid"),
        ((good(ACTIVE), UNKNOWN, NOT_ALLOWED), "invalid"),
        ((UNKNOWN, good(ACTIVE), NO_ACCOUNT), "invalid"),
        ((UNKNOWN, UNKNOWN, NOT_ALLOWED), "invalid"),
        ((MALFORMED, MALFORMED, MALFORMED), "invalid"),
        ((UNKNOWN, DOWN, DOWN), "inconclusive"),
        ((PAGE, PAGE, PAGE), "inconclusive"),
        ((good({"result": {"status": "expired"}, "success": True}), DOWN, DOWN), "inconclusive"),
        ((Answer(status=429, headers={}, body={}), UNKNOWN, PAGE), "inconclusive"),
    ],
)
def test_a_key_is_invalid_only_if_cloudflare_says_so(
    key: Key, answers: tuple[Answer, ...], state: str
) -> None:
    verdict = provider.judge_key(key, answers)
    assert (verdict.state, bool(verdict.message)) == (state, True)


def test_a_verdict_never_repeats_the_token(key: Key) -> None:
    verdict = provider.judge_key(key, (UNKNOWN, UNKNOWN, NOT_ALLOWED))
    assert "t0ken" not in verdict.message
