"""When windows start over: midnights, daylight saving time, the ends of months, a clock that was set back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from freellm.declarations import Model, Quota
from freellm.ledger import Demand, Ledger, Share

FACTS = {"source": "test", "checked": "2026-11-24"}
MODEL = Model(id="a", family="a", **FACTS)
ONE = Demand(10, 10, 10)
LOS_ANGELES = "America/Los_Angeles"


def at(text: str, zone: str = "UTC", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def one_request(**facts: Any) -> tuple[Ledger, tuple[Share, ...]]:
    ledger = Ledger()
    return ledger, shares_of(ledger, **facts)


def shares_of(ledger: Ledger, **facts: Any) -> tuple[Share, ...]:
    quota = Quota(**{"unit": "requests", "limit": 1, "window": 86_400, **FACTS, **facts})
    return ledger.shares("p", MODEL, [quota], key="key", account="account")


@pytest.mark.parametrize(
    ("clock", "spent_at", "opens_at"),
    [
        ("utc-midnight", at("2026-11-24T00:00"), at("2026-11-25T00:00")),
        ("utc-midnight", at("2026-11-24T23:59:59.999"), at("2026-11-25T00:00")),
        ("utc-midnight", at("2028-02-28T12:00"), at("2028-02-29T00:00")),
        ("utc-midnight", at("2028-02-29T12:00"), at("2028-03-01T00:00")),
        ("utc-midnight", at("2026-12-31T12:00"), at("2027-01-01T00:00")),
        ("pacific-midnight", at("2026-07-01T12:00", LOS_ANGELES), at("2026-07-02T07:00")),
        ("pacific-midnight", at("2026-12-01T12:00", LOS_ANGELES), at("2026-12-02T08:00")),
        # UTC is a day ahead of California in the evening.
        ("pacific-midnight", at("2026-07-02T06:59"), at("2026-07-02T07:00")),
        ("pacific-midnight", at("2026-07-02T07:00"), at("2026-07-03T07:00")),
        # The day daylight saving time starts has 23 hours, the day it ends 25.
        (
            "pacific-midnight",
            at("2026-03-08T00:00", LOS_ANGELES),
            at("2026-03-08T00:00", LOS_ANGELES) + 23 * 3_600,
        ),
        ("pacific-midnight", at("2026-03-08T03:30", LOS_ANGELES), at("2026-03-09T07:00")),
        (
            "pacific-midnight",
            at("2026-11-01T00:00", LOS_ANGELES),
            at("2026-11-01T00:00", LOS_ANGELES) + 25 * 3_600,
        ),
        ("pacific-midnight", at("2026-11-01T01:30", LOS_ANGELES, fold=0), at("2026-11-02T08:00")),
        ("pacific-midnight", at("2026-11-01T01:30", LOS_ANGELES, fold=1), at("2026-11-02T08:00")),
        ("pacific-midnight", at("2026-11-01T23:59", LOS_ANGELES), at("2026-11-02T08:00")),
        ("month", at("2026-01-31T23:59"), at("2026-02-01T00:00")),
        ("month", at("2027-02-01T00:00"), at("2027-03-01T00:00")),
        ("month", at("2028-02-29T23:59"), at("2028-03-01T00:00")),
        ("month", at("2026-04-30T12:00"), at("2026-05-01T00:00")),
        ("month", at("2026-12-31T23:59"), at("2027-01-01T00:00")),
    ],
)
def test_a_calendar_quota_opens_at_the_start_of_the_next_period(
    clock: str, spent_at: float, opens_at: float
) -> None:
    ledger, shares = one_request(clock=clock)
    assert ledger.reserve(shares, ONE, spent_at)
    assert ledger.opening(shares, ONE, spent_at) == opens_at
    assert ledger.reserve(shares, ONE, opens_at - 0.001) is None
    assert ledger.reserve(shares, ONE, opens_at)


@pytest.mark.parametrize(
    ("clock", "window"), [("utc-midnight", 3_600), ("pacific-midnight", 604_800), ("unknown", 60)]
)
def test_a_window_whose_start_nobody_knows_is_counted_as_rolling(clock: str, window: float) -> None:
    ledger, shares = one_request(clock=clock, window=window)
    now = at("2026-11-24T12:59:59")
    ledger.reserve(shares, ONE, now)
    opens = ledger.opening(shares, ONE, now)
    assert now + window <= opens <= now + window * 121 / 120 + 0.001


def test_headers_that_arrive_after_midnight_count_for_the_new_day() -> None:
    ledger, shares = one_request(clock="utc-midnight")
    midnight = at("2026-11-25T00:00")
    lease = ledger.reserve(shares, ONE, midnight - 5)
    assert lease
    assert ledger.opening(shares, ONE, midnight) == midnight
    ledger.stamp(lease, midnight + 1)
    assert ledger.opening(shares, ONE, midnight + 1) == midnight + 86_400


def test_a_refund_for_yesterday_does_not_lower_today() -> None:
    ledger, shares = one_request(clock="utc-midnight", unit="tokens", limit=100)
    midnight = at("2026-11-25T00:00")
    yesterday = ledger.reserve(shares, Demand(10, 60, 60), midnight - 5)
    today = ledger.reserve(shares, Demand(10, 60, 60), midnight + 1)
    assert yesterday
    assert today
    ledger.settle(yesterday, midnight + 2, 10, 0)
    assert ledger.views(midnight + 2)[0].used == 70


MONTH = {"clock": "month", "window": 2_592_000}
PACIFIC = {"clock": "pacific-midnight"}


@pytest.mark.parametrize(
    ("facts", "spent_at", "starts_at", "still_closed_at", "open_at"),
    [
        # Two hours back over midnight: what was spent on the 25th counts until the true 25th is over.
        (PACIFIC, "2026-11-25T09:00", "2026-11-25T07:00", "2026-11-26T06:59", "2026-11-27T08:00"),
        (
            {"clock": "utc-midnight"},
            "2026-11-25T01:00",
            "2026-11-24T23:00",
            "2026-11-25T22:59",
            "2026-11-26T00:00",
        ),
        # From the last days of a long month into a short one.
        (MONTH, "2027-03-20T00:00", "2027-01-31T00:00", "2027-03-01T12:00", "2027-03-04T00:00"),
        # A year back: the pool is not blocked for a year.
        (
            {"clock": "utc-midnight"},
            "2027-11-25T12:00",
            "2026-11-24T12:00",
            "2026-11-25T23:59",
            "2026-11-26T00:00",
        ),
        (
            {"window": 3_600},
            "2027-11-25T12:00",
            "2026-11-24T12:00",
            "2026-11-24T12:59:59",
            "2026-11-24T13:01:01",
        ),
        (
            {"window": 3_600},
            "2026-11-24T12:10",
            "2026-11-24T12:00",
            "2026-11-24T12:59:59",
            "2026-11-24T13:01:01",
        ),
    ],
)
@pytest.mark.parametrize("from_lease_file", [False, True])
def test_a_clock_that_was_set_back_frees_nothing_and_blocks_nothing_for_long(
    facts: dict[str, Any],
    spent_at: str,
    starts_at: str,
    still_closed_at: str,
    open_at: str,
    from_lease_file: bool,
) -> None:
    before, shares = one_request(**facts)
    lease = before.reserve(shares, ONE, at(spent_at))
    assert lease
    before.settle(lease, at(spent_at), 10, 10)
    after, start = Ledger(), at(starts_at)
    if not from_lease_file:
        after.load(before.dump(0), start)
    shares = shares_of(after, **facts)
    if from_lease_file:
        after.restore(shares, 10, 10, at(spent_at), start)
    assert after.reserve(shares, ONE, start) is None
    assert after.reserve(shares, ONE, at(still_closed_at)) is None
    assert after.reserve(shares, ONE, at(open_at))


def test_a_pool_closed_by_a_clock_that_was_ahead_stays_closed_for_the_time_it_had_left() -> None:
    before, shares = one_request()
    before.close(shares, 90_000, until=90_500, unit="requests", window=None, limit=None)
    after = Ledger()
    after.load(before.dump(0), 5_000)
    assert after.opening(shares_of(after), ONE, 5_000) == 5_500


def test_bookings_from_the_future_keep_their_distance() -> None:
    before, shares = one_request(window=120, limit=2)
    for moment in (10_000, 10_060):
        lease = before.reserve(shares, ONE, moment)
        assert lease
        before.settle(lease, moment, 10, 10)
    after = Ledger()
    after.load(before.dump(0), 5_000)
    shares = shares_of(after, window=120, limit=2)
    assert 5_060 <= after.opening(shares, ONE, 5_000) <= 5_063


def test_a_release_that_changes_the_clock_of_a_quota_keeps_what_was_spent() -> None:
    noon = at("2026-11-24T12:00")
    for old, new in (("rolling", "utc-midnight"), ("utc-midnight", "rolling")):
        before, shares = one_request(clock=old)
        lease = before.reserve(shares, ONE, noon)
        assert lease
        before.settle(lease, noon, 10, 10)
        after = Ledger()
        after.load(before.dump(0), noon + 60)
        assert after.opening(shares_of(after, clock=new), ONE, noon + 60) >= at("2026-11-25T00:00")
