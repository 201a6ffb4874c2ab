"""Refusals: every status with every body has a name, and one that lets the router do the right thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from freellm.testing import answers, requests
from freellm.testing.breach import BreachError
from freellm.testing.checks.answers import check
from freellm.testing.subject import Subject
from freellm.types import Answer, ChatRequest, Failure, Kind, Scope

_LONGEST_WAIT: Final = 32 * 86_400.0
_LONGEST_MESSAGE: Final = 600
_SCOPES: Final = get_args(Scope)

_LIMITS: Final = frozenset(
    {Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED, Kind.CONCURRENCY, Kind.TOO_LARGE, Kind.OVERLOADED}
)
_TROUBLE: Final = frozenset({Kind.OVERLOADED, Kind.TIMEOUT, Kind.NETWORK, Kind.BAD_ANSWER, Kind.RATE_LIMITED})
_BY_STATUS: Final[Mapping[int, frozenset[Kind]]] = {
    401: frozenset({Kind.BAD_KEY, Kind.FORBIDDEN, Kind.BAD_ANSWER}),
    402: frozenset({Kind.PAYMENT_REQUIRED, Kind.QUOTA_EXHAUSTED, Kind.FORBIDDEN}),
    413: frozenset({Kind.TOO_LARGE, Kind.CONTEXT_EXCEEDED}),
    429: _LIMITS,
    **dict.fromkeys((500, 502, 503, 504, 520, 521, 522, 524, 529), _TROUBLE),
}
"""What a status means when the body does not say more."""


def matrix(subject: Subject) -> None:
    """Every status with every shape of body becomes a sane `Failure`: JSON of any kind, a web page, nothing."""
    for answer in answers.refusals():
        for request in (requests.TOOLS, ChatRequest(messages=())):
            classify(subject, request, answer)


def statuses(subject: Subject) -> None:
    """A status alone is understood: 429 is a limit, 5xx is the service's trouble and never the key's fault."""
    for status, kinds in _BY_STATUS.items():
        for body, text in ((None, ""), ({}, ""), (None, "upstream connect error")):
            found = classify(subject, requests.PLAIN, Answer(status, {}, body, text))
            if found.kind not in kinds:
                raise BreachError(
                    f"calls a bare {status} {found.kind}", hook="classify_error", example=(status, body, text),
                    cure=f"answer one of {', '.join(sorted(kinds))} when the body does not say more",
                )  # fmt: skip


def challenges(subject: Subject) -> None:
    """A web page in front of the service says nothing about the key."""
    for status in (403, 429, 500, 503):
        found = classify(subject, requests.PLAIN, Answer(status, {}, None, answers.CHALLENGE))
        if found.kind in (Kind.BAD_KEY, Kind.MODEL_GONE):
            raise BreachError(
                f"calls a web page with status {status} {found.kind}", hook="classify_error",
                cure="trust a refusal of the key only when its body is the service's own",
                example=answers.CHALLENGE,
            )  # fmt: skip


def classify(subject: Subject, request: ChatRequest, answer: Answer) -> Failure:
    """Ask for a refusal's name and check it."""
    found: Failure = subject.ask(
        "classify_error", Failure, request=request, model=subject.chat_model, answer=answer
    )
    if problem := _insane(found, request):
        raise BreachError(
            problem, hook="classify_error", example=answer, cure="keep to what freellm.types.Failure says"
        )
    if found.salvaged is not None:
        check(found.salvaged, "classify_error", answer.body)
    return found


def _insane(failure: Failure, request: ChatRequest) -> str | None:
    kind: Any = failure.kind  # the structs of the request path do not check their fields
    message: Any = failure.message
    if not isinstance(kind, Kind):
        return f"answers the kind {kind!r}, which is none of Kind"
    if failure.scope not in _SCOPES:
        return f"answers the scope {failure.scope!r}"
    if not isinstance(message, str) or len(message) > _LONGEST_MESSAGE:
        return f"answers a message of {len(str(message))} characters; {_LONGEST_MESSAGE} are allowed"
    if failure.retry_after is not None and not 0 <= failure.retry_after <= _LONGEST_WAIT:
        return f"asks to wait {failure.retry_after} seconds"
    if failure.amend is not None and failure.amend == request:
        return "amends a request without changing it, so it would be refused again"
    return None


CHECKS = (matrix, statuses, challenges)
