"""Firing the requests of a stress test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import aiohttp
import msgspec
import orjson

from freellm.cli.stress.answers import read_events, read_headers, read_whole
from freellm.cli.stress.results import Result
from freellm.errors import FreeLLMError, SettingsError, UpstreamError
from freellm.sse import SSEParser
from freellm.types import Json

_LONGEST = 330.0
"""Seconds for one request: longer than the proxy itself takes before it gives up."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What is fired.

    :param url: the proxy's root
    :param api_key: the unified key; empty for a proxy that asks for none
    :param model: the model that is asked for
    :param prompt: the text that is sent
    :param max_tokens: the longest answer, None leaves it out
    :param stream: whether streams are asked for
    :param requests: how many requests
    :param delay: seconds between the end of a request and the start of the next one
    :param concurrency: how many such rows of requests run at once
    """

    url: str
    api_key: str
    model: str
    prompt: str
    max_tokens: int | None = None
    stream: bool = False
    requests: int
    delay: float
    concurrency: int = 1


async def fire(load: Load, done: Callable[[Result], None]) -> None:
    """Fire the requests.

    :param done: called with what came of each, in the order they end
    :raises FreeLLMError: when there is no proxy at the address, or it refuses the key; no request was fired then
    """
    headers = {"Authorization": f"Bearer {load.api_key}"} if load.api_key else {}
    timeout = aiohttp.ClientTimeout(total=_LONGEST)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        headers=headers, timeout=timeout, connector=connector, trust_env=False
    ) as session:
        await _greet(session, load)
        numbers = iter(range(1, load.requests + 1))
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(load.concurrency, load.requests)):
                workers.create_task(_work(session, load, numbers, done))


async def _greet(session: aiohttp.ClientSession, load: Load) -> None:
    """See that somebody is there who takes the key, before a hundred requests say that nobody is."""
    try:
        async with session.get(f"{load.url}/v1/models", allow_redirects=False) as response:
            if response.status == 401:
                raise SettingsError(
                    f"the proxy at {load.url} refuses the key; put its key (freellm apikey show, on its machine) "
                    "into FREELLM_API_KEY"
                )
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise FreeLLMError(
            f"no proxy answers at {load.url}; start one with freellm serve, or name another with --url"
        ) from None


async def _work(
    session: aiohttp.ClientSession, load: Load, numbers: Iterator[int], done: Callable[[Result], None]
) -> None:
    for number in numbers:
        done(await _request(session, load, number))
        if number < load.requests:
            await asyncio.sleep(load.delay)


async def _request(session: aiohttp.ClientSession, load: Load, number: int) -> Result:
    result = Result(number=number)
    started = time.perf_counter()
    try:
        async with session.post(
            f"{load.url}/v1/chat/completions",
            data=_body(load),
            headers={"Content-Type": "application/json"},
            allow_redirects=False,
        ) as response:
            read_headers(result, response.status, response.headers)
            await _read(result, response, started)
    except TimeoutError:
        result.error, result.message = "timeout", f"no whole answer within {_LONGEST:g} s"
    except UpstreamError as error:
        result.error, result.message = "bad_stream", error.message
    except (aiohttp.ClientError, OSError) as error:
        result.error, result.message = "connection_lost", f"{type(error).__name__}: the connection broke"
    result.ms = _ms(started)
    return result


async def _read(result: Result, response: aiohttp.ClientResponse, started: float) -> None:
    if response.content_type != "text/event-stream":
        body = await response.read()
        result.first_byte_ms = _ms(started)
        read_whole(result, body)
        return
    parser = SSEParser()
    events: list[bytes] = []
    async for data in response.content.iter_any():
        frames = parser.feed(data)
        if frames and result.first_byte_ms is None:
            result.first_byte_ms = _ms(started)
        events += [frame.data for frame in frames]
    read_events(result, events)


def _body(load: Load) -> bytes:
    body: Json = {"model": load.model, "messages": [{"role": "user", "content": load.prompt}]}
    if load.max_tokens is not None:
        body["max_tokens"] = load.max_tokens
    if load.stream:
        body["stream"] = True
    return orjson.dumps(body)


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0
