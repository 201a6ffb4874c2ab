"""The router: which routes a request may take, best first. Pure; `now` is given.

`candidates` is an iterator over an order that is kept sorted, so the first route costs next to nothing; whoever wants
to know why the others would not do exhausts it and reads `passed_over`.

All keys of an entry come before the next entry. Entries of avoided providers, and those whose first byte may take longer
than the client waits, come last; after them comes what has opened since it was passed over. At the end guesses are put to
the test: see `freellm.guessing`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import partial

import msgspec

from freellm.catalogue import Entry, Route
from freellm.ceilings import generous
from freellm.closures import Closures, full, oversized, resting
from freellm.guessing import doubtful
from freellm.handoff import siblings
from freellm.ledger import Demand, Ledger
from freellm.orders import Order, Orders
from freellm.reasons import Cause, PassedOver, abilities
from freellm.strategies import Strategy
from freellm.tokens import WORST, Corrections

__all__ = ["Cause", "Needs", "Order", "Orders", "PassedOver", "Router", "Strategy"]


class Needs(msgspec.Struct, frozen=True):
    """What a request needs of a model.

    :param mask: its abilities as bits, see `freellm.catalogue.mask_of`
    :param tokens: estimated tokens of its input, before any model's correction
    :param stated: the `max_tokens` the client stated; 0 for embeddings
    :param deadline: Unix time at which the client gives up
    :param inputs: for embeddings, how many inputs there are
    :param longest: for embeddings, estimated tokens of the longest input, which alone has to fit into a window
    :param refusal: says why an entry will not do for reasons of the request's own, when its turn comes; None: it will
    """

    mask: int
    tokens: int
    stated: int | None
    deadline: float
    inputs: int = 1
    longest: int | None = None
    refusal: Callable[[Entry], str | None] | None = None


class Router:
    """Find routes.

    :param ledger: knows what quota is left
    :param corrections: knows what models really use
    """

    __slots__ = ("_closures", "_corrections", "_ledger")

    def __init__(self, ledger: Ledger, corrections: Corrections) -> None:
        self._closures = Closures()
        self._ledger = ledger
        self._corrections = corrections

    def demand(self, entry: Entry, needs: Needs, *, bare: bool = False) -> Demand:
        """Return what a request is expected to take from an entry's pools, in tokens.

        :param bare: whether the input is taken for the least that it may be, going by the usual error of estimates, and the
            answer gets no more room than most need
        """
        expected = self._corrections.expected_output(
            entry.name, needs.stated, entry.model.max_output, least=bare
        )
        ceiling = expected if needs.stated is None else needs.stated
        if entry.model.max_output is not None and ceiling > entry.model.max_output:
            ceiling = entry.model.max_output
        estimate = self._corrections.at_least if bare else self._corrections.reserve
        tokens = estimate(entry.name, needs.tokens)
        return Demand(tokens, expected, ceiling, needs.inputs if entry.counts_inputs else 1)

    def candidates(
        self,
        order: Order,
        needs: Needs,
        now: Callable[[], float],
        *,
        sticky: Route | None = None,
        used: int = 0,
        tried: AbstractSet[Route] = frozenset(),
        avoided: AbstractSet[str] = frozenset(),
        largest_refused: Sequence[int] = (),
        passed_over: list[PassedOver] | None = None,
        dry: bool = False,
    ) -> Iterator[tuple[Route, Demand]]:
        """Iterate over the routes that will do, best first, judging each when it is asked for; none is offered twice.

        :param sticky: the route that the conversation is with; it comes first, then its nearest siblings
        :param used: abilities as bits that earlier turns of the conversation used
        :param tried: routes not to offer again; the caller adds to it while iterating
        :param avoided: names of providers to leave for last; the caller may add to it while iterating
        :param largest_refused: context windows that turned out too small; the caller may add to it
        :param passed_over: filled with what would not do, and why
        :param dry: whether this is a look only, which takes no key's turn
        """
        offered, late = set[Route](), list[Entry]()
        closures = Closures() if dry else self._closures
        moment = began = now()
        notes: list[PassedOver] = [] if passed_over is None else passed_over
        entries = self._allowed(order, needs, began, sticky, largest_refused, notes)
        for entry in _nearest_first(entries, order, sticky, needs.mask | used, now):
            if not self._able(entry, needs, largest_refused, notes):
                continue
            if entry.provider.name in avoided or entry.first_byte_timeout > needs.deadline - moment:
                late.append(entry)
                continue
            for route in _in_turn(entry, sticky, dry):
                new = route not in tried and route not in offered
                open_for = self._judged(route, needs, moment, closures, notes) if new else None
                if open_for is None:
                    continue
                offered.add(route)
                yield route, generous(route, open_for, needs.stated)
                moment = now()
                if entry.provider.name in avoided:
                    late.append(entry)
                    break
        yield from self._left(late, needs, now, tried, offered, largest_refused, notes, dry)
        notes.extend(PassedOver(name, "filter", why, math.inf) for name, why in order.left_out)
        yield from self._at_last(entries, needs, now, began, tried, offered, largest_refused, notes, dry)

    def _at_last(
        self,
        entries: Sequence[Entry],
        needs: Needs,
        now: Callable[[], float],
        began: float,
        tried: AbstractSet[Route],
        offered: set[Route],
        largest_refused: Sequence[int],
        notes: Sequence[PassedOver],
        dry: bool,
    ) -> Iterator[tuple[Route, Demand]]:
        able = [entry for entry in entries if self._able(entry, needs, largest_refused, [])]
        demand_of = partial(self.demand, needs=needs, bare=True)
        known = -1
        while len(offered) > known:
            known = len(offered)
            moment = now()
            if any(note.opens_at <= moment for note in notes):
                # time has passed while others were asked: what was closed may be open by now
                yield from self._left(entries, needs, now, tried, offered, largest_refused, [], dry)
            for route, demand in doubtful(able, demand_of, self._ledger, now, began):
                if route not in tried and route not in offered:
                    offered.add(route)
                    yield route, generous(route, demand, needs.stated)

    def _allowed(
        self,
        order: Order,
        needs: Needs,
        now: float,
        sticky: Route | None,
        largest_refused: Sequence[int],
        notes: list[PassedOver],
    ) -> tuple[Entry, ...]:
        """Return the order's entries; if it is for one provider only, those of the sticky route's or the first one."""
        entries = order.at(now)
        if not order.first_provider_only:
            return entries
        if sticky is not None:
            entries = (sticky.entry, *(entry for entry in entries if entry is not sticky.entry))
        return self._of_first_provider(entries, needs, largest_refused, notes)

    def _of_first_provider(
        self,
        entries: tuple[Entry, ...],
        needs: Needs,
        largest_refused: Sequence[int],
        notes: list[PassedOver],
    ) -> tuple[Entry, ...]:
        """Return the entries of the provider whose entry is the first that is able; note why the others are not asked."""
        able = (entry for entry in entries if self._able(entry, needs, largest_refused, []))
        first = next(able, None)
        if first is None:
            return entries
        others = [entry for entry in entries if entry.provider is not first.provider]
        why = f"provider.allow_fallbacks is false, and {first.provider.name} comes first"
        notes.extend(PassedOver(entry.name, "filter", why, math.inf) for entry in others)
        return tuple(entry for entry in entries if entry.provider is first.provider)

    def _left(
        self,
        entries: Sequence[Entry],
        needs: Needs,
        now: Callable[[], float],
        tried: AbstractSet[Route],
        offered: set[Route],
        largest_refused: Sequence[int],
        notes: list[PassedOver],
        dry: bool,
    ) -> Iterator[tuple[Route, Demand]]:
        closures = Closures() if dry else self._closures
        moment = now()
        for entry in entries:
            if not self._able(entry, needs, largest_refused, notes):
                continue
            for route in _in_turn(entry, None, dry):
                if route in tried or route in offered:
                    continue
                demand = self._judged(route, needs, moment, closures, notes)
                if demand is not None:
                    offered.add(route)
                    yield route, generous(route, demand, needs.stated)
                    moment = now()

    def _able(
        self, entry: Entry, needs: Needs, largest_refused: Sequence[int], notes: list[PassedOver]
    ) -> bool:
        if missing := needs.mask & ~entry.mask:
            notes.append(PassedOver(entry.name, "ability", abilities(missing), math.inf))
            return False
        if needs.refusal is not None and (why := needs.refusal(entry)) is not None:
            notes.append(PassedOver(entry.name, "filter", why, math.inf))
            return False
        context = entry.context
        if context and (largest_refused or needs.tokens * WORST + (needs.stated or 1) > context):
            alone = needs.longest
            needed = self._corrections.correct(entry.name, needs.tokens if alone is None else alone)
            if alone is None:
                needed += min(needs.stated or 1, context // 4)
            if needed > context or (largest_refused and context <= max(largest_refused)):
                what = "the request" if alone is None else "the longest input"
                detail = f"its context window is {context} tokens, {what} needs about {needed}"
                notes.append(PassedOver(entry.name, "context", detail, math.inf))
                return False
        return True

    def _judged(
        self, route: Route, needs: Needs, now: float, closures: Closures, notes: list[PassedOver]
    ) -> Demand | None:
        """Return what a request takes from a route that is open; None, with a note, when it is closed."""
        note = resting(route, now)
        if note is None:
            demand = self.demand(route.entry, needs)
            note = oversized(route, demand, now) or closures.find(route, demand, now)
            if note is None:
                obstacle = self._ledger.obstacle(route.shares, demand, now)
                if obstacle is None:
                    return demand
                note = closures.add(route, demand, obstacle)
        notes.append(note)
        return None

    def closed(self, route: Route, demand: Demand, now: float) -> PassedOver | None:
        """Return why a route cannot be taken at the moment; None when it can."""
        note = resting(route, now) or oversized(route, demand, now)
        if note is not None:
            return note
        obstacle = self._ledger.obstacle(route.shares, demand, now)
        return None if obstacle is None else full(route, obstacle)


def _nearest_first(
    entries: Sequence[Entry], order: Order, sticky: Route | None, used: int, now: Callable[[], float]
) -> Iterable[Entry]:
    if sticky is None or (order.first_provider_only and sticky.entry not in entries):
        return entries
    return siblings(sticky.entry, entries, order.step, used, now)


def _in_turn(entry: Entry, sticky: Route | None, dry: bool) -> Sequence[Route]:
    """Return an entry's routes, beginning with the next key in turn, so that keys share the load."""
    if sticky is not None and sticky.entry is entry and sticky in entry.routes:
        return (sticky, *(route for route in entry.routes if route is not sticky))
    return entry.upcoming if dry or len(entry.routes) == 1 else entry.next_turn()
