"""Routes that draw the same on the same pools: what closes one is found out once, and said of each."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from freellm.ledger import Demand, Ledger, Obstacle, Share
from freellm.routing import PassedOver
from freellm.types import Kind
from small_world import START, World, key, model, provider, quota


def shared(*limits: float, unit: str = "requests") -> World:
    """Return a world of models that draw on the same pools, the first of them exhausted, before one that is alone."""
    world = World(
        provider(
            "lab",
            [model(name, intelligence_rank=rank) for rank, name in enumerate("abc", 1)],
            [quota(limit, unit, window=60.0 * place) for place, limit in enumerate(limits, 1)],
        ),
        provider("six", [model("d", intelligence_rank=4)]),
        provider("lab2", [model("e", intelligence_rank=5)]),
    )
    pool = world.route("lab/a#k1").shares[0].pool
    pool.advance(START)
    pool.counter.spend(limits[0])
    return world


def walked(world: World, tokens: int = 100) -> tuple[list[str], list[PassedOver]]:
    notes: list[PassedOver] = []
    found = world.router.candidates(world.order, world.needs(tokens), world.clock, passed_over=notes)
    return [route.name for route, _ in found], notes


class TestShares:
    def test_are_the_same_where_routes_draw_the_same_also_in_the_next_catalogue(self) -> None:
        ledger, quotas = Ledger(), [quota(5), quota(100, "tokens")]

        def shares(name: str, account: str = "x", *, unlimited: bool = False) -> tuple[Share, ...]:
            return ledger.shares(
                "lab", model(name), quotas, key=account, account=account, unlimited=unlimited
            )

        assert shares("a") is shares("b")
        assert shares("a") is not shares("a", unlimited=True)
        assert shares("a") is not shares("a", "y")
        assert shares("a", unlimited=True)[0].unlimited

    def test_are_apart_where_a_price_differs(self) -> None:
        dear = model("dear", costs={"neurons": [2.0, 0.0, 0.0]})
        cheap = model("cheap", costs={"neurons": [1.0, 0.0, 0.0]})
        world = World(provider("lab", [dear, cheap], [quota(10, "neurons")]))
        first, second = world.route("lab/dear#k1").shares, world.route("lab/cheap#k1").shares
        assert first[0].pool is second[0].pool
        assert (first[0].per_request, second[0].per_request) == (2.0, 1.0)


@pytest.mark.parametrize("unit", ["requests", "tokens"])
def test_what_closes_many_is_found_out_once_and_said_of_each(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = shared(3_000.0, 9_000.0, unit=unit)
    asked: list[Sequence[Share]] = []

    def obstacle(shares: Sequence[Share], demand: Demand, now: float) -> Obstacle | None:
        asked.append(shares)
        return original(shares, demand, now)

    original = Ledger.obstacle
    monkeypatch.setattr(Ledger, "obstacle", staticmethod(obstacle))
    found, notes = walked(world)
    assert found == ["six/d#k1", "lab2/e#k1"]
    assert sum(len(shares) > 0 for shares in asked) == 1
    assert [(note.name, note.route and note.route.name) for note in notes] == [
        ("lab/a", "lab/a#k1"),
        ("lab/b", "lab/b#k1"),
        ("lab/c", "lab/c#k1"),
    ]
    assert {(note.cause, note.detail) for note in notes} == {
        ("quota", f"3000 of 3000 {unit} per minute are used")
    }
    assert len({note.opens_at for note in notes}) == 1


def test_who_takes_more_is_judged_on_its_own() -> None:
    world = shared(3_000.0, 9_000.0, unit="tokens")
    world.route("lab/a#k1").shares[0].pool.counter.spend(-1_000.0)
    for _ in range(100):
        world.corrections.observe("lab/b", 100, 400, 10)
    found, notes = walked(world, tokens=300)
    assert found == ["lab/a#k1", "lab/c#k1", "six/d#k1", "lab2/e#k1"]
    assert [note.name for note in notes] == ["lab/b"]


def test_a_cooldown_and_a_refused_size_are_said_before_the_quota() -> None:
    world = shared(5.0)
    world.route("lab/b#k1").standing.close(START + 5, Kind.RATE_LIMITED, stated=True)
    world.health.refused_size(world.route("lab/c#k1").standing, 100, START)
    _, notes = walked(world)
    assert [(note.name, note.cause) for note in notes] == [
        ("lab/a", "quota"),
        ("lab/b", "cooldown"),
        ("lab/c", "too_large"),
    ]


def test_what_was_known_is_forgotten_once_somebody_was_asked() -> None:
    world = World(
        provider("lab", [model("a", intelligence_rank=1), model("c", intelligence_rank=3)], [quota(1)]),
        provider("six", [model("b", intelligence_rank=2)]),
    )
    route = world.route("lab/a#k1")
    lease = world.ledger.reserve(route.shares, Demand(1, 1, 1), START)
    assert lease is not None
    found = []
    for route, _ in world.router.candidates(world.order, world.needs(), world.clock):
        found.append(route.name)
        world.ledger.cancel(lease, START)
    assert found == ["six/b#k1", "lab/c#k1", "lab/a#k1"]


def test_another_key_of_the_model_is_another_pool() -> None:
    world = World(
        provider("lab", [model("a"), model("b")], [quota(1)]), keys=[key("lab", "k1"), key("lab", "k2")]
    )
    assert world.ledger.reserve(world.route("lab/a#k1").shares, Demand(1, 1, 1), START)
    found, notes = walked(world)
    assert found == ["lab/a#k2", "lab/b#k2"]
    assert [(note.name, note.key) for note in notes] == [("lab/a", "k1"), ("lab/b", "k1")]
