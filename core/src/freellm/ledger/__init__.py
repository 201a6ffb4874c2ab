"""Every quota and what was spent from it; see `freellm.ledger.ledger.Ledger`."""

from freellm.ledger.claims import Claims, Turn
from freellm.ledger.counters import CONCURRENCY_RETRY
from freellm.ledger.demands import Demand, Lease, Obstacle, Share
from freellm.ledger.guesses import Learned
from freellm.ledger.ledger import LEASE_AGE, Ledger
from freellm.ledger.pools import Pool, PoolView
from freellm.ledger.records import FOUND, PoolState

__all__ = [
    "CONCURRENCY_RETRY",
    "FOUND",
    "LEASE_AGE",
    "Claims",
    "Demand",
    "Learned",
    "Lease",
    "Ledger",
    "Obstacle",
    "Pool",
    "PoolState",
    "PoolView",
    "Share",
    "Turn",
]
