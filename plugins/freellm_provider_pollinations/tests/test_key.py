"""A key is proved by its own page, because the list of models is public."""

from typing import Any

import pytest

from freellm import Answer, Key, Secret
from freellm_provider_pollinations import provider

KEY = Key(id="k", account="acct", fields={"token": Secret("sk_KEY")}, base_url="https://gen.pollinations.ai")


def test_the_probe_is_the_key_s_own_page() -> None:
    (probe,) = provider.check_key(KEY)
    assert (probe.method, probe.path, probe.headers) == (
        "GET",
        "/account/key",
        {"authorization": "Bearer sk_KEY"},
    )


@pytest.mark.parametrize(
    ("status", "body", "text", "state"),
    [
        (200, {"valid": True, "type": "secret", "permissions": {"models": None}}, "", "valid"),
        (200, {"valid": False}, "", "inconclusive"),
        (200, {"data": []}, "", "inconclusive"),
        (
            401,
            {"status": 401, "success": False, "error": {"code": "UNAUTHORIZED", "message": "x"}},
            "",
            "invalid",
        ),
        (
            403,
            {"status": 403, "success": False, "error": {"code": "FORBIDDEN", "message": "x"}},
            "",
            "inconclusive",
        ),
        (200, None, "<html>", "inconclusive"),
        (502, None, "<html>", "inconclusive"),
        (429, {}, "", "inconclusive"),
        (0, None, "refused", "inconclusive"),
    ],
)
def test_only_pollinations_itself_decides(status: int, body: Any, text: str, state: str) -> None:
    assert provider.judge_key(KEY, [Answer(status, {}, body, text)]).state == state
