"""What answers say about pools: how large they are, what was spent elsewhere.

Nothing here ever lowers what is known to be spent. A service's `remaining` can only reveal spending that this ledger
did not see (another program with the same key), and that is booked on top. What turns out to be a request of our own,
which was estimated too low, is taken back when its usage is known: else it would be booked twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from freellm.declarations import DAY
from freellm.ledger.demands import Share
from freellm.ledger.learning import chosen
from freellm.ledger.pools import Pool
from freellm.types import Reading

ANSWERS_HOLD: Final = 7 * DAY
"""Seconds for which a limit that an answer stated is believed without being repeated."""

READ_EVIDENCE: Final = "stated by an answer's headers"


def read(shares: Sequence[Share], reading: Reading, now: float, seen: Mapping[Pool, float]) -> None:
    """Believe what an answer says about a quota.

    It tells how things stood between the request's dispatch and now. What was given back meanwhile is no spending elsewhere.

    A limit replaces the declared one for a week. What remains reveals spending elsewhere, which is booked so that
    it expires when the answer says that the quota is full again. Nothing left of an unknown limit closes the pool
    until then. A reading without a matching pool is not about a quota that the provider declared.

    :param seen: what was used of pools when the request was dispatched, its own reservation included
    """
    unit, window = reading.unit, reading.window
    pools = [
        share.pool for share in shares if share.pool.quota.unit == unit and share.pool.quota.window == window
    ]
    for pool in chosen(pools, reading.scope):
        if now >= pool.edge:
            pool.advance(now)
        if reading.limit is not None:
            pool.told = now
            pool.learn(reading.limit, READ_EVIDENCE, now + ANSWERS_HOLD, now)
        if reading.remaining is not None and window is not None:
            used = max(seen.get(pool, 0.0), pool.counter.used)
            _reconcile(pool, used, reading.remaining, window, reading.limit, reading.resets_in, now)


def _reconcile(
    pool: Pool,
    used: float,
    remaining: float,
    window: float,
    limit: float | None,
    resets_in: float | None,
    now: float,
) -> None:
    size = pool.limit if limit is None else limit
    if math.isinf(size):
        if remaining <= 0 and resets_in is not None:
            pool.close(now + resets_in, now)
        return
    elsewhere = size - remaining - used
    if elsewhere >= 0:
        pool.doubts = None  # all that is booked has been counted
    if elsewhere > 0:
        at = now if resets_in is None else min(now, now + resets_in - window)
        pool.spend_elsewhere(elsewhere, at, now)
