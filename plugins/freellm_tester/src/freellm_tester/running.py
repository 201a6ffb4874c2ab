"""The three things that can be tried: one prompt, many requests, several models. Each gives what there is as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from freellm.measuring import Result, question
from freellm.types import Json
from freellm_tester.proxy import Exchange, Proxy

EVERY = 0.1
"""Seconds between two looks at answers that come side by side: more often is more than a page can draw."""


async def one_prompt(proxy: Proxy, body: Json) -> AsyncGenerator[Exchange, None]:
    """Send one request; give its exchange as pieces come, at most every tenth of a second, and at the end."""
    exchange = Exchange(str(body["model"]))
    loop = asyncio.get_running_loop()
    shown = -EVERY
    async with aclosing(proxy.ask(exchange, body)) as pieces:
        async for _ in pieces:
            if exchange.ended or loop.time() - shown >= EVERY:
                shown = loop.time()
                yield exchange


async def stress(proxy: Proxy, body: Json, requests: int, delay: float) -> AsyncGenerator[list[Result], None]:
    """Send a request many times, one after the other; give all results so far after each.

    :param delay: seconds between the end of a request and the start of the next one
    """
    results: list[Result] = []
    for number in range(1, requests + 1):
        exchange = Exchange(str(body["model"]), number)
        async with aclosing(proxy.ask(exchange, body)) as pieces:
            async for _ in pieces:
                pass
        results.append(exchange.reading.result)
        yield results
        if number < requests:
            await asyncio.sleep(delay)


async def side_by_side(
    proxy: Proxy, models: Sequence[str], prompt: str, *, system: str | None, max_tokens: int | None
) -> AsyncGenerator[list[Exchange], None]:
    """Put one prompt to several models at once; give all exchanges every tenth of a second, and at the end."""
    exchanges = [Exchange(model, number) for number, model in enumerate(models, 1)]

    async def read(exchange: Exchange) -> None:
        body = question(exchange.asked, prompt, system=system, max_tokens=max_tokens, stream=True)
        async with aclosing(proxy.ask(exchange, body)) as pieces:
            async for _ in pieces:
                pass

    tasks = [asyncio.create_task(read(exchange)) for exchange in exchanges]
    try:
        waiting = set(tasks)
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=EVERY)
            yield exchanges
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
