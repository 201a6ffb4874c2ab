"""What follows from each kind of failure, row by row of docs/failures.md."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm import Failure, Kind
from freellm.gateway.consequences import RULES, Consequences, Step
from freellm.gateway.exhaustion import refusal
from freellm.health import Standing
from freellm.ledger import Demand, Pool
from small_world import START, World, key, model, provider, quota

DEMAND = Demand(100, 50, 60)
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


class Scene:
    """One provider with two models and two keys, and what failures do to it."""

    def __init__(self) -> None:
        self.world = World(
            provider(
                "lab",
                [model("m"), model("n")],
                [
                    quota(30, members=("m",)),
                    quota(1_000, window=DAY, members=("m",), clock="utc-midnight"),
                    quota(5_000, window=DAY, clock="utc-midnight"),
                    quota(None, "tokens", members=("m",)),
                    quota(4, "concurrent", None, members=("m",)),
                ],
            ),
            keys=[key("lab", "k1"), key("lab", "k2")],
        )
        self.route = self.world.route("lab/m#k1")
        self.consequences = Consequences(self.world.ledger, self.world.health)

    def draw(self, kind: Kind, now: float = START, **facts: Any) -> None:
        self.consequences.draw(self.route, Failure(kind=kind, **facts), DEMAND, now)

    def pool(self, name: str) -> Pool:
        (found,) = (share.pool for share in self.route.shares if share.pool.quota.name == name)
        return found

    def closed(self) -> dict[str, float]:
        """Return what is closed and for how long."""
        standings = {
            standing.name: standing.closed_until - START for standing in self.world.health.closed(START)
        }
        pools = {
            pool.quota.name: pool.closed_until - START
            for pool in self.world.ledger.pools()
            if pool.closed_until
        }
        return standings | pools

    def standing(self, scope: str) -> Standing:
        return self.world.health.standing(STANDINGS[scope])


STANDINGS = {
    "route": "route lab/m#k1",
    "model": "model lab/m",
    "key": "key lab#k1",
    "account": "key lab#k1",
    "ip": "provider lab",
    "provider": "provider lab",
}
MIDNIGHT = DAY - START % DAY


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_every_kind_has_a_rule() -> None:
    assert set(RULES) == set(Kind)


@pytest.mark.parametrize(
    ("kind", "step", "status", "type_", "code", "settle"),
    [
        (Kind.RATE_LIMITED, Step.NEXT, 429, "rate_limit_error", "all_routes_exhausted", False),
        (Kind.QUOTA_EXHAUSTED, Step.NEXT, 429, "rate_limit_error", "all_routes_exhausted", False),
        (Kind.CONCURRENCY, Step.NEXT, 429, "rate_limit_error", "all_routes_exhausted", False),
        (Kind.TOO_LARGE, Step.NEXT, 413, "invalid_request_error", "request_too_large", False),
        (Kind.CONTEXT_EXCEEDED, Step.NEXT, 400, "invalid_request_error", "context_length_exceeded", False),
        (Kind.BAD_KEY, Step.NEXT, 502, "upstream_error", "all_routes_failed", False),
        (Kind.FORBIDDEN, Step.NEXT, 502, "upstream_error", "all_routes_failed", False),
        (Kind.PAYMENT_REQUIRED, Step.NEXT, 502, "upstream_error", "all_routes_failed", False),
        (Kind.MODEL_GONE, Step.NEXT, 404, "invalid_request_error", "model_not_found", False),
        (Kind.CONTENT_FILTERED, Step.STOP, 400, "invalid_request_error", "content_policy_violation", True),
        (Kind.BAD_REQUEST, Step.SECOND_OPINION, 400, "invalid_request_error", "invalid_request", False),
        (Kind.OVERLOADED, Step.RETRY, 502, "upstream_error", "all_routes_failed", False),
        (Kind.TIMEOUT, Step.NEXT_PROVIDER, 504, "timeout_error", "deadline_exceeded", True),
        (Kind.NETWORK, Step.NEXT_PROVIDER, 502, "upstream_error", "all_routes_failed", True),
        (Kind.BAD_ANSWER, Step.NEXT, 502, "upstream_error", "all_routes_failed", True),
        (Kind.CANCELLED, Step.STOP, 499, "invalid_request_error", "client_closed_request", True),
    ],
)
def test_the_rules(kind: Kind, step: Step, status: int, type_: str, code: str, settle: bool) -> None:
    rule = RULES[kind]
    assert (rule.step, rule.status, rule.type, rule.code, rule.settle) == (step, status, type_, code, settle)


@pytest.mark.parametrize(
    "kind", [Kind.CONTEXT_EXCEEDED, Kind.BAD_REQUEST, Kind.CONTENT_FILTERED, Kind.CANCELLED]
)
def test_what_the_client_caused_is_held_against_nobody(scene: Scene, kind: Kind) -> None:
    for _ in range(5):
        scene.draw(kind, limit=10, unit="tokens", retry_after=5.0)
    assert scene.closed() == {}
    assert not scene.world.health.penalized
    assert scene.pool("tokens/60s:m").learned is None


class TestRateLimits:
    @pytest.mark.parametrize("scope", STANDINGS)
    def test_close_what_they_speak_for(self, scene: Scene, scope: Any) -> None:
        scene.draw(Kind.RATE_LIMITED, scope=scope, retry_after=7.5)
        assert scene.closed() == {STANDINGS[scope]: 7.5}
        assert scene.standing(scope).stated

    def test_sink_the_model_by_three_places(self, scene: Scene) -> None:
        scene.draw(Kind.RATE_LIMITED, scope="key")
        assert scene.route.entry.standing.penalty(START) == 3

    @pytest.mark.parametrize(
        ("facts", "seconds"),
        [
            ({}, 15),
            ({"retry_after": 0.0}, 1),
            ({"retry_after": -5.0}, 1),
            ({"retry_after": 90.5}, 90.5),
            ({"retry_after": 1e12}, DAY),
            ({"resets_at": START + 40}, 40),
            ({"resets_at": START - 40}, 1),
            ({"resets_at": START + 1e12}, 32 * DAY),
            ({"resets_at": START + 40, "retry_after": 90}, 40),
        ],
    )
    def test_last_as_long_as_is_stated_within_reason(self, scene: Scene, facts: Any, seconds: float) -> None:
        scene.draw(Kind.RATE_LIMITED, **facts)
        assert scene.closed() == {"route lab/m#k1": seconds}

    def test_teach_a_limit_that_is_stated(self, scene: Scene) -> None:
        scene.draw(Kind.RATE_LIMITED, limit=6_000, unit="tokens", window=MINUTE)
        pool = scene.pool("tokens/60s:m")
        assert pool.limit == 6_000
        assert pool.learned is not None
        assert pool.learned.evidence == "lab/m answered rate_limited"

    def test_close_the_pool_that_they_name(self, scene: Scene) -> None:
        scene.draw(Kind.RATE_LIMITED, unit="requests", window=MINUTE, retry_after=9.0)
        assert scene.closed() == {"requests/60s:m": 9, "route lab/m#k1": 9}

    @pytest.mark.parametrize(
        ("scope", "limits"),
        [("route", {"tokens/60s:m": 150}), ("account", {"requests/86400s:*": 2_500}), ("model", {})],
    )
    def test_that_state_no_limit_find_that_of_the_most_suspicious_pool_out(
        self, scene: Scene, scope: Any, limits: dict[str, float]
    ) -> None:
        for share in scene.route.shares:
            if share.pool.quota.unit == "requests":
                share.pool.counter.spend(2)
        scene.draw(Kind.RATE_LIMITED, scope=scope)
        found = {pool.quota.name: pool.limit for pool in scene.world.ledger.pools() if pool.learned}
        assert found == limits

    def test_teach_the_limit_of_the_pool_they_speak_of(self, scene: Scene) -> None:
        scene.draw(Kind.RATE_LIMITED, limit=4_000, unit="requests", window=DAY, scope="account")
        assert scene.pool("requests/86400s:*").limit == 4_000
        assert scene.pool("requests/86400s:m").limit == 1_000


class TestExhaustedQuotas:
    @pytest.mark.parametrize(
        ("facts", "closed"),
        [
            ({}, {"requests/86400s:m": MIDNIGHT}),
            ({"retry_after": 500.0}, {"requests/86400s:m": 500}),
            ({"resets_at": START + 900}, {"requests/86400s:m": 900}),
            ({"unit": "requests", "window": MINUTE, "retry_after": 9.0}, {"requests/60s:m": 9}),
            ({"unit": "tokens", "retry_after": 9.0}, {"tokens/60s:m": 9}),
            ({"scope": "account", "unit": "requests", "window": DAY}, {"requests/86400s:*": MIDNIGHT}),
            (
                {"scope": "account", "window": MINUTE, "retry_after": 9.0},
                {"key lab#k1": 9, "requests/60s:*": 9},
            ),
            ({"unit": "neurons"}, {"route lab/m#k1": HOUR}),
            ({"unit": "neurons", "retry_after": 70.0}, {"route lab/m#k1": 70}),
            ({"unit": "neurons", "scope": "provider"}, {"provider lab": HOUR}),
            ({"scope": "model", "retry_after": 9.0}, {"requests/86400s:m": 9, "model lab/m": 9}),
            ({"scope": "key", "retry_after": 9.0}, {"requests/86400s:*": 9, "key lab#k1": 9}),
        ],
    )
    def test_close_the_pool_that_is_meant_else_what_they_speak_for(
        self, scene: Scene, facts: Any, closed: dict[str, float]
    ) -> None:
        scene.draw(Kind.QUOTA_EXHAUSTED, **facts)
        assert scene.closed() == pytest.approx(closed)
        assert scene.route.entry.standing.penalty(START) == 3

    def test_leave_the_other_key_open(self, scene: Scene) -> None:
        scene.draw(Kind.QUOTA_EXHAUSTED, unit="requests", window=DAY)
        other, ledger = scene.world.route("lab/m#k2"), scene.world.ledger
        assert not ledger.fits(scene.route.shares, DEMAND, START)
        assert ledger.fits(other.shares, DEMAND, START)

    def test_teach_a_limit_that_is_stated(self, scene: Scene) -> None:
        scene.draw(Kind.QUOTA_EXHAUSTED, unit="requests", window=DAY, limit=200)
        assert scene.pool("requests/86400s:m").limit == 200


SPENT: dict[str, Any] = {"unit": "tokens", "window": DAY, "limit": 10_000, "used": 9_500}


class TestWhatARefusalStatesAsUsed:
    """The day's tokens are nearly used up, by more than our books know of."""

    def scene(self, kind: Kind, **facts: Any) -> World:
        world = World(provider("lab", [model("m")], [quota(10_000, "tokens", DAY, members=("m",))]))
        route, refused = world.route(), Demand(900, 100, 100)
        consequences = Consequences(world.ledger, world.health)
        consequences.draw(route, Failure(kind=kind, **SPENT, **facts), refused, START)
        return world

    @pytest.mark.parametrize("kind", [Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED])
    def test_leaves_the_rest_to_smaller_requests(self, kind: Kind) -> None:
        world = self.scene(kind, retry_after=720.0)
        route, ledger = world.route(), world.ledger
        assert route.closed_by(START) is None
        assert ledger.fits(route.shares, Demand(400, 100, 100), START)
        assert not ledger.fits(route.shares, Demand(401, 100, 100), START)
        assert 720 <= ledger.opening(route.shares, Demand(900, 100, 100), START) - START <= 2 * 720
        assert ledger.fits(route.shares, Demand(900, 100, 100), START + 2 * 720)

    def test_keeps_the_refused_request_out_whatever_the_figures(self) -> None:
        """Its own estimate was too low: by the stated figures alone it would fit."""
        world = self.scene(Kind.RATE_LIMITED, retry_after=30.0)
        small = Demand(100, 100, 100)
        consequences = Consequences(world.ledger, world.health)
        consequences.draw(
            world.route(),
            Failure(kind=Kind.RATE_LIMITED, **SPENT, retry_after=30.0),
            small,
            START,
        )
        assert not world.ledger.fits(world.route().shares, small, START)
        assert world.ledger.fits(world.route().shares, Demand(50, 100, 100), START)

    def test_is_beyond_doubt(self) -> None:
        """The refused request is booked, too, and is no reason to think that there is room."""
        world = World(provider("lab", [model("m")], [quota(30, members=("m",))]))
        route, demand = world.route(), Demand(1, 1, 1)
        lease = world.ledger.reserve(route.shares, demand, START)
        assert lease
        world.ledger.refuse(lease, START)
        failure = Failure(
            kind=Kind.RATE_LIMITED, unit="requests", window=MINUTE, limit=30, used=30, retry_after=9.0
        )
        Consequences(world.ledger, world.health).draw(route, failure, demand, START)
        assert not world.ledger.fits(route.shares, demand, START)
        assert not world.ledger.may_fit(route.shares, demand, START)

    def test_closes_the_pool_when_it_does_not_say_for_how_long(self) -> None:
        world = self.scene(Kind.QUOTA_EXHAUSTED)
        assert not world.ledger.fits(world.route().shares, Demand(1, 1, 1), START)

    def test_closes_a_pool_that_starts_over_for_the_stated_time(self) -> None:
        """What is booked there would not be forgotten before its end."""
        daily = quota(10_000, "tokens", DAY, members=("m",), clock="utc-midnight")
        world = World(provider("lab", [model("m")], [daily]))
        failure = Failure(kind=Kind.QUOTA_EXHAUSTED, **SPENT, retry_after=60.0)
        route, demand = world.route(), Demand(900, 100, 100)
        Consequences(world.ledger, world.health).draw(route, failure, demand, START)
        assert world.ledger.opening(route.shares, Demand(1, 1, 1), START) == START + 60
        assert world.ledger.fits(route.shares, demand, START + 60)

    def test_is_when_the_client_may_come_back_with_429(self) -> None:
        world = World(provider("lab", [model("m")], [quota(10_000, "tokens", DAY, members=("m",))]))
        call = world.call(world.needs(tokens=900))
        demand = world.router.demand(world.route().entry, call.needs)
        failure = Failure(kind=Kind.QUOTA_EXHAUSTED, **SPENT, retry_after=7_200.0)
        call.tried.append(world.tried(world.route(), failure, demand=demand))
        Consequences(world.ledger, world.health).draw(world.route(), failure, demand, START)
        error = refusal(call, START)
        assert error.status == 429
        assert error.retry_after == pytest.approx(7_200, abs=DAY / 120 + 1)
        assert error.retry_after >= 7_200


