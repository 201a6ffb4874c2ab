"""One contender's day: requests arrive, are routed, and are judged by the services' own books."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from freellm.runtime import LOOK_EVERY, Runtime
from freellm.settings import load_settings
from freellm_simulator.clock import VirtualClock
from freellm_simulator.days import virtual
from freellm_simulator.days.contenders import Contender, Freellm, add_keys
from freellm_simulator.days.measure import Tally
from freellm_simulator.days.oracle import Oracle, models, needs_of, prompt_of
from freellm_simulator.days.rival import Rival
from freellm_simulator.days.services import Services
from freellm_simulator.days.traffic import Arrival, arrivals
from freellm_simulator.days.transport import LocalClient
from freellm_simulator.server import Desk

START = 1_795_593_600.0
"""Unix time at which simulated days begin: 2026-11-25, 08:00 UTC, midnight in California."""

CONTENDERS = ("freellm", "rival", "oracle")
"""Who routes: freellm, the policy it is compared with, and the measure of what is possible."""

LEAST_OUTPUT = 512
"""Tokens of an answer that a model must have room for to count as open: nobody knows beforehand how many it takes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate.

    :param days: how long
    :param per_minute: requests a minute on average
    :param seed: the same seed gives the same traffic and the same answers
    """

    days: float
    per_minute: float
    seed: int


class _Day:
    """The services of one contender's run, and freellm set up against them.

    :param folder: freellm's data folder
    :param tally: counts what is asked and refused
    """

    def __init__(self, plan: Plan, folder: Path, tally: Tally) -> None:
        loop = asyncio.get_running_loop()
        self.plan = plan
        clock = VirtualClock(wall=lambda: START + loop.time())
        self.services = Services(Desk(seed=plan.seed, speed=1.0, include_retired=False, clock=clock))
        self.prefixes: dict[str, tuple[str, str]] = {}

        def note(provider: str, status: int) -> None:
            tally.asked += 1
            tally.refused += status == 429

        client = LocalClient(self.services, self.prefixes, note)
        settings = load_settings({}, {"data_dir": folder / "data", "config_dir": folder / "config"})
        self.runtime = Runtime(settings, {}, wall=clock.now, monotonic=loop.time, client=client)
        worlds = self.services.desk.worlds
        add_keys(self.runtime, {name: world.key for name, world in worlds.items()})
        for provider in self.runtime.providers:
            base_url = provider.info.base_url
            self.prefixes[base_url] = (provider.name, urlsplit(base_url).path.rstrip("/"))
        self.models = list(models(self.runtime, self.services))

    def has_room(self, arrival: Arrival) -> bool:
        """Tell whether, by the services' own books, any model could have taken a request."""
        prompt, needed = prompt_of(arrival), needs_of(arrival)
        most = arrival.fields.get("max_tokens") or LEAST_OUTPUT
        return any(
            self.services.room(
                facts.provider, self.services.accounts.get(facts.provider, ""), facts, prompt, most
            )
            for entry, facts in self.models
            if not needed & ~entry.mask
        )


async def _play(day: _Day, contender: Contender, tally: Tally) -> None:
    """Let the requests come; each is served beside the others, as a server does."""
    loop = asyncio.get_running_loop()
    start = loop.time()

    async def one(arrival: Arrival) -> None:
        outcome = await contender.serve(arrival)
        tally.add(arrival.kind, outcome, room=outcome.entry is None and day.has_room(arrival))

    looking = asyncio.create_task(_look(day.runtime))
    async with asyncio.TaskGroup() as under_way:
        for arrival in arrivals(day.plan.seed, day.plan.days, day.plan.per_minute):
            if (wait := start + arrival.at - loop.time()) > 0:
                await asyncio.sleep(wait)
            under_way.create_task(one(arrival))
    looking.cancel()


async def _look(runtime: Runtime) -> None:
    """Take over what freellm finds out about quotas as often as a server does."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        runtime.look()


def simulate(plan: Plan, contender: str) -> Tally:
    """Run one contender's day.

    :param contender: one of `CONTENDERS`
    """
    with tempfile.TemporaryDirectory(prefix="freellm-day-") as folder:
        return virtual.run(_simulate(plan, contender, Path(folder)))


async def _simulate(plan: Plan, contender: str, folder: Path) -> Tally:
    tally = Tally(contender)
    day = _Day(plan, folder, tally)
    try:
        chosen = _chosen(contender, day, tally)
        tally.name = chosen.name
        await _play(day, chosen, tally)
    finally:
        day.runtime.close()
    return tally


def _chosen(contender: str, day: _Day, tally: Tally) -> Contender:
    if contender == "rival":
        return Rival(day.runtime, day.services, day.prefixes, tally)
    return Oracle(day.runtime, day.services) if contender == "oracle" else Freellm(day.runtime)
