"""The pools there are: made when a route first asks, found again after a rebuilt catalogue or a restart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from freellm.declarations import Model, Quota
from freellm.ledger.demands import Price, Share, price_of
from freellm.ledger.pools import Pool, PoolView
from freellm.ledger.records import PoolState, found_quota, recall


class _Drawing(NamedTuple):
    """How a route draws on a pool; see `Share`."""

    pool: Pool
    price: Price
    charges_ceiling: bool
    unlimited: bool
    counts_inputs: bool

    def share(self) -> Share:
        return Share(
            self.pool,
            self.price,
            charges_ceiling=self.charges_ceiling,
            unlimited=self.unlimited,
            counts_inputs=self.counts_inputs,
        )


class Registry:
    """All pools by identity: provider instance, quota name and the owner's fingerprint.

    :ivar watcher: told of pools that may have more room than before, for reasons other than time; None while nobody
        waits for room
    """

    __slots__ = ("_found", "_loaded_at", "_pools", "_shares", "_states", "watcher")

    def __init__(self) -> None:
        self.watcher: Callable[[Iterable[Pool]], None] | None = None
        self._found: defaultdict[str, list[Quota]] = defaultdict(list)
        self._pools: dict[str, Pool] = {}
        self._shares: dict[tuple[_Drawing, ...], tuple[Share, ...]] = {}
        self._states: dict[str, PoolState] = {}
        self._loaded_at = 0.0

    def shares(
        self,
        provider: str,
        model: Model,
        quotas: Sequence[Quota],
        *,
        key: str,
        account: str,
        unlimited: bool = False,
        overrides: Mapping[str, float] = {},
    ) -> tuple[Share, ...]:
        """Return the pools that a route draws on. The same pool comes back whenever it is asked for again.

        Routes that draw the same on the same pools have the same shares, so what is found out for one holds for all.

        :param provider: the provider instance
        :param quotas: all quotas of the provider; those that do not touch the model are passed over
        :param key: the key's fingerprint
        :param account: the account's fingerprint
        :param unlimited: whether the key is on a paid plan: its use is counted, never refused
        :param overrides: limits from the settings by `Quota.name`
        """
        found: dict[str, _Drawing] = {}
        for quota in (*quotas, *self._found.get(provider, ())):
            identity = _identity(provider, quota, key, account)
            price = price_of(model, quota)
            if price is None or identity in found:
                continue
            pool = self._pool(identity, quota, overrides.get(quota.name))
            charges_ceiling = quota.unit == "tokens" and quota.charge == "input+max"
            found[identity] = _Drawing(pool, price, charges_ceiling, unlimited, model.counts_inputs)
        drawings = tuple(found.values())
        known = self._shares.get(drawings)
        if known is None:
            known = self._shares[drawings] = tuple([drawing.share() for drawing in drawings])
        return known

    def pool(self, provider: str, quota: Quota, *, key: str, account: str) -> Pool:
        """Return the pool of a quota, which is made if no route has asked for it yet.

        :param provider: the provider instance
        :param key: the key's fingerprint
        :param account: the account's fingerprint
        """
        identity = _identity(provider, quota, key, account)
        known = self._pools.get(identity)
        return self._pool(identity, quota, None) if known is None else known

    def _pool(self, identity: str, quota: Quota, override: float | None) -> Pool:
        pool = self._pools.get(identity)
        if pool is None:
            pool = self._pools[identity] = Pool(identity, quota)
            if state := self._states.pop(identity, None):
                recall(pool, state, self._loaded_at)
        pool.declare(quota, override)
        return pool

    def find(self, provider: str, quota: Quota) -> bool:
        """Add a quota that its provider does not declare; routes draw on it when they are made anew.

        :return: False when it is known already
        """
        known = {found.name for found in self._found[provider]}
        if quota.name not in known:
            self._found[provider].append(quota)
        return quota.name not in known

    def pools(self) -> Iterable[Pool]:
        """Return every pool that was ever asked for; `Pool.view` shows one as it is at a moment."""
        return self._pools.values()

    def views(self, now: float) -> list[PoolView]:
        """Return every pool as it is at a moment."""
        return [pool.view(now) for pool in self._pools.values()]

    def reopen(self, identity: str, now: float) -> bool:
        """Forget that a pool was closed by a refusal; False when there is no such pool."""
        pool = self._pools.get(identity)
        if pool:
            pool.reopen(now)
            if self.watcher is not None:
                self.watcher([pool])
        return pool is not None

    def load(self, states: Iterable[PoolState], now: float) -> None:
        """Bring back what earlier processes spent. Called once, before the first request.

        States of pools that no route has asked for yet are kept until one does: a key may be added again.

        :raises StoreError: when a state cannot be read
        """
        self._loaded_at = now
        for state in states:
            if quota := found_quota(state, now):
                self.find(state.identity.partition("|")[0], quota)
            if pool := self._pools.get(state.identity):
                recall(pool, state, now)
            else:
                self._states[state.identity] = state


def _identity(provider: str, quota: Quota, key: str, account: str) -> str:
    owners = {"key": key, "account": account, "ip": "ip"}
    return f"{provider}|{quota.name}|{owners[quota.scope]}"
