"""One refusal closes the pool that is spent: every quota of every simulated service, seen through the whole proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from freellm.providers import load_providers
from freellm_simulator import Simulation
from freellm_simulator.clock import VirtualClock
from freellm_simulator.quotas import Booking, Limit
from freellm_simulator.worlds import load_worlds
from running import RunningProxy, running_proxy

WORLDS = load_worlds()
PROVIDERS = {provider.name: provider for provider in load_providers(list(WORLDS))[0]}
MINUTE, MONTH = 60.0, 32 * 86_400.0


@dataclass(frozen=True)
class Case:
    """A quota that a simulated service enforces.

    :param model: a model that spends from it
    :param other: another model, which spends from it too if it is `shared`
    """

    provider: str
    limit: Limit
    model: str
    other: str | None
    shared: bool

    def __str__(self) -> str:
        return f"{self.provider} {self.limit.unit} {self.limit.window:g} {self.limit.pool[:20]}"


def cases() -> list[Case]:
    found: dict[object, Case] = {}
    for name, world in WORLDS.items():
        declared = {model.id for model in PROVIDERS[name].models if model.enabled_by_default}
        served = [
            facts
            for facts in world.served(False)
            if facts.id in declared and not facts.dimensions and "licence" not in facts.quirks
        ]
        for facts in served:
            for limit in facts.limits:
                sharing = [one.id for one in served if one is not facts and limit in one.limits]
                others = [one.id for one in served if one is not facts and limit not in one.limits]
                own = limit.pool == facts.id
                other = next(iter(sharing or others), None)
                kind = (name, limit.unit, limit.window, "own" if own else limit.pool)
                found.setdefault(kind, Case(name, limit, facts.id, other, bool(sharing)))
    return list(found.values())


CASES = cases()


class HandClock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


class Scene:
    """A proxy with one provider, its service, and the time of both."""

    def __init__(self, proxy: RunningProxy, simulation: Simulation, clock: HandClock, provider: str) -> None:
        self.proxy, self.simulation, self.clock, self.provider = proxy, simulation, clock, provider

    async def ask(self, model: str) -> int:
        response = await self.proxy.chat(f"{self.provider}/{model}")
        return response.status

    def asked(self) -> int:
        """Return how many requests the service has seen."""
        return sum(row["count"] for row in self.simulation.state()["requests"])

    def spend(self, limit: Limit) -> Booking:
        """Use up all that is left of a quota, as another program with the same key would."""
        desk = self.simulation._desk
        account = next(row["account"] for row in self.simulation.state()["quotas"])
        now = desk.clock.now()
        (standing,) = desk.quotas.standings(self.provider, account, [limit], now)
        left = limit.limit - standing.used
        booking = desk.quotas.admit(self.provider, account, [limit], {limit.charge: left}, now)
        assert isinstance(booking, Booking)
        if limit.charge == "after":
            booking.settle({limit.unit: left})
        return booking


@asynccontextmanager
async def scene(folder: Path, provider: str) -> AsyncIterator[Scene]:
    clock, proxies = HandClock(), list[RunningProxy]()
    services = VirtualClock(wall=lambda: proxies[0].runtime.clock.now())
    async with (
        Simulation(speed=0, clock=services) as simulation,
        running_proxy(
            folder,
            {provider: simulation.base_urls[provider]},
            keys={provider: [simulation.keys[provider]]},
            load_plugins=[provider],
            max_wait=0,
            monotonic=clock,
        ) as proxy,
    ):
        proxies.append(proxy)
        yield Scene(proxy, simulation, clock, provider)


def test_every_service_that_has_quotas_has_cases() -> None:
    assert {case.provider for case in CASES} == {
        name for name, world in WORLDS.items() if any(facts.limits for facts in world.served(False))
    }
    assert len(CASES) >= 30


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_one_refusal_closes_the_pool_until_it_opens_and_nothing_else(
    tmp_path: Path, case: Case
) -> None:
    async with scene(tmp_path, case.provider) as it:
        assert await it.ask(case.model) == 200
        it.clock.time += MINUTE + 1
        spent = it.spend(case.limit)
        before = it.asked()
        assert await it.ask(case.model) == 429
        assert it.asked() == before + 1, "one request finds out that the quota is spent"
        for _ in range(3):
            assert await it.ask(case.model) == 429
        if case.other is not None and case.shared:
            assert await it.ask(case.other) == 429
        assert it.asked() == before + 1, "nobody is asked while the pool is known to be spent"
        if case.other is not None and not case.shared:
            assert await it.ask(case.other) == 200, "a model with a quota of its own stays open"
        if case.limit.unit == "concurrent":
            spent.settle({})
        it.clock.time += min(case.limit.window * 1.1, MONTH) + MINUTE
        assert await it.ask(case.model) == 200, "it opens again"
