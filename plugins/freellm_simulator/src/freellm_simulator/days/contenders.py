"""Who routes a day's requests: freellm as the server runs it, but for its sockets and its disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import orjson

from freellm.catalogue import Entry
from freellm.errors import RequestError
from freellm.gateway import Call
from freellm.keyring import parse_key
from freellm.runtime import Runtime
from freellm.sessions import digests
from freellm.surfaces.openai.parsing import parse
from freellm_simulator.days.traffic import Arrival


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request.

    :param entry: who answered; None: the client got an error
    :param attempts: upstream requests that failed before
    :param error: the code of the client's error
    """

    entry: Entry | None
    attempts: int
    error: str | None = None


class Contender(Protocol):
    """A way to route."""

    name: str

    async def serve(self, arrival: Arrival) -> Outcome:
        """Answer one request, or say why not."""


def add_keys(runtime: Runtime, keys: Mapping[str, str]) -> None:
    """Give every provider that takes one a key.

    :param keys: by provider, in the one-line form
    """
    for provider in runtime.providers:
        if line := keys.get(provider.name):
            fields = parse_key(provider.info, line)
            runtime.keyring.add(provider.name, fields, now=runtime.clock.now())
    runtime.refresh()


class Freellm:
    """freellm's proxy.

    :param runtime: not started: it writes no journal and looks for no changes
    """

    name = "freellm"

    def __init__(self, runtime: Runtime) -> None:
        self._proxy = runtime.proxy

    async def serve(self, arrival: Arrival) -> Outcome:
        """Answer one request as the OpenAI surface does."""
        parsed = parse(orjson.dumps({"model": "auto", "messages": arrival.messages, **arrival.fields}))
        proxy, now = self._proxy, self._proxy.clock.now()
        session, earlier = digests(parsed.request.messages)
        call = Call(
            id=proxy.ids.new(),
            surface="openai",
            model=parsed.model,
            request=parsed.request,
            order=proxy.order(parsed.model),
            needs=proxy.needs(parsed.request, parsed.mask, now + proxy.settings.request_timeout),
            session=session,
            earlier=earlier,
            started=now,
            max_wait=proxy.settings.max_wait,
        )
        try:
            served = await proxy.complete(call)
        except RequestError as error:
            return Outcome(None, len(call.tried), error.code)
        return Outcome(served.route.entry, len(call.tried))
