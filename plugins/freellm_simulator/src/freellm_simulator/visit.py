"""One chat request: who asks, whether there is quota, what the answer is."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from freellm_simulator.admission import Admission, admit_chat
from freellm_simulator.answers import compose
from freellm_simulator.delivery import Delivery, Pace, html_page
from freellm_simulator.exchange import Ask, Caller, Exchange, Json, RefusedError, Reply, Usage
from freellm_simulator.faults import Fault, refusal_of
from freellm_simulator.tokens import prompt_tokens

if TYPE_CHECKING:
    from freellm_simulator.server import Desk
    from freellm_simulator.wires import Wire
    from freellm_simulator.worlds import Facts

_ERROR_IN_200 = frozenset({"error_in_200", "error_mid_stream"})
_SAID = {"empty": "", "guard": "safe"}


class Visit:
    """One chat request from its arrival to its settlement.

    :param desk: where quotas, faults and counts are kept
    """

    def __init__(self, desk: Desk, wire: Wire, request: web.Request) -> None:
        self._desk = desk
        self._wire = wire
        self._request = request
        self._model = ""
        self._caller: Caller | None = None
        self._facts: Facts | None = None
        self._fault: Fault | None = None

    async def serve(self) -> web.StreamResponse:
        """Answer or refuse."""
        try:
            caller, facts, ask = await self._received()
            prompt = prompt_tokens(ask)
            admission = admit_chat(self._desk, caller, facts, ask, prompt)
        except RefusedError as refused:
            return self._refused(refused)
        reply = compose(ask, facts, self._desk.seed, prompt)
        return await self._answered(caller, facts, ask, reply, admission)

    async def _received(self) -> tuple[Caller, Facts, Ask]:
        """Read the request in the order in which services complain: key, body, model, fields."""
        desk, wire = self._desk, self._wire
        caller = self._caller = wire.caller(self._request)
        body = await read_json(self._request)
        self._model = wire.model_id(self._request, body)
        fault = self._fault = desk.faults.take(wire.provider, self._model, "chat")
        facts = self._facts = desk.find(wire.provider, self._model)
        if fault and (refusal := refusal_of(fault, self._model, facts)):
            raise refusal
        if facts.dimensions:
            raise RefusedError("bad_request", f"{facts.id} makes embeddings and nothing else", param="model")
        ask = wire.read(self._request, body, facts)
        if fault and fault.fault == "error_mid_stream" and not ask.stream:
            raise RefusedError("server_error")
        return caller, facts, ask

    async def _answered(
        self, caller: Caller, facts: Facts, ask: Ask, reply: Reply, admission: Admission
    ) -> web.StreamResponse:
        desk, fault = self._desk, self._fault
        if fault and fault.fault in _SAID:
            reply = Reply(_SAID[fault.fault], (), "", "stop", Usage(reply.usage.prompt, 0))
        token = hashlib.sha256(f"{desk.seed} {facts.label} {ask.digest}".encode()).hexdigest()[:24]
        exchange = Exchange(ask, reply, facts, token, int(desk.clock.now()), desk.seed)
        pace = Pace(desk.worlds[facts.provider], exchange, desk.speed)
        headers = desk.quota_headers(self._wire, caller, facts)
        delivery = Delivery(self._request, self._wire, exchange, fault, pace, headers)
        desk.count(facts.provider, facts.id, 200, fault.fault if fault else "")
        try:
            return await delivery.send()
        except (asyncio.CancelledError, ConnectionError):
            desk.disconnected[facts.provider, facts.id] += 1
            raise
        finally:
            admission.settle(exchange.reply.usage.prompt, delivery.written)

    def _refused(self, refused: RefusedError) -> web.Response:
        if self._fault and self._fault.fault == "html":  # the page hides whatever the service says
            self._desk.count(self._wire.provider, self._model, 200, "html")
            return html_page()
        status = 200 if self._fault and self._fault.fault in _ERROR_IN_200 else None
        return self._desk.refuse(
            self._wire, refused, self._model, caller=self._caller, facts=self._facts, status=status
        )


async def read_json(request: web.Request) -> Json:
    """Return the JSON object in a request's body.

    :raises RefusedError: when there is none
    """
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise RefusedError("bad_request", f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise RefusedError("bad_request", "the body is not a JSON object")
    return body
