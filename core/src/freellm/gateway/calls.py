"""One client request on its way through the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec

from freellm.catalogue import Route
from freellm.ledger import Demand
from freellm.preferences import Preferences
from freellm.routing import Needs, Order, PassedOver
from freellm.store import AttemptRecord
from freellm.types import Answer, ChatRequest, EmbeddingRequest, Failure, Json, Key, Kind, Upstream

if TYPE_CHECKING:
    from freellm.gateway.attempt import Attempt

PASSED_OVER_TOLD = 5
"""Better routes that an answer says were passed over, at most."""


LIMITS = frozenset({Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED, Kind.CONCURRENCY})
"""Failures that say no more than that it was too much for now."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that failed, or that another one was faster than.

    :param route: the route that was asked
    :param failure: what came of it
    :param status: the provider's HTTP status; 0 when there was none
    :param started: Unix time
    :param ms: how long it took, in milliseconds
    :param hedged: whether it was given up because another one was faster
    :param demand: what it had reserved; None where that does not matter
    """

    route: Route
    failure: Failure
    status: int
    started: float
    ms: float
    hedged: bool = False
    demand: Demand | None = None

    @property
    def kind(self) -> Kind:
        """What kind of failure it was."""
        return self.failure.kind

    @property
    def passes(self) -> bool:
        """Whether the route may answer after a while: it was a limit, or the service said for how long."""
        failure = self.failure
        return failure.kind in LIMITS or failure.retry_after is not None or failure.resets_at is not None

    @property
    def summary(self) -> str:
        """The attempt in `X-Fallback-Trail`: the model and what became of it."""
        return f"{self.route.header}={self.outcome}"

    @property
    def outcome(self) -> str:
        """What became of it in one word, for logs and headers."""
        return "hedged" if self.hedged else str(self.failure.kind)


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a request that has been answered.

    :param record: the attempt that answered it
    :param input_tokens: tokens of its inputs
    :param told: whether the provider told these; else they are estimated
    """

    record: AttemptRecord
    input_tokens: int
    told: bool


class Race(Protocol):
    """Several attempts for one call, of which one answers."""

    def win(self, attempt: Attempt) -> None:
        """Let an attempt that can answer be the one that does.

        :raises asyncio.CancelledError: when another one already is
        """


class Call(msgspec.Struct, kw_only=True):
    """A request and what has been tried for it so far.

    :param id: the request's id, `req_…`
    :param surface: the wire format the client speaks
    :param model: what the client asked for
    :param request: the request, validated
    :param order: the entries that may answer
    :param needs: what it needs of a model
    :param session: the digest under which the answering route is remembered
    :param earlier: the digest under which the last answer's route was remembered
    :param home: the route that answered the conversation first, by its name
    :param include_usage: whether the client wants the usage chunk of a stream
    :param started: Unix time at which it arrived
    :param tool_call_ids: ids of tool calls of earlier turns
    :param remote_images: whether messages name images by address
    :param preferences: what else it says about who may answer
    :param max_wait: seconds that it waits for a route to open, at most
    :param hedge: whether a second route is asked when the first one is slow
    :param tried: the attempts that failed, in order
    :param passed_over: what the router passed over, and why
    :param upstream_ms: milliseconds spent waiting for providers
    :param waited: seconds it has waited for a route to open
    :param ticket: its number in the line, once it has waited
    :param race: decides which of two attempts answers, while there are two
    :param inlined: the messages with remote images inline, once a route needed them
    :param answered: the parts that were answered, where this is a part of a request; None: it is a whole one
    :param asking: the route that was asked last
    :cvar content_field: the request's field that holds what a model reads
    """

    content_field: ClassVar[str] = "messages"

    id: str
    surface: str
    model: str
    request: ChatRequest
    order: Order
    needs: Needs
    session: bytes | None = None
    earlier: bytes | None = None
    home: str | None = None
    include_usage: bool = False
    started: float = 0.0
    tool_call_ids: Sequence[str] = ()
    remote_images: bool = False
    preferences: Preferences | None = None
    max_wait: float = 0.0
    hedge: bool = False
    tried: list[Tried] = []
    passed_over: list[PassedOver] = []
    upstream_ms: float = 0.0
    waited: float = 0.0
    ticket: int = 0
    race: Race | None = None
    inlined: list[Json] | None = None
    answered: list[Answered] | None = None
    asking: Route | None = None

    @property
    def asked(self) -> ChatRequest | EmbeddingRequest:
        """What the client asks for."""
        return self.request

    @property
    def ended(self) -> int:
        """How many attempts have ended, of all parts of the request."""
        return len(self.tried) + len(self.answered or ())

    def translate(self, route: Route, request: ChatRequest, key: Key) -> Upstream | Failure:
        """Ask a route's provider what to send."""
        return route.provider.translate_request(request, route.model, key)

    def normalize(self, route: Route, request: ChatRequest, answer: Answer) -> Json | Failure:
        """Ask a route's provider what its whole answer means."""
        return route.provider.normalize_response(request, route.model, answer)

    def sign(self, body: Json, route: Route, ids: Iterator[str], created: int) -> None:
        """Say in a whole answer what it is, and who gave it.

        :param ids: the next one is its id, unless the provider gave it one
        """
        if not body.get("id"):
            body["id"] = next(ids)
        if not body.get("created"):
            body["created"] = created
        body["object"] = "chat.completion"
        body["model"] = route.model.id
        body["_routed_via"] = route.via

    def extra(self) -> Json:
        """Return what the answer's body tells under `x_freellm`."""
        extra: Json = {
            "request_id": self.id,
            "requested_model": self.model,
            "fallback_attempts": len(self.tried),
        }
        if self.waited:
            extra["queue_ms"] = round(self.waited * 1000)
        if self.passed_over:
            extra["passed_over"] = [
                {"route": note.name, "reason": note.cause, "detail": note.detail}
                for note in self.passed_over[:PASSED_OVER_TOLD]
            ]
        return extra


class OpenStream(Protocol):
    """A stream that can no longer fail over."""

    def rest(self) -> AsyncIterator[bytes]:
        """Iterate over the client's bytes that follow; a failure is the last of them, as an error frame."""

    def close(self) -> None:
        """Say that nobody listens any more."""


class Served(msgspec.Struct, kw_only=True):
    """An answer: a completion, or an open stream of which the first meaningful delta has arrived.

    :param route: who answers
    :param completion: the whole answer, unless it is a stream
    :param first: the bytes of the stream so far
    :param stream: hands out the bytes that follow
    :param dropped: the request's parameters that the route does not take
    """

    route: Route
    completion: Json | None = None
    first: bytes = b""
    stream: OpenStream | None = None
    dropped: Sequence[str] = ()
