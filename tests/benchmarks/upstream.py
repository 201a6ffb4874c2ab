"""A mock of three services on one port, as fast as Python goes: a raw protocol on uvloop.

    python -m benchmarks.upstream PORT

`/groq/...` and `/cloudflare/...` speak OpenAI's wire, `/google/...` speaks Gemini's. Nothing is refused and every
answer names the model that was asked for, so any route of the pool under test can serve.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import orjson
import uvloop

from benchmarks import answers
from benchmarks.wire import header, split_head

Writes = tuple[bytes, ...]

LISTS: tuple[tuple[str, Writes], ...] = (
    ("/tokens/verify", answers.whole({"success": True, "errors": [], "result": {"status": "active"}})),
    ("/models/search", answers.whole({"success": True, "errors": [], "result": []})),
    ("/v1beta/models", answers.whole({"models": []})),
    ("/models", answers.whole({"object": "list", "data": []})),
)
"""What a GET answers, by the end of its path: enough for a key check and for a catalogue read."""

UNKNOWN = answers.whole(
    {"error": {"message": "no such path", "type": "invalid_request_error"}}, status=b"404 Not Found"
)
LENGTH_REQUIRED = answers.whole(
    {"error": {"message": "send a content length"}}, status=b"411 Length Required"
)


def answer_get(path: str) -> Writes:
    """Return the answer to a GET of `path`."""
    return next((writes for ending, writes in LISTS if path.endswith(ending)), UNKNOWN)


def answer_post(path: str, body: bytes) -> Writes:
    """Return the answer to a POST.

    :param path: the path without its query
    :param body: the body, JSON
    """
    if path.endswith("/chat/completions"):
        request = orjson.loads(body)
        headers = answers.QUOTA_HEADERS if path.startswith("/groq/") else b""
        make = answers.chunks if request.get("stream") else answers.completion
        return make(request["model"], headers)
    model, colon, method = path.rpartition("/")[2].partition(":")
    if colon and method == "generateContent":
        return answers.gemini_completion(model)
    if colon and method == "streamGenerateContent":
        return answers.gemini_chunks(model)
    return UNKNOWN


class Upstream(asyncio.Protocol):
    """One keep-alive connection from a proxy."""

    def __init__(self) -> None:
        self._buffer = b""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer = buffer = self._buffer + data if self._buffer else data
        while (split := split_head(buffer)) is not None:
            head, body_start = split
            end = body_start + int(header(head, b"content-length") or 0)
            if len(buffer) < end:
                return
            self._answer(buffer[:body_start], head, buffer[body_start:end])
            self._buffer = buffer = buffer[end:]

    def _answer(self, original: bytes, head: bytes, body: bytes) -> None:
        method, target, _ = original.split(b" ", 2)
        path = target.partition(b"?")[0].decode()
        if header(head, b"transfer-encoding") is not None:
            self._send(LENGTH_REQUIRED, 0)
            self._transport.close()
        elif method == b"GET":
            self._send(answer_get(path), 0)
        else:
            self._send(answer_post(path, body), 0)

    def _send(self, writes: Writes, position: int) -> None:
        """Write one piece now and the next in the loop's next turn: uvloop joins the writes of one turn."""
        if self._transport.is_closing():
            return
        self._transport.write(writes[position])
        if position + 1 < len(writes):
            self._loop.call_soon(self._send, writes, position + 1)


async def serve(port: int) -> asyncio.Server:
    """Listen on a loopback port and return the server.

    :param port: 0 takes a free one
    """
    return await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=1024)


async def _serve_forever(port: int) -> None:
    server = await serve(port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve_forever(int(sys.argv[1])))
