"""The simulated services as data: what `worlds/` says of each provider and model, one file each.

The figures were written out from the fact base of 2026-11-23; they are the simulator's own, so that it can judge what
freellm declares. A model row: `rpm` and `rpd` requests a minute and a day, `tpm` and `tpd` tokens; a limit left out takes
the service's `assumed` one if the model chats, or there is none. `prices` are in units of the service's own: per request, and per million
tokens of input and of output. `efforts` are the values of the reasoning switch (for Google, which of its two switches the
model takes). A `retired` row is refused as the service refuses it; with --include-retired those marked `demo` are served
with the limits they had. `quotas` are shared by several models: `unit`, `limit`, `window` in seconds, `reset` unless it
is the service's `day_clock` (rolling below a day), and the `members` unless all are, or the `task` whose models are.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from freellm_simulator.exchange import RefusedError
from freellm_simulator.quotas import DAY, MINUTE, Charge, Limit, Reset

DEFAULT_CONTEXT = 131_072
"""Tokens, for models whose context is not known."""

_FOLDER = resources.files(__package__).joinpath("worlds")
_LIMITS: tuple[tuple[str, str, float], ...] = (
    ("rpm", "requests", MINUTE),
    ("rpd", "requests", DAY),
    ("tpm", "tokens", MINUTE),
    ("tpd", "tokens", DAY),
)
"""Name in the file, unit, window. Refusals name the first one that is spent, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One model of one service.

    :param prices: by unit: per request, and per million tokens of input and of output
    :param efforts: the values its reasoning switch takes; none: it does not reason
    :param dimensions: of the vectors it makes, the usual one first; none: it chats
    :param max_inputs: texts in one embeddings request at most
    :param quirks: names of oddities its wire knows
    :param limits: the quotas it spends from
    """

    provider: str
    id: str
    context: int = DEFAULT_CONTEXT
    max_output: int | None = None
    prices: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    abilities: frozenset[str] = frozenset()
    efforts: tuple[str, ...] = ()
    dimensions: tuple[int, ...] = ()
    max_inputs: int | None = None
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
    :param environment: the variable that such a key is usually in
    :param first_byte: seconds until the first byte, from and to
    :param tokens_per_second: how fast it writes, from and to
    """

    provider: str
    title: str
    base_path: str
    key: str
    environment: str
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


def simulated() -> list[str]:
    """Return the ids of the providers that have a file in `worlds/`, in their order."""
    return sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir())


def load_worlds() -> dict[str, World]:
    """Read the files of `worlds/`."""
    return {
        provider: _world(provider, tomllib.loads(_FOLDER.joinpath(f"{provider}.toml").read_text("utf-8")))
        for provider in simulated()
    }


def _world(provider: str, table: dict[str, Any]) -> World:
    models = {row["id"]: _facts(provider, row, table) for row in table["models"]}
    fields = ("title", "base_path", "key", "environment", "first_byte", "tokens_per_second")
    return World(provider=provider, models=models, **{name: _frozen(table[name]) for name in fields})


def _facts(provider: str, row: dict[str, Any], table: dict[str, Any]) -> Facts:
    task = "embeddings" if row.get("dimensions") else "chat"
    figures = {**(table.get("assumed", {}) if task == "chat" else {}), **row}
    own = tuple(
        _limit(table, {"unit": unit, "limit": figures[name], "window": window}, row["id"])
        for name, unit, window in _LIMITS
        if name in figures
    )
    shared = tuple(
        _limit(table, quota, ",".join(quota.get("members", (quota.get("task", "*"),))))
        for quota in table.get("quotas", ())
        if row["id"] in quota.get("members", (row["id"],)) and quota.get("task", task) == task
    )
    known = {name: _frozen(row[name]) for name in row if name not in {"rpm", "rpd", "tpm", "tpd", "prices"}}
    for name in ("abilities", "quirks"):
        known[name] = frozenset(row.get(name, ()))
    prices = {unit: _frozen(price) for unit, price in row.get("prices", {}).items()}
    return Facts(provider=provider, limits=own + shared, prices=prices, **known)


def _limit(table: dict[str, Any], quota: dict[str, Any], pool: str) -> Limit:
    unit, window = quota["unit"], quota.get("window", math.inf)
    charge: Charge = "request" if unit in ("requests", "concurrent") else "after"
    if unit == "tokens":
        charge = table.get("token_charge", "after")
    reset: Reset = quota.get("reset") or (table["day_clock"] if window >= DAY else "rolling")
    return Limit(
        unit=unit,
        limit=quota["limit"],
        window=window,
        reset="rolling" if unit == "concurrent" else reset,
        charge=charge,
        pool=pool,
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
