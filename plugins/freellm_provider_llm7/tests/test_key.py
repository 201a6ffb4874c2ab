"""A token is proved by what it changes, because the list of models is public."""

from typing import Any

import pytest

from freellm import Answer, ChatRequest, Key, Secret, Upstream
from freellm_provider_llm7 import provider

KEY = Key(id="k", account="acct", fields={"token": Secret("KEY-token")}, base_url="https://api.llm7.io/v1")
NO_KEY = Key(id="keyless:llm7", account="acct", fields={}, base_url="https://api.llm7.io/v1")


def test_without_a_token_no_authorization_is_sent() -> None:
    assert provider.describe_provider().keyless
    request = ChatRequest(messages=[{"role": "user", "content": "Hello"}])
    upstream = provider.translate_request(request, provider.declare_models()[0], NO_KEY)
    assert isinstance(upstream, Upstream)
    assert upstream.headers == {}


def test_an_empty_chat_is_sent_with_the_token_and_without() -> None:
    keyed, keyless = provider.check_key(KEY)
    assert (keyed.method, keyed.path, keyed.headers) == (
        "POST",
        "/chat/completions",
        {"authorization": "Bearer KEY-token"},
    )
    assert keyless.headers == {}
    assert keyed.body == keyless.body == {"model": "gpt-oss:20b", "messages": [], "max_tokens": 1}


REFUSED = (401, {"error": {"message": "Missing API key.", "type": "authentication_error"}}, "")
EMPTY = (400, {"error": {"message": "messages must not be empty", "type": "invalid_request_error"}}, "")


@pytest.mark.parametrize(
    ("keyed", "keyless", "state"),
    [
        (EMPTY, REFUSED, "valid"),
        (REFUSED, REFUSED, "invalid"),
        (EMPTY, EMPTY, "inconclusive"),  # the anonymous path is open: any token is let in
        ((401, None, "<html>"), REFUSED, "inconclusive"),
        ((429, {"error": {"message": "Rate limit exceeded"}}, ""), REFUSED, "inconclusive"),
        ((503, {}, ""), (503, {}, ""), "inconclusive"),
        ((0, None, "refused"), (0, None, "refused"), "inconclusive"),
    ],
)
def test_a_token_is_proved_by_the_difference_it_makes(keyed: Any, keyless: Any, state: str) -> None:
    answers = [Answer(status, {}, body, text) for status, body, text in (keyed, keyless)]
    assert provider.judge_key(KEY, answers).state == state
