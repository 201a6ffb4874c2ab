from collections.abc import AsyncIterator

import aiohttp
import pytest

from freellm_simulator.clock import VirtualClock
from freellm_simulator.simulation import Simulation
from freellm_simulator.testing import NOON_UTC, Client


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    clock = VirtualClock(wall=lambda: NOON_UTC)
    async with Simulation(speed=0, clock=clock) as running:
        yield running


@pytest.fixture
async def client(simulation: Simulation) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(simulation, session)
