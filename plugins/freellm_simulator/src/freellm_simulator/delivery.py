"""Putting an answer on the line at a model's pace, and breaking it off when a fault says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson
from aiohttp import web

from freellm_simulator.exchange import Exchange, RefusedError, dice
from freellm_simulator.faults import Fault
from freellm_simulator.wires.contract import Frame, Framing, Wire
from freellm_simulator.worlds import World

_FOREVER = 3600.0
"""Seconds that a fault lasts when it does not say; clients give up earlier."""
_PAGE = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser.</body></html>"
_BROKEN_AT = 0.5
"""Where a whole answer is broken off, as a part of its length."""


class Pace:
    """How fast a model answers one request: the same request takes the same time.

    :param speed: factor on all waiting; 0 is none
    """

    def __init__(self, world: World, exchange: Exchange, speed: float) -> None:
        rng = dice(exchange.seed, exchange.model.label, exchange.ask.digest, "pace")
        self.first_byte = rng.uniform(*world.first_byte) * speed
        self._per_token = speed / rng.uniform(*world.tokens_per_second)

    def of(self, tokens: int) -> float:
        """Return the seconds that writing some tokens takes."""
        return tokens * self._per_token


@dataclass(slots=True)
class Delivery:
    """One admitted request on its way back.

    :param written: tokens of output that have left so far
    """

    request: web.Request
    wire: Wire
    exchange: Exchange
    fault: Fault | None
    pace: Pace
    headers: Mapping[str, str]
    written: int = 0

    async def send(self) -> web.StreamResponse:
        """Send the answer, whole or as a stream."""
        wait = self.pace.first_byte
        if self._strikes("slow_first_byte"):
            wait += self._duration()
        await _sleep(wait)
        if self._strikes("html"):
            return html_page()
        return await (self._stream() if self.exchange.ask.stream else self._whole())

    async def _whole(self) -> web.StreamResponse:
        total = self.exchange.reply.usage.completion
        await _sleep(self.pace.of(total))
        body = orjson.dumps(self.wire.whole(self.exchange))
        self.written = total
        half = int(len(body) * _BROKEN_AT)
        if self._strikes("garbage", "cut_clean"):
            body = body[:half]
        elif self._strikes("cut", "stall"):
            return await self._halved(body, half)
        return web.Response(body=body, content_type="application/json", headers=self.headers)

    async def _halved(self, body: bytes, half: int) -> web.StreamResponse:
        """Announce the whole body and send half of it; the rest comes late or never."""
        length = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        response = web.StreamResponse(headers={**self.headers, **length})
        await response.prepare(self.request)
        await response.write(body[:half])
        if not self._strikes("stall"):
            return self._broken_off(response)
        await _sleep(self._duration())
        await response.write(body[half:])
        return response

    async def _stream(self) -> web.StreamResponse:
        framing = self.wire.framing(self.request)
        headers = {**self.headers, "Content-Type": framing.content_type, "Cache-Control": "no-cache"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(self.request)
        frames = list(self.wire.frames(self.exchange))
        final = next(at for at, frame in enumerate(frames) if frame.final)
        strike_at = min(self.fault.after_chunks, final) if self.fault else -1
        for at, (frame, data) in enumerate(_framed(frames, framing)):
            if at == strike_at and self._strikes("cut", "cut_clean", "error_mid_stream"):
                return await self._ended_early(response, framing, at)
            if at == strike_at and self._strikes("stall"):
                await _sleep(self._duration())
            await _sleep(self.pace.of(frame.tokens))
            await response.write(
                _garbled(data, framing) if at == strike_at and self._strikes("garbage") else data
            )
            self.written += frame.tokens
        await response.write(framing.end)
        return response

    async def _ended_early(
        self, response: web.StreamResponse, framing: Framing, at: int
    ) -> web.StreamResponse:
        if self._strikes("cut"):
            return self._broken_off(response)
        if self._strikes("error_mid_stream"):
            error = self.wire.refuse(RefusedError("server_error"), self.exchange.model.id, None).body
            await response.write(_opening(framing, at) + orjson.dumps(error) + framing.after)
        return response

    def _broken_off(self, response: web.StreamResponse) -> web.StreamResponse:
        if self.request.transport is not None:
            self.request.transport.abort()
        return response

    def _strikes(self, *faults: str) -> bool:
        return self.fault is not None and self.fault.fault in faults

    def _duration(self) -> float:
        return _FOREVER if self.fault is None or self.fault.seconds is None else self.fault.seconds


def html_page() -> web.Response:
    """Return the page that a gateway in front of a provider answers with instead of it."""
    return web.Response(text=_PAGE, content_type="text/html")


def _framed(frames: list[Frame], framing: Framing) -> Iterator[tuple[Frame, bytes]]:
    for at, frame in enumerate(frames):
        yield frame, _opening(framing, at) + orjson.dumps(frame.data) + framing.after


def _opening(framing: Framing, at: int) -> bytes:
    return framing.before if at else framing.first


def _garbled(data: bytes, framing: Framing) -> bytes:
    return data[: int(len(data) * _BROKEN_AT)] + framing.after


async def _sleep(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)
