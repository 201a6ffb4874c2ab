"""Strategies: what each one puts first, by what is declared and by what was measured."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from freellm.declarations import Model
from freellm.errors import SettingsError
from freellm.gauge import Gauge, quota_left
from freellm.ledger import Demand
from freellm.measurements import Measured
from freellm.strategies import SCALES, WEIGHTS, Strategy, Weights, gathered, offered, success, weighted
from small_world import START, World, key, model, provider, quota

NOTHING = Measured()


def known(**fields: Any) -> Measured:
    """Return what ten attempts have shown: a usual model, unless stated."""
    usual = {"first_token": 1.0, "tokens_per_second": 60.0, "success": 1.0, "answers": 10.0, "attempts": 10.0}
    return Measured(**{**usual, **fields})


def order(name: str, models: dict[str, tuple[Model, Measured]]) -> list[str]:
    """Return names in a strategy's order."""
    table = {declared.id: measured for declared, measured in models.values()}
    strategy = offered(lambda provider, declared: table[declared.id])[name]
    return sorted(models, key=lambda one: strategy("lab", models[one][0]))


CLEVER = model("clever", intelligence_rank=1, speed_rank=11)
MIDDLE = model("middle", intelligence_rank=6, speed_rank=5)
QUICK = model("quick", intelligence_rank=20, speed_rank=1)
UNKNOWN = model("unknown")


@pytest.mark.parametrize(
    ("strategy", "first"),
    [
        ("priority", "clever"),
        ("smart", "clever"),
        ("fast", "quick"),
        ("reliable", "clever"),
        ("balanced", "middle"),
        ("latency", "quick"),
        ("throughput", "quick"),
    ],
)
def test_without_measurements_the_declared_ranks_decide(strategy: str, first: str) -> None:
    models = {one.id: (one, NOTHING) for one in (UNKNOWN, QUICK, MIDDLE, CLEVER)}
    assert order(strategy, models)[0] == first


@pytest.mark.parametrize(
    ("strategy", "better", "worse"),
    [
        ("fast", known(first_token=0.2), known(first_token=5.0)),
        ("fast", known(tokens_per_second=500.0), known(tokens_per_second=20.0)),
        ("latency", known(first_token=0.2), known(first_token=5.0)),
        ("throughput", known(tokens_per_second=500.0), known(tokens_per_second=20.0)),
        ("reliable", known(), known(success=0.5)),
        ("reliable", known(), NOTHING),
        ("reliable", NOTHING, known(success=0.5)),
        ("smart", known(), known(success=0.5)),
        ("balanced", known(), known(success=0.5)),
        ("balanced", known(left=lambda: 1.0), known(left=lambda: 0.0)),
    ],
)
def test_what_was_measured_decides_between_models_that_are_declared_alike(
    strategy: str, better: Measured, worse: Measured
) -> None:
    one, two = (
        model("one", intelligence_rank=5, speed_rank=5),
        model("two", intelligence_rank=5, speed_rank=5),
    )
    assert order(strategy, {"worse": (two, worse), "better": (one, better)}) == ["better", "worse"]


def test_smart_prefers_quality_until_it_fails_too_often() -> None:
    second = model("second", intelligence_rank=4)
    assert (
        order("smart", {"clever": (CLEVER, known(success=0.9)), "second": (second, known())})[0] == "clever"
    )
    assert (
        order("smart", {"clever": (CLEVER, known(success=0.2)), "second": (second, known())})[0] == "second"
    )


def test_fast_believes_measurements_over_ranks() -> None:
    slow = known(first_token=20.0, tokens_per_second=5.0)
    swift = known(first_token=0.1, tokens_per_second=400.0)
    assert order("fast", {"quick": (QUICK, slow), "clever": (CLEVER, swift)})[0] == "clever"


def test_a_success_rate_is_usual_until_attempts_speak() -> None:
    assert success(NOTHING) == 0.95
    assert success(known(success=0.0, attempts=5.0)) == pytest.approx(0.475)
    assert success(known(success=1.0, attempts=1e6)) == pytest.approx(1.0)


