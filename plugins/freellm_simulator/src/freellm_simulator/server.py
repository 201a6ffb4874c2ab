"""All simulated providers behind one application, with what they remember: quotas, faults and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import orjson
from aiohttp import web

from freellm_simulator.clock import VirtualClock
from freellm_simulator.delivery import html_page
from freellm_simulator.embedding import embed
from freellm_simulator.exchange import Caller, RefusedError
from freellm_simulator.faults import Faults, refusal_of
from freellm_simulator.quotas import Quotas
from freellm_simulator.visit import Visit, read_json
from freellm_simulator.wires import WIRES, Wire
from freellm_simulator.wires.contract import SEED, EmbeddingWire
from freellm_simulator.worlds import Facts, load_worlds

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MOST_BYTES = 32 * 1024 * 1024
"""The largest request body; pictures are sent inline."""


class Desk:
    """What the simulated providers remember, and how they refuse.

    :param seed: the same seed and the same request give the same answer
    :param speed: factor on all waiting; 0 is none, 1 is as `worlds.toml` says
    :param include_retired: whether the retired models of the demo are served
    """

    def __init__(self, *, seed: int, speed: float, include_retired: bool, clock: VirtualClock) -> None:
        self.seed = seed
        self.speed = speed
        self.clock = clock
        self.worlds = load_worlds()
        self.quotas = Quotas()
        self.faults = Faults()
        self.answered: Counter[tuple[str, str, int, str]] = Counter()
        self.disconnected: Counter[tuple[str, str]] = Counter()
        self.agreed: set[tuple[str, str, str]] = set()
        self._include_retired = include_retired

    def forget(self) -> None:
        """Start over: nothing is spent, counted or agreed to, no fault is to come, the clock is the wall's."""
        self.quotas = Quotas()
        self.faults.clear()
        self.answered.clear()
        self.disconnected.clear()
        self.agreed.clear()
        self.clock.reset()

    def served(self, provider: str) -> tuple[Facts, ...]:
        """Return a provider's models that answer."""
        return self.worlds[provider].served(self._include_retired)

    def find(self, provider: str, model: str) -> Facts:
        """Return a model that answers.

        :raises RefusedError: when there is none of this id
        """
        return self.worlds[provider].find(model, self._include_retired)

    def count(self, provider: str, model: str, status: int, reason: str) -> None:
        """Count an answer. `reason` is the refusal's kind or the fault's name, empty when all is well."""
        self.answered[provider, model, status, reason] += 1

    def quota_headers(self, wire: Wire, caller: Caller, facts: Facts) -> Mapping[str, str]:
        """Return the headers that tell how a caller's quotas stand."""
        now = self.clock.now()
        return wire.quota_headers(self.quotas.standings(facts.provider, caller.account, facts.limits, now))

    def refuse(
        self,
        wire: Wire,
        refused: RefusedError,
        model: str,
        *,
        caller: Caller | None = None,
        facts: Facts | None = None,
        status: int | None = None,
    ) -> web.Response:
        """Refuse in the provider's words.

        :param status: instead of the refusal's own
        """
        refusal = wire.refuse(refused, model, caller)
        shown = status or refusal.status
        self.count(wire.provider, model, shown, refused.kind)
        headers = dict(refusal.headers)
        if facts and caller:
            headers.update(self.quota_headers(wire, caller, facts))
        if isinstance(refusal.body, str):
            return web.Response(text=refusal.body, status=shown, headers=headers)
        body = orjson.dumps(refusal.body)
        return web.Response(body=body, status=shown, content_type="application/json", headers=headers)


def create_app(desk: Desk) -> web.Application:
    """Return the application that serves every wire behind its provider's prefix."""
    app = web.Application(client_max_size=MOST_BYTES)
    app[SEED] = desk.seed
    for wire in WIRES:
        for route in wire.routes:
            handler = _handler(desk, wire, route.task)
            app.router.add_route(route.method, f"/{wire.provider}{route.path}", handler)
        app.router.add_route("*", f"/{wire.provider}{{path:/.*}}", _lost(desk, wire))
    return app


def _handler(desk: Desk, wire: Wire, task: str) -> _Handler:
    if task == "chat":
        return _chat(desk, wire)
    return _embed(desk, cast(EmbeddingWire, wire)) if task == "embeddings" else _look_up(desk, wire, task)


def _embed(desk: Desk, wire: EmbeddingWire) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await embed(desk, wire, request)

    return handle


def _chat(desk: Desk, wire: Wire) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await Visit(desk, wire, request).serve()

    return handle


def _look_up(desk: Desk, wire: Wire, task: str) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        model = request.match_info.get("model", "")
        try:
            wire.caller(request)
            fault = desk.faults.take(wire.provider, model or "*", "probes")
            if fault and fault.fault == "html":
                return html_page()
            if fault and (refusal := refusal_of(fault, model, None)):
                raise refusal
            body = await read_json(request) if request.can_read_body else {}
            found = wire.look_up(task, request, body, desk.served(wire.provider))
        except RefusedError as refused:
            return desk.refuse(wire, refused, model)
        desk.count(wire.provider, model, 200, task)
        return web.json_response(found)

    return handle


def _lost(desk: Desk, wire: Wire) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return desk.refuse(wire, RefusedError("unknown_path", path=request.match_info["path"]), "")

    return handle
