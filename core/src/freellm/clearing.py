"""Taking back what closes routes: cooldowns, penalties, refused sizes, pools that a service called exhausted. Pure.

What was spent stays spent, and what was learned stays learned.
"""

from __future__ import annotations

from collections.abc import Iterable

from freellm.catalogue import Route
from freellm.health import Health, Standing
from freellm.ledger import Ledger, Pool


def clear(name: str, routes: Iterable[Route], health: Health, ledger: Ledger, now: float) -> list[str] | None:
    """Forget what is held against a provider, a model, a route, a key or a pool.

    :param name: `provider`, `provider/model`, `provider/model#key`, `provider#key`, a pool's identity, or what an
        explanation calls it, such as `model lab/a`
    :param routes: every route there is
    :return: the names of what was closed or sunk and is not any more; None when nothing has this name
    """
    standings: dict[str, Standing] = {}
    pools: dict[str, Pool] = {}
    for route in routes:
        standings |= {one.name: one for one in route.standings() if _is_named(one.name, name)}
        whole = name in (route.name, route.entry.name, route.provider.name)
        pools |= {s.pool.identity: s.pool for s in route.shares if whole or s.pool.identity == name}
    if not standings and not pools:
        return None
    held = sorted(known for known, standing in standings.items() if _is_held(standing, now))
    shut = sorted(known for known, pool in pools.items() if pool.closed_until > now)
    for known in held:
        health.clear(known)
    for known in shut:
        ledger.reopen(known, now)
    return [*held, *shut]


def names(routes: Iterable[Route]) -> list[str]:
    """Return the names that people know things by: providers and models."""
    found: dict[str, None] = {}
    for route in routes:
        found |= {route.provider.name: None, route.entry.name: None}
    return list(found)


def _is_named(standing: str, name: str) -> bool:
    """Tell whether a name stands for a standing: it is it, or what it is a part of."""
    known = standing.partition(" ")[2]
    is_provider = "/" not in name and "#" not in name
    return name in (standing, known) or known.startswith(
        (f"{name}#", *((f"{name}/",) if is_provider else ()))
    )


def _is_held(standing: Standing, now: float) -> bool:
    return standing.closed_until > now or standing.too_large_until > now or standing.penalty(now) > 0.0
