"""Core's own plugins: the OpenAI surface, and answers to the broadcast hooks that must have one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from freellm.hookspecs import hookimpl
from freellm.ledger import Ledger
from freellm.strategies import Gauging, Strategy, offered
from freellm.surfaces.insight import InsightSurface
from freellm.surfaces.openai import OpenAISurface


class Core:
    """What every installation has."""

    @hookimpl
    def register_strategies(self, register: Callable[[str, Strategy], None], measured: Gauging) -> None:
        """Offer the orders every installation has."""
        for name, strategy in offered(measured).items():
            register(name, strategy)

    @hookimpl(trylast=True)
    def create_ledger(self) -> Ledger:
        """Keep the books in this process."""
        return Ledger()


BUILT_IN: Final = (("openai", OpenAISurface()), ("insight", InsightSurface()), ("core", Core()))
"""Their names and the objects."""
