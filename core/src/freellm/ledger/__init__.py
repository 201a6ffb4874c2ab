"""Every quota and what was spent from it; see `freellm.ledger.ledger.Ledger`."""

from freellm.ledger.claims import Claims, Turn
from freellm.ledger.counters import CONCURRENCY_RETRY
from freellm.ledger.demands import Demand, Lease, Obstacle, Share, price_of
from freellm.ledger.guesses import Learned
from freellm.ledger.learning import REFUSALS_HOLD
from freellm.ledger.ledger import LEASE_AGE, Ledger
from freellm.ledger.pools import Pool, PoolView
from freellm.ledger.records import FOUND, PoolState

__all__ = [
    "CONCURRENCY_RETRY",
    "FOUND",
    "LEASE_AGE",
    "REFUSALS_HOLD",
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
    "price_of",
]
