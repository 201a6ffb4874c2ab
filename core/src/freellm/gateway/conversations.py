"""Where a conversation goes: to the model it is with, and after a rest back to the one it began with."""

from __future__ import annotations

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.gateway.calls import Call
from freellm.routing import Router
from freellm.sessions import Sessions


class Conversations:
    """Find and remember who answers conversations.

    :param sessions: the memory
    :param router: knows whether a route is open
    :param clock: tells the time
    """

    __slots__ = ("_clock", "_router", "_sessions")

    def __init__(self, sessions: Sessions, router: Router, clock: Clock) -> None:
        self._sessions = sessions
        self._router = router
        self._clock = clock

    def route(self, call: Call) -> Route | None:
        """Return the route that a call's conversation is with; None when it is new, or with none of the call's order."""
        if call.earlier is None:
            return None
        now = self._clock.now()
        place = self._sessions.find(call.earlier, now)
        if place is None:
            return None
        last = call.order.route(place.route)
        home = last if place.home == place.route else call.order.route(place.home)
        if home is None:
            return last
        call.home = home.name
        if last is None or (place.may_return(now) and self._is_open(home, call, now)):
            return home
        return last

    def answered(self, call: Call, route: Route) -> None:
        """Remember who answered a call."""
        if call.session is not None:
            self._sessions.remember(call.session, route.name, self._clock.now(), call.home)

    def _is_open(self, route: Route, call: Call, now: float) -> bool:
        demand = self._router.demand(route.entry, call.needs)
        return self._router.closed(route, demand, now) is None
