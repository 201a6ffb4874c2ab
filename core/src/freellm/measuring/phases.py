"""Cutting a stress test into phases: who answered from when to when, and why it was somebody else after that. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import msgspec

from freellm.measuring.results import Hop, Passed, Result

_REASONS_TOLD = 3

_IN_WORDS = {
    "rate_limited": "rate-limited upstream",
    "quota_exhausted": "its quota is exhausted, upstream says",
    "concurrency": "too many requests at once, upstream says",
    "too_large": "too large a request for it",
    "bad_key": "its key was refused",
    "overloaded": "overloaded",
    "timeout": "timed out",
    "network": "network failure",
    "bad_answer": "answered something unusable",
    "model_gone": "the model is gone",
}


class Phase(msgspec.Struct, kw_only=True, frozen=True):
    """Requests in a row that one model answered, or nobody.

    :param phase: its number, the first being 1
    :param first: the number of its first request
    :param last: the number of its last request
    :param requests: how many requests it has
    :param model: who answered, as `provider/model`; None when nobody did
    :param why: why it was this one
    """

    phase: int
    first: int
    last: int
    requests: int
    model: str | None
    why: str


def phases(results: Sequence[Result]) -> list[Phase]:
    """Cut results, in the order of their numbers, into phases."""
    found: list[Phase] = []
    answered_before: str | None = None
    for served, group in groupby(results, key=_served):
        rows = list(group)
        found.append(
            Phase(
                phase=len(found) + 1,
                first=rows[0].number,
                last=rows[-1].number,
                requests=len(rows),
                model=served,
                why=why(rows[0], answered_before),
            )
        )
        answered_before = served or answered_before
    return found


def _served(result: Result) -> str | None:
    return result.model or "unknown" if result.succeeded else None


def why(result: Result, before: str | None) -> str:
    """Say why a request was answered by its model and not by another one.

    :param before: who answered before it; None when nobody had
    """
    if not result.succeeded:
        return f"{result.error}: {result.message}" if result.message else f"{result.error}"
    reasons = _reasons(result)
    if before is None:
        first = "first choice" if not reasons else "the best one open"
    elif before == result.model:
        first = "answers again"
    elif before in reasons:
        first = f"{before}: {reasons.pop(before)}"
    else:
        first = "open again, and ranks better"
    told = [first, *(f"{route}: {reason}" for route, reason in reasons.items())]
    more = f"; and {len(told) - _REASONS_TOLD} more" if len(told) > _REASONS_TOLD else ""
    return "; ".join(told[:_REASONS_TOLD]) + more


def _reasons(result: Result) -> dict[str, str]:
    """Return why each other route did not answer; what the provider said counts more than what was foreseen."""
    foreseen = {passed.route: _foreseen(passed) for passed in reversed(result.passed_over)}
    reasons = {route: foreseen[route] for route in reversed(foreseen)}
    reasons.update((hop.route, _said(hop)) for hop in result.trail)
    reasons.pop(result.model or "", None)
    return reasons


def _foreseen(passed: Passed) -> str:
    return passed.detail or passed.reason or "not open"


def _said(hop: Hop) -> str:
    return _IN_WORDS.get(hop.kind, hop.kind.replace("_", " "))
