"""`POST /v1/embeddings`."""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from freellm.access import auth
from freellm.errors import RequestError
from freellm.gateway import Embedded, EmbeddingsCall, needs_of
from freellm.orders import Space
from freellm.surfaces.openai.embedding_parsing import Encoding, ParsedEmbeddings, parse_embeddings
from freellm.surfaces.openai.headers import whole_headers
from freellm.surfaces.openai.reading import max_wait, patience, read_body
from freellm.surfaces.whole import WholeAnswer
from freellm.tokens import estimate
from freellm.types import EmbeddingRequest, Json

if TYPE_CHECKING:
    from freellm.proxy import Proxy


class Embeddings:
    """`POST /v1/embeddings`.

    :param proxy: the gateway and what surrounds it
    """

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    @auth("key")
    async def handle(self, request: web.Request) -> WholeAnswer:
        """Answer one request."""
        started = self._proxy.clock.now()
        parsed = parse_embeddings(await read_body(request))
        call = self.call(request, parsed, started)
        self._proxy.before_request(call)
        embedded = await self._proxy.embed(call)
        body = orjson.dumps(answer(call, embedded, parsed.encoding))
        routes = [route for route, _ in embedded.made]
        headers = whole_headers(call, routes, embedded.dropped, self._proxy.clock.now())
        return WholeAnswer(body, headers)

    def call(self, request: web.Request, parsed: ParsedEmbeddings, started: float) -> EmbeddingsCall:
        """Return what a request asks for, ready to be served or explained.

        :raises RequestError: when nobody makes such vectors
        """
        space = self._proxy.space(parsed.model, parsed.request.dimensions)
        if not isinstance(parsed.request.inputs[0], str):
            _check_takes_tokens(space, parsed.model, self._proxy.clock.now())
        sizes = sizes_of(parsed.request)
        deadline = started + patience(request, self._proxy.settings.request_timeout)
        return EmbeddingsCall(
            id=self._proxy.ids.of(request),
            surface="openai/embeddings",
            model=parsed.model,
            embedding=EmbeddingRequest(
                inputs=parsed.request.inputs,
                dimensions=space.dimensions,
                parameters=parsed.request.parameters,
            ),
            order=space.order,
            space=space,
            needs=needs_of(sizes, deadline),
            sizes=sizes,
            started=started,
            max_wait=max_wait(request, self._proxy.settings.max_wait),
        )


def _check_takes_tokens(space: Space, model: str, now: float) -> None:
    if not any(entry.model.token_inputs for entry in space.order.at(now)):
        raise RequestError(
            f"{model!r} takes texts, not token ids: which words they stand for depends on the tokenizer; send input as "
            "a string or a list of strings (LangChain: check_embedding_ctx_length=False)",
            param="input",
            code="unsupported_value",
        )


def sizes_of(request: EmbeddingRequest) -> list[int]:
    """Return the estimated tokens of each input; token ids are counted."""
    return [math.ceil(estimate(given)) if isinstance(given, str) else len(given) for given in request.inputs]


def answer(call: EmbeddingsCall, embedded: Embedded, encoding: Encoding) -> Json:
    """Return the answer's body. It is told by the route that made the first vector."""
    first = embedded.made[0][0]
    extra = call.extra()
    if embedded.estimated:
        extra["usage_estimated"] = True
    if len(embedded.made) > 1:
        extra["made_by"] = [{**route.via, "inputs": inputs} for route, inputs in embedded.made]
    tokens = embedded.input_tokens
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": encoded(vector, encoding)}
            for index, vector in enumerate(embedded.vectors)
        ],
        "model": first.model.id,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        "_routed_via": first.via,
        "x_freellm": extra,
    }


def encoded(vector: Sequence[float], encoding: Encoding) -> Sequence[float] | str:
    """Return a vector as the client wants it: as it is, or its 32-bit little-endian floats as base64."""
    if encoding == "float":
        return vector
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
