"""`GET /v1/models`: every model a client may ask for, in the shape that all known clients can read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from freellm.access import auth
from freellm.catalogue import Entry
from freellm.errors import RequestError
from freellm.gateway import needs_of
from freellm.orders import Space
from freellm.routing import Needs, Order, PassedOver
from freellm.surfaces.openai.embedding_parsing import MOST_INPUTS
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
        rows = [*self._virtual(), *self._chatting(), *self._embedding()]
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
        if self._proxy.makes_embeddings(name):
            return self._answer(request, self._embedder(name))
        return self._answer(request, self._row(name, self._proxy.order(name)))

    def _answer(self, request: web.Request, body: Json) -> web.Response:
        headers = {"Content-Type": "application/json", "X-Request-Id": self._proxy.ids.of(request)}
        return web.Response(body=orjson.dumps(body), headers=headers)

    def _chatting(self) -> Iterator[Json]:
        """Describe every model id that chats; one id may be served by several providers."""
        for id_ in dict.fromkeys(entry.model.id for entry in self._proxy.catalogue.chain):
            yield self._row(id_, self._proxy.order(id_))

    def _embedding(self) -> Iterator[Json]:
        """Describe every model id that makes embeddings."""
        for id_ in dict.fromkeys(entry.model.id for entry in self._proxy.catalogue.embedders):
            yield self._embedder(id_)

    def _virtual(self) -> list[Json]:
        choices = (*self._proxy.strategies, *self._proxy.profiles)
        names = ["auto", *(f"auto:{name}" for name in choices if name != "priority")]
        if not self._proxy.catalogue.chain:
            return []
        return [
            {
                **self._row(name, order),
                "owned_by": "freellm",
                "name": name,
                "description": "the best model that is open at the moment",
            }
            for name in names
            if (order := self._order(name)) is not None
        ]

    def _order(self, name: str) -> Order | None:
        """Return the order of a name; None when nobody may answer, as for a profile whose providers have no key."""
        try:
            return self._proxy.order(name)
        except RequestError:
            return None

    def _row(self, name: str, order: Order) -> Json:
        now = self._proxy.clock.now()
        entries = order.at(now)
        if not entries:
            raise RequestError(
                f"there is no model {name!r}", status=404, code="model_not_found", param="model"
            )
        state = self._state(entries, order, Needs(0, _MODEST, None, math.inf), now)
        family = entries[0].model.family
        return {**_described(name, entries), "x_freellm": {"task": "chat", "family": family, **state}}

    def _embedder(self, name: str) -> Json:
        now = self._proxy.clock.now()
        space = self._proxy.space(name, None)
        entries = space.order.at(now)
        state = self._state(entries, space.order, needs_of([_MODEST], math.inf), now)
        return {
            **_described(name, entries),
            **_vectors(space, entries),
            "x_freellm": {"task": "embeddings", "family": space.family, **state},
        }

    def _state(self, entries: Sequence[Entry], order: Order, needs: Needs, now: float) -> Json:
        passed_over: list[PassedOver] = []
        found = self._proxy.router.candidates(order, needs, lambda: now, passed_over=passed_over, dry=True)
        available = next(found, None) is not None
        soonest = min((note.opens_at for note in passed_over), default=math.inf)
        return {
            "available": available,
            "reason": None if available or not passed_over else passed_over[0].detail,
            "retry_in_ms": None if available or math.isinf(soonest) else math.ceil((soonest - now) * 1000),
            "routes": [entry.name for entry in entries],
        }


def _vectors(space: Space, entries: Sequence[Entry]) -> Json:
    """Return what tells a model that makes vectors from one that chats."""
    lengths = dict.fromkeys(length for entry in entries for length in entry.model.dimensions)
    return {
        "max_completion_tokens": None,
        "top_provider": {
            "context_length": max((entry.model.context or 0 for entry in entries), default=0) or None,
            "max_completion_tokens": None,
            "is_moderated": False,
        },
        "architecture": {
            "modality": "text->embeddings",
            "input_modalities": ["text"],
            "output_modalities": ["embeddings"],
            "tokenizer": "Other",
        },
        "supported_parameters": ["dimensions", "encoding_format"],
        "dimensions": [space.dimensions, *(length for length in lengths if length != space.dimensions)],
        "max_inputs": MOST_INPUTS,
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
