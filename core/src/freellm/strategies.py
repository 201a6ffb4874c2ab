"""Strategies: orders of models by what is declared and what was measured. Pure.

A strategy is a table of weights. Each scale says with a figure from 0 to 1 how good a model is at one thing; the weights
say how much each thing counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from pydantic import Field, model_validator

from freellm.catalogue import UNRANKED
from freellm.declarations import Declaration, Model
from freellm.errors import SettingsError
from freellm.measurements import Measured
from freellm.profiles import near

Strategy: TypeAlias = Callable[[str, Model], float]
"""An order of models: from a provider's name and a model to its place; lower is tried earlier."""

Gauging: TypeAlias = Callable[[str, Model], Measured]
"""Says what is known at the moment of a provider's model."""

PRIORITY: Final = "priority"
"""The strategy that is the fallback order itself."""

_WORST_INTELLIGENCE, _WORST_SPEED = 40, 12
"""Ranks at which intelligence counts nothing, and as which a model without a speed rank counts."""

_FIRST_TOKEN: Final = tuple(0.3 * 1.25**rank for rank in range(_WORST_SPEED))
_PER_TOKEN: Final = tuple(1.4**rank / 400.0 for rank in range(_WORST_SPEED))
"""Seconds to the first token and for each from then on, by speed rank, the best first; guesses, until measured."""

_ANSWER: Final = 200
"""Tokens of the answer whose time is compared."""

_ANSWERS_BELIEVED, _ATTEMPTS_BELIEVED, _USUAL_SUCCESS = 1.0, 5.0, 0.95
"""How many answers the declared speed weighs, how many attempts the usual success does, and what that is; guesses."""

_TIE: Final = 1e-6
"""The weight of intelligence that decides between equals."""


def first_token(model: Model, measured: Measured) -> float:
    """Return the seconds to the first token: as measured, at first as the declared speed rank makes one guess."""
    return _blended(_FIRST_TOKEN[_speed_place(model)], measured.first_token, measured.answers)


def seconds_per_token(model: Model, measured: Measured) -> float:
    """Return the seconds for each token from then on; see `first_token`."""
    rate = measured.tokens_per_second
    return _blended(_PER_TOKEN[_speed_place(model)], 1.0 / rate if rate else None, measured.answers)


def success(measured: Measured) -> float:
    """Return the share of attempts that are answered: as measured, at first as is usual."""
    if measured.success is None:
        return _USUAL_SUCCESS
    good = measured.success * measured.attempts + _USUAL_SUCCESS * _ATTEMPTS_BELIEVED
    return good / (measured.attempts + _ATTEMPTS_BELIEVED)


def _speed_place(model: Model) -> int:
    return min(model.speed_rank or _WORST_SPEED, _WORST_SPEED) - 1


def _blended(guess: float, measured: float | None, answers: float) -> float:
    if measured is None:
        return guess
    return (guess * _ANSWERS_BELIEVED + measured * answers) / (_ANSWERS_BELIEVED + answers)


def _intelligence(model: Model, measured: Measured) -> float:
    return max(0.0, 1.0 - ((model.intelligence_rank or UNRANKED) - 1) / _WORST_INTELLIGENCE)


def _speed(model: Model, measured: Measured) -> float:
    return 5.0 / (5.0 + first_token(model, measured) + _ANSWER * seconds_per_token(model, measured))


SCALES: Final[Mapping[str, Callable[[Model, Measured], float]]] = {
    "intelligence": _intelligence,
    "speed": _speed,
    "latency": lambda model, measured: 1.0 / (1.0 + first_token(model, measured)),
    "throughput": lambda model, measured: 1.0 / (1.0 + 60.0 * seconds_per_token(model, measured)),
    "reliability": lambda model, measured: success(measured),
    "quota": lambda model, measured: measured.quota_left,
}
"""What can be weighed: each says from 0 to 1 how good a model is at it."""


class Weights(Declaration):
    """How much each thing counts in an order of models. Only their proportions matter.

    :param intelligence: the declared rank
    :param speed: seconds for an answer of 200 tokens, measured; until then by the declared rank
    :param latency: seconds to the first token, likewise
    :param throughput: tokens per second from then on, likewise
    :param reliability: the share of attempts that were answered
    :param quota: the share of the scarcest quota that is left
    """

    intelligence: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    speed: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    latency: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    throughput: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    reliability: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    quota: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _something_counts(self) -> Weights:
        if not any(getattr(self, name) for name in SCALES):
            raise ValueError(f"give at least one of {', '.join(SCALES)} a weight above 0")
        return self


WEIGHTS: Final[Mapping[str, Weights]] = {
    "smart": Weights(intelligence=3, reliability=1),
    "fast": Weights(speed=4, reliability=1),
    "reliable": Weights(reliability=1),
    "balanced": Weights(intelligence=2, speed=1, reliability=1, quota=0.5),
    "latency": Weights(latency=1),
    "throughput": Weights(throughput=1),
}
"""The strategies every installation has, besides `priority`."""


def priority(provider: str, model: Model) -> float:
    """Order models by intelligence, as the fallback chain does where nobody has placed them."""
    return model.intelligence_rank or UNRANKED


def by_speed_rank(provider: str, model: Model) -> float:
    """Order models by declared speed, then by intelligence."""
    return (model.speed_rank or UNRANKED) * UNRANKED + (model.intelligence_rank or UNRANKED)


def weighted(weights: Weights, measured: Gauging) -> Strategy:
    """Return the strategy that weighs models so.

    :param measured: says what is known of a model
    """
    counting: list[tuple[Callable[[Model, Measured], float], float]] = [
        (scale, getattr(weights, name)) for name, scale in SCALES.items() if getattr(weights, name)
    ]
    total = sum(weight for _, weight in counting)

    def place(provider: str, model: Model) -> float:
        known = measured(provider, model)
        score = sum([scale(model, known) * weight for scale, weight in counting])
        return -(score / total) - _TIE * _intelligence(model, known)

    return place


def offered(measured: Gauging) -> Mapping[str, Strategy]:
    """Return the strategies every installation has, by name."""
    return {PRIORITY: priority} | {name: weighted(weights, measured) for name, weights in WEIGHTS.items()}


def gathered(
    ask: Callable[[Callable[[str, Strategy], None], Gauging], None],
    measured: Gauging,
    own: Mapping[str, Weights],
    default: str,
) -> Mapping[str, Strategy]:
    """Return all strategies: those that plugins offer, and those of the settings.

    :param ask: asks the plugins; see the hook `register_strategies`
    :param measured: says what is known of a model
    :param own: those of the settings
    :param default: the one that `auto` is to stand for
    :raises SettingsError: when a name is given twice, or `auto` is to stand for nothing there is
    """
    found: dict[str, Strategy] = {}
    ask(found.__setitem__, measured)
    for name, weights in own.items():
        if name in found:
            raise SettingsError(f"strategies.{name}: there is a strategy of that name; call yours otherwise")
        found[name] = weighted(weights, measured)
    if default not in found:
        raise SettingsError(f"strategy: there is no strategy {default!r}{near(default, found)}")
    return found
