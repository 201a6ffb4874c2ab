"""A gateway over the simulated services whose state is made up, and what the services themselves would answer."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import orjson

from freellm import Key, Secret
from freellm import catalogue as catalogues
from freellm.catalogue import Choice, Route
from freellm.clock import Clock
from freellm.errors import RequestError, UpstreamError
from freellm.extensions import Extensions
from freellm.gateway import Call, Gateway, Served
from freellm.gateway.activity import Activity
from freellm.gateway.asking import Asker
from freellm.gateway.consequences import Consequences
from freellm.gateway.conversations import Conversations
from freellm.gateway.hedging import Hedging
from freellm.gateway.kept import Kept
from freellm.gateway.preparing import Preparer
from freellm.gateway.records import Recorder
from freellm.gateway.successes import Successes
from freellm.gateway.waiting import Line
from freellm.gauge import Gauge
from freellm.health import Health
from freellm.keyring import ProviderKey, parse_key
from freellm.leases import LeaseFile
from freellm.ledger import Ledger
from freellm.providers import Provider
from freellm.routing import Needs, Order, Orders, Router
from freellm.sessions import Sessions
from freellm.store import AttemptRecord, RequestRecord
from freellm.strategies import offered
from freellm.surfaces.openai.parsing import parse
from freellm.tokens import Corrections, estimate_messages
from freellm.types import Answer, ChatRequest, Failure
from freellm.upstream import UpstreamClient
from freellm_simulator import Simulation
from freellm_simulator.quotas import Booking


class NoLog:
    """Where nothing is kept."""

    def request(self, record: RequestRecord) -> None:
        """Forget a request."""

    def attempt(self, record: AttemptRecord) -> None:
        """Forget an attempt."""


class Limits(msgspec.Struct):
    """The settings of the loop."""

    max_attempts: int = 20
    max_waiting: int = 1


class RandomWorld:
    """A gateway of its own, with some models of some providers and some keys.

    :param simulation: the services
    :param providers: all providers
    :param names: the models there are, as (provider, model)
    :param keys: one-line keys by provider
    """

    def __init__(
        self,
        simulation: Simulation,
        client: UpstreamClient,
        clock: Clock,
        providers: Sequence[Provider],
        names: Sequence[tuple[str, str]],
        keys: dict[str, list[str]],
        folder: Path,
    ) -> None:
        self.simulation, self.client, self.clock = simulation, client, clock
        self.ledger, self.health, corrections = Ledger(), Health(), Corrections()
        self._fields = {
            f"{provider.name}-{place}": parse_key(provider.info, line)
            for provider in providers
            for place, line in enumerate(keys.get(provider.name, ()))
        }
        held = [
            ProviderKey(
                id=id_, provider=id_.rpartition("-")[0], label="", fingerprint=id_, account=id_,
                source="stored", state="valid",
            )
            for id_ in self._fields
        ]  # fmt: skip
        choices = {
            (provider.name, model.id): Choice(enabled=(provider.name, model.id) in set(names))
            for provider in providers
            for model in provider.models
        }
        self.catalogue = catalogues.build(providers, held, choices, self.ledger, self.health, {})
        gauge = Gauge(clock.now)
        gauge.watch(self.catalogue)
        self.orders = Orders(self.catalogue, offered(gauge), self.health)
        self.router = Router(self.ledger, corrections)
        recorder, kept = Recorder(NoLog(), Extensions([]), clock, Activity()), Kept()
        self.consequences = Consequences(self.ledger, self.health)
        self._leases = LeaseFile(folder / "leases", slots=64)
        successes = Successes(
            corrections, self.health, kept, self.consequences, recorder, clock, lambda route: None
        )
        asker = Asker(
            ledger=self.ledger,
            leases=self._leases,
            preparer=Preparer(client, kept, clock),
            successes=successes,
            client=client,
            clock=clock,
            open_key=self.open,
            is_local=lambda provider: True,
            stall_timeout=5.0,
            boot="test",
        )
        limits = Limits()
        self.gateway = Gateway(
            router=self.router,
            asker=asker,
            consequences=self.consequences,
            conversations=Conversations(Sessions(), self.router, clock),
            line=Line(self.router, self.ledger, clock, limits),
            hedging=Hedging(self.router, self.ledger, recorder, clock),
            recorder=recorder,
            clock=clock,
            limits=limits,
            suspect_key=lambda route: None,
            renewed=lambda call: call.order,
        )

    def open(self, route: Route) -> Key:
        """Return a route's key."""
        fields = {name: Secret(value) for name, value in self._fields[route.key.id].items()}
        base_url = self.simulation.base_urls[route.provider.name]
        return Key(id=route.key.id, account=route.key.account, fields=fields, base_url=base_url)

    def close(self) -> None:
        """Let go of the lease file."""
        self._leases.close()

    @property
    def routes(self) -> list[Route]:
        """All routes of models that are on."""
        return [route for entry in self.catalogue.chain for route in entry.routes]

    def call(self, body: dict[str, Any], patience: float = 0.0) -> Call:
        """Return a request as the gateway takes it.

        :param patience: seconds that it waits for room at most
        """
        parsed = parse(orjson.dumps(body))
        now = self.clock.now()
        tokens = estimate_messages(parsed.request.messages, parsed.request.parameters.get("tools"))
        needs = Needs(parsed.mask, tokens, parsed.stated, now + 300.0)
        order = self.orders.auto() if body["model"] == "auto" else self.orders.pinned(body["model"])
        assert isinstance(order, Order)
        return Call(
            id="req_1", surface="openai", model=parsed.model, request=parsed.request,
            order=order, needs=needs, started=now, include_usage=parsed.include_usage,
            max_wait=patience,
        )  # fmt: skip

    async def serve(self, call: Call) -> Served | RequestError:
        """Let the gateway serve a request, streams to their end."""
        try:
            served = await self.gateway.serve(call)
        except RequestError as error:
            return error
        if served.stream is not None:
            async for _ in served.stream.rest():
                pass
        return served

    async def answers(self, route: Route, call: Call) -> bool:
        """Tell whether a service would answer a request now; nothing changes by asking."""
        with self._untouched():
            demand = self.router.demand(route.entry, call.needs)
            parameters = dict(call.request.parameters)
            if route.charges_ceiling or "max_tokens" in parameters:
                parameters["max_tokens"] = demand.ceiling
            request = ChatRequest(messages=call.request.messages, parameters=parameters)
            upstream = route.provider.translate_request(request, route.model, self.open(route))
            if isinstance(upstream, Failure):
                return False
            try:
                exchange = await self.client.send(
                    upstream,
                    self.simulation.base_urls[route.provider.name],
                    local=True,
                    first_byte_timeout=5.0,
                )
                answer: Answer = await exchange.answer()
            except UpstreamError:
                return False
            if answer.status != 200:
                return False
            found = route.provider.normalize_response(request, route.model, answer)
            return not isinstance(found, Failure)

    @contextmanager
    def _untouched(self) -> Iterator[None]:
        desk = self.simulation._desk
        kept = copy.deepcopy((desk.quotas, desk.faults.pending))
        try:
            yield
        finally:
            desk.quotas, desk.faults.pending = kept

    def spend(self, route: Route, account: str, place: int, share: float) -> None:
        """Use up a share of one of the quotas that a service keeps for a model."""
        desk, provider = self.simulation._desk, route.provider.name
        limits = desk.find(provider, route.model.id).limits
        if not limits:
            return
        limit, now = limits[place % len(limits)], desk.clock.now()
        (standing,) = desk.quotas.standings(provider, account, [limit], now)
        amount = limit.limit * share - standing.used
        if limit.unit in ("requests", "concurrent"):
            amount = round(amount)
        if amount > 0:
            booking = desk.quotas.admit(provider, account, [limit], {limit.charge: amount}, now)
            if isinstance(booking, Booking) and limit.charge == "after":
                booking.settle({limit.unit: amount})
