"""Asking one route once: book, translate, send, and make of the answer what the client gets."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable
from typing import TypeAlias

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.errors import UpstreamError, VaultError
from freellm.gateway.attempt import Attempt
from freellm.gateway.booking import Booking
from freellm.gateway.calls import Call, Served, Tried
from freellm.gateway.chunks import ChunkStream, StreamBrokenError, Whole
from freellm.gateway.preparing import Preparer
from freellm.gateway.relaying import Relay
from freellm.gateway.successes import Successes
from freellm.leases import LeaseFile
from freellm.ledger import Demand, Ledger
from freellm.providers import Provider
from freellm.redaction import redact
from freellm.routing import PassedOver
from freellm.types import Answer, ChatRequest, Failure, Json, Key, Kind, StreamNormalizer, Upstream
from freellm.upstream import Exchange, UpstreamClient

READ_EVERY = 1.0
"""Seconds between two readings of a route's quota headers: they tell of spending elsewhere, which is no hurry."""

ESTIMATED_WITHIN = 0.1
"""The share of its estimated input that a request may take more of a quota before a reading of it says that somebody else
spends: what was estimated too low is booked when the answer says so, and would be booked twice."""

WHOLE_ANSWER = 180.0
"""Seconds a whole answer may take when the provider declares less for a first byte: it has to be written first."""

UNREACHED = 30.0
"""Seconds that a key is left alone when there was no connection to its address, unless nothing else is left: a breaker's,
and longer than a request waits in line, so that nobody waits for a network that is not there."""


Outcome: TypeAlias = Served | Tried | PassedOver | None
"""What comes of asking a route; see `Asker.ask`."""


