"""A pool as a row of the database: what of it has to survive a restart, and how it comes back."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from freellm.errors import StoreError
from freellm.ledger.burning import Burnt
from freellm.ledger.counters import BUCKETS, Fixed, Spending
from freellm.ledger.pools import Learned, Pool
from freellm.ledger.rolling import Rolling


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


class _Payload(msgspec.Struct, omit_defaults=True):
    spent: list[tuple[float, float]] = []
    closed_until: float = 0.0
    learned: Learned | None = None
    burnt: Burnt | None = None


def state_of(pool: Pool, under_way: Iterable[Spending]) -> PoolState:
    """Return a pool's state.

    :param under_way: bookings of leases that are not settled yet, which are left out
    """
    counter = pool.counter
    burnt = counter.burn.state() if isinstance(counter, Fixed) else None
    payload = _Payload(counter.spent(under_way), pool.closed_until, pool.learned, burnt)
    quota = pool.quota
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
    try:
        payload = msgspec.json.decode(state.payload, type=_Payload)
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"the saved quota use of {state.identity} is damaged ({error}); restore a backup of the database, "
            "or delete this row and accept that its quota counts as unused"
        ) from error
    pool.advance(now)
    _book(pool, payload.spent, now)
    ahead = max(0.0, state.changed - now)
    pool.closed_until = max(0.0, payload.closed_until - ahead)
    if learned := payload.learned:
        pool.learned = msgspec.structs.replace(learned, expires=learned.expires - ahead)
    if isinstance(pool.counter, Fixed):
        pool.counter.resume(payload.burnt, now, ahead)
    pool.changed = max(pool.changed, min(state.changed, now))
    pool.advance(now)


def _book(pool: Pool, spent: list[Spending], now: float) -> None:
    ahead = 0.0
    if isinstance(pool.counter, Rolling) and pool.quota.window:
        latest = max((at for at, _ in spent), default=now)
        ahead = max(0.0, latest - now - pool.quota.window / BUCKETS)
    for at, amount in spent:
        pool.counter.book(at - ahead, amount)
