"""Firing the requests of a stress test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import msgspec

from freellm.cli.client import Client, connected
from freellm.measuring import Reading, Result, question


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
    async with connected(load.url, load.api_key) as client:
        await client.models()  # see that somebody is there who takes the key
        numbers = iter(range(1, load.requests + 1))
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(load.concurrency, load.requests)):
                workers.create_task(_work(client, load, numbers, done))


async def _work(client: Client, load: Load, numbers: Iterator[int], done: Callable[[Result], None]) -> None:
    body = question(load.model, load.prompt, max_tokens=load.max_tokens, stream=load.stream)
    for number in numbers:
        result = Result(number=number)
        await client.complete(body, Reading(result))
        done(result)
        if number < load.requests:
            await asyncio.sleep(load.delay)
