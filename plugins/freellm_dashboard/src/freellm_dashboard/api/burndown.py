"""How a quota was spent, by the request log, and how it will be at the present rate."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final

import msgspec

from freellm.forecasts import PoolForecast
from freellm.store import looking_back
from freellm.store.tallies import SPANS
from freellm_dashboard.shapes.analytics import Burndown, Point

_FEWEST: Final = 20
"""Steps that a window is drawn with, at least; a window that is too short for that has no past to show."""

_ROLLING: Final = ("rolling", "unknown")


class Price(msgspec.Struct, frozen=True):
    """What a request of one route takes of a quota.

    :param per_request: for the request
    :param per_input: for a token of its prompt
    :param per_output: for a token of its answer
    """

    per_request: float
    per_input: float
    per_output: float


def burndown(
    connection: sqlite3.Connection,
    pool: PoolForecast,
    prices: Mapping[tuple[str, str, str], Price],
    now: float,
) -> Burndown:
    """Return the two lines of a quota.

    :param connection: to read from
    :param pool: the quota as it is now
    :param prices: of the routes that draw on it, by provider, model and key
    :param now: Unix time
    """
    since = _begins(pool, now)
    span = max((span for span in SPANS if pool.window and span * _FEWEST <= pool.window), default=None)
    if pool.limit is None or pool.left is None or span is None or pool.window is None:
        return Burndown(pool=pool, since=since, past=[], future=_future(pool, now))
    rolling = pool.clock in _ROLLING
    first = int((since - pool.window if rolling else since) // span) * span
    spent = _spent(connection, span, first, now, prices)
    used = _rolling(spent, int(pool.window // span)) if rolling else list(accumulate(spent))
    past = [
        Point(at=first + span * (place + 1), left=min(max(pool.limit - amount, 0.0), pool.limit))
        for place, amount in enumerate(used)
        if since <= first + span * (place + 1) < now
    ]
    return Burndown(
        pool=pool, since=since, past=[*past, Point(at=now, left=pool.left)], future=_future(pool, now)
    )


def _begins(pool: PoolForecast, now: float) -> float:
    """Return when the window that is under way began; of a rolling one, a window ago."""
    if pool.window is None:
        return now
    if pool.clock in _ROLLING or pool.resets_at is None:
        return now - pool.window
    return min(pool.resets_at - pool.window, now)


def _spent(
    connection: sqlite3.Connection,
    span: int,
    first: int,
    now: float,
    prices: Mapping[tuple[str, str, str], Price],
) -> list[float]:
    spent = [0.0] * (int((now - first) // span) + 1)
    for begins, *route, requests, input_tokens, output_tokens in looking_back.spent(
        connection, span, first, now
    ):
        price = prices.get((route[0], route[1], route[2]))
        if price is not None:
            spent[(begins - first) // span] += (
                price.per_request * requests
                + price.per_input * input_tokens
                + price.per_output * output_tokens
            )
    return spent


def _rolling(spent: Sequence[float], steps_of_window: int) -> list[float]:
    """Return what was spent within a window before the end of each step."""
    sums = [0.0, *accumulate(spent)]
    return [sums[place + 1] - sums[max(place + 1 - steps_of_window, 0)] for place in range(len(spent))]


def _future(pool: PoolForecast, now: float) -> list[Point]:
    if pool.left is None or pool.limit is None or pool.window is None:
        return []
    begins = Point(at=now, left=pool.left)
    if pool.exhausted_at is not None and pool.exhausted_at > now:
        return [begins, Point(at=pool.exhausted_at, left=0.0)]
    if pool.resets_at is None:
        return [begins]
    spent = 0.0 if pool.clock in _ROLLING else pool.burn_rate * (pool.resets_at - now)
    return [begins, Point(at=pool.resets_at, left=max(pool.left - spent, 0.0))]
