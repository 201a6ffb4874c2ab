"""A whole proxy in the test's own event loop: real settings, store, providers, server and sockets."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from pathlib import Path

import aiohttp

from freellm.keyring import parse_key
from freellm.plugins import PLUGINS
from freellm.providers import load_providers
from freellm.runtime import Runtime
from freellm.server import Server
from freellm.settings import load_settings

KEYS = {"groq": "gsk_test", "google": "AIzatest", "cloudflare": f"{'a' * 32}:token-test"}
"""Keys as their providers look for them; any other provider takes any text."""

FOR_INSTANCES = [provider.name for provider in load_providers()[0] if provider.info.instances]
"""Plugins that are nobody's provider until a user adds a server of their own."""

UNIFIED = "fl-unified-key-of-the-tests"


class RunningProxy:
    """A proxy that answers.

    :ivar url: its root
    :ivar key: the unified key
    """

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.runtime = server.runtime
        self.session = session
        self.url = f"http://127.0.0.1:{server.port}"
        self.key = UNIFIED
        self.headers = {"Authorization": f"Bearer {UNIFIED}"}

    async def chat(
        self, model: str = "auto", text: str = "Hello", **fields: object
    ) -> aiohttp.ClientResponse:
        """Send one chat request and read the whole answer."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        return await self.post(body)

    async def post(self, body: object, **headers: str) -> aiohttp.ClientResponse:
        """Send a body to the chat endpoint and read the whole answer."""
        response = await self.session.post(
            f"{self.url}/v1/chat/completions", json=body, headers={**self.headers, **headers}
        )
        await response.read()
        return response


@asynccontextmanager
async def running_proxy(
    folder: Path,
    base_urls: Mapping[str, str],
    *,
    keys: Mapping[str, list[str]] | None = None,
    unlimited: bool = False,
    models: list[tuple[str, str]] | None = None,
    environ: Mapping[str, str] | None = None,
    fixed_key: bool = True,
    monotonic: Callable[[], float] = time.monotonic,
    **settings: object,
) -> AsyncIterator[RunningProxy]:
    """Run a proxy on a data folder.

    :param base_urls: where providers are reached; of the providers no others are loaded, since some need no key
    :param keys: keys in their one-line form, by provider; one for each provider with a base URL unless stated
    :param models: models to switch on
    :param environ: where providers' usual variables are looked up
    :param fixed_key: whether the unified key is that of the tests; else it is generated
    :param monotonic: the clock that quotas go by
    """
    made = load_settings(
        {"FREELLM_API_KEY": UNIFIED} if fixed_key else {},
        {
            "data_dir": folder / "data",
            "config_dir": folder / "config",
            "port": 0,
            "base_urls": dict(base_urls),
            "load_plugins": [
                *base_urls,
                *FOR_INSTANCES,
                *(point.name for point in entry_points(group=PLUGINS)),
            ],
            **settings,
        },
    )
    runtime = Runtime(made, environ or {}, monotonic=monotonic)
    stored = {(key.provider, key.label) for key in runtime.keyring.all()}
    wanted = keys
    if wanted is None:
        wanted = {provider: [KEYS.get(provider, "token-test")] for provider in base_urls}
    for provider in runtime.providers:
        for number, line in enumerate(wanted.get(provider.name, [])):
            if (provider.name, f"key {number}") not in stored:
                runtime.keyring.add(
                    provider.name,
                    parse_key(provider.info, line),
                    now=runtime.clock.now(),
                    label=f"key {number}",
                    unlimited=unlimited,
                )
    for name, model in models or []:
        runtime.store.models.enable(name, model, True)
    runtime.refresh()
    server = Server(runtime)
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield RunningProxy(server, session)
    finally:
        await server.stop()
