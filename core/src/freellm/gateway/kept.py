"""Opaque state that providers need back on a later turn and that clients drop, such as thought signatures."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

TTL = 1800.0
"""Seconds an entry is kept."""

MOST = 10_000
"""Entries kept; the oldest goes first."""


class Kept:
    """State by entry (provider and model) and tool call id: another route gets none of it."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, str], tuple[float, Any]] = OrderedDict()

    def keep(self, entry: str, states: Mapping[str, Any], now: float) -> None:
        """Remember what a normalizer returned as `keep`."""
        for tool_call_id, state in states.items():
            self._entries[entry, tool_call_id] = (now + TTL, state)
            self._entries.move_to_end((entry, tool_call_id))
        while len(self._entries) > MOST:
            self._entries.popitem(last=False)

    def find(self, entry: str, tool_call_ids: Sequence[str], now: float) -> dict[str, Any]:
        """Return what is known of these tool calls and has not run out."""
        found = {}
        for tool_call_id in tool_call_ids:
            known = self._entries.get((entry, tool_call_id))
            if known is not None and known[0] > now:
                found[tool_call_id] = known[1]
        return found
