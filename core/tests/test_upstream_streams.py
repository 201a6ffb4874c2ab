"""Streams of providers, and how they end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from faults import wire
from faults.faultup import FaultUp, faultup
from freellm.errors import UpstreamError
from freellm.sse import DONE, DONE_DATA, Frame
from freellm.types import Kind, Upstream
from freellm.upstream import Exchange, UpstreamClient
from freellm.upstream import exchange as exchange_module
from freellm.upstream.watch import Watch

REQUEST = Upstream("POST", "/chat/completions", {"Authorization": "Bearer sk-x"}, {"stream": True}, True)


@pytest.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    client = UpstreamClient()
    yield client
    await client.close()


@pytest.fixture
async def upstream() -> AsyncIterator[FaultUp]:
    async with faultup() as server:
        yield server


async def start(client: UpstreamClient, upstream: FaultUp, mode: str) -> Exchange:
    return await client.send(REQUEST, upstream.url(mode), local=True, first_byte_timeout=5)


async def collect(exchange: Exchange, stall: float = 5.0) -> list[Frame]:
    return [found async for batch in exchange.batches(stall) for found in batch]


async def exhaust(exchange: Exchange) -> None:
    async for batch in exchange.batches(5):
        del batch


async def until_failure(exchange: Exchange, stall: float = 5.0) -> tuple[list[Frame], UpstreamError]:
    frames: list[Frame] = []
    try:
        async for batch in exchange.batches(stall):
            frames += batch
    except UpstreamError as error:
        return frames, error
    raise AssertionError("the stream did not fail")


def text(frames: list[Frame]) -> str:
    chunks = [found.json() for found in frames if found.data != DONE_DATA]
    return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c.get("choices"))


WHOLE = [
    "ok",
    "gzipped",
    "until_eof",
    "comments",
    "split_utf8",
    "crlf_sse",
    "cr_sse",
    "bom_sse",
    "multiline",
    "drip",
]


@pytest.mark.parametrize("mode", [*WHOLE, "unterminated"])
async def test_every_proper_way_to_write_a_stream_gives_the_same_frames(
    client: UpstreamClient, upstream: FaultUp, mode: str
) -> None:
    frames = await collect(await start(client, upstream, mode))
    assert [found.json() for found in frames[:-1]] == wire.story()
    assert frames[-1].raw == DONE
    assert text(frames) == wire.TEXT


async def test_the_bytes_of_a_canonical_stream_are_forwarded_as_they_came(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    frames = await collect(await start(client, upstream, "ok"))
    assert b"".join(found.raw for found in frames) == wire.events(wire.story()) + wire.done()


async def test_an_event_stream_is_known_by_its_content_type(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    for mode, expected in (("ok", True), ("whole_json", False), ("html200", False), ("204", False)):
        exchange = await start(client, upstream, mode)
        assert exchange.is_event_stream is expected
        await exchange.answer()


async def test_events_that_arrive_together_come_in_one_batch(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    exchange = await start(client, upstream, "no_done")
    batches = [batch async for batch in exchange.batches(5)]
    assert [len(batch) for batch in batches] == [len(wire.story())]


async def test_one_large_event_passes(client: UpstreamClient, upstream: FaultUp) -> None:
    frames = await collect(await start(client, upstream, "hugeline"))
    assert max(len(found.data) for found in frames) > 5 * 2**20
    assert frames[-1].raw == DONE


async def test_invalid_utf_8_is_repaired_where_it_is_invalid_only(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    assert text(await collect(await start(client, upstream, "badutf8"))) == wire.TEXT.replace("ü", "�")


@pytest.mark.parametrize(
    ("mode", "dones"),
    [("no_done", 0), ("dup_done", 2), ("eof_mid_close", 0), ("no_finish", 1), ("empty200", 0)],
)
async def test_a_clean_end_of_the_transport_just_ends_the_iteration(
    client: UpstreamClient, upstream: FaultUp, mode: str, dones: int
) -> None:
    frames = await collect(await start(client, upstream, mode))
    assert sum(found.data == DONE_DATA for found in frames) == dones


# -- failures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["rst_mid", "eof_mid", "cl_short", "bad_chunk"])
async def test_a_stream_that_breaks_off_delivers_what_came_and_then_fails(
    client: UpstreamClient, upstream: FaultUp, mode: str
) -> None:
    frames, error = await until_failure(await start(client, upstream, mode))
    assert wire.TEXT.startswith(text(frames))
    assert text(frames)
    assert error.kind is (Kind.BAD_ANSWER if mode == "bad_chunk" else Kind.NETWORK)
    assert error.__context__ is None
    async with asyncio.timeout(0.5):
        await upstream.idle()


@pytest.mark.parametrize("mode", ["stall_mid", "keepalive_only"])
async def test_silence_comments_and_empty_events_are_no_progress(
    client: UpstreamClient, upstream: FaultUp, mode: str
) -> None:
    began = time.monotonic()
    frames, error = await until_failure(await start(client, upstream, mode), stall=0.1)
    assert (error.kind, error.message) == (Kind.TIMEOUT, "127.0.0.1 sent nothing of use for 0.1 s")
    assert text(frames) == (wire.TEXT if mode == "stall_mid" else "")
    assert 0.09 < time.monotonic() - began < 0.3
    async with asyncio.timeout(0.5):
        await upstream.idle()


async def test_the_time_a_reader_spends_elsewhere_is_no_stall(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    exchange = await start(client, upstream, "ok")
    frames: list[Frame] = []
    async for batch in exchange.batches(0.03):
        frames += batch
        await asyncio.sleep(0.08)
    assert text(frames) == wire.TEXT


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("noeol", "an event is larger than 16,777,216 bytes"),
        ("endless", "127.0.0.1 sent more than 67,108,864 bytes"),
        ("gzipbomb", "an event is larger than 16,777,216 bytes"),
        ("badgzip", "the answer's compression is broken"),
        ("brotli", "the answer is compressed in a way nobody asked for"),
    ],
)
async def test_bombs_end_at_their_limits(
    client: UpstreamClient, upstream: FaultUp, mode: str, message: str
) -> None:
    exchange = await start(client, upstream, mode)
    with pytest.raises(UpstreamError) as caught:
        await exhaust(exchange)
    assert (caught.value.kind, caught.value.message) == (Kind.BAD_ANSWER, message)


async def test_a_stream_that_goes_on_for_too_long_is_a_timeout(
    client: UpstreamClient, upstream: FaultUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_module, "STREAM_SECONDS", 0.05)
    _, error = await until_failure(await start(client, upstream, "keepalive_only"))
    assert (error.kind, error.message) == (Kind.TIMEOUT, "127.0.0.1 did not finish within 0.05 s")


# -- leaving ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["stall_mid", "keepalive_only", "endless"])
async def test_a_cancelled_reader_closes_its_connection_within_100_ms(
    client: UpstreamClient, upstream: FaultUp, mode: str
) -> None:
    exchange = await start(client, upstream, mode)
    task = asyncio.create_task(collect(exchange, 60))
    await asyncio.sleep(0.02)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await upstream.idle()
    assert time.monotonic() - began < 0.1


async def test_closing_while_another_task_reads_ends_its_iteration(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    exchange = await start(client, upstream, "stall_mid")
    task = asyncio.create_task(until_failure(exchange))
    await asyncio.sleep(0.02)
    exchange.close()
    _, error = await task
    assert error.kind is Kind.NETWORK
    async with asyncio.timeout(0.1):
        await upstream.idle()


async def first_batch(exchange: Exchange) -> list[Frame]:
    async for batch in exchange.batches(5):
        return batch
    raise AssertionError("the stream is empty")


async def test_a_stream_that_was_read_to_its_end_gives_its_connection_back(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    for _ in range(3):
        exchange = await start(client, upstream, "ok")
        await collect(exchange)
        exchange.close()
    assert upstream.connections == 1


async def test_a_released_stream_gives_its_connection_back_when_the_rest_arrives(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    for _ in range(3):
        exchange = await start(client, upstream, "ok")
        await first_batch(exchange)
        exchange.release()
        await asyncio.sleep(0.02)
    assert upstream.connections == 1


async def test_a_released_stream_that_does_not_end_loses_its_connection(
    client: UpstreamClient, upstream: FaultUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_module, "REST_SECONDS", 0.02)
    exchange = await start(client, upstream, "done_open")
    assert (await first_batch(exchange))[-1].data == DONE_DATA
    exchange.release()
    assert upstream.open == 1
    async with asyncio.timeout(0.5):
        await upstream.idle()


# -- the timer --------------------------------------------------------------------------------------------------


class FakeLoop:
    """As much of an event loop as a timer needs, with time that is told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[tuple[float, Any]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Any) -> FakeLoop:
        self.calls.append((when, call))
        return self

    def cancel(self) -> None:
        self.calls.clear()

    def run_until(self, end: float) -> None:
        while self.calls and min(self.calls)[0] <= end:
            self.calls.sort(key=lambda call: call[0])
            self.now, call = self.calls.pop(0)
            call()
        self.now = end


