"""A server of one's own as tests need it: OpenAI's wire under a prefix, a list of models, a key or none; and it can die."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class Endpoint:
    """Lists its models, answers chats with its name, and makes embeddings of three numbers.

    :param name: what it answers
    :param models: the rows of its list; None has no list
    :param key: the key it asks for; empty asks for none
    :param prefix: the path its API is under
    :ivar url: its root, once it runs
    :ivar asked: method, path and authorization of every request
    :ivar bodies: the bodies of chats
    """

    def __init__(
        self,
        name: str = "lab",
        models: Sequence[dict[str, Any]] | None = ({"id": "tiny", "object": "model"},),
        *,
        key: str = "",
        prefix: str = "/v1",
    ) -> None:
        self.name = name
        self.models = models
        self.key = key
        self.prefix = prefix
        self.url = ""
        self.asked: list[tuple[str, str, str]] = []
        self.bodies: list[dict[str, Any]] = []

    @property
    def chats(self) -> int:
        """How many chats came."""
        return len(self.bodies)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        authorization = request.headers.get("Authorization", "")
        self.asked.append((request.method, request.path, authorization))
        if self.key and authorization != f"Bearer {self.key}":
            return _error(401, f"Invalid API key: {authorization.removeprefix('Bearer ')}", "invalid_api_key")
        if request.path == f"{self.prefix}/models" and self.models is not None:
            return web.json_response({"object": "list", "data": list(self.models)})
        if request.path == f"{self.prefix}/chat/completions":
            return await self._chat(request)
        return _error(404, f"Unexpected endpoint {request.path}", "not_found")

    async def _chat(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        said = {"role": "assistant", "content": f"I am {self.name}."}
        usage = {"prompt_tokens": 8, "completion_tokens": 4, "total_tokens": 12}
        head = {"id": "chatcmpl-1", "created": 1, "model": body["model"]}
        if not body.get("stream"):
            choice = {"index": 0, "message": said, "finish_reason": "stop"}
            return web.json_response(
                {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
            )
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta, reason in ((said, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            chunk = {**head, "object": "chat.completion.chunk", "choices": [choice]}
            await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response


def _error(status: int, message: str, code: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": code}}, status=status)


@asynccontextmanager
async def serving(endpoint: Endpoint, port: int = 0) -> AsyncIterator[Endpoint]:
    """Run an endpoint in the test's own event loop, on a free port unless one is given."""
    runner = web.ServerRunner(web.Server(endpoint.answer, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield endpoint
    finally:
        await runner.cleanup()
