"""What the attempts for one call have taught about where to go on."""

from __future__ import annotations

from collections.abc import Collection

from freellm.catalogue import Route
from freellm.gateway.calls import Tried
from freellm.gateway.consequences import RULES, Step
from freellm.routing import Order
from freellm.types import Kind


class SoFar:
    """The lessons of one call.

    :ivar tried: the routes not to ask again
    :ivar avoided: the names of providers to leave for last
    :ivar refused_windows: context windows that turned out too small
    :ivar doubted: the attempt whose provider called the request bad, until another one has given its opinion
    """

    __slots__ = ("avoided", "doubted", "refused_windows", "tried")

    def __init__(self) -> None:
        self.tried: set[Route] = set()
        self.avoided: set[str] = set()
        self.refused_windows: list[int] = []
        self.doubted: Tried | None = None

    def doubts(self, route: Route) -> bool:
        """Tell whether a route's provider has refused the request as bad: a second opinion comes from another."""
        return self.doubted is not None and route.provider is self.doubted.route.provider

    def take(self, last: Tried) -> Tried | None:
        """Learn from a failed attempt; return the attempt whose refusal is the client's to hear, if it is."""
        self.tried.add(last.route)
        step = RULES[last.kind].step
        if step is Step.STOP or (step is Step.SECOND_OPINION and self.doubted is not None):
            return self.doubted or last
        if step is Step.SECOND_OPINION:
            self.doubted = last
        if step in (Step.SECOND_OPINION, Step.NEXT_PROVIDER):
            self.avoided.add(last.route.provider.name)
        if last.kind is Kind.CONTEXT_EXCEEDED and last.failure.limit is not None:
            self.refused_windows.append(last.failure.limit)
        return None

    def again(self, order: Order, were_closed: Collection[Route]) -> None:
        """Go over the routes of an order once more, after a wait.

        What a limit had closed may be asked again. What failed otherwise has had its chance.
        """
        had_their_chance = [route.name for route in self.tried if route not in were_closed]
        self.tried = {route for name in had_their_chance if (route := order.route(name)) is not None}
