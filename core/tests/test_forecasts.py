"""What is left of a pool, and until when that lasts."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from freellm import Quota
from freellm.forecasts import forecast, forecasts, in_words
from freellm.ledger import Demand, Ledger
from freellm.ledger.pools import Pool
from small_world import START, World, key, model, provider, quota

DAY = 86_400.0
MIDNIGHT = START // DAY * DAY
ONE = Demand(10, 10, 10)


def made(declared: Quota, now: float = MIDNIGHT) -> Pool:
    pool = Pool("lab|q|k", declared)
    pool.advance(now)
    return pool


def test_a_full_pool_lasts_and_has_nothing_to_reset() -> None:
    found = forecast(made(quota(30)), MIDNIGHT)
    assert (found.provider, found.used, found.limit, found.left) == ("lab", 0.0, 30.0, 30.0)
    assert (found.resets_at, found.burn_rate, found.exhausted_at, found.closed_until) == (
        None,
        0.0,
        None,
        None,
    )
    assert (found.stated, found.evidence, found.checked) == ("declared", "a test", "2026-11-24")


def test_a_limit_says_where_it_is_from() -> None:
    pool = made(quota(30))
    pool.learn(20.0, "stated by an answer's headers", MIDNIGHT + 60, MIDNIGHT)
    found = forecast(pool, MIDNIGHT)
    assert (found.stated, found.evidence, found.limit) == ("learned", "stated by an answer's headers", 20.0)
    assert (found.checked, found.believed_until) == (None, MIDNIGHT + 60)
    pool.declare(quota(30), 10.0)
    assert forecast(pool, MIDNIGHT).stated == "settings"
    assert forecast(made(quota(None)), MIDNIGHT).stated == "unknown"


@given(st.integers(1, 200), st.floats(0.5, 600))
def test_a_day_is_exhausted_when_its_rest_is_spent_at_this_rate(hours: int, each: float) -> None:
    pool = made(quota(10_000, "tokens", DAY, clock="utc-midnight"))
    now = MIDNIGHT
    for step in range(hours):
        now = MIDNIGHT + step * 300
        pool.advance(now)
        pool.counter.spend(each)
        pool.counter.look(now)  # type: ignore[attr-defined]
    found = forecast(pool, now)
    assert found.burn_rate > 0
    assert found.resets_at == pool.counter.edge
    if found.left == 0:
        assert found.exhausted_at == now
        return
    assert found.left is not None
    at = now + found.left / found.burn_rate
    assert found.exhausted_at == (at if at < pool.counter.edge else None)


def test_a_rolling_window_is_not_exhausted_by_what_it_gives_back_in_time() -> None:
    steady, fast = made(quota(100)), made(quota(100))
    for second in range(240):
        now = MIDNIGHT + second
        for pool, much in ((steady, 1.0), (fast, 0.5 if second < 200 else 2.2)):
            pool.advance(now)
            pool.counter.spend(much)
    assert forecast(steady, now).exhausted_at is None
    found = forecast(fast, now)
    assert found.left
    assert found.exhausted_at is not None
    assert now < found.exhausted_at < now + 60


def test_a_rolling_window_resets_when_all_of_it_has_left() -> None:
    pool = made(quota(100))
    pool.counter.spend(4.0)
    pool.advance(MIDNIGHT + 30)
    pool.counter.spend(4.0)
    resets_at = forecast(pool, MIDNIGHT + 30).resets_at
    assert resets_at is not None
    assert MIDNIGHT + 90 <= resets_at <= MIDNIGHT + 91
    pool.advance(resets_at)
    assert pool.counter.used == 0


def test_requests_under_way_are_used_and_neither_reset_nor_burn() -> None:
    pool = made(quota(4, "concurrent", None))
    pool.counter.spend(4.0)
    found = forecast(pool, MIDNIGHT)
    assert (found.used, found.left, found.resets_at, found.burn_rate, found.exhausted_at) == (
        4,
        0,
        None,
        0,
        None,
    )


def test_a_pool_is_told_once_with_all_keys_that_draw_on_it() -> None:
    world = World(
        provider("lab", [model("a"), model("b")], [quota(10), quota(5, members=("a",))]),
        keys=[key("lab", "k1"), key("lab", "k2", unlimited=True)],
    )
    found = forecasts(world.routes, START)
    assert [pool.limit for pool in found] == [
        10,
        5,
        10,
        5,
    ]  # without a scope of the account, each key has its own
    assert {tuple(pool.keys): pool.unlimited for pool in found} == {("k1",): False, ("k2",): True}


def test_keys_of_one_account_draw_on_one_pool() -> None:
    shared = quota(10, scope="account")
    keys = [key("lab", "k1", account="one"), key("lab", "k2", account="one", unlimited=True)]
    (found,) = forecasts(World(provider("lab", [model("a")], [shared]), keys=keys).routes, START)
    assert (list(found.keys), found.unlimited) == (["k1", "k2"], False)


def test_what_is_used_is_said_in_words() -> None:
    world = World(
        provider("lab", [model("a")], [quota(30), quota(None, "tokens", DAY), quota(2, "concurrent", None)])
    )
    world.ledger.reserve(world.route().shares, ONE, START)
    assert in_words(world.route().shares, START) == (
        "1 of 30 requests per minute; 20 of ? tokens per day; 1 of 2 concurrent at once"
    )


class TestLeft:
    def test_is_the_least_of_each_unit_in_whole_figures(self) -> None:
        world = World(
            provider(
                "lab",
                [model("a", costs={"neurons": (0.0, 0.25, 0.0)})],
                [quota(30), quota(5, window=DAY), quota(1_000, "tokens"), quota(10, "neurons"), quota(None, "tokens", DAY),
                 quota(2, "concurrent", None)],
            )
        )  # fmt: skip
        shares = world.route().shares
        assert Ledger.left(shares, START) == {"requests": 5, "tokens": 1_000, "neurons": 10}
        world.ledger.reserve(shares, ONE, START)
        assert Ledger.left(shares, START) == {"requests": 4, "tokens": 980, "neurons": 7}
        assert Ledger.left(shares, START + 2 * DAY) == {"requests": 5, "tokens": 1_000, "neurons": 10}

    def test_is_nothing_where_the_service_said_so_and_silent_where_nothing_counts(self) -> None:
        world = World(provider("lab", [model("a")], [quota(30)]))
        world.route().shares[0].pool.close(START + 60, START)
        assert Ledger.left(world.route().shares, START) == {"requests": 0}
        paid = World(provider("lab", [model("a")], [quota(30)]), keys=[key("lab", unlimited=True)])
        assert Ledger.left(paid.route().shares, START) == {}

    @given(st.integers(0, 40), st.floats(0, 200))
    def test_is_what_can_be_sent(self, sent: int, later: float) -> None:
        world = World(provider("lab", [model("a")], [quota(30), quota(45, window=120.0)]))
        shares = world.route().shares
        for _ in range(sent):
            world.ledger.reserve(shares, ONE, START)
        left = int(Ledger.left(shares, START + later)["requests"])
        for _ in range(left):
            assert world.ledger.reserve(shares, ONE, START + later) is not None
        assert world.ledger.reserve(shares, ONE, START + later) is None
        assert not math.isinf(left)
