"""What came of one request of a stress test, and the figures over all of them. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

_UPSTREAM_LIMITS = frozenset({"rate_limited", "quota_exhausted"})


class Hop(msgspec.Struct, frozen=True):
    """An attempt that failed before somebody answered.

    :param route: `provider/model`
    :param kind: what went wrong, in the router's words
    """

    route: str
    kind: str


class Passed(msgspec.Struct, frozen=True):
    """A better model that was not asked.

    :param route: `provider/model`
    :param reason: why, for programs
    :param detail: why, for people
    """

    route: str
    reason: str = ""
    detail: str = ""


class Result(msgspec.Struct, kw_only=True):
    """What came of one request.

    :param number: its number, the first being 1
    :param status: the HTTP status; 0 when there was no answer
    :param model: who answered, as `provider/model`; None when nobody did
    :param ms: milliseconds until the last byte
    :param first_byte_ms: milliseconds until the first byte of the answer's body
    :param attempts: `X-Fallback-Attempts`: attempts that failed before the one that answered
    :param trail: these attempts
    :param passed_over: better models that were not asked
    :param request_id: the proxy's name for the request
    :param error: the error's code; None when it succeeded
    :param message: the error in words
    """

    number: int
    status: int = 0
    model: str | None = None
    ms: float = 0.0
    first_byte_ms: float | None = None
    attempts: int = 0
    trail: list[Hop] = []
    passed_over: list[Passed] = []
    request_id: str | None = None
    error: str | None = None
    message: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether a whole answer came."""
        return self.error is None


def figures(results: Sequence[Result]) -> dict[str, Any]:
    """Return the figures of a stress test.

    :param results: in the order of their numbers
    """
    good = [result for result in results if result.succeeded]
    hops = [hop for result in results for hop in result.trail]
    return {
        "succeeded": len(good),
        "failed": len(results) - len(good),
        "success_rate": len(good) / len(results) if results else None,
        "client_429s": sum(result.status == 429 for result in results),
        "upstream_429s": sum(hop.kind in _UPSTREAM_LIMITS for hop in hops),
        "models": dict(Counter(result.model for result in good if result.model).most_common()),
        "fallback_attempts": dict(sorted(Counter(result.attempts for result in results).items())),
        "latency_ms": spread(result.ms for result in good),
        "first_byte_ms": spread(r.first_byte_ms for r in good if r.first_byte_ms is not None),
        "errors": _errors(results),
    }


def spread(values: Iterable[float]) -> dict[str, float] | None:
    """Return minimum, median, 95th percentile (nearest rank) and maximum; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return {
        "min": ordered[0],
        "p50": _percentile(ordered, 0.50),
        "p95": _percentile(ordered, 0.95),
        "max": ordered[-1],
    }


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[math.ceil(share * len(ordered)) - 1]


def _errors(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    counts = Counter(result.error for result in results if result.error)
    examples = {result.error: result for result in reversed(results) if result.error}
    return {
        code: {
            "count": count,
            "status": examples[code].status,
            "request": examples[code].number,
            "example": examples[code].message,
        }
        for code, count in counts.most_common()
    }
