"""Checking a key at every host its service has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from freellm import Key, Secret
from freellm.checking import check_key
from freellm.providers import Provider
from freellm.types import Verdict
from freellm.upstream import UpstreamClient
from small_world import model, provider


@asynccontextmanager
async def host(token: str, status: int = 401) -> AsyncIterator[str]:
    """Run a service that lists its models to one key, and answers anybody else's with a status."""

    async def listed(request: web.Request) -> web.Response:
        if request.headers["Authorization"] == f"Bearer {token}":
            return web.json_response({"data": [{"id": "m"}]})
        return web.json_response({"error": {"message": "Invalid API key"}}, status=status)

    app = web.Application()
    app.router.add_get("/v1/models", listed)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


async def verdict_on(lab: Provider, token: str, base_url: str) -> Verdict:
    key = Key(id="k", account="a", fields={"token": Secret(token)}, base_url=base_url)
    client = UpstreamClient()
    try:
        return await check_key(lab, key, client, local=True)
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("token", "state", "moves"),
    [("first", "valid", False), ("second", "valid", True), ("none", "invalid", False)],
)
async def test_a_key_refused_at_one_host_is_tried_at_the_next(token: str, state: str, moves: bool) -> None:
    async with host("first") as first, host("second") as second:
        lab = provider(models=[model("m")], base_url=first, alternative_base_urls=(second,))
        verdict = await verdict_on(lab, token, first)
    assert (verdict.state, verdict.base_url) == (state, second if moves else None)


async def test_a_key_is_not_sent_elsewhere_unless_it_was_refused() -> None:
    async with host("first", status=503) as first, host("second") as second:
        lab = provider(models=[model("m")], base_url=first, alternative_base_urls=(second,))
        assert (await verdict_on(lab, "second", first)).state == "inconclusive"


async def test_a_base_url_set_by_hand_is_the_only_one() -> None:
    async with host("first") as first, host("second") as second:
        lab = provider(models=[model("m")], base_url="https://lab.test/v1", alternative_base_urls=(second,))
        assert (await verdict_on(lab, "second", first)).state == "invalid"
