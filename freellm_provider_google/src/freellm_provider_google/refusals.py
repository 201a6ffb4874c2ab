"""Refusals in google.rpc's words become failures in the router's.

By status, reason and quota id first. The patterns below are for what the service tells in prose alone; each row has a
case file with the real body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from freellm import Answer, ChatRequest, Failure, Kind
from freellm_provider_google.amends import amended

_LONGEST_MESSAGE: Final = 300
_LONG_WAIT: Final = 900.0
"""A wait of more seconds than this is the mark of a quota longer than minutes."""

_STATUSES: Final[Mapping[str, Kind]] = {
    "INVALID_ARGUMENT": Kind.BAD_REQUEST,
    "FAILED_PRECONDITION": Kind.BAD_REQUEST,
    "OUT_OF_RANGE": Kind.BAD_REQUEST,
    "UNAUTHENTICATED": Kind.BAD_KEY,
    "PERMISSION_DENIED": Kind.FORBIDDEN,
    "NOT_FOUND": Kind.MODEL_GONE,
    "UNIMPLEMENTED": Kind.MODEL_GONE,
    "RESOURCE_EXHAUSTED": Kind.RATE_LIMITED,
    "CANCELLED": Kind.NETWORK,
}
_CODES: Final[Mapping[int, Kind]] = {
    400: Kind.BAD_REQUEST,
    401: Kind.BAD_KEY,
    402: Kind.PAYMENT_REQUIRED,
    403: Kind.FORBIDDEN,
    404: Kind.MODEL_GONE,
    408: Kind.OVERLOADED,
    409: Kind.OVERLOADED,
    410: Kind.MODEL_GONE,
    413: Kind.TOO_LARGE,
    422: Kind.BAD_REQUEST,
    429: Kind.RATE_LIMITED,
    451: Kind.CONTENT_FILTERED,
    499: Kind.NETWORK,
}
_SCOPES: Final[Mapping[Kind, Any]] = {
    Kind.BAD_KEY: "key",
    Kind.MODEL_GONE: "model",
    Kind.PAYMENT_REQUIRED: "account",
    Kind.TOO_LARGE: "model",
    Kind.CONTENT_FILTERED: "model",
}
_KEY_REASONS: Final = frozenset(
    {
        "API_KEY_INVALID",
        "API_KEY_SERVICE_BLOCKED",
        "API_KEY_HTTP_REFERRER_BLOCKED",
        "API_KEY_IP_ADDRESS_BLOCKED",
        "API_KEY_ANDROID_APP_BLOCKED",
        "API_KEY_IOS_APP_BLOCKED",
        "CONSUMER_INVALID",
        "CONSUMER_SUSPENDED",
        "SERVICE_DISABLED",
    }
)
"""ErrorInfo reasons that say no request with this key can succeed."""

_PHRASES: Final[Sequence[tuple[str, str, Kind, Any]]] = (
    ("INVALID_ARGUMENT", r"API key (?:not valid|expired|not found)", Kind.BAD_KEY, "key"),
    ("PERMISSION_DENIED", r"reported as leaked|project has been denied", Kind.BAD_KEY, "key"),
    ("FAILED_PRECONDITION", r"location is not supported", Kind.FORBIDDEN, "provider"),
    ("FAILED_PRECONDITION", r"billing", Kind.PAYMENT_REQUIRED, "account"),
    ("INVALID_ARGUMENT", r"payload size exceeds", Kind.TOO_LARGE, "model"),
)
"""What the statuses do not tell apart: status, words, kind and scope."""

_CONTEXT: Final = re.compile(
    r"input token count.*?(?:exceeds the maximum number of tokens allowed|only supports up to) \(?(\d+)",
    re.IGNORECASE | re.DOTALL,
)
_ZERO: Final = re.compile(r"\blimit: 0(?![\d.])")
_POSITIVE: Final = re.compile(r"\blimit: [1-9]")
_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?)s")
_RETRY_IN: Final = re.compile(
    r"retry in (?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?", re.IGNORECASE
)

_WINDOWS: Final[Sequence[tuple[str, float, Kind]]] = (
    ("PerDay", 86_400.0, Kind.QUOTA_EXHAUSTED),
    ("PerHour", 3_600.0, Kind.RATE_LIMITED),
    ("PerMinute", 60.0, Kind.RATE_LIMITED),
    ("PerSecond", 1.0, Kind.RATE_LIMITED),
)
"""What a quota id ends with, the longest window first: it is the one to wait for."""


class _Problem(NamedTuple):
    """A refusal's facts, from its body or, without one, from its HTTP status."""

    code: int
    status: str
    message: str
    reasons: frozenset[str]
    violations: Sequence[Mapping[str, Any]]
    wait: float | None
    account: str | None


