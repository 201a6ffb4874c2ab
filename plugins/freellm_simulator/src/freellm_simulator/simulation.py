"""A running simulator: started and stopped in the caller's event loop, one port, all providers."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from aiohttp import web

from freellm_simulator.clock import VirtualClock
from freellm_simulator.controls import add_controls, state
from freellm_simulator.exchange import Json
from freellm_simulator.faults import Fault, Faults
from freellm_simulator.server import Desk, create_app

_GRACE = 0.5
"""Seconds that answers under way get when the simulator stops."""


class Simulation:
    """Every provider, simulated: real quotas, wires and faults, no key and no network.

        async with Simulation(speed=0) as simulation:
            url = simulation.base_urls["groq"]

    :param seed: the same seed and the same request give the same answer
    :param speed: factor on all waiting; 0 answers at once, 1 feels like the real services, 2 takes twice as long
    :param include_retired: whether the demo's retired models answer
    :param clock: tells the time that quotas go by; the wall clock unless stated
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        speed: float = 1.0,
        include_retired: bool = False,
        clock: VirtualClock | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self._desk = Desk(seed=seed, speed=speed, include_retired=include_retired, clock=self.clock)
        self._runner: web.AppRunner | None = None
        self._url = ""

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Listen. Port 0 takes any free one.

        :raises OSError: when the port is taken
        """
        app = create_app(self._desk)
        add_controls(app, self._desk)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_GRACE)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._url = f"http://{host}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening and break off what is under way. Stopping twice is no mistake."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        return self._runner is not None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where it listens; `/sim/state` is below it."""
        return self._url

    @property
    def base_urls(self) -> dict[str, str]:
        """What each provider's base URL has to be set to."""
        return {
            provider: f"{self._url}/{provider}{world.base_path}"
            for provider, world in self._desk.worlds.items()
        }

    @property
    def keys(self) -> dict[str, str]:
        """A key that works, per provider, in its one-line form."""
        return {provider: world.key for provider, world in self._desk.worlds.items()}

    @property
    def environment(self) -> dict[str, str]:
        """The environment variable that such a key is usually in, per provider."""
        return {provider: world.environment for provider, world in self._desk.worlds.items()}

    @property
    def models(self) -> list[tuple[str, str]]:
        """The retired models that answer here, as (provider, model): off by default, so switch them on."""
        return [
            (provider, facts.id)
            for provider in self._desk.worlds
            for facts in self._desk.served(provider)
            if facts.demo
        ]

    @property
    def faults(self) -> Faults:
        """The faults still to come."""
        return self._desk.faults

    def fail(self, provider: str, fault: str, **details: object) -> None:
        """Let a fault come.

        :param details: the other fields of `Fault`
        :raises ValueError: when a field is not what it should be
        """
        self._desk.faults.add(Fault(provider=provider, fault=fault, **details))  # type: ignore[arg-type]

    def state(self) -> Json:
        """Return what `GET /sim/state` answers."""
        return state(self._desk)

    def reset(self) -> None:
        """Start over, as `POST /sim/reset` does."""
        self._desk.forget()
