"""What is going on, as JSON: never what was said."""

from __future__ import annotations

from collections.abc import Iterable

from freellm.explanations import Cooldown
from freellm.gateway import Call
from freellm.ledger import Pool
from freellm.store import RequestRecord
from freellm.types import Json

_TOLD = (
    "id",
    "created",
    "surface",
    "requested",
    "provider",
    "model",
    "status",
    "error",
    "stream",
    "attempts",
    "input_tokens",
    "output_tokens",
    "estimated",
    "first_delta_ms",
    "duration_ms",
)


def under_way(call: Call) -> Json:
    """Describe a request that is being served."""
    return {
        "id": call.id,
        "surface": call.surface,
        "requested": call.model,
        "stream": call.request.stream,
        "since": call.started,
        "asking": None if call.asking is None else call.asking.entry.name,
        "failed_attempts": len(call.tried),
    }


def last(record: RequestRecord) -> Json:
    """Describe a request that is over."""
    return {name: getattr(record, name) for name in _TOLD}


def closed(pools: Iterable[Pool], now: float) -> list[Cooldown]:
    """Return the pools that their service called exhausted, the next to open first."""
    shut = sorted((p for p in pools if p.closed_until > now), key=lambda pool: pool.closed_until)
    return [
        Cooldown(what=f"pool {pool.identity}", kind="quota_exhausted", stated=True, until=pool.closed_until)
        for pool in shut
    ]
