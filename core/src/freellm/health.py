"""What is known against routes, models, keys and providers: cooldowns, penalties, breakers. Pure; `now` is given.

A cooldown is the longer of the one there is and the one stated; whether it was stated or guessed is kept, and a
person can clear it. Figures: docs/failures.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from freellm.measurements import Measurements
from freellm.types import Kind

GUESS_FIRST, GUESS_MOST = 15.0, 600.0
"""Seconds of the first guessed cooldown after a 429, and of the longest: each one in a row doubles."""

PENALTY_STEP, PENALTY_MOST, PENALTY_FORGIVEN = 3.0, 10.0, 120.0
"""Places a 429 sinks a model, the most it can sink, and the seconds in which one place is forgiven."""

BREAKER_FAILURES, BREAKER_WINDOW = 3, 60.0
"""Failures within so many seconds that open the breaker of a model at a provider."""

BREAKER_FIRST, BREAKER_MOST = 30.0, 900.0
"""Seconds the breaker stays open at first, and at most: each time in a row doubles."""

_MOST_DOUBLINGS = 10
"""Doublings after which every guess is the longest one; a thousand in a row are more than a float can hold."""

TOO_LARGE_FOR = 3600.0
"""Seconds for which the size that a route refused is remembered."""

GONE_FIRST, GONE_CONFIRMED, GONE_APART = 3600.0, 7 * 86_400.0, 600.0
"""Seconds a missing model is left alone at first, once confirmed, and between two independent confirmations."""


Sighting: TypeAlias = tuple[str, float, str | None]
"""A standing's name, Unix time, and the key with which the model was not found; None when it answered after all."""

SIGHTINGS = 10_000
"""Sightings that wait to be taken, at most."""


