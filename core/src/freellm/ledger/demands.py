"""What a request needs of quotas, how much of each it is charged, and what was reserved for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from freellm.declarations import Model, Quota

if TYPE_CHECKING:
    from freellm.ledger.pools import Pool

Price: TypeAlias = tuple[float, float, float]
"""What one request costs of a quota: per request, per input token, per output token."""

Cause: TypeAlias = Literal["quota", "closed", "concurrency", "too_large"]
"""Why a pool refuses: it is spent, the service said so, too many requests are under way, or the request is larger
than the whole quota."""


class Demand(msgspec.Struct, frozen=True):
    """What one request will probably use, in tokens.

    :param input: the estimated input
    :param output: the expected output
    :param ceiling: the `max_tokens` that will be sent; the same as `output` when none is sent
    :param requests: as how many requests the service counts it
    :param daring: whether it is booked as soon as it fits without what is doubtful, see `Ledger.may_fit`
    """

    input: int
    output: int
    ceiling: int
    requests: int = 1
    daring: bool = False


class Share:
    """One pool as one route draws on it.

    The amount is `per_request * requests + per_input * input + per_output * output`, where `output` is the request's
    ceiling if the service charges `max_tokens` at dispatch.

    :param pool: the pool that is drawn on
    :param price: what a request costs of it
    :param charges_ceiling: whether the service charges the whole `max_tokens` when it takes the request
    :param unlimited: whether spending is counted and never refused
    :param counts_inputs: whether one request may count as several, one for each of its inputs
    """

    __slots__ = (
        "charges_ceiling",
        "concurrent",
        "metered",
        "per_input",
        "per_output",
        "per_request",
        "pool",
        "refusal_costs",
        "unlimited",
    )

    def __init__(
        self,
        pool: Pool,
        price: Price,
        *,
        charges_ceiling: bool = False,
        unlimited: bool = False,
        counts_inputs: bool = False,
    ) -> None:
        self.pool = pool
        self.per_request, self.per_input, self.per_output = price
        self.charges_ceiling = charges_ceiling
        self.unlimited = unlimited
        self.concurrent = pool.quota.unit == "concurrent"
        self.metered = bool(self.per_input or self.per_output or (counts_inputs and not self.concurrent))
        # A request that was refused before inference still counts as a request, and as nothing else.
        self.refusal_costs = self.per_request if pool.quota.unit == "requests" else 0.0

    def amount(self, demand: Demand) -> float:
        """Return what a demand needs of the pool."""
        if not self.metered:
            return self.per_request
        output = demand.ceiling if self.charges_ceiling else demand.output
        base = self.per_request * demand.requests
        return base + self.per_input * demand.input + self.per_output * output

    def least(self, demand: Demand) -> float:
        """Return what a demand needs of the pool for sure: the output is an estimate, unless it is charged ahead.

        A limit that is a guess is put to the test by raising it bit by bit, not by answers that may get shorter: against
        such a limit all of the demand counts.
        """
        if not self.metered:
            return self.per_request
        learned = self.pool.learned
        if learned is not None and learned.guess is not None:
            return self.amount(demand)
        output = demand.ceiling if self.charges_ceiling else min(demand.output, 1)
        return self.per_request * demand.requests + self.per_input * demand.input + self.per_output * output


class Lease(msgspec.Struct, eq=False):
    """What is reserved for one request from its dispatch until it is settled.

    :param shares: the pools that were drawn on
    :param amounts: what was booked on each of them
    :param demand: the tokens that were reserved
    :param at: the moment the booking counts from, Unix seconds: dispatch, then the arrival of the answer's headers
    :param begun: the moment of dispatch
    :param slot: for the owner of a lease file: the slot that holds this lease
    """

    shares: Sequence[Share]
    amounts: list[float]
    demand: Demand
    at: float
    begun: float
    slot: int = -1


class Obstacle(msgspec.Struct, frozen=True):
    """The pool that keeps a request from a route for the longest time.

    :param share: the pool, as the route draws on it
    :param used: what is spent of it
    :param limit: what it holds; None is unknown
    :param opens_at: Unix time at which the pool admits the request; infinite when it never will
    :param cause: why it refuses
    """

    share: Share
    used: float
    limit: float | None
    opens_at: float
    cause: Cause


_TOKENS: Final[Mapping[str, Price]] = {
    "actual": (0.0, 1.0, 1.0),
    "input": (0.0, 1.0, 0.0),
    "input+max": (0.0, 1.0, 1.0),
}
_REQUEST: Final[Price] = (1.0, 0.0, 0.0)


def price_of(model: Model, quota: Quota) -> Price | None:
    """Return what a request to a model costs of a quota; None when it costs nothing.

    :param quota: a quota of the same provider
    """
    if not quota.touches(model):
        return None
    if quota.unit in ("requests", "concurrent"):
        return _REQUEST
    if quota.unit == "tokens":
        return _TOKENS[quota.charge]
    price = model.costs.get(quota.unit)
    return price if price and any(price) else None
