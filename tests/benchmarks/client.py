"""One client of the load generator: a raw protocol that asks again as soon as the last answer is complete.

An answer counts when it is a 2xx and whole: a completion has choices, a stream has all its events and `[DONE]`.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

from benchmarks.wire import header, split_head


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked of whom.

    :param port: a loopback TCP port
    :param path: the path of the chat endpoint
    :param body: the JSON that each request carries
    :param least_events: the fewest `data:` lines of a whole stream; 0 expects a completion
    """

    port: int
    path: str
    body: bytes
    least_events: int = 0

    def request(self) -> bytes:
        """Return the request as it goes over the wire."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer fl-bench\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


@dataclass(slots=True)
class Tally:
    """What the connections saw.

    :param latencies: seconds from request to complete answer, of the good answers in the measured time
    :param events: `data:` lines that arrived in the measured time
    :param all_events: the same, those of the warm-up included
    :param answers: every answer, those of the warm-up and the bad ones included
    :param refused: answers outside 2xx
    :param errors: lost connections and answers that were not whole
    :param first_error: what the first refusal or error looked like
    :param served_by: good answers by the route they named in `X-Routed-Via`
    """

    latencies: list[float] = field(default_factory=list)
    events: int = 0
    all_events: int = 0
    answers: int = 0
    refused: int = 0
    errors: int = 0
    first_error: str = ""
    served_by: Counter[str] = field(default_factory=Counter)
    recording: bool = False
    stopped: bool = False

    def fail(self, reason: str) -> None:
        """Count one error and keep the first one's reason."""
        self.errors += 1
        self.first_error = self.first_error or reason


class Connection(asyncio.Protocol):
    """One client that never pauses.

    :param target: what it asks
    :param tally: where it counts
    """

    def __init__(self, target: Target, tally: Tally) -> None:
        self._target = target
        self._tally = tally
        self._request = target.request()
        self._buffer = b""
        self._head = b""
        self._started = 0.0
        self._events = 0
        self._done = False
        self.transport: asyncio.Transport
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self.transport = cast(asyncio.Transport, transport)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a connection that the other side closed."""
        if not self._tally.stopped:
            self._tally.fail(f"connection lost: {exc!r}")
        self.lost.set()

    def _send(self) -> None:
        self._head, self._events, self._done = b"", 0, False
        self._started = perf_counter()
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read on, and send the next request when the answer is complete."""
        self._buffer = self._buffer + data if self._buffer else data
        if not self._head:
            split = split_head(self._buffer)
            if split is None:
                return
            self._head, body_start = split
            self._buffer = self._buffer[body_start:]
        if self._read_chunks() if header(self._head, b"content-length") is None else self._read_body():
            self._finish()

    def _read_body(self) -> bool:
        length = int(header(self._head, b"content-length") or 0)
        if len(self._buffer) < length:
            return False
        self._done = b'"choices"' in self._buffer
        self._check(self._buffer)
        self._buffer = self._buffer[length:]
        return True

    def _read_chunks(self) -> bool:
        """Walk the HTTP chunks that are complete; answer whether the last one was among them."""
        buffer, position = self._buffer, 0
        self._done = self._done or b"data: [DONE]" in buffer
        self._check(buffer)
        before, last = self._events, False
        while not last and (line_end := buffer.find(b"\r\n", position)) >= 0:
            size = int(buffer[position:line_end], 16)
            end = line_end + 2 + size
            if len(buffer) < end + 2:
                break
            self._events += buffer.count(b"data:", line_end + 2, end)
            position, last = end + 2, size == 0
        self._buffer = buffer[position:]
        self._tally.all_events += self._events - before
        if self._tally.recording:
            self._tally.events += self._events - before
        return last

    def _check(self, body: bytes) -> None:
        status = self._head[9:12]
        if not status.startswith(b"2") and not self._tally.first_error:
            self._tally.first_error = f"{status.decode()}: {body[:300].decode(errors='replace')}"

    def _finish(self) -> None:
        tally = self._tally
        tally.answers += 1
        if not self._head.startswith(b"2", 9):
            tally.refused += 1
        elif not self._done or self._events < self._target.least_events:
            tally.fail(f"answer was not whole: {self._events} events, complete: {self._done}")
        elif tally.recording:
            tally.latencies.append(perf_counter() - self._started)
            if via := header(self._head, b"x-routed-via"):
                tally.served_by[via.decode()] += 1
        if not tally.stopped:
            self._send()


class Paced(Connection):
    """One client that asks in time with a clock of its own; an answer that comes too late costs it a beat.

    :param target: what it asks
    :param tally: where it counts
    :param pause: seconds from one request to the next
    """

    def __init__(self, target: Target, tally: Tally, pause: float) -> None:
        super().__init__(target, tally)
        self._loop = asyncio.get_running_loop()
        self._pause = pause
        self._due = self._loop.time() + pause * random.random()

    def _send(self) -> None:
        self._due = max(self._due + self._pause, self._loop.time())
        self._loop.call_at(self._due, self._send_now)

    def _send_now(self) -> None:
        if not self.transport.is_closing():
            super()._send()
