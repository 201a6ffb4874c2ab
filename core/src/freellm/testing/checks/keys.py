"""Keys: probes that can be sent, and verdicts that nothing can fool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from freellm.testing import answers
from freellm.testing.breach import BreachError, NotApplicableError
from freellm.testing.checks.requests import check_sendable
from freellm.testing.subject import Subject
from freellm.types import Answer, Upstream, Verdict

_JUDGE: Final = "judge_key"
_BODIES: Final[tuple[Any, ...]] = (
    None,
    {},
    [],
    {"error": {"message": "m"}},
    {"data": []},
    {"success": False},
    "m",
)
_ERRORS: Final[tuple[Any, ...]] = (
    None, "m", {"error": {"message": "m"}}, {"success": False, "errors": [{"message": "m"}]},
)  # fmt: skip
_UNSETTLED: Final = (0, 408, 429, 500, 502, 503, 504, 520, 529)
"""Statuses that say nothing about a key; 0 is a probe that could not be delivered."""


def probes(subject: Subject) -> None:
    """Probes can be sent, and carry the key in a header: a list that anyone may read proves nothing."""
    found = _probes(subject)
    for probe in found:
        check_sendable(probe, "check_key")
    carried = " ".join(value for probe in found for value in probe.headers.values())
    unproven = [secret for secret in subject.secrets if secret not in carried]
    if len(unproven) == len(subject.secrets) and subject.secrets:
        raise BreachError(
            "sends probes without the key", hook="check_key",
            cure="probe an endpoint that needs the key, and send it in a header",
        )  # fmt: skip


def unsettled(subject: Subject) -> None:
    """No delivery, 429 and 5xx leave a verdict inconclusive, whatever their bodies say."""
    for status in _UNSETTLED:
        for answer in _answers(status):
            _judge(subject, answer, {"inconclusive"}, f"a {status}")


def challenges(subject: Subject) -> None:
    """A web page in place of the service never makes a key valid, nor invalid."""
    for status in (200, 202, 403, 503):
        for text in (answers.CHALLENGE, "<html>Sign in to the network</html>"):
            _judge(
                subject, Answer(status, {}, None, text), {"inconclusive"}, f"a web page with status {status}"
            )


def refused(subject: Subject) -> None:
    """A refusal is never a proof that a key is valid, and a verdict always has its reason."""
    for status in (400, 401, 402, 403, 404):
        for answer in _answers(status):
            _judge(subject, answer, {"invalid", "inconclusive"}, f"a {status}")
    for answer in _answers(200):
        _judge(subject, answer, {"valid", "inconclusive", "invalid"}, "a 200")


def errors_in_answers(subject: Subject) -> None:
    """A 200 that is nothing, or an error, never makes a key valid."""
    for body in _ERRORS:
        _judge(subject, Answer(200, {}, body), {"inconclusive", "invalid"}, "a 200 that is an error")


def _answers(status: int) -> Iterator[Answer]:
    for body in _BODIES:
        yield Answer(status, {}, body, "connection refused" if body is None else "")


def _probes(subject: Subject) -> list[Upstream]:
    found = list(subject.ask("check_key", (list, tuple), key=subject.key))
    for probe in found:
        if not isinstance(probe, Upstream):
            raise BreachError(
                f"lists a {type(probe).__name__}", hook="check_key", cure="list Upstream objects"
            )
    if not found:
        raise NotApplicableError("the provider has no probe; every check of a key is inconclusive")
    return found


def _judge(subject: Subject, answer: Answer, states: set[str], what: str) -> None:
    given = [answer] * len(_probes(subject))
    verdict: Verdict = subject.ask(_JUDGE, Verdict, key=subject.key, answers=given)
    if verdict.state not in states:
        raise BreachError(
            f"calls a key {verdict.state} because of {what}", hook=_JUDGE, example=answer,
            cure="answer inconclusive unless an endpoint that needs the key said yes or no in the service's own words",
        )  # fmt: skip
    if not verdict.message:
        raise BreachError(
            f"gives no reason for {verdict.state}", hook=_JUDGE, example=answer,
            cure="say in message why, for the person who added the key",
        )  # fmt: skip


CHECKS = (probes, unsettled, challenges, refused, errors_in_answers)
