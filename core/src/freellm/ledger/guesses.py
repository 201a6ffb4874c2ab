"""Limits found out and not stated: lowered by what is refused, raised a little by what is not. Pure data.

A refusal that states no limit still says that the service holds no more than what was used by then. How the figure is
found: docs/quotas.md.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

import msgspec

from freellm.declarations import DAY, MINUTE, Quota

GUESSES_HOLD: Final = 7 * DAY
"""Seconds after the last refusal for which a limit that was found out is believed."""

PAUSE_FACTOR, PAUSE_MOST = 8.0, 4 * DAY
"""How much longer the next pause is after a raise that was refused, and the longest one in seconds."""

STEP_FIRST, STEP_MOST = 0.05, 1.0
"""The share by which a limit is raised first, and at most: it doubles with each raise that is not refused."""

CONCURRENCY_PAUSE: Final = 600.0
"""Seconds of the first pause for a concurrency limit, which has no window."""

_TRIED: Final = ", so "

FIGURES_TOLD: Final = 3
"""Figures that the evidence names, at most: the last ones."""

CLOSE: Final = 0.1
"""The share of what was used that a refused request may be, for the two to be taken for the same figure."""

_WINDOWS: Final = {
    1.0: "a second",
    MINUTE: "a minute",
    3_600.0: "an hour",
    DAY: "a day",
    7 * DAY: "a week",
    30 * DAY: "a month",
}


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """How a limit was found out, and how it goes on.

    Refusals of requests that were dispatched before the first refusal arrived are one burst: together they say more
    exactly what a single one would.

    :param count: bursts of refusals; 0: it is the limit of a like model
    :param figures: what each of the last bursts said that the window holds
    :param since: Unix time of the last burst's first refusal
    :param refused: the amount of the burst that stays booked though it was refused
    :param floor: the least that the burst may lower the limit to: half of what it was before, or less if the burst before
        said so, too
    :param pause: seconds without a refusal after which the limit is raised
    :param raise_at: Unix time from which it may be raised
    :param step: the share by which it was raised last
    :param raised: whether the last change was a raise
    """

    count: int
    figures: tuple[float, ...]
    since: float
    refused: float
    floor: float
    pause: float
    raise_at: float
    step: float = STEP_FIRST
    raised: bool = False


class Learned(msgspec.Struct, frozen=True):
    """A limit that stands in for the declared one.

    :param limit: what the window holds
    :param evidence: how it is known, in words for a person
    :param expires: Unix time from which the declared limit is believed again
    :param guess: how it was found out; None: the service stated it
    """

    limit: float
    evidence: str
    expires: float
    guess: Guess | None = None


def lowered(
    known: Learned | None,
    quota: Quota,
    believed: float,
    *,
    seen: float,
    asked: float,
    kept: float,
    dispatched: float,
    now: float,
) -> Learned | None:
    """Return what is known of a limit after a refusal that states none; None when it taught nothing.

    :param known: what was known before
    :param believed: the limit that was reckoned with, infinite if there was none
    :param seen: what is booked on the window
    :param asked: tokens or other amounts that were refused and are booked no more: the limit lies between `seen` and
        the sum of both. It is taken for the sum at first, then for the middle; for `seen` where `asked` is so little
        that another refusal would cost more than it
    :param kept: the part of `seen` that was refused and is booked all the same
    :param dispatched: Unix time at which the refused request was sent
    """
    guess = known.guess if known else None
    burst = guess if guess is not None and dispatched <= guess.since else None
    refused = kept + (burst.refused if burst else 0.0)
    more = 0.0 if asked <= seen * CLOSE else asked if guess is None else asked / 2
    figure = max(seen + more - refused, 0.0)
    if math.isinf(believed) and figure <= 0:
        return None
    floor = burst.floor if burst else _floor(guess, believed, figure)
    limit = _whole(quota, max(min(figure, _most(guess, quota, believed, burst)), floor))
    if guess is None and limit >= believed:
        return None
    pause = _first_pause(quota) if guess is None else guess.pause
    if guess is not None and guess.raised and burst is None:
        pause = min(pause * PAUSE_FACTOR, PAUSE_MOST)
    earlier = () if guess is None or not guess.count else guess.figures[:-1] if burst else guess.figures
    made = Guess(
        count=(guess.count if guess else 0) + (burst is None),
        figures=(*earlier[1 - FIGURES_TOLD :], figure),
        since=burst.since if burst else now,
        refused=refused,
        floor=floor,
        pause=pause,
        raise_at=now + pause,
    )
    return Learned(limit, _words(quota, made), now + GUESSES_HOLD, made)


def _most(guess: Guess | None, quota: Quota, believed: float, burst: Guess | None) -> float:
    """Return the most that a refusal leaves of a limit: all, or a step less if it was found out and not raised since.

    A service whose requests are refused so does not count as we do: its window may start over when ours slides. Each
    further burst would say only a little less. How many tokens are used is never known as well as that.
    """
    if quota.unit != "requests" or guess is None or burst is not None or not guess.count or guess.raised:
        return believed
    return believed * (1 - STEP_FIRST)


def _floor(guess: Guess | None, believed: float, figure: float) -> float:
    """Return the least that a new burst may lower a limit to: half, or what the burst before says as well.

    A figure from before a raise says nothing of now.
    """
    if math.isinf(believed):
        return 0.0
    if guess is None or guess.raised or not guess.figures:
        return believed / 2
    return min(believed / 2, max(figure, guess.figures[-1]))


def raised(known: Learned, quota: Quota, declared: float, *, needed: float, now: float) -> Learned | None:
    """Return a limit that was found out, a little higher; None when the declared one is to be believed again.

    :param declared: the limit that holds without the guess, infinite if there is none
    :param needed: what the window has to hold for the request that asks
    """
    guess = known.guess
    if guess is None:
        return known
    if known.limit >= declared:
        return None
    step = min(guess.step * 2, STEP_MOST) if guess.raised else STEP_FIRST
    limit = min(max(_whole(quota, known.limit * (1 + step)), known.limit + _grain(quota), needed), declared)
    pause = _first_pause(quota) if guess.count else MINUTE
    made = msgspec.structs.replace(
        guess,
        pause=pause if guess.raised else guess.pause,
        raise_at=now + pause,
        step=step,
        raised=True,
    )
    tried = known.evidence.partition(_TRIED)[0] if guess.count == 0 else f"{_words(quota, guess)}; none since"
    return Learned(limit, f"{tried}{_TRIED}{limit:g} are tried", known.expires, made)


def inherited(limit: float, quota: Quota, whose: str, now: float) -> Learned:
    """Return the limit of a like model as a first guess. Until a refusal it is raised each minute when it keeps one out.

    :param whose: the model's name
    """
    guess = Guess(
        count=0,
        figures=(),
        since=0.0,
        refused=0.0,
        floor=0.0,
        pause=_first_pause(quota),
        raise_at=now + MINUTE,
    )
    return Learned(
        limit, f"as {whose}, whose limit is not known beforehand either", now + GUESSES_HOLD, guess
    )


def _grain(quota: Quota) -> float:
    return 1.0 if quota.unit in ("requests", "concurrent") else 0.0


def _whole(quota: Quota, limit: float) -> float:
    return max(math.floor(limit), 1.0) if _grain(quota) else limit


def _first_pause(quota: Quota) -> float:
    return CONCURRENCY_PAUSE if quota.window is None else min(max(quota.window, MINUTE), DAY)


def _words(quota: Quota, guess: Guess) -> str:
    figures = [f"{figure:.6g}" for figure in guess.figures]
    told = " and ".join([", ".join(figures[:-1]), figures[-1]] if figures[:-1] else figures)
    times = "1 refusal" if guess.count == 1 else f"{guess.count} refusals"
    unit = "requests" if quota.window is None else quota.unit
    window = "at once" if quota.window is None else _WINDOWS.get(quota.window, f"in {quota.window:g} s")
    lately = ", the last ones" if guess.count > len(guess.figures) else ""
    day = datetime.fromtimestamp(guess.since, UTC).date().isoformat()
    return f"{times}{lately} at {told} {unit} {window}, {day}"
