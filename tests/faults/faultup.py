"""An upstream on a raw socket that misbehaves on demand.

    async with faultup() as upstream:
        base_url = upstream.url("rst_mid")          # every request below this URL is answered by that mode
        upstream.script += ["500", "rst_pre", "ok"]   # or: the next requests below `upstream.url()`, one mode each

`MODES` names all modes. Each answers OpenAI chat requests, whole or as a stream by the body's `stream`. What came is
in `requests`, `open` counts the connections that are up, `connections` those that ever were.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from faults.refusals import REFUSALS
from faults.reply import Received, Reply
from faults.streams import STREAMS
from faults.transport import TRANSPORT

__all__ = ["MODES", "FaultUp", "Received", "Reply", "faultup", "refused_url"]

MODES = TRANSPORT | REFUSALS | STREAMS


class FaultUp:
    """The server; made by `faultup`.

    `default` is the mode when the script has run out, `redirect_to` where the mode `redirect` points to, `greeting`
    what every connection hears before it has said anything.
    """

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.script: deque[str] = deque()
        self.default = "ok"
        self.greeting = b""
        self.redirect_to = "/mode/ok/landed"
        self.connections = 0
        self.open = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._server: asyncio.Server | None = None
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def url(self, mode: str = "", host: str = "127.0.0.1") -> str:
        """The base URL under which requests are answered by a mode; by the script without one."""
        if mode and mode not in MODES:
            raise KeyError(mode)
        return f"http://{host}:{self.port}" + (f"/mode/{mode}" if mode else "")

    def count(self, mode: str) -> int:
        """How many requests a mode answered."""
        return sum(request.mode == mode for request in self.requests)

    async def idle(self) -> None:
        """Wait until no connection is open."""
        await self._idle.wait()

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        tasks = dict(self._tasks)
        for task, writer in tasks.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = writer
        self.connections += 1
        self.open += 1
        self._idle.clear()
        number = self.connections
        try:
            writer.write(self.greeting)
            await self._converse(reader, writer, number)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            del self._tasks[task]
            self.open -= 1
            if not self.open:
                self._idle.set()
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        keep = True
        while keep:
            request = await self._read(reader, number)
            self.requests.append(request)
            reply = Reply(request, reader, writer, options={"redirect_to": self.redirect_to})
            await MODES[request.mode](reply)
            keep = reply.keep

    async def _read(self, reader: asyncio.StreamReader, number: int) -> Received:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Received(self._mode(path), method, path, headers, body, number)

    def _mode(self, path: str) -> str:
        if path.startswith("/mode/"):
            return path.split("/")[2]
        return self.script.popleft() if self.script else self.default


@asynccontextmanager
async def faultup(port: int = 0) -> AsyncIterator[FaultUp]:
    """Run the server on loopback; on a free port unless one is given."""
    server = FaultUp()
    await server.start(port)
    try:
        yield server
    finally:
        await server.stop()


def refused_url() -> str:
    """A base URL on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"
