"""What the server asks of a wire: to read a provider's requests and to write its answers and refusals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from aiohttp import web

from freellm_simulator.exchange import Ask, Caller, Exchange, Json, RefusedError
from freellm_simulator.quotas import Standing
from freellm_simulator.worlds import Facts

SEED = web.AppKey("seed", int)
"""The simulation's seed, in the application that serves a wire."""

BAD_KEY = "bad-"
"""Keys that begin so are invalid, at every provider."""


@dataclass(frozen=True, slots=True)
class Route:
    """One path of a wire.

    :param path: behind the provider's prefix, in aiohttp's syntax
    :param task: `chat`, `embeddings`, or the name that `look_up` is asked with
    """

    method: str
    path: str
    task: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream.

    :param tokens: tokens of output in it
    :param final: whether it says why the answer ended
    """

    data: Json
    tokens: int = 0
    final: bool = False


@dataclass(frozen=True, slots=True)
class Framing:
    """How the events of a stream are put on the line.

    :param first: before the first event; `before` before each other one
    :param after: after each event; `end` after the last one
    """

    first: bytes
    before: bytes
    after: bytes
    end: bytes
    content_type: str = "text/event-stream; charset=utf-8"


SSE = Framing(b"data: ", b"data: ", b"\n\n", b"data: [DONE]\n\n")
"""Server-sent events as OpenAI frames them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal in a provider's words.

    :param body: sent as JSON; a text is sent as it is
    """

    status: int
    body: Any
    headers: Mapping[str, str]


class Wire(Protocol):
    """One provider's native wire. Synchronous and without state of its own."""

    @property
    def provider(self) -> str:
        """The provider's id, which is also the prefix of its paths."""

    @property
    def routes(self) -> Sequence[Route]:
        """The paths it knows."""

    def caller(self, request: web.Request) -> Caller:
        """Say whose quotas a request spends.

        :raises RefusedError: when its key is missing or invalid
        """

    def model_id(self, request: web.Request, body: Json) -> str:
        """Return the id of the model that is asked."""

    def read(self, request: web.Request, body: Json, facts: Facts) -> Ask:
        """Read a chat request.

        :raises RefusedError: when the service would refuse it whatever its quotas
        """

    def whole(self, exchange: Exchange) -> Json:
        """Write a whole answer."""

    def frames(self, exchange: Exchange) -> Iterator[Frame]:
        """Write a streamed answer."""

    def framing(self, request: web.Request) -> Framing:
        """Say how a stream's events are put on the line."""

    def refuse(self, refused: RefusedError, model: str, caller: Caller | None) -> Refusal:
        """Put a refusal into the provider's words."""

    def quota_headers(self, standings: Sequence[Standing]) -> Mapping[str, str]:
        """Return the headers that tell how the caller's quotas stand."""

    def look_up(self, task: str, request: web.Request, body: Json, served: Sequence[Facts]) -> Json:
        """Answer anything but chat: lists of models, checks of keys.

        :raises RefusedError: when the service would refuse it
        """


class EmbeddingWire(Wire, Protocol):
    """A wire with a route whose task is `embeddings`."""

    def embeddings(self, request: web.Request, body: Json, facts: Facts) -> tuple[Json, int]:
        """Make the vectors that a request asks for.

        :return: the answer, and the tokens it counts
        :raises RefusedError: when the service would refuse it whatever its quotas
        """


def digest(body: Json, *besides: str) -> str:
    """Return a text that is equal for equal bodies.

    :param besides: members that make no difference
    """
    kept = {name: value for name, value in body.items() if name not in besides}
    return hashlib.sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).hexdigest()


def account_of(key: str, prefix: str) -> str:
    """Return the account that a key stands for, without giving the key away."""
    return prefix + hashlib.sha256(key.encode()).hexdigest()[:20]


def bearer(request: web.Request) -> str:
    """Return the key of an `Authorization: Bearer` header.

    :raises RefusedError: when it is missing or invalid
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise RefusedError("no_key")
    if key.strip().startswith(BAD_KEY):
        raise RefusedError("bad_key")
    return key.strip()
