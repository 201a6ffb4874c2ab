"""Summing tallies up: by steps of time, by groups, and over all."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from freellm.store import histograms
from freellm.store.looking_back import Failed, Summed, failures, summed, total
from freellm.store.tallies import Tally
from freellm_dashboard.shapes.analytics import (
    Analytics,
    Earlier,
    Group,
    Grouping,
    Moment,
    Range,
    Reason,
    Spread,
)
from freellm_dashboard.shapes.analytics import Tally as Told

RANGES: Final[Mapping[Range, tuple[int, int]]] = {
    "1h": (60, 60),
    "24h": (1_800, 48),
    "7d": (21_600, 28),
    "30d": (86_400, 30),
    "90d": (259_200, 30),
}
"""Of each range, the seconds of a step and how many whole steps there are; one more is under way."""

_NAMES: Final[Mapping[Grouping, Callable[[Failed], str]]] = {
    "provider": lambda one: one.provider,
    "model": lambda one: f"{one.provider}/{one.model}",
    "key": lambda one: one.key,
}


class Titles(msgspec.Struct, frozen=True):
    """What groups are called.

    :param by: the titles by name, for each grouping
    """

    by: Mapping[Grouping, Mapping[str, str]]


def summed_up(
    connection: sqlite3.Connection, range_: Range, by: Grouping, now: float, titles: Titles
) -> Analytics:
    """Return the figures of a range.

    :param connection: to read from
    :param now: Unix time
    """
    span, count = RANGES[range_]
    until = int(now // span + 1) * span
    since = until - span * (count + 1)
    moments = range(since, until, span)
    found, failed = summed(connection, span, since, until, by), failures(connection, span, since, until)
    whole = Tally()
    for tally in found.steps.values():
        whole.add(tally)
    return Analytics(
        range=range_,
        by=by,
        since=since,
        until=now,
        step=span,
        totals=_told(whole),
        before=_earlier(total(connection, span, since - span * count, since)),
        groups=_groups(found, failed, by, moments, titles),
        series=[_moment(at, found.steps.get(at, Tally())) for at in moments],
        fallbacks=_reasons(failed),
    )


def _earlier(tally: Tally) -> Earlier:
    waited = tally.requests - tally.cancelled
    return Earlier(
        requests=tally.requests,
        success=tally.succeeded / waited if waited else None,
        attempts=tally.attempts,
        input_tokens=tally.input_tokens,
        output_tokens=tally.output_tokens,
    )


def _told(tally: Tally) -> Told:
    waited = tally.requests - tally.cancelled
    return Told(
        requests=tally.requests,
        succeeded=tally.succeeded,
        cancelled=tally.cancelled,
        success=tally.succeeded / waited if waited else None,
        attempts=tally.attempts,
        fell_back=tally.fell_back,
        input_tokens=tally.input_tokens,
        output_tokens=tally.output_tokens,
        estimated_tokens=tally.estimated_tokens,
        latency=_spread(tally.latencies, tally.total_ms, tally.slowest_ms),
        first_token=_spread(tally.firsts, tally.total_first_ms, tally.slowest_first_ms),
    )


def _spread(histogram: int, total: float, slowest: float) -> Spread | None:
    if not histogram:
        return None
    count = sum(histograms.counts(histogram))
    p50, p95 = histograms.percentiles(histogram, (0.5, 0.95), slowest)
    return Spread(count=count, mean=total / count, p50=p50, p95=p95, max=slowest)


def _moment(at: float, tally: Tally) -> Moment:
    latency = _spread(tally.latencies, tally.total_ms, tally.slowest_ms)
    first = _spread(tally.firsts, tally.total_first_ms, tally.slowest_first_ms)
    return Moment(
        at=at,
        requests=tally.requests,
        failed=tally.requests - tally.succeeded - tally.cancelled,
        attempts=tally.attempts,
        input_tokens=tally.input_tokens,
        output_tokens=tally.output_tokens,
        p50_ms=latency.p50 if latency else None,
        p95_ms=latency.p95 if latency else None,
        first_p50_ms=first.p50 if first else None,
        first_p95_ms=first.p95 if first else None,
    )


def _groups(
    found: Summed, failed: Sequence[Failed], by: Grouping, moments: Sequence[int], titles: Titles
) -> list[Group]:
    """Return the groups, those that only failed included: nobody's last word, but asked all the same."""
    failing: Counter[str] = Counter()
    for one in failed:
        failing[_NAMES[by](one)] += one.attempts
    told = []
    for name in {**found.groups, **failing}:
        tally, requests = found.groups.get(name, Tally()), found.requests.get(name, {})
        told.append(
            Group(
                name=name,
                title=titles.by[by].get(name, name) or "nobody",
                tally=_told(tally),
                attempts_made=tally.succeeded + failing[name],
                attempts_failed=failing[name],
                requests=[requests.get(at, 0) for at in moments],
            )
        )
    return sorted(told, key=lambda group: (-group.tally.requests, -group.attempts_made, group.name))


def _reasons(failed: Sequence[Failed]) -> list[Reason]:
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    for one in failed:
        by_kind[one.kind][one.provider] += one.attempts
    told = [
        Reason(kind=kind, count=providers.total(), providers=dict(providers.most_common()))
        for kind, providers in by_kind.items()
    ]
    return sorted(told, key=lambda reason: (-reason.count, reason.kind))