class TestARefusalThatTheBooksForesaw:
    """It names no time: the pool opens as the books say, after a pause in which the two may come to agree."""

    def test_closes_nothing_for_long(self) -> None:
        world = World(provider("lab", [model("m")], [quota(1_000, "tokens", HOUR, members=("m",))]))
        route, ledger = world.route(), world.ledger
        assert ledger.reserve(route.shares, Demand(500, 450, 450), START)
        Consequences(ledger, world.health).draw(
            route, Failure(kind=Kind.QUOTA_EXHAUSTED, unit="tokens", window=HOUR), Demand(30, 10, 10), START
        )
        closed = route.closed_by(START)
        assert closed is not None
        assert (closed.closed_until - START, closed.stated) == (15, False)
        assert [pool.closed_until for pool in ledger.pools()] == [0]

    def test_is_one_that_they_did_not_foresee_while_they_show_room(self) -> None:
        world = World(provider("lab", [model("m")], [quota(1_000, "tokens", HOUR, members=("m",))]))
        Consequences(world.ledger, world.health).draw(
            world.route(),
            Failure(kind=Kind.QUOTA_EXHAUSTED, unit="tokens", window=HOUR),
            Demand(30, 10, 10),
            START,
        )
        assert [pool.closed_until - START for pool in world.ledger.pools()] == [HOUR / 24]

    @pytest.mark.parametrize(("own", "closed"), [(900, 0), (400, 0), (390, HOUR / 24), (0, HOUR / 24)])
    def test_is_the_first_one_of_an_unknown_limit_when_most_is_our_own_use(
        self, own: int, closed: float
    ) -> None:
        """Then the limit is our own use, and there is room when it expires; else somebody else has used the rest."""
        world = World(provider("lab", [model("m")], [quota(None, "tokens", HOUR, members=("m",))]))
        route, ledger, demand = world.route(), world.ledger, Demand(30, 10, 10)
        assert ledger.reserve(route.shares, Demand(own, 0, 0), START)
        now = START + HOUR - 60
        Consequences(ledger, world.health).draw(
            route, Failure(kind=Kind.QUOTA_EXHAUSTED, unit="tokens", window=HOUR), demand, now
        )
        assert [max(pool.closed_until - now, 0) for pool in ledger.pools()] == [closed]
        if not closed:
            assert not ledger.fits(route.shares, demand, now + 59)
            assert ledger.fits(route.shares, demand, now + 60 + HOUR / 120)

    def test_closes_a_pool_that_only_the_service_limits(self) -> None:
        """The use of a key without limits is counted, but nothing is kept out by it."""
        paid = key("lab", "k1", unlimited=True)
        world = World(
            provider("lab", [model("m")], [quota(None, "tokens", HOUR, members=("m",))]), keys=[paid]
        )
        route, ledger = world.route(), world.ledger
        assert ledger.reserve(route.shares, Demand(900, 0, 0), START)
        Consequences(ledger, world.health).draw(
            route, Failure(kind=Kind.QUOTA_EXHAUSTED, unit="tokens", window=HOUR), Demand(30, 10, 10), START
        )
        (pool,) = ledger.pools()
        assert pool.closed_until >= START + HOUR


