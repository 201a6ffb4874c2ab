"""The router: which routes a request may take, best first. Pure; `now` is given.

`candidates` is an iterator over an order that is kept sorted, so the first route costs next to nothing; whoever wants
to know why the others would not do exhausts it and reads `passed_over`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import partial

import msgspec

from freellm.catalogue import Entry, Route
from freellm.guessing import doubtful
from freellm.handoff import siblings
from freellm.ledger import Demand, Ledger
from freellm.orders import Order, Orders
from freellm.reasons import Cause, PassedOver, abilities, cooling, spent
from freellm.strategies import Strategy
from freellm.tokens import WORST, Corrections

__all__ = ["Cause", "Needs", "Order", "Orders", "PassedOver", "Router", "Strategy"]

GENEROUS = 4_096
"""Tokens of ceiling at most that an answer is given unasked."""


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

    __slots__ = ("_corrections", "_ledger")

    def __init__(self, ledger: Ledger, corrections: Corrections) -> None:
        self._ledger = ledger
        self._corrections = corrections

    def demand(self, entry: Entry, needs: Needs) -> Demand:
        """Return what a request is expected to take from an entry's pools, in tokens."""
        expected = self._corrections.expected_output(entry.name, needs.stated, entry.model.max_output)
        ceiling = expected if needs.stated is None else needs.stated
        if entry.model.max_output is not None and ceiling > entry.model.max_output:
            ceiling = entry.model.max_output
        tokens = self._corrections.reserve(entry.name, needs.tokens)
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
        """Iterate over the routes that will do, best first, judging each when it is asked for.

        All keys of an entry come before the next entry. Entries of avoided providers, and those whose first byte may
        take longer than the client waits, come last; after them comes what has opened since it was passed over. At the
        end guesses are put to the test: see `freellm.guessing`. No route is offered twice.

        :param sticky: the route that the conversation is with; it comes first, then its nearest siblings
        :param used: abilities as bits that earlier turns of the conversation used
        :param tried: routes not to offer again; the caller adds to it while iterating
        :param avoided: names of providers to leave for last; the caller may add to it while iterating
        :param largest_refused: context windows that turned out too small; the caller may add to it
        :param passed_over: filled with what would not do, and why
        :param dry: whether this is a look only, which takes no key's turn
        """
        offered: set[Route] = set()
        late: list[Entry] = []
        began = now()
        notes: list[PassedOver] = [] if passed_over is None else passed_over
        entries = self._allowed(order, needs, now(), sticky, largest_refused, notes)
        for entry in _nearest_first(entries, order, sticky, needs.mask | used, now):
            if not self._able(entry, needs, largest_refused, notes):
                continue
            if entry.provider.name in avoided or entry.first_byte_timeout > needs.deadline - now():
                late.append(entry)
                continue
            demand, turn = self.demand(entry, needs), iter(_in_turn(entry, sticky, dry))
            while (route := self._next_open(turn, demand, now, tried, offered, notes)) is not None:
                yield route, _generous(route, demand, needs)
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
        known = -1
        while len(offered) > known:
            known = len(offered)
            if any(note.opens_at <= now() for note in notes):
                # time has passed while others were asked: what was closed may be open by now
                yield from self._left(entries, needs, now, tried, offered, largest_refused, [], dry)
            for route, demand in doubtful(able, partial(self.demand, needs=needs), self._ledger, now, began):
                if route not in tried and route not in offered:
                    offered.add(route)
                    yield route, _generous(route, demand, needs)

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
        for entry in entries:
            if self._able(entry, needs, largest_refused, notes):
                demand, turn = self.demand(entry, needs), iter(_in_turn(entry, None, dry))
                while (route := self._next_open(turn, demand, now, tried, offered, notes)) is not None:
                    yield route, _generous(route, demand, needs)

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

    def _next_open(
        self,
        turn: Iterator[Route],
        demand: Demand,
        now: Callable[[], float],
        tried: AbstractSet[Route],
        offered: set[Route],
        notes: list[PassedOver],
    ) -> Route | None:
        """Return the next route of an entry that is open and not offered yet; note why those before it are not."""
        for route in turn:
            if route in tried or route in offered:
                continue
            note = self.closed(route, demand, now())
            if note is None:
                offered.add(route)
                return route
            notes.append(note)
        return None

    def closed(self, route: Route, demand: Demand, now: float) -> PassedOver | None:
        """Return why a route cannot be taken at the moment; None when it can."""
        name, standing = route.entry.name, route.closed_by(now)
        if standing is not None:
            said = partial(cooling, standing.name, standing.cause, standing.stated)
            until, kind = standing.closed_until, standing.cause
            return PassedOver(name, "cooldown", said, until, kind, route.key.id, route)
        if route.standing.too_large_until > now and route.standing.refuses(
            demand.input + demand.ceiling, now
        ):
            detail = f"it refused {route.standing.too_large} tokens as too large"
            until = route.standing.too_large_until
            return PassedOver(name, "too_large", detail, until, key=route.key.id)
        obstacle = self._ledger.obstacle(route.shares, demand, now)
        if obstacle is None:
            return None
        cause: Cause = "too_large" if obstacle.cause == "too_large" else "quota"
        said = partial(spent, obstacle)
        return PassedOver(name, cause, said, obstacle.opens_at, key=route.key.id, route=route)


def _nearest_first(
    entries: Sequence[Entry], order: Order, sticky: Route | None, used: int, now: Callable[[], float]
) -> Iterable[Entry]:
    if sticky is None or (order.first_provider_only and sticky.entry not in entries):
        return entries
    return siblings(sticky.entry, entries, order.step, used, now)


def _generous(route: Route, demand: Demand, needs: Needs) -> Demand:
    """Return a demand whose ceiling uses spare quota, where the service charges a ceiling and the client states none.

    The usual length of a model's answers would cut every longer one. While there is quota to spare, a quarter of it
    may go into one answer's ceiling, as far as it fits beside the input; when it gets scarce, the usual length is what
    is left. See docs/decisions/0005-output-ceilings.md.
    """
    if needs.stated is not None or not route.charges_ceiling or demand.daring:
        return demand
    spare = min(
        (share.pool.room - share.pool.counter.used for share in route.shares if share.charges_ceiling),
        default=0.0,
    )
    ceiling = min(int(min(spare / 4, spare - demand.input, GENEROUS)), route.model.max_output or GENEROUS)
    return Demand(demand.input, demand.output, ceiling) if ceiling > demand.ceiling else demand


def _in_turn(entry: Entry, sticky: Route | None, dry: bool) -> Sequence[Route]:
    """Return an entry's routes, beginning with the next key in turn, so that keys share the load."""
    if sticky is not None and sticky.entry is entry and sticky in entry.routes:
        return (sticky, *(route for route in entry.routes if route is not sticky))
    return entry.upcoming if dry else entry.next_turn()
