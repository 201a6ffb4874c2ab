"""The short way of a post: which connection it takes, and what goes over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from freellm.upstream.client import open_session
from freellm.upstream.line import Line

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Service:
    """A server that notes what comes over which connection, and answers as told."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, bytes]] = []
        self.answer = ANSWER
        self.connections = 0
        self.hangs_up = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the posts that come over one connection."""
        self.connections += 1
        number = self.connections
        while head := await _head(reader):
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.heard.append((number, head + await reader.readexactly(length)))
            writer.write(self.answer)
            if self.hangs_up:
                break
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@pytest.fixture
async def service() -> AsyncIterator[tuple[Service, URL]]:
    service = Service()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    yield service, URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat")
    server.close()


async def ask(line: Line, url: URL) -> bytes:
    """Post something and return the answer's body."""
    async with asyncio.timeout(5):
        reply = await line.post(url, {"x-key": "k", "accept": "text/event-stream"}, b"[1]")
        return await reply.content.read()


async def test_posts_follow_each_other_over_one_connection(service: tuple[Service, URL]) -> None:
    served, url = service
    line = Line(open_session(local=True), 60.0)
    for path in ("/v1/chat", "/v1/other", "/v1/chat"):
        assert await ask(line, url.with_path(path)) == b"{}"
    await line.close()
    assert [number for number, _ in served.heard] == [1, 1, 1]


async def test_a_post_says_each_header_once_and_its_own_before_the_sessions(
    service: tuple[Service, URL],
) -> None:
    served, url = service
    line = Line(open_session(local=True), 60.0)
    await ask(line, url)
    await line.close()
    head, _, body = served.heard[0][1].decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    assert (first, body) == ("POST /v1/chat HTTP/1.1", "[1]")
    names = [line.partition(": ")[0].lower() for line in lines]
    assert sorted(names) == sorted(
        ["host", "user-agent", "accept-encoding", "content-type", "content-length", "x-key", "accept"]
    )
    assert "accept: text/event-stream" in lines


async def test_the_length_is_ours_to_state(service: tuple[Service, URL]) -> None:
    served, url = service
    line = Line(open_session(local=True), 60.0)
    async with asyncio.timeout(5):
        reply = await line.post(url, {"content-length": "9", "x-key": "k"}, b"[1]")
        assert await reply.content.read() == b"{}"
    await line.close()
    assert served.heard[0][1].lower().count(b"content-length") == 1
    assert served.heard[0][1].endswith(b"[1]")


@pytest.mark.parametrize("broken", ["hung up", "said more", "idle for too long"])
async def test_a_connection_that_is_no_good_is_not_taken_again(
    service: tuple[Service, URL], broken: str
) -> None:
    served, url = service
    served.hangs_up = broken == "hung up"
    served.answer = ANSWER * 2 if broken == "said more" else ANSWER
    line = Line(open_session(local=True), -1.0 if broken == "idle for too long" else 60.0)
    assert await ask(line, url) == b"{}"
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        while served.hangs_up and any(
            (connection.protocol and connection.protocol.is_connected())
            for idle in line._idle.values()
            for connection, _ in idle._idle
        ):
            await asyncio.sleep(0)
    assert await ask(line, url) == b"{}"
    await line.close()
    assert [number for number, _ in served.heard] == [1, 2]


async def test_connections_that_nobody_needs_are_closed(service: tuple[Service, URL]) -> None:
    served, url = service
    line = Line(open_session(local=True), 0.0)
    await ask(line, url)
    (idle,) = line._idle.values()
    async with asyncio.timeout(5):
        while idle._idle:
            await asyncio.sleep(0)
    await line.close()
    assert served.connections == 1
