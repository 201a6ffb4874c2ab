"""What the tests of the API have in common: a browser on a proxy whose providers are simulated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dashboards import Browser, signed_in
from endpoints import Endpoint, serving
from freellm_simulator import Simulation

PROVIDERS = ("groq", "cloudflare", "mistral")


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """Every provider, simulated, answering at once."""
    async with Simulation(speed=0) as made:
        yield made


@pytest.fixture
async def browser(tmp_path: Path, simulation: Simulation) -> AsyncIterator[Browser]:
    """A browser that is signed in, on a proxy with three providers and a key for each."""
    urls = {name: simulation.base_urls[name] for name in PROVIDERS}
    async with signed_in(tmp_path, base_urls=urls) as made:
        yield made


@pytest.fixture
async def plain_browser(tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser that is signed in, on a proxy whose only provider answers at once."""
    async with (
        serving(Endpoint()) as endpoint,
        signed_in(tmp_path, base_urls={"groq": f"{endpoint.url}/v1"}) as made,
    ):
        yield made
