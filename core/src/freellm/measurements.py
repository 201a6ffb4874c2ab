"""What models were measured to do: how soon they begin, how fast they write, how often they answer. Pure; `now` is given.

Each model at a provider has a track of sums that fade: with every attempt a little, with time by half every six hours.
So the newest thirty attempts or so count, and what was measured yesterday is hardly more than a hint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from freellm.delays import Delays
from freellm.types import Kind

HALF_LIFE: Final = 6 * 3600.0
"""Seconds after which a measurement counts half."""

MEMORY: Final = 30
"""Attempts that count, about: each one lets the earlier ones fade by one in so many."""

STALE: Final = 0.5
"""The attempts, faded, that a model needs so as not to count as unknown: one attempt does for six hours."""

EXPLORE_EVERY, EXPLORE_AFTER = 60.0, 20
"""Seconds, and attempts, that are at least between two requests that go to an unknown model ahead of its score."""

FAULTS: Final = frozenset(
    {
        Kind.RATE_LIMITED,
        Kind.QUOTA_EXHAUSTED,
        Kind.CONCURRENCY,
        Kind.OVERLOADED,
        Kind.TIMEOUT,
        Kind.NETWORK,
        Kind.BAD_ANSWER,
    }
)
"""Failures that speak against a model's reliability; the others are the request's or the key's."""

_FORGET: Final = 1.0 - 1.0 / MEMORY
_FIRST, _RATE = 1.0, 60.0
"""Seconds to the first token and tokens per second by which the first whole answer is divided; a guess."""

_FASTEST: Final = 5_000.0
"""Tokens per second at most: a stream that comes in one piece has no time of its own."""


def _all() -> float:
    return 1.0


class Measured(msgspec.Struct, frozen=True):
    """What is known of a model at a provider at the moment.

    :param first_token: seconds to the first token of an answer; None until one was measured
    :param tokens_per_second: how fast it writes from then on; None until it was measured
    :param success: the share of attempts that were answered, 0 to 1; None until there was one
    :param answers: how many answers the two times rest on, older ones counting less
    :param attempts: how many attempts the share rests on, older ones counting less
    :param left: works out `quota_left`, which most do not ask for
    """

    first_token: float | None = None
    tokens_per_second: float | None = None
    success: float | None = None
    answers: float = 0.0
    attempts: float = 0.0
    left: Callable[[], float] = _all

    @property
    def quota_left(self) -> float:
        """The share of its scarcest quota that is left, 0 to 1, with the key that has most."""
        return self.left()


class TrackState(msgspec.Struct, frozen=True):
    """A track as it is stored.

    :param name: the entry's name
    :param at: Unix time up to which the sums have faded
    :param attempts: attempts
    :param good: those that were answered
    :param timed: answers whose times are in the next three
    :param first: seconds to their first tokens
    :param tokens: tokens they had
    :param writing: seconds from the first token to the last
    """

    name: str
    at: float
    attempts: float
    good: float
    timed: float
    first: float
    tokens: float
    writing: float


