"""What would become of a call: the router's own way over the routes, with nothing sent, booked or changed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from freellm.catalogue import Entry, Route
from freellm.explanations import Explained, Explanation, Verdict, explained, left_out
from freellm.gateway.asking import Asker
from freellm.gateway.calls import Call
from freellm.gateway.exhaustion import refusal
from freellm.ledger import Demand
from freellm.routing import PassedOver, Router

SERVES = "the first open route"
STICKY = "it answered this conversation last"
NEXT = "asked if those before it fail"
LATE = "asked last: its first byte may take {seconds:g} s, longer than the client waits"
GUESS = "closed on a guess, which is put to the test when nothing else is open"


class Explainer:
    """Explain one call.

    :param router: finds routes
    :param asker: asks providers whether they can say the request
    :param call: the call; what was passed over is put into it
    :param sticky: the route that answered the conversation last
    :param now: Unix time
    :param most: open routes of which it is found out whether their provider can say the request, at most: as many as
        are tried
    """

    def __init__(
        self, router: Router, asker: Asker, call: Call, sticky: Route | None, now: float, most: int
    ) -> None:
        self._router = router
        self._asker = asker
        self._call = call
        self._sticky = sticky
        self._now = now
        self._most = most
        self._rows: dict[str, Explained] = {}
        self._entries = {entry.name: entry for entry in call.order.at(now)}

    def explain(self) -> Explanation:
        """Return every route in the order in which they would be asked, and why."""
        serves = None
        notes = self._call.passed_over
        told = opened = 0
        tried: set[Route] = set()
        for route, demand in self._candidates(tried):
            told = self._tell(notes, told)
            objection = self._asker.objection(self._call, route, demand) if opened < self._most else None
            if objection is not None:
                notes.append(objection)
                tried.update(route.entry.routes)
                continue
            opened += 1
            serves = serves or route
            verdict: Verdict = "serves" if serves is route else "next"
            self._add(route, demand, verdict, self._said(route, demand, serves))
        self._tell(notes, told)
        return Explanation(
            requested=self._call.model,
            at=self._now,
            serves=None if serves is None else serves.entry.name,
            sticky=None if self._sticky is None else self._sticky.entry.name,
            refusal=None if serves is not None else refusal(self._call, self._now).message,
            routes=list(self._rows.values()),
        )

    def _candidates(self, tried: set[Route]) -> Iterator[tuple[Route, Demand]]:
        call, now = self._call, self._now
        return self._router.candidates(
            call.order,
            call.needs,
            lambda: now,
            sticky=self._sticky,
            tried=tried,
            passed_over=call.passed_over,
            dry=True,
        )

    def _said(self, route: Route, demand: Demand, serves: Route) -> str:
        usual = self._router.demand(route.entry, self._call.needs)
        bare = demand.input < usual.input or demand.output < usual.output
        if demand.daring or bare or route.closed_by(self._now) is not None:
            return GUESS
        if route.entry.first_byte_timeout > self._call.needs.deadline - self._now:
            return LATE.format(seconds=route.entry.first_byte_timeout)
        if route is not serves:
            return NEXT
        return STICKY if route is self._sticky else SERVES

    def _tell(self, notes: Sequence[PassedOver], told: int) -> int:
        """Add what was passed over since the last time; return how much there is now."""
        for note in notes[told:]:
            verdict: Verdict = "closed" if math.isfinite(note.opens_at) else "unable"
            entry = self._entries.get(note.name)
            if entry is None:
                self._rows[note.name] = left_out(note)
                continue
            demand = self._router.demand(entry, self._call.needs)
            for route in _meant(entry, note):
                self._add(route, demand, verdict, note)
        return len(notes)

    def _add(self, route: Route, demand: Demand, verdict: Verdict, note: PassedOver | str) -> None:
        before = self._rows.pop(route.name, None)
        row = explained(route, demand, self._call.needs, self._now, note, verdict)
        if before is not None and row.reason is None:  # what was passed over at first is asked all the same
            row = msgspec.structs.replace(row, reason=before.reason)
        self._rows[route.name] = row


def _meant(entry: Entry, note: PassedOver) -> Sequence[Route]:
    """Return the routes that a note speaks of."""
    return [route for route in entry.routes if note.key in (None, route.key.id)]