def watch(stall: float, total: float) -> tuple[FakeLoop, Watch, list[float]]:
    loop, aborted = FakeLoop(), list[float]()
    return loop, Watch(loop, stall, total, lambda: aborted.append(loop.now)), aborted  # type: ignore[arg-type]


def test_a_watch_aborts_once_after_the_stall() -> None:
    loop, guard, aborted = watch(60, 1800)
    loop.run_until(5000)
    assert aborted == [60]
    assert guard.verdict == "sent nothing of use for 60 s"


def test_a_watch_counts_from_the_moment_the_reader_waits_again() -> None:
    loop, guard, aborted = watch(60, 1800)
    loop.run_until(50)
    guard.pause()
    loop.run_until(500)
    guard.resume()
    loop.run_until(559)
    assert aborted == []
    loop.run_until(561)
    assert aborted == [560]


def test_a_watch_looks_rarely_however_often_there_is_progress() -> None:
    loop, guard, _ = watch(60, 1800)
    looks = 0
    for second in range(600):
        loop.run_until(second)
        guard.pause()
        guard.resume()
        looks = max(looks, len(loop.calls))
    assert looks == 1


def test_a_watch_aborts_at_the_end_of_all_time_even_with_progress() -> None:
    loop, guard, aborted = watch(60, 100)
    for second in range(300):
        loop.run_until(second)
        guard.resume()
    assert aborted == [100]
    assert guard.verdict == "did not finish within 100 s"


def test_a_stopped_watch_never_aborts() -> None:
    loop, guard, aborted = watch(60, 100)
    guard.stop()
    loop.run_until(1000)
    assert aborted == []
