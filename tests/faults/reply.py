"""One request that reached the misbehaving upstream, and the means to answer it well or badly."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from faults.wire import dump

STREAM = "text/event-stream; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True)
class Received:
    """A request as it came; `headers` by lower-case name."""

    mode: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """The way back to the client of one request. After the mode returned, `keep` says whether the connection stays."""

    request: Received
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    keep: bool = True
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def stream(self) -> bool:
        """Whether the client asked for a stream."""
        try:
            body = self.request.json()
        except ValueError:
            return False
        return isinstance(body, dict) and body.get("stream") is True

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        lines = [
            f"HTTP/1.1 {status} Whatever",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        await self.write("\r\n".join(lines).encode() + b"\r\n\r\n")

    async def whole(
        self, body: bytes, status: int = 200, kind: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer properly: status, length, body."""
        length = {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
        await self.head(status, length)
        await self.write(body)

    async def json(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        await self.whole(dump(value), status, JSON, headers)

    async def open_stream(self, headers: Mapping[str, str] | None = None) -> None:
        await self.head(200, {"Content-Type": STREAM, "Transfer-Encoding": "chunked", **(headers or {})})

    async def piece(self, data: bytes) -> None:
        """Send one piece of a chunked body."""
        if data:
            await self.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def end_stream(self) -> None:
        await self.write(b"0\r\n\r\n")

    async def sse(self, *pieces: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Answer with a whole, properly ended stream; each piece is a chunk of its own."""
        await self.open_stream(headers)
        for piece in pieces:
            await self.piece(piece)
        await self.end_stream()

    def reset(self) -> None:
        """Close the connection with a TCP reset."""
        raw: socket.socket = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        self.keep = False

    def hang_up(self) -> None:
        """Close the connection politely once this answer is out."""
        self.keep = False

    async def gone(self) -> None:
        """Say nothing more until the client hangs up."""
        while await self.reader.read(65536):
            pass
        self.keep = False


Mode = Callable[[Reply], Awaitable[None]]
"""How one request is answered."""


def registrar(table: dict[str, Mode]) -> Callable[..., Callable[[Mode], Mode]]:
    """Return a decorator that puts functions into a table, under the names it is given or their own."""

    def named(*names: str) -> Callable[[Mode], Mode]:
        def add(function: Mode) -> Mode:
            table.update(dict.fromkeys(names or (function.__name__,), function))
            return function

        return add

    return named
