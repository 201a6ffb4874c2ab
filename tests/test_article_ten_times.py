"""The article's stress test, ten times with ten seeds of the simulator: minutes of real limits, which pass in moments.

Gateway, simulator and client are the real ones, with the simulator's real delays, in one event loop whose time is virtual.
In real time, `freellm serve --demo` with these two providers and `freellm stress` give the same phases.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from freellm.cli.stress.command import PROMPT
from freellm.cli.stress.firing import Load, fire
from freellm.measuring import Result, figures, phases
from freellm_simulator import Simulation
from freellm_simulator.clock import VirtualClock
from freellm_simulator.days.virtual import VirtualLoop
from running import UNIFIED, running_proxy

PROVIDERS = ("groq", "google")


async def stress(seed: int, folder: Path, **options: Any) -> list[Result]:
    """Run the article's stress test (100 requests, 0.2 s between them) on a proxy of its own."""
    loop = asyncio.get_running_loop()
    start = time.time() - loop.time()
    clock = VirtualClock(wall=lambda: start + loop.time())
    results: list[Result] = []
    async with (
        Simulation(seed=seed, include_retired=True, clock=clock) as simulation,
        running_proxy(
            folder,
            {name: simulation.base_urls[name] for name in PROVIDERS},
            keys={name: [simulation.keys[name]] for name in PROVIDERS},
            models=[model for model in simulation.models if model[0] in PROVIDERS],
            monotonic=loop.time,
            **options,
        ) as proxy,
    ):
        load = Load(url=proxy.url, api_key=UNIFIED, model="auto", prompt=PROMPT, requests=100, delay=0.2)
        await fire(load, results.append)
    assert loop.time() > 100 * 0.2
    return results


def run(seed: int, folder: Path, **options: Any) -> list[Result]:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(stress(seed, folder, **options))


def test_a_thousand_of_a_thousand_succeed_and_at_the_first_attempt(tmp_path: Path) -> None:
    results = []
    for seed in range(10):
        ran = run(seed, tmp_path / str(seed))
        assert [result.message for result in ran if not result.succeeded] == []
        assert len(phases(ran)) >= 4, "quotas ran out and others took over"
        results += ran
    told = figures(results)
    assert told["succeeded"] == 1_000
    assert told["client_429s"] == 0
    assert told["fallback_attempts"][0] >= 990


def test_the_same_without_counting_meets_refusals(tmp_path: Path) -> None:
    """The limits are there: a proxy that takes its keys for unlimited ones runs into them."""
    told = figures(run(0, tmp_path, unlimited=True))
    assert told["upstream_429s"] > 0
    assert told["fallback_attempts"].get(0, 0) < 99
