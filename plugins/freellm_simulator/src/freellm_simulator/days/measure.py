"""What a simulated day shows: answers, refusals, errors while there was room, the quality of the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from freellm_simulator.days.contenders import Outcome


@dataclass(slots=True)
class Tally:
    """One contender's day.

    :param requests: requests by kind
    :param errors: client errors by code
    :param errors_with_room: of those, the ones at a moment at which some service had room
    :param refused: upstream 429s; `asked` are all upstream requests
    :param ranks: intelligence ranks of the models that answered, as far as they are ranked
    :param served: answers by model
    :param attempts: answers by the number of failed attempts before
    """

    name: str
    requests: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    errors_with_room: int = 0
    refused: int = 0
    asked: int = 0
    ranks: list[int] = field(default_factory=list)
    served: Counter[str] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)

    def add(self, kind: str, outcome: Outcome, room: bool) -> None:
        """Count one request.

        :param room: whether, at the moment it failed, some service would have taken it
        """
        self.requests[kind] += 1
        if outcome.entry is None:
            self.errors[outcome.error or "?"] += 1
            self.errors_with_room += room
            return
        self.served[outcome.entry.name] += 1
        self.attempts[outcome.attempts] += 1
        if outcome.entry.model.intelligence_rank:
            self.ranks.append(outcome.entry.model.intelligence_rank)

    @property
    def total(self) -> int:
        """All requests."""
        return self.requests.total()

    @property
    def answered(self) -> int:
        """Requests that were answered."""
        return self.served.total()

    @property
    def refused_per_thousand(self) -> float:
        """Upstream 429s per 1,000 client requests."""
        return 1000 * self.refused / max(self.total, 1)

    @property
    def first_try(self) -> float:
        """The share of answers without a failed attempt."""
        return self.attempts[0] / max(self.answered, 1)

    @property
    def mean_rank(self) -> float:
        """The mean intelligence rank of answers of ranked models; 1 is best."""
        return sum(self.ranks) / max(len(self.ranks), 1)


def summary(tallies: Sequence[Tally]) -> list[dict[str, object]]:
    """Return the figures of each contender as JSON has them; the last one is the measure of what is possible."""
    return [
        {
            "contender": tally.name,
            "requests": tally.total,
            "answered": tally.answered,
            "of_the_possible": round(tally.answered / max(tallies[-1].answered, 1), 4),
            "upstream_429_per_1000": round(tally.refused_per_thousand, 3),
            "errors": dict(tally.errors),
            "errors_with_room": tally.errors_with_room,
            "first_try": round(tally.first_try, 5),
            "mean_rank": round(tally.mean_rank, 2),
            "served": dict(tally.served.most_common()),
        }
        for tally in tallies
    ]
