"""Figures over the request log, and quotas."""

from __future__ import annotations

from typing import Literal

from freellm.capacity import Totals
from freellm.forecasts import PoolForecast
from freellm_dashboard.shapes.wire import Answer, Body

Range = Literal["1h", "24h", "7d", "30d", "90d"]
Grouping = Literal["provider", "model", "key"]


class AnalyticsQuery(Body, frozen=True, kw_only=True):
    """Which figures.

    :param range: how far back
    :param by: what the groups are
    """

    range: Range = "24h"
    by: Grouping = "provider"


class Spread(Answer, frozen=True, kw_only=True):
    """How long something took, in milliseconds; percentiles are right within 3 %.

    :param count: of how many
    :param mean: the mean
    :param p50: half were faster
    :param p95: 95 of 100 were faster
    :param max: the slowest
    """

    count: int
    mean: float
    p50: float
    p95: float
    max: float


class Tally(Answer, frozen=True, kw_only=True):
    """What became of some requests. What cannot be known of none is null, and not 0.

    :param requests: requests of clients
    :param succeeded: how many of these got an answer
    :param cancelled: how many clients left before they had one
    :param success: the share that got an answer of those that waited for one, 0 to 1; null without any
    :param attempts: requests to providers; more than `requests` when some were failed over
    :param fell_back: requests that more than one attempt was made for
    :param input_tokens: tokens of prompts
    :param output_tokens: tokens of answers
    :param estimated_tokens: how many of the two are freellm's estimate
    :param latency: to the last byte, of those that got an answer; null without any
    :param first_token: to the first delta, of streams that got an answer; null without any
    """

    requests: int
    succeeded: int
    cancelled: int
    success: float | None
    attempts: int
    fell_back: int
    input_tokens: int
    output_tokens: int
    estimated_tokens: int
    latency: Spread | None
    first_token: Spread | None


class Earlier(Answer, frozen=True, kw_only=True):
    """What became of the requests of the range before, to compare with.

    :param requests: requests of clients
    :param success: the share that got an answer of those that waited for one, 0 to 1; null without any
    :param attempts: requests to providers
    :param input_tokens: tokens of prompts
    :param output_tokens: tokens of answers
    """

    requests: int
    success: float | None
    attempts: int
    input_tokens: int
    output_tokens: int


class Group(Answer, frozen=True, kw_only=True):
    """The figures of one provider, model or key: of the requests that it answered last.

    :param name: its id; empty: nobody was asked
    :param title: its name for people
    :param tally: the figures
    :param attempts_made: requests to it
    :param attempts_failed: how many of these failed
    :param requests: requests in each of `Analytics.series`
    """

    name: str
    title: str
    tally: Tally
    attempts_made: int
    attempts_failed: int
    requests: list[int]


class Moment(Answer, frozen=True, kw_only=True):
    """One step of the time series.

    :param at: Unix time at which it begins
    :param requests: requests of clients
    :param failed: how many of these got no answer, and did not leave before
    :param attempts: requests to providers
    :param input_tokens: tokens of prompts
    :param output_tokens: tokens of answers
    :param p50_ms: latency; null without answers
    :param p95_ms: latency; null without answers
    :param first_p50_ms: to the first delta; null without streams
    :param first_p95_ms: to the first delta; null without streams
    """

    at: float
    requests: int
    failed: int
    attempts: int
    input_tokens: int
    output_tokens: int
    p50_ms: float | None
    p95_ms: float | None
    first_p50_ms: float | None
    first_p95_ms: float | None


class Reason(Answer, frozen=True, kw_only=True):
    """Why attempts failed.

    :param kind: the kind of failure
    :param count: how often
    :param providers: whose, how often
    """

    kind: str
    count: int
    providers: dict[str, int]


class Analytics(Answer, frozen=True, kw_only=True):
    """The figures of a range.

    :param range: how far back
    :param by: what the groups are
    :param since: Unix time at which the series begins
    :param until: Unix time at which it ends
    :param step: seconds of one step
    :param totals: over all requests
    :param before: over the range before it, to compare with
    :param groups: the most requests first
    :param series: the steps in order, empty ones included
    :param fallbacks: why attempts failed, the most frequent first
    """

    range: Range
    by: Grouping
    since: float
    until: float
    step: float
    totals: Tally
    before: Earlier
    groups: list[Group]
    series: list[Moment]
    fallbacks: list[Reason]


class Quotas(Answer, frozen=True, kw_only=True):
    """Every quota.

    :param at: Unix time this is true of
    :param pools: every pool that a key draws on
    :param totals: what is left over all of them, for chats
    """

    at: float
    pools: list[PoolForecast]
    totals: Totals


class BurndownQuery(Body, frozen=True, kw_only=True):
    """Which quota.

    :param pool: its identity, as in `PoolForecast.pool`
    """

    pool: str


class Point(Answer, frozen=True, kw_only=True):
    """One point of a line.

    :param at: Unix time
    :param left: what is left
    """

    at: float
    left: float


class Burndown(Answer, frozen=True, kw_only=True):
    """How a quota was spent, by the request log, and how it will be at the present rate.

    :param pool: the quota as it is now
    :param since: Unix time at which the line begins
    :param past: the line up to now; empty without a limit
    :param future: the line from now until the quota resets or is spent
    """

    pool: PoolForecast
    since: float
    past: list[Point]
    future: list[Point]
