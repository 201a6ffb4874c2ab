"""What is left over all providers, added up without holding requests up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from freellm.capacity import Summing, Totals, chats
from freellm_dashboard.pauses import unhurried

if TYPE_CHECKING:
    from freellm.catalogue import Route


async def remaining(routes: Iterable[Route], now: float) -> Totals:
    """Return what is left for what `auto` may ask, as `freellm.capacity.overview` does."""
    summing = Summing(now)
    async for route in unhurried(chats(routes)):
        summing.add(route)
    return summing.totals
