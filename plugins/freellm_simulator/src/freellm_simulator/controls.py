"""`/sim/*`: the clock, the faults and what has happened so far."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import orjson
from aiohttp import web

from freellm_simulator.exchange import Json
from freellm_simulator.faults import DELIVERIES, REFUSALS, Fault
from freellm_simulator.quotas import Standing
from freellm_simulator.server import Desk

_Action = Callable[[Json], Json]


def add_controls(app: web.Application, desk: Desk) -> None:
    """Add the routes under `/sim`."""
    controls = _Controls(desk)
    for method, path, action in (
        ("GET", "/sim/state", controls.state),
        ("POST", "/sim/clock", controls.advance),
        ("POST", "/sim/reset", controls.reset),
        ("GET", "/sim/faults", controls.faults),
        ("POST", "/sim/faults", controls.add_fault),
        ("DELETE", "/sim/faults", controls.clear_faults),
    ):
        app.router.add_route(method, path, _handler(action))


def _handler(action: _Action) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            raw = await request.read()
            body = orjson.loads(raw) if raw else {}
            if not isinstance(body, dict):
                raise ValueError("the body is not a JSON object")
            return _json(action(body))
        except (ValueError, TypeError) as error:
            return _json({"error": str(error)}, 400)

    return handle


def _json(value: Json, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


class _Controls:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def state(self, body: Json) -> Json:
        return state(self._desk)

    def advance(self, body: Json) -> Json:
        seconds = body.get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
            raise ValueError('the body is {"advance": seconds}')
        self._desk.clock.advance(seconds)
        return {"now": self._desk.clock.now()}

    def reset(self, body: Json) -> Json:
        self._desk.forget()
        return self.state(body)

    def faults(self, body: Json) -> Json:
        known = {**dict.fromkeys(REFUSALS, "refuses"), **DELIVERIES}
        return {"pending": [asdict(fault) for fault in self._desk.faults.pending], "known": known}

    def add_fault(self, body: Json) -> Json:
        fault = Fault(**body)
        if fault.provider not in self._desk.worlds:
            raise ValueError(f"unknown provider {fault.provider!r}; known: {', '.join(self._desk.worlds)}")
        self._desk.faults.add(fault)
        return self.faults(body)

    def clear_faults(self, body: Json) -> Json:
        self._desk.faults.clear()
        return self.faults(body)


def state(desk: Desk) -> Json:
    """Return everything a judge may want to know, without any key: accounts are fingerprints of keys."""
    now = desk.clock.now()
    return {
        "seed": desk.seed,
        "now": now,
        "requests": [
            {"provider": provider, "model": model, "status": status, "reason": reason, "count": count}
            for (provider, model, status, reason), count in sorted(desk.answered.items())
        ],
        "disconnected": [
            {"provider": provider, "model": model, "count": count}
            for (provider, model), count in sorted(desk.disconnected.items())
        ],
        "quotas": [_quota(provider, standing) for provider, standing in desk.quotas.all_standings(now)],
        "faults": [asdict(fault) for fault in desk.faults.pending],
    }


def _quota(provider: str, standing: Standing) -> Json:
    return {
        "provider": provider,
        "account": standing.account,
        "model": standing.limit.pool,
        "unit": standing.limit.unit,
        "window": standing.limit.window,
        "limit": standing.limit.limit,
        "used": standing.used,
        "resets_in": standing.resets_in,
    }
