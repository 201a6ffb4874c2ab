"""One module per provider's wire, named as the provider, and the contract they keep.

A provider is simulated when `worlds/` has its file; the module of the same name here offers its `wire`.
"""

from importlib import import_module

from freellm_simulator.wires.contract import Wire
from freellm_simulator.worlds import simulated

__all__ = ["WIRES", "Wire"]

WIRES: tuple[Wire, ...] = tuple(import_module(f"{__name__}.{provider}").wire for provider in simulated())
