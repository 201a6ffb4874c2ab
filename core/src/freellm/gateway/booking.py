"""What one attempt has booked in the ledger, from reservation to settlement, durable before it is dispatched."""

from __future__ import annotations

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.leases import LeaseFile
from freellm.ledger import Demand, Lease, Ledger


class Booking:
    """The quota of one attempt. Exactly one of `settle`, `spend`, `refuse` and `cancel` ends it; later calls do nothing.

    :param ledger: where it is booked
    :param leases: where it survives a crash
    :param clock: tells the time
    :param route: who is asked
    :param demand: how much is reserved
    :param lease: the reservation
    """

    __slots__ = ("_clock", "_demand", "_lease", "_leases", "_ledger", "_over", "_route")

    def __init__(
        self, ledger: Ledger, leases: LeaseFile, clock: Clock, route: Route, demand: Demand, lease: Lease
    ) -> None:
        self._ledger = ledger
        self._leases = leases
        self._clock = clock
        self._route = route
        self._demand = demand
        self._lease = lease
        self._over = False

    def dispatch(self, now: float) -> None:
        """Make the reservation durable; the request is sent right after."""
        demand = self._demand
        self._lease.slot = self._leases.append(
            self._route.hash, now, demand.input, demand.output, demand.ceiling, demand.requests
        )

    def stamp(self, now: float) -> None:
        """Move the booking to this moment: the answer's headers are here, so this is when it was counted."""
        self._ledger.stamp(self._lease, now)
        self._leases.stamp(self._lease.slot, now)

    def settle(self, input_tokens: int | None, output_tokens: int | None) -> None:
        """Book what was really used; of what is unknown, the reservation stands."""
        if self._end():
            lease = self._lease
            self._ledger.settle(lease, self._clock.now(), input_tokens, output_tokens)
            self._leases.settle(lease.slot, lease.at, input_tokens, output_tokens)

    def spend(self, *, counted: bool) -> None:
        """Let the reservation stand: what was really used is unknown.

        :param counted: whether the service has counted the request for certain
        """
        if self._end():
            lease = self._lease
            self._ledger.settle(lease, self._clock.now(), None, None, counted=counted)
            self._leases.settle(lease.slot, lease.at, None, None)

    def refuse(self) -> None:
        """Keep the request and release its tokens: it was refused before inference."""
        if self._end():
            self._ledger.refuse(self._lease, self._clock.now())
            self._leases.settle(self._lease.slot, self._lease.at, 0, 0)

    def cancel(self) -> None:
        """Give everything back: nothing was sent."""
        if self._end():
            self._ledger.cancel(self._lease, self._clock.now())
            self._leases.cancel(self._lease.slot)

    def _end(self) -> bool:
        over, self._over = self._over, True
        return not over
