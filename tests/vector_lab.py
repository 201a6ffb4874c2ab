"""A second maker of bge-m3's vectors, for tests: a provider package as a stranger would install it, and its service."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from freellm_simulator.vectors import vector
from freellm_simulator.worlds import Facts

PLUGIN = """
from freellm import Catalogue, EmbeddingsWire, Model, OpenAICompatible, ProviderInfo, Quota

FACTS = {"source": "a test", "checked": "2026-11-25"}
MODEL = {"task": "embeddings", "abilities": [], "context": 8192, **FACTS}
provider = OpenAICompatible(
    info=ProviderInfo(id="lab", title="Lab", signup_url="https://lab.test", docs_url="https://lab.test/docs",
                      base_url="https://lab.test/v1", environment=("LAB_KEY",)),
    catalogue=Catalogue(
        models=(
            Model(id="baai/bge-m3", family="bge-m3", dimensions=(1024,), max_inputs=40, **MODEL),
            Model(id="tokens", family="tokens", dimensions=(8,), token_inputs=True, **MODEL),
            Model(id="single", family="single", dimensions=(8,), max_inputs=1, **MODEL),
        ),
        quotas=(Quota(unit="concurrent", limit=1, members=("single",), **FACTS),),
    ),
    embeddings=EmbeddingsWire(forward=frozenset({"input_type"})),
)
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the package on the path, as an installation would."""
    facts = folder / "lab_provider-1.dist-info"
    facts.mkdir(parents=True)
    (folder / "lab_provider.py").write_text(PLUGIN)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-provider\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[freellm.providers]\nlab = lab_provider:provider\n")
    monkeypatch.syspath_prepend(str(folder))


@dataclass
class Lab:
    """The service.

    :ivar url: its base URL
    :ivar script: answers to give before it answers well: a status, or a body of a 200
    :ivar seen: the bodies of the requests
    :ivar most: requests that were under way at once
    """

    url: str = ""
    script: list[int | dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def embeddings(self, request: web.Request) -> web.Response:
        """Answer `POST /embeddings`."""
        body = json.loads(await request.read())
        self.seen.append(body)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            return self._answer(body)
        finally:
            self.under_way -= 1

    def _answer(self, body: dict[str, Any]) -> web.Response:
        if self.script:
            said = self.script.pop(0)
            if isinstance(said, dict):
                return web.json_response(said)
            return web.json_response({"error": {"message": f"scripted {said}"}}, status=said)
        size = 1024 if "bge-m3" in body["model"] else 8
        facts = Facts(provider="lab", id=body["model"], dimensions=(size,))
        rows = [
            {"index": index, "embedding": vector(0, facts, str(text), size)}
            for index, text in enumerate(body["input"])
        ]
        tokens = len(body["input"])
        return web.json_response({"data": rows[::-1], "usage": {"total_tokens": tokens}})


@asynccontextmanager
async def vector_lab() -> AsyncIterator[Lab]:
    """Run the service."""
    lab = Lab()
    app = web.Application()
    app.router.add_post("/embeddings", lab.embeddings)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    lab.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield lab
    finally:
        await runner.cleanup()
