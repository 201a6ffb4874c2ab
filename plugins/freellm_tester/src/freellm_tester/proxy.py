"""The proxy that is tried, asked over httpx: its raw headers stay in reach, which SDKs hide."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx

from freellm.measuring import LONGEST, Reading, Result, no_proxy, read_models
from freellm.types import Json


class Exchange:
    """One request and its answer, while it comes.

    :param asked: the model that is asked for
    :param number: the request's number, the first being 1
    :ivar reading: what has come so far
    :ivar head: the raw status line and headers, as they came; empty before
    :ivar ended: whether nothing more will come
    """

    def __init__(self, asked: str, number: int = 1) -> None:
        self.asked = asked
        self.reading = Reading(Result(number=number))
        self.head = ""
        self.ended = False

    def take_head(self, response: httpx.Response) -> None:
        """Take the status line and the headers."""
        self.reading.head(response.status_code, response.headers)
        lines = [f"{response.http_version} {response.status_code} {response.reason_phrase}"]
        lines += [
            f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in response.headers.raw
        ]
        self.head = "\n".join(lines)


class Proxy:
    """One running proxy.

    :param url: its root
    :param api_key: its unified key; empty for a proxy that asks for none
    """

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    async def models(self) -> list[Json]:
        """Return the rows of its list of models.

        :raises FreeLLMError: when there is no proxy, it refuses the key, or it is none
        """
        try:
            async with self._client() as client:
                answer = await client.get("/v1/models")
        except httpx.HTTPError:
            raise no_proxy(self.url) from None
        return read_models(self.url, answer.status_code, answer.content)

    async def ask(self, exchange: Exchange, body: Json) -> AsyncGenerator[Exchange, None]:
        """Send a request; give the exchange after each piece of the answer, and once more at its end.

        Whoever stops iterating leaves, and the proxy cancels what is under way.
        """
        started = time.perf_counter()
        reading = exchange.reading
        try:
            async with self._answer(body) as response:
                exchange.take_head(response)
                async for data in response.aiter_raw():
                    reading.feed(data, _ms(started))
                    yield exchange
        except httpx.TimeoutException:
            reading.timed_out()
        except httpx.HTTPError as error:
            reading.broke_off(error)
        reading.end(_ms(started))
        exchange.ended = True
        yield exchange

    @asynccontextmanager
    async def _answer(self, body: Json) -> AsyncIterator[httpx.Response]:
        async with (
            self._client() as client,
            client.stream("POST", "/v1/chat/completions", json=body) as response,
        ):
            yield response

    def _client(self) -> httpx.AsyncClient:
        headers = {**self._headers, "Accept-Encoding": "identity", "User-Agent": "freellm-tester"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=LONGEST, trust_env=False)


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0
