"""For tests: a client that speaks every provider's wire to a simulation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from freellm_simulator.simulation import Simulation

NOON_UTC = 1_795_435_200.0
"""2026-11-23 12:00:00 UTC, which is 04:00 in Los Angeles."""

WEATHER = {
    "name": "get_weather",
    "description": "The current weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "kelvin"]}},
        "required": ["city"],
    },
}


@dataclass(slots=True)
class Got:
    """An answer: status, headers and text, or the part of it that came before the connection broke."""

    status: int
    headers: dict[str, str]
    text: str
    broken: bool = False

    @property
    def json(self) -> Any:
        """The decoded body."""
        return orjson.loads(self.text)

    @property
    def events(self) -> list[Any]:
        """The events of a stream, without comments and `[DONE]`."""
        told = [line for line in self.text.splitlines() if line.strip() and not line.startswith(":")]
        lines = [line.removeprefix("data: ").strip() for line in told]
        return [orjson.loads(line) for line in lines if line != "[DONE]"]


@dataclass(slots=True)
class Client:
    """Speaks to a simulation as the requests of provider plugins do.

    :param keys: keys instead of the simulation's, by provider and, for the account id in Cloudflare's paths, `account`
    """

    simulation: Simulation
    session: aiohttp.ClientSession
    keys: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, url: str, body: Any = None, headers: Any = None) -> Got:
        """Send a request; a connection that breaks amid the body is not an error here."""
        text = b""
        async with self.session.request(method, url, json=body, headers=headers) as response:
            got = Got(response.status, {name.lower(): value for name, value in response.headers.items()}, "")
            try:
                async for piece in response.content.iter_any():
                    text += piece
            except aiohttp.ClientError:
                got.broken = True
        got.text = text.decode()
        return got

    async def ask(self, provider: str, model: str, content: Any = "Hello there", **more: Any) -> Got:
        """Ask an OpenAI-speaking service. `more` are further members of the body."""
        body = {"model": model, "messages": [{"role": "user", "content": content}], **more}
        return await self.path(provider, "/chat/completions", body)

    async def path(self, provider: str, path: str, body: Any = None, method: str = "POST") -> Got:
        """Send to a path below a service's base URL, with its key as a bearer token."""
        key = self.keys.get(provider, self.simulation.keys[provider])
        url = self.simulation.base_urls[provider] + path
        return await self.send(method, url, body, {"Authorization": f"Bearer {key}"} if key else None)

    async def groq(
        self, content: Any = "Hello there", model: str = "openai/gpt-oss-120b", **more: Any
    ) -> Got:
        """Ask Groq. `more` are further members of the body."""
        return await self.ask("groq", model, content, **more)

    async def groq_path(self, path: str, body: Any = None, method: str = "POST") -> Got:
        """Send to a path below Groq's base URL."""
        return await self.path("groq", path, body, method)

    async def google(self, text: str = "Hello there", model: str = "gemini-2.5-flash", **more: Any) -> Got:
        """Ask Gemini for a whole answer. `more` are further members of the body."""
        contents = [{"role": "user", "parts": [{"text": text}]}]
        return await self.google_path(f"/models/{model}:generateContent", {"contents": contents, **more})

    async def google_stream(
        self, text: str = "Hello there", model: str = "gemini-2.5-flash", query: str = "?alt=sse", **more: Any
    ) -> Got:
        """Ask Gemini for a stream."""
        contents = [{"role": "user", "parts": [{"text": text}]}]
        path = f"/models/{model}:streamGenerateContent{query}"
        return await self.google_path(path, {"contents": contents, **more})

    async def google_path(self, path: str, body: Any = None, method: str = "POST") -> Got:
        """Send to a path below Google's base URL."""
        key = self.keys.get("google", "AIza-simulated")
        return await self.send(
            method, self.simulation.base_urls["google"] + path, body, {"x-goog-api-key": key}
        )

    async def cloudflare(
        self, content: Any = "Hello there", model: str = "@cf/openai/gpt-oss-120b", **more: Any
    ) -> Got:
        """Ask Cloudflare. `more` are further members of the body."""
        messages = [{"role": "user", "content": content}]
        account = self.keys.get("account", "0123456789abcdef0123456789abcdef")
        path = f"/accounts/{account}/ai/v1/chat/completions"
        return await self.cloudflare_path(path, {"model": model, "messages": messages, **more})

    async def cloudflare_path(self, path: str, body: Any = None, method: str = "POST") -> Got:
        """Send to a path below Cloudflare's base URL."""
        token = self.keys.get("cloudflare", "simulated")
        url = self.simulation.base_urls["cloudflare"] + path
        return await self.send(method, url, body, {"Authorization": f"Bearer {token}"})
