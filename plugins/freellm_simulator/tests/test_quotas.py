import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm_simulator.quotas import DAY, MINUTE, Booking, Exceeded, Limit, Quotas, Reset

LIMIT = Limit(unit="requests", limit=3, window=MINUTE)
TOKENS = Limit(unit="tokens", limit=100, window=MINUTE, charge="input+max")


def ask(quotas: Quotas, limit: Limit, now: float, amount: float = 1) -> Booking | tuple[Exceeded, ...]:
    charges = {"request": 1, "input": amount, "input+max": amount, "after": 0}
    return quotas.admit("p", "a", [limit], charges, now)


@pytest.mark.parametrize(
    ("latency", "at_once", "moment"), [(0.0, True, 60.0), (0.0, False, 61.6), (1.2, False, 62.8)]
)
def test_room_counts_when_it_can_be_known_at_a_distance(latency: float, at_once: bool, moment: float) -> None:
    quotas = Quotas()
    for _ in range(3):
        ask(quotas, LIMIT, 0.0)

    def fits(now: float) -> bool:
        return quotas.fits("p", "a", [LIMIT], {"requests": 1.0}, now, latency=latency, at_once=at_once)

    assert [fits(moment - 0.01), fits(moment + 0.01)] == [False, True]


def test_the_request_beyond_the_limit_is_refused_with_the_exact_wait() -> None:
    quotas = Quotas()
    for now in (0.0, 10.0, 20.0):
        assert isinstance(ask(quotas, LIMIT, now), Booking)

    refused = ask(quotas, LIMIT, 30.0)

    assert refused == (Exceeded(LIMIT, used=3, requested=1, wait=30.0),)
    assert isinstance(ask(quotas, LIMIT, 60.0), Booking)


def test_a_request_larger_than_the_limit_waits_for_ever() -> None:
    (refused,) = ask(Quotas(), TOKENS, 0, amount=101)  # type: ignore[misc]
    assert refused.wait == math.inf


def test_settling_gives_back_what_was_booked_too_much() -> None:
    quotas = Quotas()
    booking = ask(quotas, TOKENS, 0, amount=90)
    assert isinstance(booking, Booking)
    assert not isinstance(ask(quotas, TOKENS, 1, amount=20), Booking)

    booking.settle({"tokens": 30})

    assert isinstance(ask(quotas, TOKENS, 1, amount=20), Booking)


def test_a_refused_request_spends_nothing_from_its_other_quotas() -> None:
    quotas, other = Quotas(), Limit(unit="tokens", limit=10, window=DAY, charge="input")
    charges = {"request": 1, "input": 11}
    quotas.admit("p", "a", [LIMIT, other], charges, 0)
    assert [standing.used for standing in quotas.standings("p", "a", [LIMIT, other], 0)] == [0, 0]


def test_accounts_do_not_share_a_quota() -> None:
    quotas, charges = Quotas(), {"request": 1}
    for account in ("a", "a", "a", "b"):
        assert isinstance(quotas.admit("p", account, [LIMIT], charges, 0), Booking)
    assert not isinstance(quotas.admit("p", "a", [LIMIT], charges, 0), Booking)


@pytest.mark.parametrize(
    ("reset", "zone", "spent", "opens"),
    [
        ("utc-midnight", "UTC", "2026-11-23T23:59:59", "2026-11-24T00:00:00"),
        ("pacific-midnight", "America/Los_Angeles", "2026-11-23T00:00:00", "2026-11-24T00:00:00"),
        ("pacific-midnight", "America/Los_Angeles", "2026-03-08T01:00:00", "2026-03-09T00:00:00"),
    ],
)
def test_a_calendar_quota_opens_at_its_midnight_and_not_before(
    reset: Reset, zone: str, spent: str, opens: str
) -> None:
    limit = Limit(unit="requests", limit=1, window=DAY, reset=reset)
    at, midnight = (
        datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() for text in (spent, opens)
    )
    quotas = Quotas()
    assert isinstance(ask(quotas, limit, at), Booking)

    (refused,) = ask(quotas, limit, midnight - 0.5)  # type: ignore[misc]

    assert refused.wait == pytest.approx(0.5)
    assert isinstance(ask(quotas, limit, midnight), Booking)


def test_neurons_are_refused_only_once_they_are_all_gone() -> None:
    limit = Limit(unit="neurons", limit=10, window=DAY, reset="utc-midnight", charge="after")
    quotas = Quotas()
    first = ask(quotas, limit, 0)
    assert isinstance(first, Booking)
    first.settle({"tokens": 5, "neurons": 9.9})
    second = ask(quotas, limit, 1)
    assert isinstance(second, Booking)
    second.settle({"tokens": 5, "neurons": 50})
    assert not isinstance(ask(quotas, limit, 2), Booking)


@given(
    gaps=st.lists(st.integers(0, 50), min_size=1, max_size=60),
    amounts=st.lists(st.integers(1, 60), min_size=60, max_size=60),
)
def test_no_window_ever_holds_more_than_the_limit_and_the_stated_wait_is_the_shortest(
    gaps: list[int], amounts: list[int]
) -> None:
    quotas, now = Quotas(), 0.0
    admitted: list[tuple[float, int]] = []
    for gap, amount in zip(gaps, amounts, strict=False):
        now += gap
        answer = ask(quotas, TOKENS, now, amount)
        if isinstance(answer, Booking):
            admitted.append((now, amount))
        else:
            spent = [(at, tokens) for at, tokens in admitted if at > now - MINUTE]
            opens = [at + MINUTE - now for at, _ in spent]
            enough = [
                wait
                for wait in opens
                if sum(tokens for at, tokens in spent if at + MINUTE - now > wait) + amount <= 100
            ]
            assert answer[0].wait == min(enough)
    for end, _ in admitted:
        assert sum(tokens for at, tokens in admitted if end - MINUTE < at <= end) <= 100


def test_what_is_concurrent_lasts_until_it_is_settled() -> None:
    quotas, limit = Quotas(), Limit(unit="concurrent", limit=1, window=math.inf)
    first = quotas.admit("p", "a", [limit], {"request": 1}, 0.0)
    assert isinstance(first, Booking)
    refused = quotas.admit("p", "a", [limit], {"request": 1}, 3600.0)
    assert isinstance(refused, tuple)
    first.settle({})
    assert isinstance(quotas.admit("p", "a", [limit], {"request": 1}, 3600.0), Booking)


def test_a_month_ends_on_the_first_at_midnight_utc() -> None:
    quotas, limit = Quotas(), Limit(unit="requests", limit=1, window=30 * DAY, reset="month")
    spent_at = datetime(2026, 11, 30, 23, 59, tzinfo=UTC).timestamp()
    assert isinstance(quotas.admit("p", "a", [limit], {"request": 1}, spent_at), Booking)
    refused = quotas.admit("p", "a", [limit], {"request": 1}, spent_at)
    assert isinstance(refused, tuple)
    assert refused[0].wait == 60.0
    assert isinstance(quotas.admit("p", "a", [limit], {"request": 1}, spent_at + 60), Booking)
