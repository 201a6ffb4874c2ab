"""Letting requests be served while something longer is made in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final, TypeVar

AT_ONCE: Final = 20
"""Rows that are made without a pause: half a millisecond at most."""

_Item = TypeVar("_Item")


async def unhurried(items: Iterable[_Item], at_once: int = AT_ONCE) -> AsyncIterator[_Item]:
    """Iterate, and let the event loop go on after every few.

    :param at_once: how many a few are
    """
    for number, item in enumerate(items, 1):
        yield item
        if number % at_once == 0:
            await asyncio.sleep(0)
