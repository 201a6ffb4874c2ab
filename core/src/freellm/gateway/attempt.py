"""One attempt: a route asked once for a call, and what it has booked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.gateway.booking import Booking
from freellm.gateway.calls import Call, Tried
from freellm.gateway.consequences import RULES
from freellm.ledger import Demand
from freellm.redaction import redact
from freellm.types import ChatRequest, Failure, Json, Key


class Attempt:
    """A route asked once.

    :param call: what for
    :param route: who
    :param demand: the quota reserved
    :param request: the request as this route gets it
    :param booking: the reservation
    :param clock: tells the time
    :param started: Unix time
    """

    __slots__ = (
        "_clock",
        "booking",
        "call",
        "demand",
        "dropped",
        "first_delta_ms",
        "key",
        "request",
        "route",
        "seen",
        "started",
        "status",
    )

    def __init__(
        self,
        call: Call,
        route: Route,
        demand: Demand,
        request: ChatRequest,
        booking: Booking,
        clock: Clock,
        started: float,
    ) -> None:
        self.call = call
        self.route = route
        self.demand = demand
        self.request = request
        self.booking = booking
        self.started = started
        self.status = 0
        self.first_delta_ms: float | None = None
        self.key: Key | None = None
        self.dropped: Sequence[str] = ()
        self.seen: Sequence[float] = ()
        """What was used of each share's pool when it was dispatched, for services whose headers tell what remains."""
        self._clock = clock

    def ms(self) -> float:
        """Return the milliseconds since the attempt was started."""
        return (self._clock.now() - self.started) * 1000.0

    def win(self) -> None:
        """Be the attempt that answers the call.

        :raises asyncio.CancelledError: when another one was faster
        """
        if self.call.race is not None:
            self.call.race.win(self)

    def extra(self) -> Json:
        """Return what the answer's body tells under `x_freellm`, which is told by the attempt that answers.

        :raises asyncio.CancelledError: when another one was faster
        """
        self.win()
        return self.call.extra()

    def failed(self, failure: Failure) -> Tried:
        """End the attempt badly: what it may have cost stays booked, secrets leave the message.

        A service that has begun an answer has counted its request, of whatever use the answer was.
        """
        if RULES[failure.kind].settle:
            self.booking.spend(counted=200 <= self.status < 300)
        else:
            self.booking.refuse()
        message = redact(failure.message, self.key.fields.values() if self.key is not None else ())
        return Tried(
            route=self.route,
            failure=msgspec.structs.replace(failure, message=message),
            status=self.status,
            started=self.started,
            ms=self.ms(),
            demand=self.demand,
        )
