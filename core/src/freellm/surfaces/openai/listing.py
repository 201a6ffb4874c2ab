"""`GET /v1/models`: every model a client may ask for, in the shape that all known clients can read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from freellm.access import auth
from freellm.catalogue import Entry
from freellm.errors import RequestError
from freellm.routing import Needs, Order, PassedOver
from freellm.types import Json

if TYPE_CHECKING:
    from freellm.proxy import Proxy

CREATED = 1_767_225_600
"""2026-01-01, for models whose own date nobody states: some clients refuse 0."""

_MODEST = 16
"""Tokens of the request whose routes decide whether a model counts as available."""

_PARAMETERS = (
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "stream",
)
_PARAMETERS_OF = {
    "tools": ("tools", "tool_choice", "parallel_tool_calls"),
    "json": ("response_format",),
    "json_schema": ("structured_outputs",),
    "reasoning": ("reasoning_effort",),
}


class ModelListing:
    """The list of models, and one model of it.

    :param proxy: the gateway and what surrounds it
    """

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    @auth("key")
    async def all(self, request: web.Request) -> web.Response:
        """Answer with all models; `?available=true` leaves out those without an open route."""
        rows = [*self._virtual(), *(self._row(name, order) for name, order in self._orders().items())]
        if request.query.get("available") == "true":
            rows = [row for row in rows if row["x_freellm"]["available"]]
        if parameter := request.query.get("supported_parameters"):
            rows = [row for row in rows if parameter in row["supported_parameters"]]
        return self._answer(request, {"object": "list", "data": rows})

    @auth("key")
    async def one(self, request: web.Request) -> web.Response:
        """Answer with one model; its id may contain slashes."""
        name = request.match_info["id"].rstrip("/")
        virtual = {row["id"]: row for row in self._virtual()}
        if name in virtual:
            return self._answer(request, virtual[name])
        return self._answer(request, self._row(name, self._proxy.order(name)))

    def _answer(self, request: web.Request, body: Json) -> web.Response:
        headers = {"Content-Type": "application/json", "X-Request-Id": self._proxy.ids.of(request)}
        return web.Response(body=orjson.dumps(body), headers=headers)

    def _orders(self) -> dict[str, Order]:
        """Return the order of every model id; one id may be served by several providers."""
        ids = dict.fromkeys(entry.model.id for entry in self._proxy.catalogue.chain)
        return {id_: self._proxy.order(id_) for id_ in ids}

    def _virtual(self) -> list[Json]:
        names = ["auto", *(f"auto:{name}" for name in self._proxy.strategies if name != "priority")]
        if not self._proxy.catalogue.chain:
            return []
        return [
            {
                **self._row(name, self._proxy.order(name)),
                "owned_by": "freellm",
                "name": name,
                "description": "the best model that is open at the moment",
            }
            for name in names
        ]

    def _row(self, name: str, order: Order) -> Json:
        now = self._proxy.clock.now()
        entries = order.at(now)
        if not entries:
            raise RequestError(
                f"there is no model {name!r}", status=404, code="model_not_found", param="model"
            )
        return {**_described(name, entries), "x_freellm": self._state(entries, order, now)}

    def _state(self, entries: Sequence[Entry], order: Order, now: float) -> Json:
        passed_over: list[PassedOver] = []
        needs = Needs(0, _MODEST, None, math.inf)
        found = self._proxy.router.candidates(order, needs, lambda: now, passed_over=passed_over)
        available = next(found, None) is not None
        soonest = min((note.opens_at for note in passed_over), default=math.inf)
        return {
            "available": available,
            "reason": None if available or not passed_over else passed_over[0].detail,
            "retry_in_ms": None if available or math.isinf(soonest) else math.ceil((soonest - now) * 1000),
            "routes": [entry.name for entry in entries],
        }


def _described(name: str, entries: Sequence[Entry]) -> Json:
    """Describe a model by the best of its entries; windows are the largest that any of them has."""
    model = entries[0].model
    context = max((entry.model.context or 0 for entry in entries), default=0) or None
    output = max((entry.model.max_output or 0 for entry in entries), default=0) or None
    abilities = frozenset[str]().union(*(entry.model.abilities for entry in entries))
    inputs = ["text", "image"] if "vision" in abilities else ["text"]
    return {
        "id": name,
        "object": "model",
        "created": CREATED,
        "owned_by": entries[0].provider.name,
        "name": model.title or model.id,
        "description": model.note,
        "context_length": context,
        "context_window": context,
        "max_model_len": context,
        "max_completion_tokens": output,
        "top_provider": {"context_length": context, "max_completion_tokens": output, "is_moderated": False},
        "architecture": {
            "modality": f"{'+'.join(inputs)}->text",
            "input_modalities": inputs,
            "output_modalities": ["text"],
            "tokenizer": "Other",
        },
        "pricing": {"prompt": "0", "completion": "0", "request": "0", "image": "0"},
        "supported_parameters": [
            *_PARAMETERS,
            *(
                parameter
                for ability, names in _PARAMETERS_OF.items()
                if ability in abilities
                for parameter in names
            ),
        ],
        "per_request_limits": None,
        "expiration_date": None,
    }