class TestTooMuchAtOnce:
    @pytest.mark.parametrize(
        ("facts", "seconds"),
        [({}, 2), ({"retry_after": 0.0}, 1), ({"retry_after": 30.0}, 30), ({"retry_after": 1e9}, DAY)],
    )
    def test_closes_the_route_for_a_moment(self, scene: Scene, facts: Any, seconds: float) -> None:
        scene.draw(Kind.CONCURRENCY, **facts)
        assert scene.closed() == {"route lab/m#k1": seconds}
        assert scene.route.standing.stated is bool(facts)
        assert not scene.world.health.penalized

    def test_teaches_a_limit_that_is_stated(self, scene: Scene) -> None:
        scene.draw(Kind.CONCURRENCY, unit="concurrent", limit=2)
        assert scene.pool("concurrent:m").limit == 2


def test_a_request_too_large_closes_the_route_to_its_like_and_to_nothing_smaller(scene: Scene) -> None:
    scene.draw(Kind.TOO_LARGE)
    assert scene.closed() == {}
    assert scene.route.standing.refuses(DEMAND.input + DEMAND.ceiling, START)
    assert not scene.route.standing.refuses(DEMAND.input + DEMAND.ceiling - 1, START)
    assert not scene.world.route("lab/m#k2").standing.refuses(10**9, START)


