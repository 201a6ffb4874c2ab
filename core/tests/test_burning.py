"""How fast a pool is spent: the latest spending counts most, a new pool is not taken for an idle one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm import Quota
from freellm.ledger import Ledger, PoolState
from freellm.ledger.burning import CONSTANTS, SHORTEST, Burn, rate
from freellm.ledger.pools import Pool
from freellm.ledger.records import recall, state_of
from small_world import quota

NOW = 1_800_000_000.0
DAY = 86_400.0
DAILY = quota(1_000, window=DAY, clock="utc-midnight")
MIDNIGHT = NOW // DAY * DAY


def pool(declared: Quota = DAILY, now: float = MIDNIGHT) -> Pool:
    made = Pool("lab|q|k", declared)
    made.advance(now)
    return made


def test_nothing_spent_is_no_rate() -> None:
    assert rate([], 60.0, NOW) == 0.0
    assert Burn(60.0).rate(NOW) == 0.0


@given(st.floats(0.01, 100), st.floats(60, DAY))
def test_what_is_spent_evenly_is_spent_at_that_rate(speed: float, window: float) -> None:
    step = window / 400
    spent = [(NOW - (number + 0.5) * step, speed * step) for number in range(400)]
    assert rate(spent, window, NOW) == pytest.approx(speed, rel=0.02)


def test_the_latest_spending_counts_most() -> None:
    old, new = [(NOW - 50, 10.0)], [(NOW - 1, 10.0)]
    both = [(NOW - 59, 1.0)]
    assert rate([*both, *new], 60.0, NOW) > 5 * rate([*both, *old], 60.0, NOW)


@given(st.lists(st.tuples(st.floats(0.1, 2_000), st.floats(0, 50)), min_size=1, max_size=40))
def test_totals_that_are_seen_now_and_then_tell_the_same_as_single_amounts(
    steps: list[tuple[float, float]],
) -> None:
    burn, spent, total, at = Burn(DAY), [], 0.0, NOW
    for wait, amount in steps:
        at += wait
        total += amount
        spent.append((at, amount))
        burn.see(total, at, anew=False)
    known = [(moment, amount) for moment, amount in spent if amount]
    assert burn.rate(at + 60) == pytest.approx(rate(known, DAY, at + 60))


def test_one_request_of_a_new_pool_is_no_flood() -> None:
    burn = Burn(DAY)
    burn.see(1.0, NOW, anew=False)
    assert burn.rate(NOW) <= 1 / (DAY / CONSTANTS / 16) * 1.05
    assert rate([(NOW, 5.0)], 60.0, NOW) <= 5 / SHORTEST[1] * 2


def test_a_day_goes_on_with_the_rate_of_the_day_before() -> None:
    made = pool()
    for hour in range(30):
        now = MIDNIGHT + hour * 3600
        made.advance(now)
        made.counter.spend(36.0)
        made.counter.look(now)  # type: ignore[attr-defined]
    assert made.counter.used == 36 * 6
    assert made.counter.burn_rate(MIDNIGHT + 30 * 3600) == pytest.approx(0.01, rel=0.2)


def test_a_restart_goes_on_with_the_rate() -> None:
    ledger = Ledger()
    made = pool()
    made.counter.spend(50.0)
    made.changed = MIDNIGHT + 600
    made.counter.look(made.changed)  # type: ignore[attr-defined]
    state = state_of(made, ())
    again = Pool("lab|q|k", DAILY)
    recall(again, state, MIDNIGHT + 700)
    again.counter.look(MIDNIGHT + 700)  # type: ignore[attr-defined]
    assert again.counter.burn_rate(MIDNIGHT + 700) == made.counter.burn_rate(MIDNIGHT + 700) > 0
    assert ledger.views(NOW) == []


def test_a_state_of_before_there_were_rates_is_not_taken_for_a_burst() -> None:
    payload = b'{"spent": [[%f, 500.0]]}' % (MIDNIGHT + DAY - 1)
    state = PoolState(
        identity="lab|q|k", unit="requests", window=DAY, clock="utc-midnight", payload=payload, changed=NOW
    )
    made = Pool("lab|q|k", DAILY)
    recall(made, state, MIDNIGHT + 600)
    made.counter.look(MIDNIGHT + 601)  # type: ignore[attr-defined]
    assert made.counter.used == 500
    assert made.counter.burn_rate(MIDNIGHT + 601) == 0.0


def test_a_rolling_window_tells_its_rate_by_itself() -> None:
    made = pool(quota(1_000, window=60.0), NOW)
    for second in range(30):
        made.advance(NOW + second)
        made.counter.spend(2.0)
    assert made.counter.burn_rate(NOW + 30) == pytest.approx(2.0, rel=0.1)
    made.advance(NOW + 89)
    assert made.counter.burn_rate(NOW + 89) < 0.1


def test_requests_under_way_are_not_spent() -> None:
    made = pool(quota(4, "concurrent", None), NOW)
    made.counter.spend(3.0)
    assert made.counter.burn_rate(NOW) == 0.0
