"""What the refusals of limits teach the books: which quota is meant, how large it is, what is used of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from freellm.declarations import Quota
from freellm.gateway.refused import Refused
from freellm.gateway.undeclared import undeclared
from freellm.ledger import REFUSALS_HOLD, Ledger, Pool, price_of
from freellm.types import Kind


class Lessons:
    """Learn from refusals.

    :param ledger: the quotas
    :param found: called when a quota was found that no provider declares, so that routes are made anew
    """

    __slots__ = ("_found", "_ledger")

    def __init__(self, ledger: Ledger, found: Callable[[], None]) -> None:
        self._ledger = ledger
        self._found = found

    def learn(self, refused: Refused) -> None:
        """Believe a limit that is stated; find out one that is not."""
        failure = refused.failure
        if failure.limit is not None:
            if refused.unit is not None:
                self._believe(refused, refused.unit, failure.limit)
        elif failure.scope != "model" and not self._discovers(refused):
            # What speaks for a model with every key is no quota of ours: the service is full.
            self._introduce(refused)
        self._ledger.believe(
            refused.route.shares,
            refused.now,
            unit=refused.unit,
            window=failure.window,
            scope=failure.scope,
        )

    def foresaw(self, refused: Refused) -> bool:
        """Tell whether the books said that the pools it speaks of are full; to be asked before they learn from it."""
        failure = refused.failure
        return self._ledger.foresaw(
            refused.route.shares,
            refused.demand,
            refused.now,
            unit=failure.unit,
            window=failure.window,
            scope=failure.scope,
        )

    def count(self, refused: Refused) -> bool:
        """Book what a refusal states as used; False when it does not say enough for that.

        Then what is smaller than the refused request still gets the room that is left beside it, and nothing needs to be
        closed.
        """
        failure = refused.failure
        if failure.used is None or failure.limit is None or failure.unit is None or refused.wait is None:
            return False
        pools = self._ledger.count(
            refused.route.shares,
            refused.demand,
            refused.now,
            unit=failure.unit,
            window=failure.window,
            scope=failure.scope,
            used=failure.used,
            until=refused.now + refused.wait,
        )
        return bool(pools)

    def close(self, refused: Refused) -> Sequence[Pool]:
        """Close the pools it speaks of; see `Ledger.close`."""
        failure, now = refused.failure, refused.now
        return self._ledger.close(
            refused.route.shares,
            now,
            until=None if refused.wait is None else now + refused.wait,
            unit=failure.unit,
            window=failure.window,
            limit=failure.limit,
            scope=failure.scope,
        )

    def _believe(self, refused: Refused, unit: str, limit: float) -> None:
        """Believe a limit that is stated, and take it for the first guess where a like one is declared as unknown."""
        route, now = refused.route, refused.now
        pools = self._ledger.learn(
            route.shares,
            now,
            unit=unit,
            window=refused.failure.window,
            limit=limit,
            evidence=refused.evidence,
            scope=refused.failure.scope,
        )
        if not pools:
            self._introduce(refused)
        for quota in (quota for pool in pools for quota in _alike(pool.quota, route.provider.quotas)):
            pool = self._ledger.pool(
                route.provider.name, quota, key=route.key.fingerprint, account=route.key.account
            )
            pool.inherit(limit, route.entry.name, now)

    def _discovers(self, refused: Refused) -> bool:
        """Find the limit out; False when no declared quota fits the refusal."""
        failure = refused.failure
        suspect = self._ledger.discover(
            refused.route.shares,
            refused.demand,
            refused.now,
            unit=refused.unit,
            window=failure.window,
            wait=refused.wait,
            scope=failure.scope,
            long=failure.kind is Kind.QUOTA_EXHAUSTED,
            dispatched=refused.dispatched,
        )
        return suspect is not None

    def _introduce(self, refused: Refused) -> None:
        """Make the quota that a refusal shows and no provider declares; what is stated of it is believed at once."""
        route, failure, now = refused.route, refused.failure, refused.now
        provider, key = route.provider, route.key
        quota = undeclared(route.model, failure, refused.unit, refused.wait, now, provider.quotas)
        if price_of(route.model, quota) is None:
            return
        new = self._ledger.find(provider.name, quota)
        pool = self._ledger.pool(provider.name, quota, key=key.fingerprint, account=key.account)
        pool.advance(now)
        if failure.limit is not None:
            pool.learn(failure.limit, refused.evidence, now + REFUSALS_HOLD, now)
        if failure.kind is Kind.QUOTA_EXHAUSTED:
            pool.close(pool.counter.reset(now) if refused.wait is None else now + refused.wait, now)
        if new:
            self._found()


def _alike(quota: Quota, declared: Sequence[Quota]) -> list[Quota]:
    """Return the quotas of other single models that are declared with the same unit, window and unknown limit."""

    def kind(one: Quota) -> tuple[str, float | None, float | None, int]:
        return one.unit, one.window, one.limit, len(one.members)

    if quota.limit is not None or len(quota.members) != 1:
        return []
    return [one for one in declared if kind(one) == kind(quota) and one.members != quota.members]
