"""Only an authenticated yes or no decides about a key."""

from typing import Any

import pytest

from freellm import Answer, Key, Secret
from freellm_provider_cohere import provider

KEY = Key(id="1", account="1", fields={"token": Secret("t0ken")}, base_url="https://lab.test")


def answer(status: int, body: Any = None, text: str = "") -> Answer:
    return Answer(status=status, headers={}, body=body, text=text)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (answer(200, {"valid": True, "organization_id": "org-1"}), "valid"),
        (answer(200, {"valid": False}), "invalid"),
        (answer(200, {"ok": True}), "inconclusive"),
        (answer(401, {"message": "invalid api token"}), "invalid"),
        (answer(403, text="<html>Just a moment...</html>"), "inconclusive"),
        (answer(429, {"message": "slow down"}), "inconclusive"),
        (answer(500, {"message": "internal"}), "inconclusive"),
        (answer(200, text="<html>Sign in</html>"), "inconclusive"),
        (answer(0, text="no route to host"), "inconclusive"),
    ],
)
def test_a_key_is_judged_by_what_proves_it(found: Answer, state: str) -> None:
    assert provider.judge_key(KEY, [found]).state == state


def test_the_probe_spends_nothing_and_carries_the_key_in_its_header() -> None:
    (probe,) = provider.check_key(KEY)
    assert probe.headers == {"authorization": "Bearer t0ken"}
    assert "chat" not in probe.path
    assert probe.body is None


def test_the_account_is_the_organization_whose_calls_are_counted() -> None:
    verdict = provider.judge_key(KEY, [answer(200, {"valid": True, "organization_id": "org-1"})])
    assert verdict.account == "org-1"
