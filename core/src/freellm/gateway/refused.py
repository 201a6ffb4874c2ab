"""A failed attempt, and what its refusal says of times and of things. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from freellm.catalogue import Route
from freellm.health import Standing
from freellm.ledger import Demand
from freellm.types import Failure, Kind

DAY = 86_400.0


class Refused(msgspec.Struct, frozen=True):
    """A failed attempt as its consequences see it.

    :param route: who was asked
    :param failure: what came of it
    :param demand: what the attempt had reserved
    :param wait: seconds the service stated, within reason
    :param now: Unix time
    :param dispatched: Unix time at which the attempt began
    """

    route: Route
    failure: Failure
    demand: Demand
    wait: float | None
    now: float
    dispatched: float

    def closes(self, standing: Standing, seconds: float, *, stated: bool = True) -> None:
        """Close something for some seconds."""
        standing.close(self.now + seconds, self.failure.kind, stated=stated, at=self.now)

    def waits(self, guess: float) -> None:
        """Close what the refusal speaks for: as long as is stated, else for a guess."""
        seconds = guess if self.wait is None else self.wait
        self.closes(self.meant, seconds, stated=self.wait is not None)

    @property
    def meant(self) -> Standing:
        """What the refusal speaks for."""
        route, scope = self.route, self.failure.scope
        scopes: Mapping[str, Standing] = {
            "model": route.entry.standing,
            "key": route.key_standing,
            "account": route.key_standing,
            "ip": route.provider_standing,
            "provider": route.provider_standing,
        }
        return scopes.get(scope, route.standing)

    @property
    def evidence(self) -> str:
        """How a limit that it states is known, in words for a person."""
        return f"{self.route.entry.name} answered {self.failure.kind}"

    @property
    def unit(self) -> str | None:
        """The unit it names."""
        return "concurrent" if self.failure.kind is Kind.CONCURRENCY else self.failure.unit


def stated_wait(failure: Failure, now: float) -> float | None:
    """Return the seconds the service stated, within a second and a day; a reset time may be a month away."""
    if failure.resets_at is not None:
        return min(max(failure.resets_at - now, 1.0), 32 * DAY)
    if failure.retry_after is not None:
        return min(max(failure.retry_after, 1.0), DAY)
    return None