def classify(request: ChatRequest, answer: Answer) -> Failure:
    """Return the failure of an answer that is not 2xx, or of an error inside one that is."""
    problem = _read(answer)
    if problem is None:
        return _without_body(answer)
    kind = _STATUSES.get(problem.status) or _CODES.get(problem.code) or Kind.OVERLOADED
    if problem.reasons & _KEY_REASONS:
        return _failure(problem, Kind.BAD_KEY, "key")
    for status, words, special, scope in _PHRASES:
        if status == problem.status and re.search(words, problem.message, re.IGNORECASE):
            return _failure(problem, special, scope)
    if kind == Kind.RATE_LIMITED:
        return _quota(problem)
    if kind == Kind.BAD_REQUEST:
        return _bad_request(problem, request)
    return _failure(problem, kind, _SCOPES.get(kind, "route"))


def _failure(problem: _Problem, kind: Kind, scope: Any, **facts: Any) -> Failure:
    facts.setdefault("retry_after", problem.wait)
    return Failure(kind=kind, message=_short(problem.message), scope=scope, account=problem.account, **facts)


def _without_body(answer: Answer) -> Failure:
    """Judge a refusal without google.rpc's JSON: it comes from something in front of the service."""
    kind = _CODES.get(answer.status, Kind.OVERLOADED if answer.status >= 500 else Kind.BAD_ANSWER)
    if kind in (Kind.BAD_KEY, Kind.FORBIDDEN, Kind.MODEL_GONE):
        kind = Kind.BAD_ANSWER
    return Failure(
        kind=kind, message=_short(f"HTTP {answer.status}: {answer.text}"), scope=_SCOPES.get(kind, "route")
    )


def _read(answer: Answer) -> _Problem | None:
    body = answer.body[0] if isinstance(answer.body, list) and answer.body else answer.body
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, Mapping):
        return None
    details = [detail for detail in error.get("details") or () if isinstance(detail, Mapping)]
    infos = [detail for detail in details if "reason" in detail]
    message = str(error.get("message") or "")
    code = error.get("code")
    return _Problem(
        # A proxy in front may change the status; the code inside is the service's own.
        code=code if isinstance(code, int) and 400 <= code < 600 else answer.status,
        status=str(error.get("status") or ""),
        message=message,
        reasons=frozenset(str(info["reason"]) for info in infos),
        violations=[each for detail in details for each in detail.get("violations") or ()],
        wait=_wait(details, message, answer.headers),
        account=next(
            (each for info in infos if (each := (info.get("metadata") or {}).get("consumer"))), None
        ),
    )


def _wait(details: Sequence[Mapping[str, Any]], message: str, headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait: from RetryInfo, else the header, else the words."""
    for detail in details:
        if found := _SECONDS.fullmatch(str(detail.get("retryDelay", ""))):
            return float(found[1])
    if found := _SECONDS.fullmatch(headers.get("retry-after", "") + "s"):
        return float(found[1])
    if (found := _RETRY_IN.search(message)) and any(found.groups()):
        hours, minutes, seconds, milliseconds = (float(group or 0) for group in found.groups())
        return hours * 3_600 + minutes * 60 + seconds + milliseconds / 1_000
    return None


def _quota(problem: _Problem) -> Failure:
    if _is_not_free(problem):
        return _failure(problem, Kind.FORBIDDEN, "model", retry_after=None)
    for mark, window, kind in _WINDOWS:
        for violation in problem.violations:
            quota_id = str(violation.get("quotaId", ""))
            if mark in quota_id:
                value = str(violation.get("quotaValue", ""))
                return _failure(
                    problem,
                    kind,
                    "route" if "PerModel" in quota_id else "account",
                    # The delay stated beside a day's quota is that of the minute.
                    retry_after=None if kind == Kind.QUOTA_EXHAUSTED else problem.wait,
                    limit=int(value) if value.isdecimal() else None,
                    unit="tokens" if "Token" in quota_id else "requests",
                    window=window,
                )
    long = problem.wait is not None and problem.wait > _LONG_WAIT
    return _failure(problem, Kind.QUOTA_EXHAUSTED if long else Kind.RATE_LIMITED, "route")


def _is_not_free(problem: _Problem) -> bool:
    """Tell whether the project has none of this model: a quota of 0, which is stated, or left out as zeros are."""
    values = [violation.get("quotaValue") for violation in problem.violations]
    if "0" in values or _ZERO.search(problem.message):
        return True
    return bool(values) and not any(values) and not _POSITIVE.search(problem.message)


def _bad_request(problem: _Problem, request: ChatRequest) -> Failure:
    if found := _CONTEXT.search(problem.message):
        return _failure(problem, Kind.CONTEXT_EXCEEDED, "model", limit=int(found[1]))
    param, amend = amended(request, problem.message)
    return _failure(problem, Kind.BAD_REQUEST, "route", param=param, amend=amend)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"
