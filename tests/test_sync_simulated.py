"""Every provider's own list, as its service is simulated, says what its package declares."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from commandline import Commandline
from freellm_simulator.simulation import Simulation
from running import running_proxy


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation(speed=0) as running:
        yield running


async def test_a_sync_with_what_is_simulated_changes_nothing(simulation: Simulation, tmp_path: Path) -> None:
    variables = {
        f"FREELLM_{name.upper().replace('-', '_')}_BASE_URL": url
        for name, url in simulation.base_urls.items()
    }
    # Those that answer without a key have lists, too.
    line = Commandline(tmp_path, FREELLM_LOAD_PLUGINS=",".join(simulation.base_urls), **variables)
    async with running_proxy(
        tmp_path, simulation.base_urls, keys={n: [k] for n, k in simulation.keys.items()}
    ):
        document = await asyncio.to_thread(line.document, "models", "sync")
    asked = {report["provider"]: report for report in document["providers"]}
    assert asked.keys() == simulation.base_urls.keys()
    assert asked.pop("github")["problem"] == "it answered with status 410"  # the service is no more
    for name, report in asked.items():
        assert report["listed"], name
        assert report["problem"] == "", name
        assert [change for change in report["changes"] if change["kind"] != "new"] == [], name
