"""The simulated services as data: what `worlds.toml` says of each provider and model."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from freellm_simulator.exchange import RefusedError
from freellm_simulator.quotas import DAY, MINUTE, Charge, Limit, Reset

DEFAULT_CONTEXT = 131_072
"""Tokens, for models whose context is not known."""

_LIMITS: tuple[tuple[str, str, float], ...] = (
    ("rpm", "requests", MINUTE),
    ("rpd", "requests", DAY),
    ("tpm", "tokens", MINUTE),
    ("tpd", "tokens", DAY),
    ("neurons", "neurons", DAY),
)
"""Name in the file, unit, window. Refusals name the first one that is spent, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One model of one service.

    :param neurons: neurons per million tokens of input and of output
    :param efforts: the values its reasoning switch takes; none: it does not reason
    :param quirks: names of oddities its wire knows
    :param limits: the quotas it spends from
    """

    provider: str
    id: str
    context: int = DEFAULT_CONTEXT
    max_output: int | None = None
    neurons: tuple[float, float] = (0.0, 0.0)
    abilities: frozenset[str] = frozenset()
    efforts: tuple[str, ...] = ()
    quirks: frozenset[str] = frozenset()
    retired: str | None = None
    paid_only: bool = False
    demo: bool = False
    limits: tuple[Limit, ...] = ()

    @property
    def label(self) -> str:
        """The name the model gives itself in its answers."""
        return f"{self.provider}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One simulated service.

    :param base_path: the part of the real base URL's path that stays behind the provider's prefix
    :param key: a key that works, in the provider's one-line form
    :param first_byte: seconds until the first byte, from and to
    :param tokens_per_second: how fast it writes, from and to
    """

    provider: str
    title: str
    base_path: str
    key: str
    first_byte: tuple[float, float]
    tokens_per_second: tuple[float, float]
    models: Mapping[str, Facts] = field(default_factory=dict)

    def served(self, include_retired: bool) -> tuple[Facts, ...]:
        """Return the models that answer."""
        return tuple(
            facts
            for facts in self.models.values()
            if not facts.paid_only and (facts.retired is None or (facts.demo and include_retired))
        )

    def find(self, model: str, include_retired: bool) -> Facts:
        """Return a model that answers.

        :raises RefusedError: when it is unknown, gone, or not free
        """
        facts = self.models.get(model)
        if facts is None:
            raise RefusedError("unknown_model", model=model)
        if facts.retired and not (facts.demo and include_retired):
            raise RefusedError("retired_model", model=model)
        if facts.paid_only:
            raise RefusedError("paid_model", model=model)
        return facts


def load_worlds() -> dict[str, World]:
    """Read `worlds.toml`."""
    raw = tomllib.loads(resources.files(__package__).joinpath("worlds.toml").read_text("utf-8"))
    return {provider: _world(provider, table) for provider, table in raw.items()}


def _world(provider: str, table: dict[str, Any]) -> World:
    shared = _limits(table.get("shared", {}), table, "*")
    models = {row["id"]: _facts(provider, row, table, shared) for row in table["models"]}
    fields = ("title", "base_path", "key", "first_byte", "tokens_per_second")
    return World(provider=provider, models=models, **{name: _frozen(table[name]) for name in fields})


def _facts(provider: str, row: dict[str, Any], table: dict[str, Any], shared: tuple[Limit, ...]) -> Facts:
    figures = {**table.get("assumed", {}), **row}
    own = _limits({name: figures[name] for name, _, _ in _LIMITS[:4] if name in figures}, table, row["id"])
    known = {name: _frozen(row[name]) for name in row if name not in {"rpm", "rpd", "tpm", "tpd"}}
    for name in ("abilities", "quirks"):
        known[name] = frozenset(row.get(name, ()))
    return Facts(provider=provider, limits=own + shared, **known)


def _limits(figures: dict[str, float], table: dict[str, Any], pool: str) -> tuple[Limit, ...]:
    charges: dict[str, Charge] = {"tokens": table.get("token_charge", "after"), "neurons": "after"}
    reset: Reset = table["day_clock"]
    return tuple(
        Limit(
            unit=unit,
            limit=figures[name],
            window=window,
            reset=reset if window == DAY else "rolling",
            charge=charges.get(unit, "request"),
            pool=pool,
        )
        for name, unit, window in _LIMITS
        if name in figures
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
