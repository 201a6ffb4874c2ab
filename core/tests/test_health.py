"""Cooldowns, penalties and breakers, as the figures of docs/failures.md say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.health import Health, Standing
from freellm.types import Kind

NOW = 1_800_000_000.0
HOUR, DAY = 3_600.0, 86_400.0


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def model(health: Health) -> Standing:
    return health.standing("model lab/m")


@pytest.fixture
def route(health: Health) -> Standing:
    return health.standing("route lab/m#k")


def closed_for(standing: Standing, now: float = NOW) -> float:
    return max(0.0, standing.closed_until - now)


def test_a_name_always_means_the_same_standing(health: Health, model: Standing) -> None:
    assert health.standing("model lab/m") is model
    assert health.standing("model lab/n") is not model


def test_nothing_is_held_against_anything_at_first(health: Health, model: Standing) -> None:
    assert list(health.closed(NOW)) == []
    assert (closed_for(model), model.penalty(NOW), model.refuses(10**9, NOW)) == (0.0, 0.0, False)


class TestCooldowns:
    def test_guesses_double_from_15_seconds_to_10_minutes(self, health: Health, route: Standing) -> None:
        waits, now = [], NOW
        for _ in range(8):
            health.cool(route, Kind.RATE_LIMITED, None, now)
            waits.append(closed_for(route, now))
            now = route.closed_until
        assert waits == [15, 30, 60, 120, 240, 480, 600, 600]
        assert not route.stated

    def test_any_number_of_guesses_in_a_row_is_a_number(self, health: Health, route: Standing) -> None:
        now = NOW
        for _ in range(2_000):
            health.cool(route, Kind.RATE_LIMITED, None, now)
            now = route.closed_until
        assert route.closed_until == now < NOW + 2_000 * 600

    @pytest.mark.parametrize("what", ["route lab/m#k", "model lab/m", "key lab#k", "provider lab"])
    def test_a_success_starts_the_guesses_over_whatever_was_cooled(self, health: Health, what: str) -> None:
        names = ("route lab/m#k", "model lab/m", "key lab#k", "provider lab")
        cooled, now = health.standing(what), NOW
        for _ in range(4):
            health.cool(cooled, Kind.RATE_LIMITED, None, now)
            now = cooled.closed_until
        health.succeeded(health.standing("model lab/m"), map(health.standing, names), now)
        health.cool(cooled, Kind.RATE_LIMITED, None, now)
        assert closed_for(cooled, now) == 15

    def test_what_is_stated_is_kept_to_and_does_not_count_as_a_guess(
        self, health: Health, route: Standing
    ) -> None:
        health.cool(route, Kind.RATE_LIMITED, 7.0, NOW)
        assert (closed_for(route), route.stated, route.cause) == (7.0, True, Kind.RATE_LIMITED)
        health.cool(route, Kind.RATE_LIMITED, None, NOW + 7)
        assert closed_for(route, NOW + 7) == 15

    @given(st.lists(st.tuples(st.floats(0, 1e6), st.booleans()), min_size=1))
    def test_the_longest_one_counts(self, closings: list[tuple[float, bool]]) -> None:
        standing = Standing("x")
        for wait, stated in closings:
            standing.close(NOW + wait, Kind.RATE_LIMITED, stated=stated)
        until = max(NOW + wait for wait, _ in closings)
        assert standing.closed_until == until
        assert standing.stated is next(stated for wait, stated in closings if NOW + wait == until)

    def test_what_is_closed_is_listed_until_it_opens(self, health: Health, route: Standing) -> None:
        health.cool(route, Kind.RATE_LIMITED, 7.0, NOW)
        assert list(health.closed(NOW + 6.9)) == [route]
        assert list(health.closed(NOW + 7)) == []


class TestPenalties:
    def test_a_429_sinks_a_model_by_three_places_and_by_ten_at_most(
        self, health: Health, model: Standing
    ) -> None:
        sunk = []
        for _ in range(5):
            health.penalize(model, NOW)
            sunk.append(model.penalty(NOW))
        assert sunk == [3, 6, 9, 10, 10]

    @pytest.mark.parametrize(
        ("seconds", "left"), [(0, 3.0), (60, 2.5), (120, 2.0), (240, 1.0), (360, 0.0), (1e9, 0.0)]
    )
    def test_one_place_is_forgiven_every_two_minutes(
        self, health: Health, model: Standing, seconds: float, left: float
    ) -> None:
        health.penalize(model, NOW)
        assert model.penalty(NOW + seconds) == left

    def test_one_place_is_forgiven_for_every_answer(self, health: Health, model: Standing) -> None:
        health.penalize(model, NOW)
        left = []
        for _ in range(4):
            health.succeeded(model, (), NOW)
            left.append(model.penalty(NOW))
        assert left == [2, 1, 0, 0]

    def test_the_order_changes_with_every_penalty_and_stays_without(
        self, health: Health, model: Standing
    ) -> None:
        versions = [health.version]
        steps: tuple[Callable[[], None], ...] = (
            lambda: health.penalize(model, NOW),
            lambda: health.succeeded(model, (), NOW),
            lambda: health.settle_penalties(NOW + 239),
            lambda: health.settle_penalties(NOW + 240),
            lambda: health.settle_penalties(NOW + 240),
            lambda: health.succeeded(model, (), NOW + 240),
        )
        for step in steps:
            step()
            versions.append(health.version)
        assert versions == [0, 1, 2, 2, 3, 3, 3]
        assert not health.penalized


class TestBreaker:
    def fail(self, health: Health, model: Standing, *seconds: float) -> None:
        for second in seconds:
            health.failed(model, Kind.OVERLOADED, NOW + second)

    def test_opens_at_the_third_failure_within_a_minute(self, health: Health, model: Standing) -> None:
        self.fail(health, model, 0, 30)
        assert closed_for(model) == 0
        self.fail(health, model, 60)
        assert model.closed_until == NOW + 60 + 30
        assert (model.cause, model.stated) == (Kind.OVERLOADED, False)

    def test_stays_closed_when_failures_are_rarer(self, health: Health, model: Standing) -> None:
        self.fail(health, model, 0, 30.5, 61, 91.5, 122)
        assert closed_for(model) == 0

    def test_a_success_in_between_starts_the_count_over(self, health: Health, model: Standing) -> None:
        self.fail(health, model, 0, 1)
        health.succeeded(model, (), NOW + 2)
        self.fail(health, model, 3, 4)
        assert closed_for(model) == 0

    def test_opens_again_at_the_first_failure_and_for_twice_as_long_up_to_15_minutes(
        self, health: Health, model: Standing
    ) -> None:
        self.fail(health, model, 0, 0, 0)
        waits = [closed_for(model)]
        for _ in range(6):
            now = model.closed_until
            health.failed(model, Kind.TIMEOUT, now)
            waits.append(closed_for(model, now))
        assert waits == [30, 60, 120, 240, 480, 900, 900]

    def test_a_provider_may_be_down_for_weeks(self, health: Health, model: Standing) -> None:
        self.fail(health, model, 0, 0, 0)
        for _ in range(3_000):
            health.failed(model, Kind.NETWORK, model.closed_until)
        assert model.closed_until > NOW + 28 * DAY

    def test_a_success_closes_it_for_good(self, health: Health, model: Standing) -> None:
        self.fail(health, model, 0, 0, 0)
        health.succeeded(model, (), NOW + 30)
        self.fail(health, model, 31, 32)
        assert model.closed_until == NOW + 30

    def test_two_bad_answers_in_a_row_open_it(self, health: Health, model: Standing) -> None:
        health.answered_badly(model, NOW)
        assert closed_for(model) == 0
        health.answered_badly(model, NOW + HOUR)
        assert model.closed_until == NOW + HOUR + 30
        assert model.cause is Kind.BAD_ANSWER

    def test_two_bad_answers_with_a_good_one_between_do_not(self, health: Health, model: Standing) -> None:
        health.answered_badly(model, NOW)
        health.succeeded(model, (), NOW)
        health.answered_badly(model, NOW)
        assert closed_for(model) == 0


class TestSizes:
    def test_a_refused_size_is_remembered_for_an_hour(self, health: Health, route: Standing) -> None:
        health.refused_size(route, 8_000, NOW)
        assert [route.refuses(size, NOW) for size in (7_999, 8_000, 9_000)] == [False, True, True]
        assert route.refuses(8_000, NOW + HOUR - 1)
        assert not route.refuses(8_000, NOW + HOUR)
        assert closed_for(route) == 0

    def test_the_smallest_refused_size_counts(self, health: Health, route: Standing) -> None:
        for size in (8_000, 5_000, 9_000):
            health.refused_size(route, size, NOW)
        assert route.refuses(5_000, NOW)
        assert not route.refuses(4_999, NOW)

    def test_a_forgotten_size_does_not_come_back(self, health: Health, route: Standing) -> None:
        health.refused_size(route, 5_000, NOW)
        health.refused_size(route, 9_000, NOW + HOUR)
        assert not route.refuses(5_000, NOW + HOUR)


class TestMissingModels:
    @pytest.mark.parametrize(
        ("second_key", "seconds", "left_alone", "confirmed"),
        [
            ("k1", 0, HOUR, False),
            ("k1", 599, HOUR, False),
            ("k1", 600, 7 * DAY, True),
            ("k2", 0, 7 * DAY, True),
        ],
    )
    def test_two_independent_confirmations_retire_a_model_for_a_week(
        self,
        health: Health,
        model: Standing,
        second_key: str,
        seconds: float,
        left_alone: float,
        confirmed: bool,
    ) -> None:
        health.missing(model, "k1", NOW)
        assert (closed_for(model), model.stated) == (HOUR, False)
        health.missing(model, second_key, NOW + seconds)
        assert model.closed_until == NOW + seconds + left_alone
        assert model.stated is confirmed
        assert model.cause is Kind.MODEL_GONE

    def test_a_model_that_answers_is_not_missing(self, health: Health, model: Standing) -> None:
        health.missing(model, "k1", NOW)
        health.succeeded(model, (), NOW + HOUR)
        health.missing(model, "k2", NOW + 2 * HOUR)
        assert closed_for(model, NOW + 2 * HOUR) == HOUR


def test_clearing_forgets_everything_and_keeps_the_object(health: Health, model: Standing) -> None:
    health.penalize(model, NOW)
    health.cool(model, Kind.RATE_LIMITED, None, NOW)
    health.refused_size(model, 10, NOW)
    version = health.version
    assert health.clear("model lab/m")
    assert health.standing("model lab/m") is model
    assert (closed_for(model), model.penalty(NOW), model.refuses(10, NOW), model.guesses) == (0, 0, False, 0)
    assert health.version > version
    assert not health.penalized


def test_clearing_an_unknown_name_says_so(health: Health) -> None:
    assert not health.clear("model lab/zzz")
    assert list(health.closed(0)) == []
