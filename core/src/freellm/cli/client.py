"""The command line as a client of a running proxy."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson

from freellm.measuring import LONGEST, Reading, no_proxy, read_models
from freellm.types import Json


class Client:
    """Sends requests to one proxy.

    :param url: the proxy's root
    :param session: carries the unified key
    """

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def models(self) -> list[Json]:
        """Return the rows of the proxy's list of models.

        :raises FreeLLMError: when there is no proxy at the address
        :raises SettingsError: when it refuses the key
        """
        try:
            async with self._session.get(f"{self._url}/v1/models", allow_redirects=False) as response:
                return read_models(self._url, response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise no_proxy(self._url) from None

    async def complete(self, body: Json, reading: Reading) -> None:
        """Send one chat request and read the answer to its end; what goes wrong is noted in the reading.

        :param body: the request
        """
        started = time.perf_counter()
        try:
            async with self._session.post(
                f"{self._url}/v1/chat/completions",
                data=orjson.dumps(body),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
            ) as response:
                reading.head(response.status, response.headers)
                async for data in response.content.iter_any():
                    reading.feed(data, _ms(started))
        except TimeoutError:
            reading.timed_out()
        except (aiohttp.ClientError, OSError) as error:
            reading.broke_off(error)
        reading.end(_ms(started))


@asynccontextmanager
async def connected(url: str, api_key: str) -> AsyncIterator[Client]:
    """Connect to a proxy; nothing is sent yet.

    :param url: the proxy's root
    :param api_key: the unified key; empty for a proxy that asks for none
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    timeout = aiohttp.ClientTimeout(total=LONGEST)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        headers=headers, timeout=timeout, connector=connector, trust_env=False
    ) as session:
        yield Client(url, session)


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0
