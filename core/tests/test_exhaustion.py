"""What the client is told when no route answered: the right status, every reason, and exactly when to come back."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm import Failure, Kind
from freellm.errors import RequestError
from freellm.gateway.consequences import RULES, Consequences
from freellm.gateway.exhaustion import ROUTES_TOLD, refusal
from freellm.routing import Cause, PassedOver
from freellm.surfaces.errors import LONGEST_RETRY, body_of, headers_of
from small_world import START, World, model, provider, quota

NEVER = math.inf


def world(*quotas: Any, models: int = 3) -> World:
    named = [model(f"m{number}", intelligence_rank=number + 1, context=1_000) for number in range(models)]
    return World(provider("lab", named, quotas))


def note(cause: Cause, opens_at: float = NEVER, kind: Kind | None = None, name: str = "lab/m0") -> PassedOver:
    return PassedOver(name, cause, f"why {cause}", opens_at, kind)


def failed(scene: World, *kinds: Kind, notes: tuple[PassedOver, ...] = (), **facts: Any) -> RequestError:
    """Return what is told after one attempt for each kind and after some routes were passed over."""
    call = scene.call(passed_over=list(notes))
    for kind, route in zip(kinds, scene.routes, strict=False):
        failure = Failure(kind=kind, message=f"it said {kind}", **facts)
        demand = scene.router.demand(route.entry, call.needs)
        call.tried.append(scene.tried(route, failure, demand=demand))
        Consequences(scene.ledger, scene.health).draw(route, failure, demand, START)
    return refusal(call, START)


def told(error: RequestError) -> tuple[int, str, str | None]:
    return error.status, error.type, error.code


LIMIT = (429, "rate_limit_error", "all_routes_exhausted")
UPSTREAM = (502, "upstream_error", "all_routes_failed")
CONTEXT = (400, "invalid_request_error", "context_length_exceeded")
LIMITS = {Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED, Kind.CONCURRENCY}
SIZES = {Kind.CONTEXT_EXCEEDED, Kind.TOO_LARGE}


class TestTheStatus:
    @pytest.mark.parametrize("kind", list(Kind))
    def test_is_the_failures_own_when_all_agree(self, kind: Kind) -> None:
        rule = RULES[kind]
        assert told(failed(world(), kind, kind)) == (rule.status, rule.type, rule.code)

    @pytest.mark.parametrize(("one", "other"), list(combinations(Kind, 2)))
    def test_of_two_kinds_is_a_limit_else_a_size_else_a_bad_gateway(self, one: Kind, other: Kind) -> None:
        kinds = {one, other}
        expected = LIMIT if kinds & LIMITS else CONTEXT if kinds == SIZES else UPSTREAM
        assert told(failed(world(), one, other)) == expected

    @pytest.mark.parametrize(
        ("notes", "expected"),
        [
            ([note("quota", START + 5)], LIMIT),
            ([note("cooldown", START + 5, Kind.RATE_LIMITED)], LIMIT),
            ([note("cooldown", START + 5, Kind.BAD_KEY)], UPSTREAM),
            ([note("cooldown", START + 5, Kind.PAYMENT_REQUIRED)], UPSTREAM),
            ([note("ability"), note("quota", START + 5)], LIMIT),
            ([note("context"), note("quota", START + 5)], LIMIT),
            ([note("ability")], (400, "invalid_request_error", "no_capable_model")),
            ([note("request"), note("ability")], (400, "invalid_request_error", "no_capable_model")),
            ([note("context")], CONTEXT),
            ([note("context"), note("ability")], CONTEXT),
            ([note("context"), note("too_large")], CONTEXT),
            ([note("too_large")], (413, "invalid_request_error", "request_too_large")),
            ([note("too_large", START + 5)], (413, "invalid_request_error", "request_too_large")),
        ],
    )
    def test_follows_from_what_was_passed_over(self, notes: list[PassedOver], expected: Any) -> None:
        assert told(refusal(world().call(passed_over=notes), START)) == expected

    def test_of_nobody_at_all_says_how_to_add_a_key(self) -> None:
        error = refusal(World(provider("lab", [model("m")]), keys=[]).call(), START)
        assert told(error) == (503, "service_unavailable", "no_providers_configured")
        assert "freellm keys add" in error.message

    def test_is_never_a_401(self) -> None:
        assert failed(world(), Kind.BAD_KEY).status == 502

    @pytest.mark.parametrize(
        ("kind", "param"),
        [(Kind.CONTEXT_EXCEEDED, "messages"), (Kind.MODEL_GONE, "model"), (Kind.OVERLOADED, None)],
    )
    def test_comes_with_the_field_at_fault(self, kind: Kind, param: str | None) -> None:
        assert failed(world(), kind).param == param


class TestAnAttemptThatSpeaksForAll:
    def test_is_told_in_its_own_words(self) -> None:
        scene = world()
        last = scene.tried(
            scene.route(), Failure(kind=Kind.BAD_REQUEST, message="no such field", param="tools[0]"), 422
        )
        error = refusal(scene.call(tried=[last]), START, last)
        assert told(error) == (400, "invalid_request_error", "invalid_request")
        assert error.message == "lab/m0 refused the request: no such field"
        assert error.param == "tools[0]"
        assert error.retry_after is None

    def test_of_a_filter_is_a_400_with_the_reason(self) -> None:
        scene = world()
        last = scene.tried(scene.route(), Failure(kind=Kind.CONTENT_FILTERED, message="violence"), 400)
        error = refusal(scene.call(tried=[last]), START, last)
        assert told(error) == (400, "invalid_request_error", "content_policy_violation")
        assert "violence" in error.message


class TestWhenToComeBack:
    @pytest.mark.parametrize(
        ("opens_at", "seconds"),
        [
            ([START + 12.25], 12.25),
            ([START + 90, START + 12.25, NEVER], 12.25),
            ([START + 0.2], 1.0),
            ([START - 5, START + 7], 7.0),
        ],
    )
    def test_is_when_the_first_route_opens_and_a_second_at_least(
        self, opens_at: list[float], seconds: float
    ) -> None:
        error = refusal(world().call(passed_over=[note("quota", moment) for moment in opens_at]), START)
        assert error.retry_after == seconds
        assert error.details["retry_after_ms"] == math.ceil(seconds * 1_000)
        assert f"the first route opens in {seconds:.1f} s" in error.message

    @pytest.mark.parametrize(
        ("facts", "seconds"),
        [({"retry_after": 33.5}, 33.5), ({"resets_at": START + 44}, 44.0), ({}, 15.0)],
    )
    def test_is_what_an_attempt_was_told(self, facts: Any, seconds: float) -> None:
        assert failed(world(), Kind.RATE_LIMITED, **facts).retry_after == seconds

    def test_is_the_end_of_the_day_when_the_days_quota_is_exhausted(self) -> None:
        scene = world(quota(1_000, window=86_400.0, clock="utc-midnight", members=("m0",)))
        midnight = 86_400 - START % 86_400
        assert failed(scene, Kind.QUOTA_EXHAUSTED).retry_after == midnight

    def test_is_when_the_ledger_has_room_again_after_the_last_request_of_a_minute_failed(self) -> None:
        scene = world(quota(1, members=("m0",)), models=1)
        route, demand = next(scene.router.candidates(scene.order, scene.needs(), scene.clock))
        assert scene.ledger.reserve(route.shares, demand, START)
        error = failed(scene, Kind.RATE_LIMITED, retry_after=2.0)
        assert error.retry_after == pytest.approx(60.0, abs=0.51)

    def test_is_the_earliest_of_attempts_and_notes(self) -> None:
        notes = (note("quota", START + 20),)
        assert failed(world(), Kind.RATE_LIMITED, notes=notes, retry_after=30.0).retry_after == 20
        assert failed(world(), Kind.RATE_LIMITED, notes=notes, retry_after=10.0).retry_after == 10

    @pytest.mark.parametrize("kind", sorted(set(Kind) - LIMITS))
    def test_is_not_told_when_waiting_is_not_what_helps(self, kind: Kind) -> None:
        error = failed(world(), kind)
        assert error.retry_after is None
        assert error.details["retry_after_ms"] is None
        assert headers_of(error, "req_1")["X-Should-Retry"] == "false"

    @pytest.mark.parametrize(
        ("wait", "retry"), [(1.0, "true"), (LONGEST_RETRY, "true"), (LONGEST_RETRY + 1, "false")]
    )
    def test_is_in_the_headers_and_whether_a_client_should_wait(self, wait: float, retry: str) -> None:
        headers = headers_of(RequestError("x", status=429, retry_after=wait), "req_1")
        assert headers["X-Should-Retry"] == retry
        assert headers["Retry-After"] == str(math.ceil(wait))
        assert headers["Retry-After-Ms"] == str(math.ceil(wait * 1_000))


class TestTheDetails:
    def test_list_every_attempt(self) -> None:
        attempts = failed(world(), Kind.RATE_LIMITED, Kind.OVERLOADED).details["attempts"]
        assert attempts == [
            {"route": f"lab/m{number}", "class": kind, "status": 429, "ms": 12, "message": f"it said {kind}"}
            for number, kind in enumerate(["rate_limited", "overloaded"])
        ]

    def test_list_what_was_passed_over_the_next_to_open_first(self) -> None:
        notes = [note("ability"), note("quota", START + 9.5), note("cooldown", START + 3, Kind.RATE_LIMITED)]
        routes = refusal(world().call(passed_over=notes), START).details["routes"]
        assert [(row["reason"], row["available_in_ms"]) for row in routes] == [
            ("cooldown", 3_000),
            ("quota", 9_500),
            ("ability", None),
        ]
        assert routes[0] == {
            "route": "lab/m0",
            "reason": "cooldown",
            "detail": "why cooldown",
            "available_in_ms": 3_000,
        }

    def test_list_no_more_than_can_be_read(self) -> None:
        notes = [note("quota", START + number, name=f"lab/m{number}") for number in range(1, 101)]
        error = refusal(world().call(passed_over=notes), START)
        assert len(error.details["routes"]) == ROUTES_TOLD == 20
        assert "lab/m1: why quota" in error.message
        assert error.message.endswith("and 95 more routes (see error.x_freellm)")
        assert len(error.message) < 500

    def test_of_the_router_itself_are_told(self) -> None:
        scene = world(quota(1, members=("m0",)), models=2)
        scene.ledger.reserve(
            scene.route().shares, scene.router.demand(scene.route().entry, scene.needs()), START
        )
        scene.entry("lab/m1").standing.close(START + 7, Kind.OVERLOADED, stated=True)
        call = scene.call()
        assert not list(
            scene.router.candidates(call.order, call.needs, scene.clock, passed_over=call.passed_over)
        )
        error = refusal(call, START)
        assert told(error) == LIMIT
        assert error.retry_after == 7
        assert "lab/m0: 1 of 1 requests per minute are used" in error.message
        assert "lab/m1: model lab/m1 is closed: overloaded (stated)" in error.message

    def test_say_how_to_replace_a_key_that_is_refused(self) -> None:
        message = failed(world(), Kind.BAD_KEY).message
        assert "lab/m0: its key is refused; replace it: freellm keys add lab" in message
        assert "it said" not in message, "a provider's own words may quote anything"

    def test_name_the_model_that_was_asked_for(self) -> None:
        assert failed(world(), Kind.NETWORK).message.startswith(
            "no route could answer 'auto'. lab/m0: network"
        )


NOTES = st.builds(
    PassedOver,
    st.sampled_from(["lab/m0", "lab/m1"]),
    st.sampled_from(["ability", "context", "too_large", "quota", "cooldown", "request"]),
    st.just("why"),
    st.one_of(st.just(NEVER), st.floats(START - 100, START + 1e6)),
    st.one_of(st.none(), st.sampled_from(Kind)),
)


@given(st.lists(st.sampled_from(Kind), max_size=3), st.lists(NOTES, max_size=30), st.floats(0.1, 1e6))
def test_any_exhaustion_can_be_told(kinds: list[Kind], notes: list[PassedOver], wait: float) -> None:
    error = failed(world(), *kinds, notes=tuple(notes), retry_after=wait)
    assert error.status in {400, 404, 413, 429, 499, 502, 503, 504}
    assert (error.retry_after is not None) is (error.status == 429)
    assert error.retry_after is None or 1.0 <= error.retry_after < 1e7
    assert orjson.loads(orjson.dumps(body_of(error, "req_1")))["error"]["code"]
