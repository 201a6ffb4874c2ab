"""Making a call's request ready for one route: kept state, images inline, a token ceiling where it is charged."""

from __future__ import annotations

import msgspec

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.gateway.calls import Call
from freellm.gateway.kept import Kept
from freellm.ledger import Demand
from freellm.types import ChatRequest, Json
from freellm.upstream import UpstreamClient


class Preparer:
    """Prepare requests.

    :param client: fetches images
    :param kept: the opaque state of earlier turns
    :param clock: tells the time
    """

    __slots__ = ("_client", "_clock", "_kept")

    def __init__(self, client: UpstreamClient, kept: Kept, clock: Clock) -> None:
        self._client = client
        self._kept = kept
        self._clock = clock

    def prepare(self, call: Call, route: Route, demand: Demand) -> ChatRequest:
        """Return the request as a route gets it; the call's own when nothing has to change."""
        request = call.request
        if call.tool_call_ids:
            kept = self._kept.find(route.entry.name, call.tool_call_ids, self._clock.now())
            if kept:
                request = msgspec.structs.replace(request, kept=kept)
        ceiling = _ceiling(request, route, demand)
        if ceiling is None:
            return request
        return msgspec.structs.replace(request, parameters={**request.parameters, "max_tokens": ceiling})

    async def inline(self, call: Call, request: ChatRequest) -> ChatRequest:
        """Return a request with every remote image as a data URI; each is fetched once per call.

        :raises RequestError: when an image cannot be had
        """
        if call.inlined is None:
            call.inlined = [await self._inline(message) for message in request.messages]
        return msgspec.structs.replace(request, messages=call.inlined)

    async def _inline(self, message: Json) -> Json:
        content = message.get("content")
        if not isinstance(content, list):
            return message
        return {**message, "content": [await self._inline_part(part) for part in content]}

    async def _inline_part(self, part: Json) -> Json:
        image = part.get("image_url")
        if part.get("type") != "image_url" or not isinstance(image, dict) or image["url"].startswith("data:"):
            return part
        return {**part, "image_url": {**image, "url": await self._client.fetch_image(image["url"])}}


def _ceiling(request: ChatRequest, route: Route, demand: Demand) -> int | None:
    """Return the `max_tokens` to send in place of the client's, if any.

    A service that charges the ceiling gets exactly what is reserved; no service gets more than its model can write.
    """
    stated = request.parameters.get("max_tokens")
    if stated is None:
        return demand.ceiling if route.charges_ceiling else None
    return demand.ceiling if demand.ceiling < stated else None
