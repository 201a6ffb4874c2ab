"""Putting one prompt to several models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from freellm.cli.client import Client, connected
from freellm.errors import FreeLLMError
from freellm.measuring import Compared, Reading, Result, best_families, question
from freellm.types import Json


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, and whom.

    :param url: the proxy's root
    :param api_key: the unified key; empty for a proxy that asks for none
    :param models: the models; empty for the best three that are open, each of another family
    :param prompt: the user's message
    :param system: the system message; None leaves it out
    :param max_tokens: the longest answer, None leaves it out
    :param sequential: whether one is asked after the other
    """

    url: str
    api_key: str
    models: tuple[str, ...]
    prompt: str
    system: str | None = None
    max_tokens: int | None = None
    sequential: bool = False


async def ask(comparison: Comparison, done: Callable[[int, Compared], None]) -> None:
    """Ask the models.

    :param done: called with each model's place among those asked and what it made of the prompt, as they end
    :raises FreeLLMError: when nobody can be asked: no proxy, a wrong key, or no model named and none open
    """
    async with connected(comparison.url, comparison.api_key) as client:
        listed = await client.models()
        models = comparison.models or _best(listed)
        at_once = asyncio.Semaphore(1 if comparison.sequential else len(models))
        async with asyncio.TaskGroup() as group:
            for place, model in enumerate(models):
                group.create_task(_ask(client, comparison, place, model, at_once, done))


async def _ask(
    client: Client,
    comparison: Comparison,
    place: int,
    model: str,
    at_once: asyncio.Semaphore,
    done: Callable[[int, Compared], None],
) -> None:
    async with at_once:
        reading = Reading(Result(number=place + 1))
        body = question(
            model, comparison.prompt, system=comparison.system, max_tokens=comparison.max_tokens, stream=True
        )
        await client.complete(body, reading)
        done(place, Compared.of(model, reading))


def _best(listed: list[Json]) -> list[str]:
    if not listed:
        raise FreeLLMError("the proxy has no model: give it a provider's key with freellm keys add PROVIDER")
    if found := best_families(listed):
        return found
    waits = [row["x_freellm"]["retry_in_ms"] for row in listed if row["x_freellm"]["retry_in_ms"] is not None]
    opens = f"the first opens in {min(waits) / 1000:.0f} s; " if waits else ""
    raise FreeLLMError(f"no model is open at the moment; {opens}name one with -m to hear why it is closed")
