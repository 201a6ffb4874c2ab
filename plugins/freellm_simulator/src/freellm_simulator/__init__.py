"""Every provider of freellm, simulated: real quotas, wires and faults, no key and no network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from freellm import hookimpl

if TYPE_CHECKING:
    from freellm.panels import Panel
    from freellm_simulator.simulation import Simulation

__all__ = ["Plugin", "Simulation", "plugin"]


class Plugin:
    """The simulator as a plugin: it provides the demo's stand-ins of the providers, and shows what they counted."""

    def __init__(self) -> None:
        self._simulation: Simulation | None = None

    @hookimpl
    def serve_demo(self) -> Simulation:
        """Return a simulation that is yet to be started, with the retired models of the demo."""
        from freellm_simulator.simulation import Simulation

        self._simulation = Simulation(include_retired=True)
        return self._simulation

    @hookimpl
    def register_panels(self, register: Callable[[Panel], None]) -> None:
        """Show what the services counted, in a demo; without one that runs there is nothing to show."""
        if self._simulation is not None and self._simulation.is_running:
            from freellm_simulator.panel import panel_of

            register(panel_of(self._simulation))


plugin = Plugin()


def __getattr__(name: str) -> object:
    """Import `Simulation` when it is first asked for: a server without a demo does without its modules."""
    if name == "Simulation":
        from freellm_simulator.simulation import Simulation

        return Simulation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
