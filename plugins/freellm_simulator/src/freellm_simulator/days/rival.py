"""The policy to compare with: FreeLLMAPI's, as its article and its releases describe it. In the benchmark only.

Models in the order of their rank, sunk by penalties (3 for each 429, 10 at most, one less every two minutes and with each
success). Each model's own four limits are counted, minutes as the last 60 seconds and days as UTC days, with a prompt
taken for a quarter of its characters and nothing set aside for the answer. A 429 benches the model and key for two
minutes, then ten, an hour, a day. Limits that several models share, and what headers and refusals state, are unknown to
it. Up to 20 attempts.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence

from freellm import Answer, ChatRequest, Failure, Kind, Quota
from freellm.catalogue import Route
from freellm.runtime import Runtime
from freellm_simulator.days.contenders import Outcome
from freellm_simulator.days.measure import Tally
from freellm_simulator.days.oracle import needs_of
from freellm_simulator.days.services import Services
from freellm_simulator.days.traffic import Arrival

ATTEMPTS = 20
BENCHES = (120.0, 600.0, 3_600.0, 86_400.0)
"""Seconds of the first bench after a 429, of the second in a row, and so on."""

PENALTY, PENALTY_MOST, FORGIVEN = 3.0, 10.0, 120.0
DAY = 86_400.0


class _Count:
    """What was spent of one limit of a model's own: in the last seconds, or since midnight where it is a day's."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._spent: deque[tuple[float, float]] = deque()
        self._used = 0.0

    def fits(self, tokens: float, now: float) -> bool:
        window, limit = self._quota.window or 0.0, self._quota.limit
        since = now - now % DAY if window >= DAY else now - window
        while self._spent and self._spent[0][0] < since:
            self._used -= self._spent.popleft()[1]
        return limit is None or self._used + self._amount(tokens) <= limit

    def spend(self, tokens: float, now: float) -> None:
        self._spent.append((now, amount := self._amount(tokens)))
        self._used += amount

    def _amount(self, tokens: float) -> float:
        return 1.0 if self._quota.unit == "requests" else tokens


class _Place:
    """One model with one key: its counts, its penalty and its bench."""

    def __init__(self, route: Route, quotas: Sequence[Quota]) -> None:
        self.route = route
        self.counts = [_Count(quota) for quota in quotas]
        self.benched_until = 0.0
        self.benches = 0
        self._penalty, self._penalty_at = 0.0, 0.0

    def penalty(self, now: float) -> float:
        return max(0.0, self._penalty - (now - self._penalty_at) / FORGIVEN)

    def sink(self, by: float, now: float) -> None:
        self._penalty = min(max(self.penalty(now) + by, 0.0), PENALTY_MOST)
        self._penalty_at = now

    def bench(self, now: float) -> None:
        self.benched_until = now + BENCHES[min(self.benches, len(BENCHES) - 1)]
        self.benches += 1


class Rival:
    """Routes as FreeLLMAPI does; translation is freellm's, since that is not what is compared.

    :param runtime: whose models and keys it routes to
    :param services: asked directly
    :param prefixes: by base URL, the provider and the path that goes before a hook's own
    :param tally: counts what was asked and refused
    """

    name = "FreeLLMAPI's policy"

    def __init__(
        self,
        runtime: Runtime,
        services: Services,
        prefixes: Mapping[str, tuple[str, str]],
        tally: Tally,
    ) -> None:
        own: dict[tuple[str, str], list[Quota]] = defaultdict(list)
        for entry in runtime.proxy.catalogue.chain:
            for quota in entry.provider.quotas:
                if quota.members == (entry.model.id,) and quota.unit in ("requests", "tokens"):
                    own[entry.provider.name, entry.model.id].append(quota)
        self._places = [
            _Place(route, own[entry.provider.name, entry.model.id])
            for entry in runtime.proxy.catalogue.chain
            if not entry.model.classifier
            for route in entry.routes
        ]
        self._order = {place: number for number, place in enumerate(self._places)}
        self._services = services
        self._prefixes = prefixes
        self._clock = runtime.clock
        self._open = runtime.keyring.open
        self._tally = tally

    async def serve(self, arrival: Arrival) -> Outcome:
        """Answer one request."""
        request = ChatRequest(messages=arrival.messages, parameters=arrival.fields)
        tokens = sum(len(str(message["content"])) for message in arrival.messages) / 4
        needed = needs_of(arrival)
        attempts, tried, now = 0, set[_Place](), self._clock.now()
        for place in sorted(self._places, key=lambda place: self._order[place] + place.penalty(now)):
            now = self._clock.now()
            if place in tried or place.benched_until > now or needed & ~place.route.entry.mask:
                continue
            if not all(count.fits(tokens, now) for count in place.counts):
                continue
            tried.add(place)
            if await self._ask(place, request, tokens):
                return Outcome(place.route.entry, attempts)
            attempts += 1
            if attempts >= ATTEMPTS:
                break
        return Outcome(None, attempts, "exhausted")

    async def _ask(self, place: _Place, request: ChatRequest, tokens: float) -> bool:
        route = place.route
        key = self._open(route.key)
        upstream = route.provider.translate_request(request, route.model, key)
        if isinstance(upstream, Failure):
            return False
        provider, prefix = self._prefixes[key.base_url]
        reaction = self._services.ask(provider, prefix + upstream.path, upstream.headers, upstream.body or {})
        self._tally.asked += 1
        self._tally.refused += reaction.status == 429
        await asyncio.sleep(reaction.first_byte + reaction.seconds)
        reaction.settle()
        now = self._clock.now()
        if reaction.status == 200:
            usage = reaction.usage
            spent = tokens if usage is None else float(usage.prompt + usage.completion)
            for count in place.counts:
                count.spend(spent, now)
            place.sink(-1.0, now)
            place.benches = 0
            return True
        answer = Answer(reaction.status, reaction.headers, reaction.body)
        failure = route.provider.classify_error(request, route.model, answer)
        if failure.kind in (Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED, Kind.CONCURRENCY):
            place.sink(PENALTY, now)
            place.bench(now)
        return False
