"""What the probes of a key tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from freellm.declarations import Model
from freellm.openai_compatible.error_body import shorten
from freellm.types import Answer, Failure, Json, Kind, Verdict

Probed: TypeAlias = tuple[Answer, Failure | None]
"""The answer to a probe, and what it means when it is not 2xx."""

_BEHIND_THE_DOOR: Final = (Kind.BAD_REQUEST, Kind.CONTEXT_EXCEEDED, Kind.MODEL_GONE)
"""Refusals of the request and not of who asks."""


def judge_listing(probed: Probed) -> Verdict:
    """Judge a key by the list of models.

    :return: `valid` for a list of models, `invalid` for a refused key, `inconclusive` for everything else
    """
    answer, failure = probed
    if verdict := _refused(answer, failure):
        return verdict
    if is_listing(answer.body):
        return Verdict(state="valid", message="the service listed its models")
    return Verdict(
        state="inconclusive",
        message="the service answered with something that is not a list of models; is the base URL right?",
    )


def judge_proof(probed: Probed, member: str) -> Verdict:
    """Judge a key by an endpoint that tells of the key itself.

    :param member: what the body has when the key is good: true, or an object with something in it
    :return: `valid` for such a body, `invalid` for a refused key, `inconclusive` for everything else
    """
    answer, failure = probed
    if verdict := _refused(answer, failure):
        return verdict
    found = answer.body.get(member) if isinstance(answer.body, dict) else None
    if found is True or (isinstance(found, dict) and found):
        return Verdict(state="valid", message="the service knows the key")
    return Verdict(
        state="inconclusive",
        message="the service answered with something that tells nothing of the key; is the base URL right?",
    )


def empty_chat(models: Sequence[Model]) -> Json:
    """Return the body of a chat that any service refuses once it has let the asker in: it has no message.

    :param models: the first one that chats and is on is asked, else the first
    """
    asked = next((m for m in models if m.enabled_by_default and m.task == "chat"), models[0])
    return {"model": asked.id, "messages": [], "max_tokens": 1}


def judge_chats(keyed: Probed, keyless: Probed) -> Verdict:
    """Judge a key by an empty chat that was sent with it and without it.

    :return: `valid` when the key opens a door that is closed without one, `invalid` for a refused key, `inconclusive`
        for everything else
    """
    answer, failure = keyed
    behind = failure is not None and failure.kind in _BEHIND_THE_DOOR
    if not behind and (verdict := _refused(answer, failure)):
        return verdict
    without = keyless[1]
    if isinstance(answer.body, dict) and without is not None and without.kind == Kind.BAD_KEY:
        return Verdict(state="valid", message="the service lets the key in, and nobody without one")
    return Verdict(
        state="inconclusive",
        message="the service answered as if it needed no key, or not at all; is the base URL right?",
    )


def is_listing(body: object) -> bool:
    """Tell whether a body is a list of models: a list, or an object with one in `data`."""
    return isinstance(body.get("data") if isinstance(body, dict) else body, list)


def _refused(answer: Answer, failure: Failure | None) -> Verdict | None:
    """Return what an answer tells that is no success; None when it is one."""
    if answer.status == 0:
        return Verdict(
            state="inconclusive", message=f"the service could not be reached: {shorten(answer.text)}"
        )
    if failure is None:
        return None
    if failure.kind == Kind.BAD_KEY and not answer.text.lstrip().startswith("<"):
        return Verdict(state="invalid", message=f"the service refuses the key: {failure.message}")
    return Verdict(
        state="inconclusive",
        message=f"the service answered with status {answer.status}: {failure.message}",
    )
