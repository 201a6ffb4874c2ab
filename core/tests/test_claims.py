"""Claims: when somebody's turn is, against the promise said plainly, with nothing remembered from one question to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from freellm.ledger import Claims, Demand, Ledger, Turn
from freellm.ledger.demands import Share
from small_world import START, model, quota


class Claim(NamedTuple):
    ticket: int
    tokens: int
    at: float


def shares(*limits: tuple[float, str, float | None]) -> tuple[Share, ...]:
    quotas = [quota(limit, unit=unit, window=window) for limit, unit, window in limits]
    return Ledger().shares("lab", model("m"), quotas, key="k", account="a")


def demand(tokens: int) -> Demand:
    return Demand(tokens, 0, 0)


def plainly(share: Share, tokens: int, ahead: Sequence[Claim], now: float) -> float:
    """Return when a pool opens: alone, if everybody ahead is served as promised all the same; else after all of them."""
    pool, sums = share.pool, 0.0
    alone = pool.opening(share.amount(demand(tokens)), now, share.unlimited)
    harms = False
    for claim in ahead:
        sums += share.amount(demand(claim.tokens))
        needed = sums + share.amount(demand(tokens))
        latest = now if share.concurrent else max(claim.at, now)
        harms = harms or pool.opening(needed, now, unlimited=False) > latest
    if math.isinf(alone) or not harms:
        return alone
    together = pool.opening(sums + share.amount(demand(tokens)), now, unlimited=False)
    return max(alone, now + (pool.quota.window or 1.0)) if math.isinf(together) else together


SPENT = st.lists(st.tuples(st.floats(0, 59), st.integers(1, 40)), max_size=6)
CLAIMS = st.lists(st.builds(Claim, st.integers(1, 9), st.integers(1, 60), st.floats(START, START + 90)))


@given(SPENT, CLAIMS, st.integers(1, 10), st.integers(1, 110))
def test_a_turn_is_what_is_promised(
    spent: list[tuple[float, int]], made: list[Claim], ticket: int, tokens: int
) -> None:
    drawn = shares((100.0, "tokens", 60.0), (3.0, "requests", 60.0), (2.0, "concurrent", None))
    now, claims = START + 60, Claims()
    for ago, amount in spent:
        for share in drawn:
            share.pool.advance(now)
            share.pool.counter.book(now - ago, share.amount(demand(amount)))
    for claim in made:
        claims.make(claim.ticket, drawn, demand(claim.tokens), claim.at)
    last = {claim.ticket: claim for claim in made}
    ahead = [last[number] for number in sorted(last) if number < ticket]
    tokens_at, requests_at, concurrent_at = (plainly(share, tokens, ahead, now) for share in drawn)
    expected = Turn(max(now, tokens_at, requests_at), now < concurrent_at < math.inf)
    assert claims.turn(drawn, demand(tokens), now, ticket) == expected


def test_what_was_given_up_is_claimed_no_more() -> None:
    drawn = shares((100.0, "tokens", 60.0))
    claims = Claims()
    for ticket in (3, 1, 2):
        claims.make(ticket, drawn, demand(40), START)
    assert claims.turn(drawn, demand(30), START, math.inf).at > START
    claims.drop(2, drawn)
    claims.drop(7, drawn)
    assert claims.turn(drawn, demand(20), START, math.inf).at == START
    assert claims.turn(drawn, demand(30), START, math.inf).at > START
    for ticket in (1, 3):
        claims.drop(ticket, drawn)
    assert claims.turn(drawn, demand(100), START, math.inf).at == START


def test_a_sum_of_requests_does_not_put_a_guess_to_the_test() -> None:
    """Only a request that a limit keeps out raises it, and by what it needs itself."""
    (share,) = drawn = shares((100.0, "tokens", 60.0))
    share.pool.advance(START)
    share.pool.discover(asked=50, kept=0, dispatched=START, now=START)
    limit, later = share.pool.limit, START + 500
    assert limit == 50
    claims = Claims()
    claims.make(1, drawn, demand(40), later)
    share.pool.advance(later)
    assert claims.turn(drawn, demand(30), later, math.inf).at > later
    assert share.pool.limit == limit
