"""Whether a key is valid, asked without spending quota."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from freellm import Answer, ChatRequest, Key, Kind, Upstream, Verdict
from freellm_provider_google.refusals import classify
from freellm_provider_google.requests import key_header

_NO_REQUEST: Final = ChatRequest(messages=())


def probes(key: Key) -> Sequence[Upstream]:
    """Return the probe of a key: one row of the list of models, which asks for a valid key and costs nothing."""
    return (Upstream(method="GET", path="/models?pageSize=1", headers=key_header(key)),)


def judge(answers: Sequence[Answer]) -> Verdict:
    """Judge a key by the answer to its probe.

    A refusal counts against the key only when it names the key: 403 is also said of places and projects, and 400 is
    said of bad keys.
    """
    answer = answers[0]
    if answer.status == 200 and isinstance(answer.body, dict) and "models" in answer.body:
        return Verdict(state="valid", message="the service listed its models")
    if answer.status == 0 or answer.status // 100 == 2:
        return Verdict(
            state="inconclusive", message=answer.text[:300] or "the answer is not a list of models"
        )
    failure = classify(_NO_REQUEST, answer)
    return Verdict(
        state="invalid" if failure.kind == Kind.BAD_KEY else "inconclusive",
        message=failure.message,
        account=failure.account,
    )
