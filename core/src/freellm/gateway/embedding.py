"""Embeddings: a request is split into parts that providers take; the loop serves each, and they are put together.

All parts go to one vector space, so it does not matter which provider or key makes which vector.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

import msgspec

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.errors import RequestError
from freellm.gateway.attempts import Gateway
from freellm.gateway.calls import Answered, Call, Served
from freellm.gateway.exhaustion import refusal
from freellm.gateway.records import Recorder
from freellm.ledger import Lease, Ledger
from freellm.orders import Space
from freellm.routing import Needs, Router
from freellm.types import Answer, ChatRequest, EmbeddingRequest, Failure, Json, Key, Kind, Upstream

AT_ONCE: Final = 4
"""Parts of one request that are asked at the same time: enough to hide the latency, few enough for small quotas."""

PART_NUMBERS: Final = 500_000
"""Numbers in one part's vectors at most: as JSON they are about 11 MB, a third of what an answer may have."""

LARGEST: Final = 3.4028234663852886e38
"""The largest number that a 32-bit float holds."""

_NO_CHAT: Final = ChatRequest(messages=())
"""What a provider that classifies a refusal is shown in place of a chat request."""


class EmbeddingsCall(Call, kw_only=True):
    """A request for vectors, or a part of one.

    :param embedding: the request, validated
    :param space: the vector space it goes to
    :param sizes: the estimated tokens of each input
    """

    content_field: ClassVar[str] = "input"

    embedding: EmbeddingRequest
    space: Space
    sizes: Sequence[int]
    request: ChatRequest = _NO_CHAT

    @property
    def asked(self) -> EmbeddingRequest:
        """What the client asks for."""
        return self.embedding

    def translate(self, route: Route, request: ChatRequest, key: Key) -> Upstream | Failure:
        """Ask a route's provider what to send."""
        return route.provider.translate_embeddings(self.embedding, route.model, key)

    def normalize(self, route: Route, request: ChatRequest, answer: Answer) -> Json | Failure:
        """Ask a route's provider for the vectors; one of another length would not be of the space."""
        found = route.provider.normalize_embeddings(self.embedding, route.model, answer)
        if isinstance(found, Failure):
            return found
        vectors = [row["embedding"] for row in found["data"]]
        if any(len(vector) != self.space.dimensions for vector in vectors):
            came = ", ".join(map(str, sorted({len(vector) for vector in vectors})))
            message = f"vectors of {self.space.dimensions} dimensions were asked for, {came} came"
            return Failure(kind=Kind.BAD_ANSWER, message=message)
        if any(max(vector) > LARGEST or min(vector) < -LARGEST for vector in vectors):
            return Failure(kind=Kind.BAD_ANSWER, message="a vector holds a number that no 32-bit float holds")
        return {"data": found["data"], "usage": _usage(found.get("usage"))}

    def sign(self, body: Json, route: Route, ids: Iterator[str], created: int) -> None:
        """Say nothing yet: the parts are named when they are together."""

    def extra(self) -> Json:
        """Return what the answer's body tells under `x_freellm`."""
        space = {"family": self.space.family, "dimensions": self.space.dimensions}
        return {**super().extra(), "vector_space": space}

    def parts(self) -> list[EmbeddingsCall]:
        """Return the calls to make: each holds as many inputs as everyone in the space takes in one request."""
        size = max(1, PART_NUMBERS // self.space.dimensions)
        size = min(size, self.space.max_inputs or size)
        answered: list[Answered] = [] if self.answered is None else self.answered
        return [self._part(start, start + size, answered) for start in range(0, len(self.sizes), size)]

    def _part(self, start: int, end: int, answered: list[Answered]) -> EmbeddingsCall:
        sizes = self.sizes[start:end]
        inputs = self.embedding.inputs[start:end]
        return msgspec.structs.replace(
            self,
            embedding=msgspec.structs.replace(self.embedding, inputs=inputs),
            sizes=sizes,
            needs=needs_of(sizes, self.needs.deadline),
            passed_over=[],
            answered=answered,
        )


def needs_of(sizes: Sequence[int], deadline: float) -> Needs:
    """Return what inputs of these estimated sizes need of a model: no output, and a window for the longest alone.

    :param deadline: Unix time at which the client gives up
    """
    return Needs(0, sum(sizes), 0, deadline, inputs=len(sizes), longest=max(sizes))


class Embedded(msgspec.Struct, frozen=True, kw_only=True):
    """The vectors of a request, put together.

    :param vectors: one for each input, in order
    :param made: who made them: routes with how many of the vectors, one after the other
    :param input_tokens: tokens of the inputs
    :param estimated: whether some of these are an estimate
    :param dropped: the request's parameters that a provider does not take
    """

    vectors: Sequence[Sequence[float]]
    made: Sequence[tuple[Route, int]]
    input_tokens: int
    estimated: bool
    dropped: Sequence[str]


class Embedder:
    """Serve requests for vectors.

    :param gateway: serves each part
    :param router: finds routes
    :param ledger: knows whether there is quota for all parts
    :param recorder: logs the request
    :param clock: tells the time
    """

    def __init__(
        self,
        gateway: Gateway,
        router: Router,
        ledger: Ledger,
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        self._gateway = gateway
        self._router = router
        self._ledger = ledger
        self._recorder = recorder
        self._clock = clock

    async def serve(self, call: EmbeddingsCall) -> Embedded:
        """Return the vectors of all inputs.

        :raises RequestError: when a part cannot be answered; the others are given up, what they cost stays booked
        """
        self._recorder.activity.began(call)
        try:
            served = await self._serve(call)
        except RequestError as error:
            self._recorder.refused(call, error)
            raise
        except asyncio.CancelledError:
            self._recorder.refused(call, None)
            raise
        except BaseException:
            self._recorder.activity.ended(call)
            raise
        self._recorder.embedded(call)
        return together(call, served)

    async def _serve(self, call: EmbeddingsCall) -> Sequence[Served]:
        call.answered = []
        parts = call.parts()
        started = self._clock.now()
        try:
            self._refuse_what_cannot_be_finished(parts)
            return await self._serve_all(parts)
        finally:
            lasted = (self._clock.now() - started) * 1000.0
            call.upstream_ms = min(sum(part.upstream_ms for part in parts), lasted)
            call.waited = max(part.waited for part in parts)
            call.passed_over += parts[0].passed_over

    async def _serve_all(self, parts: Sequence[EmbeddingsCall]) -> Sequence[Served]:
        if len(parts) == 1:
            return [await self._gateway.serve(parts[0])]
        gate = asyncio.Semaphore(AT_ONCE)

        async def serve(part: EmbeddingsCall) -> Served:
            async with gate:
                return await self._gateway.serve(part)

        tasks = [asyncio.create_task(serve(part)) for part in parts]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)  # each settles what it has booked

    def _refuse_what_cannot_be_finished(self, parts: Sequence[EmbeddingsCall]) -> None:
        """Refuse a request of several parts for which there is not quota enough, before a part spends any of it."""
        held: list[Lease] = []
        now = self._clock.now()
        try:
            for part in parts if len(parts) > 1 else ():
                lease = self._room(part, now)
                if lease is not None:
                    held.append(lease)
                elif not self._is_worth_waiting(part, error := refusal(part, now)):
                    raise error
        finally:
            for lease in held:
                self._ledger.cancel(lease, now)
            for part in parts:
                part.passed_over.clear()

    def _room(self, part: EmbeddingsCall, now: float) -> Lease | None:
        found = self._router.candidates(part.order, part.needs, lambda: now, passed_over=part.passed_over)
        leases = (self._ledger.reserve(route.shares, demand, now) for route, demand in found)
        return next((lease for lease in leases if lease is not None), None)

    def _is_worth_waiting(self, part: EmbeddingsCall, error: RequestError) -> bool:
        wait = error.retry_after
        return wait is not None and wait <= part.max_wait and self._clock.now() + wait < part.needs.deadline


def together(call: EmbeddingsCall, served: Sequence[Served]) -> Embedded:
    """Put the answers to a call's parts together, in the order of the parts."""
    rows = [part.completion["data"] if part.completion is not None else [] for part in served]
    made: dict[Route, int] = {}
    for part, own in zip(served, rows, strict=True):
        made[part.route] = made.get(part.route, 0) + len(own)
    answered = call.answered or []
    return Embedded(
        vectors=[row["embedding"] for own in rows for row in own],
        made=tuple(made.items()),
        input_tokens=sum(answer.input_tokens for answer in answered),
        estimated=any(not answer.told for answer in answered),
        dropped=tuple(dict.fromkeys(name for part in served for name in part.dropped)),
    )


def _usage(stated: Json | None) -> Json | None:
    """Return a service's usage with the one figure that counts, None when it states none."""
    figures = [(stated or {}).get(name) for name in ("prompt_tokens", "total_tokens")]
    tokens = next((figure for figure in figures if type(figure) is int and figure > 0), None)
    return None if tokens is None else {"prompt_tokens": tokens, "total_tokens": tokens}
