"""How much all quotas together still give: shared pools once, every window until the moment that is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm import Quota
from freellm.capacity import TYPICAL, capacity, room, totals
from freellm.ledger import Demand
from freellm.types import Kind
from small_world import World, key, model, provider, quota

DAY, HOUR = 86_400.0, 3_600.0
NOON = 1_800_000_000.0 // DAY * DAY + DAY / 2
MIDNIGHT = NOON + DAY / 2
SIZE = TYPICAL.input + TYPICAL.output


def lab(*quotas: Quota, models: Sequence[str] = ("a",), **more: object) -> World:
    return World(provider("lab", [model(id_) for id_ in models], quotas), **more)  # type: ignore[arg-type]


def left(world: World, until: float = MIDNIGHT) -> int:
    return capacity(world.routes, NOON, until)


def test_a_day_gives_what_is_left_of_it() -> None:
    world = lab(quota(1_000, window=DAY, clock="utc-midnight"))
    for _ in range(300):
        world.ledger.reserve(world.route().shares, TYPICAL, NOON)
    assert left(world) == 700
    assert left(world, MIDNIGHT + 2 * DAY) == 700 + 2 * 1_000


def test_a_minute_gives_as_many_as_there_are_minutes() -> None:
    assert left(lab(quota(10, window=60.0))) == 10 * 60 * 12 + 10


def test_the_tightest_quota_decides_whatever_it_counts() -> None:
    minute, tokens = quota(10, window=60.0), quota(30 * SIZE, "tokens", DAY, clock="utc-midnight")
    assert left(lab(minute, tokens)) == 30


def test_a_unit_of_the_providers_own_counts_by_its_price() -> None:
    costs = {"neurons": (0.0, 0.01, 0.02)}
    neurons = quota(1_000, "neurons", DAY, clock="utc-midnight")
    world = World(provider("lab", [model("a", costs=costs)], [neurons]))
    assert left(world) == 1_000 // (1_000 * 0.01 + 500 * 0.02)


def test_a_shared_pool_is_counted_once() -> None:
    shared = quota(100, window=DAY, clock="utc-midnight")
    assert left(lab(shared, models="abc")) == 100
    assert left(lab(shared, keys=[key("lab", "k1"), key("lab", "k2")])) == 200


def test_what_is_closed_gives_nothing_until_it_opens() -> None:
    world = lab(quota(1_000, window=DAY, clock="utc-midnight"))
    pool = world.route().shares[0].pool
    pool.advance(NOON)
    pool.close(MIDNIGHT, NOON)
    assert left(world) == 0
    assert left(world, MIDNIGHT + DAY) == 1_000
    pool.reopen(NOON)
    world.route().key_standing.close(NOON + 9 * HOUR, Kind.FORBIDDEN, stated=True)
    assert left(world) == 250


def test_routes_without_a_limit_are_told_apart() -> None:
    world = World(
        provider("free", [model("a")], [quota(None), quota(2, "concurrent", None)]),
        provider("paid", [model("b")], [quota(10)]),
        provider("lab", [model("c")], [quota(10, window=DAY, clock="utc-midnight")]),
        keys=[key("free"), key("paid", unlimited=True), key("lab")],
    )
    found = totals(world.routes, NOON)
    assert (found.routes, found.uncounted) == (1, 2)
    assert (found.today.requests, found.today.tokens, found.today.until) == (10, 10 * SIZE, MIDNIGHT)
    assert found.month.requests > found.today.requests


@given(
    st.floats(1, 500),
    st.sampled_from([60.0, HOUR, DAY]),
    st.lists(st.floats(0, 2 * HOUR), max_size=20),
    st.integers(1, 30),
)
def test_a_window_never_gives_more_than_is_promised(
    limit: float, window: float, waits: list[float], hours: int
) -> None:
    """Whoever takes all there is, whenever it is there, gets as much as was promised, but for one window's rest."""
    world = lab(quota(limit, window=window))
    pool, now = world.route().shares[0].pool, NOON - 20 * HOUR
    one = Demand(0, 0, 0)
    for wait in sorted(waits):
        world.ledger.reserve(world.route().shares, one, now + wait)
    promised = room(pool, NOON, NOON + hours * HOUR)
    taken, now = 0, NOON
    while (at := world.ledger.opening(world.route().shares, one, now)) < NOON + hours * HOUR:
        now = max(now, at)
        if world.ledger.reserve(world.route().shares, one, now) is None:
            break
        taken += 1
        if taken > 3_000:
            return
    assert taken <= promised + limit + 1


@pytest.mark.parametrize("until", [NOON, NOON - 1])
def test_nothing_is_left_until_a_moment_that_has_passed(until: float) -> None:
    assert room(lab(quota(5)).route().shares[0].pool, NOON, until) == 0