class Track:
    """What was measured of one model at one provider.

    :param name: the entry's name
    :param home: where it is told that something was measured

    :ivar delays: how soon the newest answers began
    :ivar wanted: whether an order has put the model in front, so that it is measured
    """

    __slots__ = (
        "_home",
        "at",
        "attempts",
        "delays",
        "first",
        "good",
        "name",
        "timed",
        "tokens",
        "wanted",
        "writing",
    )

    def __init__(self, name: str, home: Measurements) -> None:
        self.name = name
        self.delays = Delays()
        self.wanted = False
        self._home = home
        self.at = 0.0
        self.attempts = self.good = self.timed = self.first = self.tokens = self.writing = 0.0

    def answered(self, seconds: float, first: float | None, tokens: int, now: float) -> None:
        """Note an answer.

        :param seconds: how long it took
        :param first: seconds to its first token; None for a whole answer, whose time is divided as it usually is
        :param tokens: tokens of output
        """
        self.delays.note(seconds if first is None else first, stream=first is not None)
        if first is None:
            begins = self.first / self.timed if self.timed else _FIRST
            writes = tokens * self.writing / self.tokens if self.tokens else tokens / _RATE
            first = seconds * begins / (begins + writes) if begins + writes > 0.0 else 0.0
        self._fade(now)
        self.attempts += 1.0
        self.good += 1.0
        self.timed += 1.0
        self.first += first
        self.tokens += tokens
        self.writing += max(seconds - first, tokens / _FASTEST)
        self._home.note(self)

    def failed(self, now: float) -> None:
        """Note an attempt that the model or its provider failed."""
        self._fade(now)
        self.attempts += 1.0
        self._home.note(self)

    def asked(self, now: float) -> None:
        """Note that the model, which an order wanted to have measured, is asked."""
        self.wanted = False
        self._home.explored(now)

    def evidence(self, now: float) -> float:
        """Return how many attempts speak for or against it at the moment."""
        return self.attempts * _kept(now - self.at)

    def measured(self, now: float, left: Callable[[], float]) -> Measured:
        """Return what is known of it at the moment.

        :param left: works out the share of quota that is left
        """
        if not self.attempts:
            return Measured(None, None, None, 0.0, 0.0, left)
        kept = _kept(now - self.at)
        return Measured(
            self.first / self.timed if self.timed else None,
            self.tokens / self.writing if self.tokens else None,
            self.good / self.attempts,
            self.timed * kept,
            self.attempts * kept,
            left,
        )

    def state(self) -> TrackState:
        """Return it as it is stored."""
        return TrackState(
            self.name,
            self.at,
            self.attempts,
            self.good,
            self.timed,
            self.first,
            self.tokens,
            self.writing,
        )

    def take(self, state: TrackState) -> None:
        """Become what was stored."""
        self.at, self.attempts, self.good = state.at, state.attempts, state.good
        self.timed, self.first, self.tokens, self.writing = (
            state.timed,
            state.first,
            state.tokens,
            state.writing,
        )

    def _fade(self, now: float) -> None:
        kept = _FORGET * _kept(now - self.at)
        self.at = now
        self.attempts *= kept
        self.good *= kept
        self.timed *= kept
        self.first *= kept
        self.tokens *= kept
        self.writing *= kept


class Measurements:
    """All tracks, by entry name, and how much may be spent on models nobody knows.

    :ivar ended: how many attempts have ended
    """

    __slots__ = ("_changed", "_explore_after", "_explore_from", "_tracks", "ended")

    def __init__(self) -> None:
        self._tracks: dict[str, Track] = {}
        self._changed: set[Track] = set()
        self.ended = 0
        self._explore_from = 0.0
        self._explore_after = EXPLORE_AFTER

    def track(self, name: str) -> Track:
        """Return the track of an entry; the same object for as long as the server runs."""
        found = self._tracks.get(name)
        if found is None:
            found = self._tracks[name] = Track(name, self)
        return found

    def note(self, track: Track) -> None:
        """Note that an attempt has ended and is in a track."""
        self.ended += 1
        self._changed.add(track)

    def may_explore(self, now: float) -> bool:
        """Tell whether it is time to send a request to a model nobody knows."""
        return now >= self._explore_from and self.ended >= self._explore_after

    def explored(self, now: float) -> None:
        """Note that a request was sent to a model nobody knew."""
        self._explore_from = now + EXPLORE_EVERY
        self._explore_after = self.ended + EXPLORE_AFTER

    def dump(self) -> Sequence[TrackState]:
        """Return what has changed since this was last called."""
        if not self._changed:
            return ()
        changed, self._changed = self._changed, set()
        return [track.state() for track in changed]

    def load(self, states: Iterable[TrackState]) -> None:
        """Take what an earlier process measured."""
        for state in states:
            self.track(state.name).take(state)


def _kept(seconds: float) -> float:
    return float(0.5 ** (seconds / HALF_LIFE)) if seconds > 0.0 else 1.0