def test_a_bad_key_closes_the_key_and_no_other(scene: Scene) -> None:
    scene.draw(Kind.BAD_KEY, scope="route")
    assert scene.closed() == {"key lab#k1": 600}


@pytest.mark.parametrize("scope", STANDINGS)
@pytest.mark.parametrize(("kind", "seconds"), [(Kind.FORBIDDEN, 6 * HOUR), (Kind.PAYMENT_REQUIRED, DAY)])
def test_what_is_not_allowed_is_left_alone_for_hours(
    scene: Scene, kind: Kind, seconds: float, scope: Any
) -> None:
    scene.draw(kind, scope=scope)
    assert scene.closed() == {STANDINGS[scope]: seconds}


def test_a_missing_model_is_left_alone_and_longer_once_another_key_misses_it_too(scene: Scene) -> None:
    scene.draw(Kind.MODEL_GONE)
    assert scene.closed() == {"model lab/m": HOUR}
    scene.route = scene.world.route("lab/m#k2")
    scene.draw(Kind.MODEL_GONE)
    assert scene.closed() == {"model lab/m": 7 * DAY}


@pytest.mark.parametrize("kind", [Kind.OVERLOADED, Kind.TIMEOUT, Kind.NETWORK])
class TestFailures:
    def test_open_the_models_breaker_at_the_third(self, scene: Scene, kind: Kind) -> None:
        for closed in ({}, {}, {"model lab/m": 30}):
            scene.draw(kind)
            assert scene.closed() == closed
        assert scene.route.entry.standing.cause is kind
        assert not scene.route.entry.standing.stated

    @pytest.mark.parametrize(("stated", "seconds"), [(9.0, 9), (0.0, 1), (1e12, DAY)])
    def test_close_the_model_for_as_long_as_is_stated(
        self, scene: Scene, kind: Kind, stated: float, seconds: float
    ) -> None:
        scene.draw(kind, retry_after=stated)
        assert scene.closed() == {"model lab/m": seconds}
        assert scene.route.entry.standing.stated

    def test_never_touch_the_key(self, scene: Scene, kind: Kind) -> None:
        for _ in range(9):
            scene.draw(kind, scope="key")
        assert set(scene.closed()) == {"model lab/m"}


