"""A race has one winner, however close it is, and whoever is still under way is told of as slower."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from freellm.gateway import Tried
from freellm.gateway.hedging import Race
from freellm.ledger import Ledger
from small_world import START, World, model, provider, quota


class Told:
    def __init__(self) -> None:
        self.tried: list[Tried] = []

    def attempt_failed(self, call: object, tried: Tried) -> None:
        self.tried.append(tried)


def test_the_second_to_arrive_ends_as_if_it_were_cancelled() -> None:
    world = World(provider("one", [model("a")]), provider("two", [model("b")]), provider("six", [model("c")]))
    call, told = world.call(), Told()
    race = Race(call, told, world.clock)  # type: ignore[arg-type]
    routes = world.routes
    attempts: list[Any] = [SimpleNamespace(route=route) for route in routes]
    for route in routes:
        race.join(route)
    race.drop_out(routes[2])
    world.clock.time += 2
    race.win(attempts[1])
    race.win(attempts[1])
    with pytest.raises(asyncio.CancelledError):
        race.win(attempts[0])
    assert [(tried.route, tried.summary, tried.ms) for tried in call.tried] == [
        (routes[0], "one/a=hedged", 2_000.0)
    ]
    assert told.tried == call.tried


@pytest.mark.parametrize(
    ("used", "limit", "ample"),
    [(0, 2.0, True), (1, 2.0, False), (4, 10.0, True), (5, 10.0, False), (9, None, True)],
)
def test_ample_is_more_than_half(used: int, limit: float | None, ample: bool) -> None:
    world = World(provider("lab", [model("m")], [quota(limit)]))
    route = world.route()
    demand = world.router.demand(route.entry, world.needs())
    for _ in range(used):
        assert world.ledger.reserve(route.shares, demand, START)
    assert Ledger.is_ample(route.shares, START) is ample


def test_a_pool_that_is_closed_is_never_ample() -> None:
    world = World(provider("lab", [model("m")], [quota(9.0)]))
    pool = world.route().shares[0].pool
    pool.advance(START)
    pool.close(START + 9, START)
    assert not Ledger.is_ample(world.route().shares, START)
    assert Ledger.is_ample(world.route().shares, START + 9)
