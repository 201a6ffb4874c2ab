"""Who may use the page: this machine's own browser, on the page itself, and nothing of the page leaves it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

NAMES = ("127.0.0.1", "localhost")

POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'none'; form-action 'self'; "
    "base-uri 'self'"
)
"""Scripts, fonts, pictures and connections are the page's own, so a picture in an answer tells nobody anything.
Gradio's scripts are inline, and its charts are compiled in the browser."""


class Guard:
    """Refuses requests under another host's name and from other sites' pages, whose scripts could spend quota.

    :param app: what answers the others
    :param port: where the page is
    """

    def __init__(self, app: Application, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}".encode() for name in NAMES}
        self._origins = {b"http://" + host for host in self._hosts}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] == "lifespan":  # the server's own words, from no browser
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if headers.get(b"host") not in self._hosts or headers.get(b"origin") not in {None, *self._origins}:
            await (_refuse if scope["type"] == "http" else _hang_up)(send)
            return

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = [(b"content-security-policy", POLICY.encode()), (b"referrer-policy", b"no-referrer")]
                message["headers"] = [*message.get("headers", ()), *told]
            await send(message)

        await self._app(scope, receive, send_with_policy)


async def _refuse(send: Send) -> None:
    text = b"This page answers this machine's browser only, at the address that freellm tester printed."
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _hang_up(send: Send) -> None:
    """Refuse a websocket; browsers let pages of other sites open one."""
    await send({"type": "websocket.close", "code": 1008})