FIGURES = st.builds(
    Measured,
    first_token=st.none() | st.floats(0, 1_000),
    tokens_per_second=st.none() | st.floats(0.01, 5_000),
    success=st.none() | st.floats(0, 1),
    answers=st.floats(0, 30),
    attempts=st.floats(0, 30),
)
MODELS = st.builds(
    lambda intelligence, speed: model("m", intelligence_rank=intelligence, speed_rank=speed),
    st.none() | st.integers(1, 60),
    st.none() | st.integers(1, 20),
)


@given(MODELS, FIGURES)
def test_every_scale_is_from_0_to_1(declared: Model, measured: Measured) -> None:
    for scale in SCALES.values():
        assert 0.0 <= scale(declared, measured) <= 1.0


@given(MODELS, FIGURES, st.floats(0, 1))
def test_more_success_is_never_worse(declared: Model, measured: Measured, rate: float) -> None:
    worse = Measured(success=rate * 0.9, attempts=measured.attempts)
    better = Measured(success=rate, attempts=measured.attempts)
    for name in ("smart", "reliable", "balanced"):
        place = [weighted(WEIGHTS[name], lambda _, __, m=m: m)("lab", declared) for m in (better, worse)]  # type: ignore[misc]
        assert place[0] <= place[1]


def test_weights_are_checked() -> None:
    with pytest.raises(ValidationError, match="give at least one of intelligence, speed"):
        Weights()
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Weights(speed=-1)


def test_only_the_proportions_of_weights_matter() -> None:
    once, twice = (weighted(Weights(speed=n, quota=2 * n), lambda _, __: known()) for n in (1, 2))
    assert once("lab", MIDDLE) == pytest.approx(twice("lab", MIDDLE))


class TestGathered:
    def ask(self, register: Any, measured: Any) -> None:
        for name, strategy in offered(measured).items():
            register(name, strategy)

    def gathered(self, own: dict[str, Weights], default: str) -> list[str]:
        return list(gathered(self.ask, lambda _, __: NOTHING, own, default))

    def test_are_those_of_plugins_and_of_the_settings(self) -> None:
        assert self.gathered({"mine": Weights(quota=1)}, "mine") == ["priority", *WEIGHTS, "mine"]

    def test_have_names_of_their_own(self) -> None:
        with pytest.raises(SettingsError, match=r"strategies\.fast: there is a strategy of that name"):
            self.gathered({"fast": Weights(quota=1)}, "fast")

    def test_hold_the_one_that_auto_stands_for(self) -> None:
        with pytest.raises(SettingsError, match="there is no strategy 'fats'; near it are fast"):
            self.gathered({}, "fats")


class TestGauge:
    def world(self) -> World:
        return World(
            provider("one", [model("a")], [quota(10), quota(100, window=86_400.0), quota(None, "tokens")]),
            keys=[key("one", "k1"), key("one", "k2")],
        )

    def test_tells_the_scarcest_quota_of_the_key_that_has_most(self) -> None:
        world = self.world()
        entry = world.entry("one/a")
        assert quota_left(entry, START) == 1.0
        first, second = entry.routes
        for _ in range(5):
            assert world.ledger.reserve(first.shares, Demand(1, 1, 1), START)
        assert quota_left(entry, START) == 1.0
        for _ in range(2):
            assert world.ledger.reserve(second.shares, Demand(1, 1, 1), START)
        assert quota_left(entry, START) == 0.8
        assert quota_left(entry, START + 90) == 0.98  # the minute is over, the day is not

    def test_knows_nothing_of_strangers(self) -> None:
        assert Gauge(lambda: START)("one", model("a")) == NOTHING

    def test_tells_what_was_measured(self) -> None:
        world = self.world()
        world.entry("one/a").track.answered(2.0, 1.0, 50, START)
        measured = world.gauge("one", model("a"))
        assert (measured.first_token, measured.tokens_per_second, measured.quota_left) == (1.0, 50.0, 1.0)


def test_a_strategy_is_a_function_of_a_provider_and_a_model() -> None:
    strategy: Strategy = offered(lambda _, __: NOTHING)["priority"]
    assert strategy("lab", CLEVER) == 1
