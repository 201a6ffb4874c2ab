"""How long an answer may get where the service charges a ceiling and the client states none. Pure."""

from __future__ import annotations

from freellm.catalogue import Route
from freellm.ledger import Demand

GENEROUS = 4_096
"""Tokens of ceiling at most that an answer is given unasked."""


def generous(route: Route, demand: Demand, stated: int | None) -> Demand:
    """Return a demand whose ceiling uses spare quota, where the service charges a ceiling and the client states none.

    The usual length of a model's answers would cut every longer one. While there is quota to spare, a quarter of it
    may go into one answer's ceiling, as far as it fits beside the input; when it gets scarce, the usual length is what
    is left. See docs/decisions/0005-output-ceilings.md.

    :param stated: the ceiling that the client states
    """
    if stated is not None or not route.charges_ceiling or demand.daring:
        return demand
    spare = min(
        (share.pool.room - share.pool.counter.used for share in route.shares if share.charges_ceiling),
        default=0.0,
    )
    ceiling = min(int(min(spare / 4, spare - demand.input, GENEROUS)), route.model.max_output or GENEROUS)
    return Demand(demand.input, demand.output, ceiling) if ceiling > demand.ceiling else demand
