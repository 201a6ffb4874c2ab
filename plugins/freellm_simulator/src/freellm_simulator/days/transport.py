"""freellm's upstream client with the simulated services behind it in place of sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import cast

import orjson

from freellm.errors import UpstreamError
from freellm.sse import Frame
from freellm.types import Answer, Kind, Upstream
from freellm.upstream import Exchange, UpstreamClient
from freellm_simulator.days.services import Reaction, Services


class LocalExchange:
    """One answer: its headers are here, its body when the service has written it.

    :param reaction: what the service does
    """

    is_event_stream = False

    def __init__(self, reaction: Reaction) -> None:
        self.status = reaction.status
        self.headers: Mapping[str, str] = reaction.headers
        self._reaction = reaction
        self._settled = False

    async def answer(self) -> Answer:
        """Wait for the whole body."""
        await asyncio.sleep(self._reaction.seconds)
        self.close()
        return Answer(self.status, self.headers, orjson.loads(orjson.dumps(self._reaction.body)))

    def batches(self, stall_timeout: float) -> AsyncIterator[list[Frame]]:
        """Refuse to be read as a stream: this traffic is whole answers."""
        raise UpstreamError(Kind.BAD_ANSWER, "the simulated day has no streams")

    def release(self) -> None:
        """See `close`."""
        self.close()

    def close(self) -> None:
        """End it: the service settles its books."""
        if not self._settled:
            self._settled = True
            self._reaction.settle()


class LocalClient(UpstreamClient):
    """Ask the services by a call.

    :param services: the services
    :param prefixes: by base URL, the provider and the path that goes before a hook's own
    :param asked: told of each request's provider, model and status
    """

    def __init__(
        self,
        services: Services,
        prefixes: Mapping[str, tuple[str, str]],
        asked: Callable[[str, int], None],
    ) -> None:
        super().__init__()
        self._services = services
        self._prefixes = prefixes
        self._asked = asked

    async def send(
        self, upstream: Upstream, base_url: str, *, local: bool, first_byte_timeout: float
    ) -> Exchange:
        """Ask a service and wait for its headers."""
        provider, prefix = self._prefixes[base_url]
        reaction = self._services.ask(provider, prefix + upstream.path, upstream.headers, upstream.body or {})
        self._asked(provider, reaction.status)
        exchange = LocalExchange(reaction)
        try:
            await asyncio.sleep(reaction.first_byte)
        except asyncio.CancelledError:
            exchange.close()
            raise
        return cast(Exchange, exchange)