def test_two_bad_answers_open_the_models_breaker(scene: Scene) -> None:
    scene.draw(Kind.BAD_ANSWER)
    assert scene.closed() == {}
    scene.draw(Kind.BAD_ANSWER)
    assert scene.closed() == {"model lab/m": 30}


FACTS = st.fixed_dictionaries(
    {"kind": st.sampled_from(Kind), "scope": st.sampled_from(sorted(STANDINGS))},
    optional={
        "retry_after": st.floats(-10, 1e12),
        "resets_at": st.floats(START - 1e6, START + 1e12),
        "limit": st.integers(0, 10_000),
        "unit": st.sampled_from(["requests", "tokens", "concurrent", "neurons"]),
        "window": st.sampled_from([1.0, MINUTE, DAY]),
    },
)


@given(st.lists(st.tuples(FACTS, st.floats(0, 1_000)), max_size=30))
def test_nothing_is_closed_for_more_than_a_month_and_other_keys_pools_never(
    failures: list[tuple[Any, float]],
) -> None:
    scene, now = Scene(), START
    for facts, seconds in failures:
        now += seconds
        scene.draw(now=now, **facts)
    for standing in scene.world.health.closed(now):
        assert standing.closed_until <= now + 32 * DAY
        assert standing.cause is not None
    for share in scene.world.route("lab/m#k2").shares:
        assert share.pool.closed_until == 0
    for share in scene.route.shares:
        assert share.pool.closed_until <= now + 32 * DAY