class Asker:
    """Ask routes.

    :param ledger: books quota
    :param leases: keeps bookings over a crash
    :param preparer: makes a call's request ready for a route
    :param successes: notes what an answer teaches
    :param client: the sockets
    :param clock: tells the time
    :param open_key: decrypts a route's key
    :param is_local: tells whether a provider may be on this machine or in its network
    :param stall_timeout: seconds a stream may be silent
    :param boot: what tells this start's ids from another's
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        leases: LeaseFile,
        preparer: Preparer,
        successes: Successes,
        client: UpstreamClient,
        clock: Clock,
        open_key: Callable[[Route], Key],
        is_local: Callable[[Provider], bool],
        stall_timeout: float,
        boot: str,
    ) -> None:
        self._ledger = ledger
        self._leases = leases
        self._preparer = preparer
        self._successes = successes
        self._client = client
        self._clock = clock
        self._open_key = open_key
        self._is_local = is_local
        self._stall_timeout = stall_timeout
        self._ids = (f"chatcmpl-{boot}{number:08x}" for number in itertools.count(1))

    async def ask(self, call: Call, route: Route, demand: Demand, amended: ChatRequest | None) -> Outcome:
        """Ask a route once.

        :param amended: the request its provider corrected; None sends the call's own
        :return: the answer; the failed attempt; why the provider cannot say this request to this model, in which
            case nothing was sent; or None when the route's quota was taken meanwhile
        :raises RequestError: when an image the request names cannot be had
        """
        call.asking = route
        request = amended or self._preparer.prepare(call, route, demand)
        if call.remote_images and route.model.images == "inline":
            request = await self._preparer.inline(call, request)
        started = self._clock.now()
        lease = self._ledger.reserve(route.shares, demand, started)
        if lease is None:
            return None
        if route.entry.track.wanted:
            route.entry.track.asked(started)
        booking = Booking(self._ledger, self._leases, self._clock, route, demand, lease)
        attempt = Attempt(call, route, demand, request, booking, self._clock, started)
        if route.provider.quota_headers:
            attempt.seen = [share.pool.counter.used for share in route.shares]
        try:
            return await self._send(attempt)
        except UpstreamError as error:
            if not error.reached:  # nothing was sent, and the key's other models are behind the same address
                booking.cancel()
                now = self._clock.now()
                route.key_standing.close(now + UNREACHED, error.kind, stated=False, at=now)
            return attempt.failed(Failure(kind=error.kind, message=error.message))
        except asyncio.CancelledError:
            booking.settle(demand.input, 0)
            raise

    def objection(self, call: Call, route: Route, demand: Demand) -> PassedOver | None:
        """Return why a route's provider cannot say a call's request; nothing is sent, and no image is fetched."""
        if call.remote_images and route.model.images == "inline":
            return None
        request = self._preparer.prepare(call, route, demand)
        try:
            upstream = call.translate(route, request, self._open_key(route))
        except VaultError as error:
            return PassedOver(route.entry.name, "request", str(error), math.inf, key=route.key.id)
        return _objection(route, upstream) if isinstance(upstream, Failure) else None

    async def _send(self, attempt: Attempt) -> Served | Tried | PassedOver:
        route = attempt.route
        try:
            attempt.key = key = self._open_key(route)
        except VaultError as error:
            attempt.booking.cancel()
            return attempt.failed(Failure(kind=Kind.FORBIDDEN, scope="key", message=str(error)))
        upstream = attempt.call.translate(route, attempt.request, key)
        if isinstance(upstream, Failure):
            attempt.booking.cancel()
            if upstream.kind is Kind.BAD_ANSWER:  # not about the request: the hook itself is broken
                return attempt.failed(upstream)
            return _objection(route, upstream)
        attempt.dropped = upstream.dropped
        attempt.booking.dispatch(attempt.started)
        exchange = await self._client.send(
            upstream,
            key.base_url,
            local=self._is_local(route.provider),
            first_byte_timeout=self._patience(attempt, upstream),
        )
        try:
            return await self._hear(attempt, exchange)
        except BaseException:
            exchange.close()
            raise
        finally:
            attempt.call.upstream_ms += attempt.ms()

    def _patience(self, attempt: Attempt, upstream: Upstream) -> float:
        declared = attempt.route.entry.first_byte_timeout
        limit = declared if upstream.stream else max(declared, WHOLE_ANSWER)
        return max(min(limit, attempt.call.needs.deadline - attempt.started), 0.1)

    async def _hear(self, attempt: Attempt, exchange: Exchange) -> Served | Tried:
        attempt.status = exchange.status
        now = self._clock.now()
        attempt.booking.stamp(now)
        if attempt.route.provider.quota_headers:
            self._read_quota(attempt, exchange, now)
        if not 200 <= exchange.status < 300:
            return await self._refused(attempt, await exchange.answer())
        provider, model = attempt.route.provider, attempt.route.model
        if attempt.request.stream and exchange.is_event_stream:
            normalizer = provider.normalize_stream(attempt.request, model)
            if isinstance(normalizer, Failure):
                exchange.close()
                return attempt.failed(normalizer)
            return await self._relay(attempt, exchange, normalizer)
        completion = attempt.call.normalize(attempt.route, attempt.request, await exchange.answer())
        if isinstance(completion, Failure):
            return attempt.failed(completion)
        if attempt.request.stream:  # the service answered whole although a stream was asked for
            return await self._relay(attempt, None, Whole(completion))
        return self._whole(attempt, completion)

    def _read_quota(self, attempt: Attempt, exchange: Exchange, now: float) -> None:
        """Read the quota headers of a refusal, and of an answer if none was read within the last second."""
        route = attempt.route
        if now < route.reading_due and exchange.status < 300:
            return
        provider, headers = route.provider, exchange.headers
        if any(name in headers for name in provider.quota_headers):
            route.reading_due = now + READ_EVERY
            readings = provider.read_quota(route.model, Answer(exchange.status, headers))
            unsure = attempt.demand.input * ESTIMATED_WITHIN
            seen = {
                share.pool: used + share.per_input * unsure
                for share, used in zip(route.shares, attempt.seen, strict=True)
            }
            self._ledger.read(route.shares, readings, now, seen)

    async def _refused(self, attempt: Attempt, answer: Answer) -> Served | Tried:
        failure = attempt.route.provider.classify_error(attempt.request, attempt.route.model, answer)
        if failure.salvaged is None:
            return attempt.failed(failure)
        if attempt.request.stream:
            return await self._relay(attempt, None, Whole(failure.salvaged))
        return self._whole(attempt, failure.salvaged)

    def _whole(self, attempt: Attempt, completion: Json) -> Served:
        attempt.win()
        attempt.call.sign(completion, attempt.route, self._ids, int(attempt.started))
        self._successes.whole(attempt, completion)
        return Served(route=attempt.route, completion=completion, dropped=attempt.dropped)

    async def _relay(
        self, attempt: Attempt, exchange: Exchange | None, normalizer: StreamNormalizer
    ) -> Served | Tried:
        chunks = ChunkStream(normalizer, attempt.route, next(self._ids), int(attempt.started), attempt.extra)
        relay = Relay(attempt, exchange, chunks, self._successes)
        try:
            first = await relay.open(self._stall_timeout)
        except StreamBrokenError as broken:
            return relay.fail(broken.failure)
        return Served(route=attempt.route, first=first, stream=relay, dropped=attempt.dropped)


def _objection(route: Route, failure: Failure) -> PassedOver:
    return PassedOver(route.entry.name, "request", redact(failure.message), math.inf)
