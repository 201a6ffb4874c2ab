"""Routes that draw the same on the same pools: what closes one is found out once, and said of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freellm.ledger import Demand, Lease, Ledger, Obstacle, Pool, Share
from freellm.routing import Needs, PassedOver
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


def counting(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Share]]:
    """Return a list that fills with the shares whose quotas are looked into."""
    asked: list[Sequence[Share]] = []

    def obstacle(shares: Sequence[Share], demand: Demand, now: float) -> Obstacle | None:
        asked.append(shares)
        return original(shares, demand, now)

    original = Ledger.obstacle
    monkeypatch.setattr(Ledger, "obstacle", staticmethod(obstacle))
    return asked


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
    world, asked = shared(3_000.0, 9_000.0, unit=unit), counting(monkeypatch)
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


@pytest.mark.parametrize(
    "change",
    [
        lambda world, pool: setattr(world.clock, "time", pool.edge),
        lambda world, pool: pool.counter.spend(-1.0),
        lambda world, pool: pool.close(START + 5, START),
        lambda world, pool: pool.learn(3_001.0, "its headers", START + 100, START),
    ],
    ids=["what expires", "what is given back", "a statement", "another limit"],
)
def test_what_was_found_out_holds_until(
    change: Callable[[World, Pool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, asked = shared(3_000.0), counting(monkeypatch)
    pool = world.route("lab/a#k1").shares[0].pool
    for _ in range(3):
        walked(world)
        world.clock.time += 0.1
    assert sum(len(shares) > 0 for shares in asked) == 1
    change(world, pool)
    walked(world)
    assert sum(len(shares) > 0 for shares in asked) >= 2


def test_as_much_spent_anew_is_not_as_it_was() -> None:
    world = World(provider("lab", [model("a")], [quota(4)]))
    pool = world.route().shares[0].pool
    for moment in (0, 30, 61):  # what was spent first has expired when the last is
        world.clock.time = START + moment
        pool.advance(world.clock.time)
        pool.counter.spend(2.0)
        _, notes = walked(world)
        assert all(note.opens_at > world.clock.time for note in notes)
    assert pool.counter.used == 4.0
    assert [note.opens_at for note in notes] == [START + 90.5]


def test_a_limit_that_is_a_guess_is_looked_at_each_time() -> None:
    world = World(
        provider("lab", [model("a", intelligence_rank=1)], [quota(None, window=86_400.0)]),
        provider("six", [model("b", intelligence_rank=2)]),
    )
    pool = world.route().shares[0].pool
    pool.advance(START)
    pool.counter.spend(6.0)
    pool.discover(asked=0.0, kept=1.0, dispatched=START, now=START + 5)
    assert pool.learned is not None
    assert pool.learned.guess is not None
    world.clock.time = pool.learned.guess.raise_at - 1
    pool.advance(world.clock.time)
    pool.counter.spend(pool.limit - pool.counter.used)
    assert walked(world)[0][0] == "six/b#k1"
    world.clock.time += 1
    assert world.clock.time < pool.edge
    assert walked(world)[0][0] == "lab/a#k1", "a request that is kept out raises it"


STEPS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([0.2, 1.0, 31.0, 61.0, 3_600.0])),
    st.tuples(st.sampled_from(["reserve", "settle", "cancel", "refuse"]), st.integers(1, 60)),
    st.tuples(st.sampled_from(["close", "reopen", "learn"]), st.integers(1, 90)),
)


@given(steps=st.lists(STEPS, max_size=60), sizes=st.lists(st.integers(1, 120), min_size=1, max_size=4))
@settings(deadline=None)
def test_what_is_remembered_is_what_a_new_look_finds(
    steps: list[tuple[str, float]], sizes: list[int]
) -> None:
    world = World(
        provider(
            "lab",
            [model(name, intelligence_rank=rank) for rank, name in enumerate("abc", 1)],
            [
                quota(3, window=60.0),
                quota(9, window=3_600.0, clock="utc-midnight"),
                quota(100, "tokens", window=60.0),
            ],
        ),
        provider("six", [model("d", intelligence_rank=4)], [quota(2, "concurrent", None), quota(4)]),
    )
    leases: list[Lease] = []
    for step, amount in steps:
        now, place = world.clock.time, int(amount)
        route = world.routes[place % len(world.routes)]
        pool = route.shares[place % len(route.shares)].pool
        if step == "wait":
            world.clock.time += amount
        elif step == "reserve":
            lease = world.ledger.reserve(route.shares, Demand(place, 1, 1), now)
            leases += [lease] if lease else []
        elif step in ("settle", "cancel", "refuse") and leases:
            lease = leases.pop(place % len(leases))
            arguments = (place, 1) if step == "settle" else ()
            getattr(world.ledger, step)(lease, now, *arguments)
        elif step == "close":
            pool.close(now + amount, now)
        elif step == "reopen":
            pool.reopen(now)
        elif step == "learn":
            pool.learn(amount, "its headers", now + 50, now)
        for size in sizes:
            needs = world.needs(size, stated=1)
            known, fresh = (look(world, needs, dry=dry) for dry in (False, True))
            assert known == fresh


def look(world: World, needs: Needs, *, dry: bool) -> tuple[list[str], list[tuple[str, str, str, float]]]:
    """Return the routes that are open, and of those that are not what is said of them."""
    notes: list[PassedOver] = []
    found = world.router.candidates(world.order, needs, world.clock, passed_over=notes, dry=dry)
    return [route.name for route, _ in found], [
        (note.name, note.cause, note.detail, note.opens_at) for note in notes
    ]
