"""A pool as a row of the database: what of it has to survive a restart, and how it comes back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from freellm.declarations import Quota
from freellm.errors import StoreError
from freellm.ledger.burning import Burnt
from freellm.ledger.counters import BUCKETS, Fixed, Spending
from freellm.ledger.guesses import Learned
from freellm.ledger.pools import Pool
from freellm.ledger.rolling import Rolling

FOUND: Final = "refusals of the service itself"
"""The source of a quota that no provider declares."""


class PoolState(msgspec.Struct, frozen=True, kw_only=True):
    """One pool as plain data.

    :param identity: provider instance, quota name and fingerprint; the primary key
    :param unit: the quota's unit
    :param window: seconds; None for `concurrent`
    :param clock: when the window starts over
    :param payload: JSON: what was spent and when, until when the pool is closed, what was learned, how fast it
        was spent
    :param changed: Unix time of the last change, the latest that is known to have passed when this was written
    """

    identity: str
    unit: str
    window: float | None
    clock: str
    payload: bytes
    changed: float


class _Found(msgspec.Struct, frozen=True):
    """What makes a quota again that no provider declares."""

    scope: Literal["key", "account", "ip"]
    members: tuple[str, ...]
    checked: str
    charge: Literal["actual", "input", "input+max"] = "actual"


class _Payload(msgspec.Struct, omit_defaults=True):
    spent: list[tuple[float, float]] = []
    closed_until: float = 0.0
    learned: Learned | None = None
    burnt: Burnt | None = None
    found: _Found | None = None


def state_of(pool: Pool, under_way: Iterable[Spending]) -> PoolState:
    """Return a pool's state.

    :param under_way: bookings of leases that are not settled yet, which are left out
    """
    counter = pool.counter
    burnt = counter.burn.state() if isinstance(counter, Fixed) else None
    quota = pool.quota
    found = _Found(quota.scope, quota.members, quota.checked, quota.charge) if quota.source == FOUND else None
    payload = _Payload(counter.spent(under_way), pool.closed_until, pool.learned, burnt, found)
    return PoolState(
        identity=pool.identity,
        unit=quota.unit,
        window=quota.window,
        clock=quota.clock,
        payload=msgspec.json.encode(payload),
        changed=pool.changed,
    )


def recall(pool: Pool, state: PoolState, now: float) -> None:
    """Book a state on a pool that has booked nothing yet.

    If the state comes from the future, the clock was set back. Then a rolling window's bookings keep their
    distance from each other and the last of them counts from now on, a calendar's count for one period more, and a
    closed pool stays closed for as long as it had left to be. So nothing is freed before its time, and a clock that
    had been years ahead does not block a pool for years.

    :raises StoreError: when the state cannot be read
    """
    payload = _payload(state)
    pool.advance(now)
    _book(pool, payload.spent, now)
    ahead = max(0.0, state.changed - now)
    pool.closed_until = max(0.0, payload.closed_until - ahead)
    if learned := payload.learned:
        pool.learned = _earlier(learned, ahead)
    if isinstance(pool.counter, Fixed):
        pool.counter.resume(payload.burnt, now, ahead)
    pool.changed = max(pool.changed, min(state.changed, now))
    pool.advance(now)


def found_quota(state: PoolState, now: float) -> Quota | None:
    """Return the quota of a state that no provider declares, as long as something is known of its limit.

    :raises StoreError: when the state cannot be read
    """
    if b'"found"' not in state.payload:
        return None
    payload = _payload(state)
    if payload.found is None or payload.learned is None or payload.learned.expires <= now:
        return None
    return Quota.model_validate(
        {
            "unit": state.unit,
            "window": state.window,
            "clock": state.clock,
            "scope": payload.found.scope,
            "members": payload.found.members,
            "charge": payload.found.charge,
            "source": FOUND,
            "checked": payload.found.checked,
        }
    )


def _payload(state: PoolState) -> _Payload:
    try:
        return msgspec.json.decode(state.payload, type=_Payload)
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"the saved quota use of {state.identity} is damaged ({error}); restore a backup of the database, "
            "or delete this row and accept that its quota counts as unused"
        ) from error


def _earlier(learned: Learned, seconds: float) -> Learned:
    guess = learned.guess
    if guess is not None:
        since, raise_at = guess.since - seconds, guess.raise_at - seconds
        guess = msgspec.structs.replace(guess, since=since, raise_at=raise_at)
    return msgspec.structs.replace(learned, expires=learned.expires - seconds, guess=guess)


def _book(pool: Pool, spent: list[Spending], now: float) -> None:
    ahead = 0.0
    if isinstance(pool.counter, Rolling) and pool.quota.window:
        latest = max((at for at, _ in spent), default=now)
        ahead = max(0.0, latest - now - pool.quota.window / BUCKETS)
    for at, amount in spent:
        pool.counter.book(at - ahead, amount)