class Standing:
    """What is known against one thing.

    :param name: what it is, such as `model lab/openai/gpt-oss-120b`
    """

    __slots__ = (
        "_penalty",
        "_penalty_at",
        "bad_answers",
        "cause",
        "closed_at",
        "closed_until",
        "failures",
        "gone",
        "guesses",
        "name",
        "opened",
        "stated",
        "tested",
        "too_large",
        "too_large_until",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.forget()

    def forget(self) -> None:
        """Hold nothing against it any more."""
        self.closed_until = 0.0
        self.cause: Kind | None = None
        self.closed_at = 0.0
        self.stated = False
        self.tested = False
        self.guesses = 0
        self.opened = 0
        self.bad_answers = 0
        self.failures: deque[float] = deque(maxlen=BREAKER_FAILURES)
        self.gone: tuple[float, str] | None = None
        self.too_large = 0
        self.too_large_until = 0.0
        self._penalty = 0.0
        self._penalty_at = 0.0

    def penalty(self, now: float) -> float:
        """Return how many places the model is sunk, one less for every two minutes passed."""
        return max(0.0, self._penalty - (now - self._penalty_at) / PENALTY_FORGIVEN)

    def sink(self, places: float, now: float) -> None:
        """Sink it by so many places from now on, within bounds."""
        self._penalty, self._penalty_at = min(max(places, 0.0), PENALTY_MOST), now

    def close(self, until: float, cause: Kind, *, stated: bool, at: float = 0.0) -> None:
        """Close it until a moment, unless it is closed for longer already.

        Whoever closes it while it is closed has put a guess to the test, and found it right: `tested`.

        :param stated: whether the service said so; else it is our guess
        :param at: Unix time now
        """
        self.tested = at > self.closed_at and self.closed_until > at
        self.closed_at = max(self.closed_at, at)
        if until > self.closed_until:
            self.closed_until, self.cause, self.stated = until, cause, stated

    def refuses(self, tokens: int, now: float) -> bool:
        """Tell whether a request of so many tokens was too large for it lately."""
        return now < self.too_large_until and tokens >= self.too_large


class Health:
    """All standings, by name. The order of models changes when `version` does.

    :ivar measurements: what models were measured to do
    :ivar sightings: what requests found out about models being there, until somebody takes it
    :ivar watcher: called when something may be open before its time, because what was held against it was forgotten
    """

    __slots__ = ("_standings", "measurements", "penalized", "sightings", "version", "watcher")

    def __init__(self) -> None:
        self.measurements = Measurements()
        self._standings: dict[str, Standing] = {}
        self.penalized: set[Standing] = set()
        self.version = 0
        self.watcher: Callable[[], None] | None = None
        self.sightings: deque[Sighting] = deque(maxlen=SIGHTINGS)

    def standing(self, name: str) -> Standing:
        """Return the standing of that name; the same object for as long as the server runs."""
        found = self._standings.get(name)
        if found is None:
            found = self._standings[name] = Standing(name)
        return found

    def closed(self, now: float) -> Iterator[Standing]:
        """Iterate over everything that is closed at the moment."""
        return (standing for standing in self._standings.values() if standing.closed_until > now)

    def clear(self, name: str) -> bool:
        """Forget what is held against a name; return whether there was anything."""
        standing = self._standings.get(name)
        if standing is None:
            return False
        standing.forget()  # routes hold this very object
        self.penalized.discard(standing)
        self.version += 1
        if self.watcher is not None:
            self.watcher()
        return True

    def penalize(self, model: Standing, now: float) -> None:
        """Sink a model after a 429."""
        model.sink(model.penalty(now) + PENALTY_STEP, now)
        self.penalized.add(model)
        self.version += 1

    def succeeded(self, model: Standing, others: Iterable[Standing], now: float) -> None:
        """Note an answer: one place is forgiven, guesses start over, the breaker closes.

        :param others: the other standings that could have closed the route
        """
        for standing in others:
            standing.guesses = 0
        model.guesses = model.bad_answers = model.opened = 0
        if model.gone is not None:
            model.gone = None
            self.sightings.append((model.name, now, None))
        if model.failures:
            model.failures.clear()
        if model in self.penalized:
            model.sink(model.penalty(now) - 1.0, now)
            self.version += 1

    def settle_penalties(self, now: float) -> None:
        """Forget penalties that have run out."""
        over = {model for model in self.penalized if model.penalty(now) <= 0.0}
        if over:
            self.penalized -= over
            self.version += 1

    def cool(self, standing: Standing, kind: Kind, wait: float | None, now: float) -> None:
        """Close it for the stated time, else for a guess that doubles each time in a row.

        :param wait: seconds the service stated
        """
        if wait is not None:
            standing.close(now + wait, kind, stated=True, at=now)
            return
        standing.close(now + _doubled(GUESS_FIRST, standing.guesses, GUESS_MOST), kind, stated=False, at=now)
        standing.guesses += 1

    def failed(self, model: Standing, kind: Kind, now: float) -> None:
        """Count a failure towards the breaker; open it at the third within a minute.

        A breaker that has been open opens again at the first failure: that one was the probe.
        """
        model.failures.append(now)
        lately = len(model.failures) == BREAKER_FAILURES and now - model.failures[0] <= BREAKER_WINDOW
        if lately or model.opened:
            self._open(model, kind, now)

    def answered_badly(self, model: Standing, now: float) -> None:
        """Count an answer that was none; two in a row open the breaker."""
        model.bad_answers += 1
        if model.bad_answers >= 2:
            self._open(model, Kind.BAD_ANSWER, now)

    def _open(self, model: Standing, kind: Kind, now: float) -> None:
        model.close(now + _doubled(BREAKER_FIRST, model.opened, BREAKER_MOST), kind, stated=False, at=now)
        model.opened += 1
        model.failures.clear()

    def refused_size(self, route: Standing, tokens: int, now: float) -> None:
        """Remember that a route refused a request of so many tokens: it gets none as large for an hour."""
        known = route.too_large if now < route.too_large_until else tokens
        route.too_large, route.too_large_until = min(known, tokens), now + TOO_LARGE_FOR

    def missing(self, model: Standing, key_id: str, now: float) -> None:
        """Note that a model was not found; two independent confirmations retire it for a week.

        Independent is: with another key, ten minutes apart, or a list of the provider's that lacks it.
        """
        first = model.gone
        confirmed = first is not None and (first[1] != key_id or now - first[0] >= GONE_APART)
        if first is None:
            model.gone = (now, key_id)
        self.sightings.append((model.name, now, key_id))
        until = now + (GONE_CONFIRMED if confirmed else GONE_FIRST)
        model.close(until, Kind.MODEL_GONE, stated=confirmed, at=now)


def _doubled(first: float, times: int, most: float) -> float:
    return min(first * 2.0 ** min(times, _MOST_DOUBLINGS), most)
