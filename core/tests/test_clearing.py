"""Taking back what closes routes, by any of the names that people know it by."""

from __future__ import annotations

import pytest

from freellm.clearing import clear, names
from freellm.types import Kind
from small_world import START, World, key, model, provider, quota


@pytest.fixture
def world() -> World:
    """Return a world in which everything is closed."""
    made = World(
        provider("lab", [model("a"), model("a/b")], [quota(10), quota(5, members=("a",))]),
        provider("six", [model("c")], [quota(10)]),
        keys=[key("lab", "k1"), key("lab", "k2"), key("six")],
    )
    for route in made.routes:
        for standing in route.standings():
            standing.close(START + 600, Kind.RATE_LIMITED, stated=True)
        for share in route.shares:
            share.pool.close(START + 900, START)
    return made


def cleared(world: World, name: str) -> list[str] | None:
    return clear(name, world.routes, world.health, world.ledger, START)


def pools_of(world: World, *routes: str) -> set[str]:
    return {f"pool {share.pool.identity}" for name in routes for share in world.route(name).shares}


@pytest.mark.parametrize(
    ("name", "standings", "routes"),
    [
        ("six", {"provider six", "model six/c", "key six#k1", "route six/c#k1"}, ["six/c#k1"]),
        ("lab/a", {"model lab/a", "route lab/a#k1", "route lab/a#k2"}, ["lab/a#k1", "lab/a#k2"]),
        ("lab/a#k2", {"route lab/a#k2"}, ["lab/a#k2"]),
        ("lab#k1", {"key lab#k1"}, []),
        ("model lab/a/b", {"model lab/a/b"}, []),
    ],
)
def test_a_name_stands_for_what_it_is_and_its_parts(
    world: World, name: str, standings: set[str], routes: list[str]
) -> None:
    found = cleared(world, name)
    assert found is not None
    opened = {what if " " in what and "|" not in what else f"pool {what}" for what in found}
    assert opened == standings | pools_of(world, *routes)
    for standing in standings:
        assert world.health.standing(standing).closed_until == 0.0
    assert cleared(world, name) == []


def test_the_rest_stays_closed(world: World) -> None:
    cleared(world, "lab/a")
    assert {standing.name for standing in world.health.closed(START)} >= {
        "model lab/a/b",
        "provider lab",
        "model six/c",
    }
    assert world.route("lab/a#k1").closed_by(START) is not None


def test_a_pool_is_opened_by_its_identity_and_keeps_what_was_spent(world: World) -> None:
    pool = world.route("six/c#k1").shares[0].pool
    pool.counter.spend(4.0)
    assert cleared(world, pool.identity) == [pool.identity]
    assert (pool.closed_until, pool.counter.used) == (0.0, 4.0)


def test_penalties_and_refused_sizes_are_forgotten(world: World) -> None:
    cleared(world, "lab")
    entry = world.entry("lab/a")
    world.health.penalize(entry.standing, START)
    world.health.refused_size(world.route("lab/a#k1").standing, 100, START)
    assert cleared(world, "lab/a") == ["model lab/a", "route lab/a#k1"]
    assert entry.standing.penalty(START) == 0.0


def test_nothing_of_that_name_is_none_and_the_names_there_are_can_be_had(world: World) -> None:
    for name in ("nobody", "lab/", "la", "lab/c", ""):
        assert cleared(world, name) is None
    assert names(world.routes) == ["lab", "lab/a", "lab/a/b", "six", "six/c"]
