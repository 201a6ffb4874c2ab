"""One embeddings request: who asks, whether there is quota, what the answer is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from freellm_simulator.admission import admit
from freellm_simulator.exchange import Json, RefusedError
from freellm_simulator.faults import refusal_of
from freellm_simulator.visit import read_json
from freellm_simulator.wires.contract import EmbeddingWire

if TYPE_CHECKING:
    from freellm_simulator.server import Desk
    from freellm_simulator.worlds import Facts


async def embed(desk: Desk, wire: EmbeddingWire, request: web.Request) -> web.Response:
    """Answer an embeddings request or refuse it."""
    model, caller, facts = "", None, None
    try:
        caller = wire.caller(request)
        body = await read_json(request)
        model = wire.model_id(request, body)
        fault = desk.faults.take(wire.provider, model, "embeddings")
        facts = desk.find(wire.provider, model)
        if fault and (refusal := refusal_of(fault, model, facts)):
            raise refusal
        if not facts.dimensions:
            raise RefusedError("bad_request", f"{model} makes no embeddings", param="model")
        answer, tokens = wire.embeddings(request, body, facts)
        admit(desk, caller, facts, tokens, requests=_requests(facts, answer)).settle(tokens, 0)
    except RefusedError as refused:
        return desk.refuse(wire, refused, model, caller=caller, facts=facts)
    desk.count(wire.provider, model, 200, "embeddings")
    return web.json_response(answer, headers=desk.quota_headers(wire, caller, facts))


def _requests(facts: Facts, answer: Json) -> int:
    """Return as how many requests the service counts an answer: some count each text of a batch."""
    batch = answer.get("embeddings") or answer.get("data") or ()
    return max(1, len(batch)) if "counts-inputs" in facts.quirks else 1
