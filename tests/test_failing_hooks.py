"""A third-party provider that fails at each hook in turn breaks nobody else's requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from aiohttp import web

from commandline import Commandline, answering
from doc_install import importable
from faults.faultup import FaultUp, faultup
from freellm.hookspecs import ProviderSpec
from freellm.testing import check_completion, check_stream
from freellm_simulator import Simulation
from running import KEYS, RunningProxy, running_proxy

NAME = "example-broken"
MODULE = "freellm_provider_example_broken"

SOURCE = """
    from freellm import Catalogue, Model, OpenAICompatible, ProviderInfo, hookimpl

    FACTS = {"source": "https://example.com", "checked": "2026-11-24"}
    INFO = ProviderInfo(
        id="example-broken", title="Broken", signup_url="https://example.com", docs_url="https://example.com",
        base_url="https://api.example.com/v1", quota_headers=("content-type",),
    )
    MODELS = (
        Model(id="first", family="first", intelligence_rank=1, abilities={"system", "tools"}, **FACTS),
        Model(id="vectors", family="bge-m3", task="embeddings", dimensions=(1024,), intelligence_rank=1, **FACTS),
    )

    class Stream:
        def __init__(self, inner):
            self.inner = inner

        def __call__(self, event):
            return self.inner(event)

        def end(self):
            return self.inner.end()

    def fail():
        raise ValueError("a bug of this plugin")

    class Broken(OpenAICompatible):
        HOOK

    provider = Broken(info=INFO, catalogue=Catalogue(models=MODELS))
"""

FAULTS = {
    "raises": "@hookimpl\ndef {hook}(self):\n    fail()",
    "answers the wrong type": "@hookimpl\ndef {hook}(self):\n    return 7",
    "answers nothing": "@hookimpl\ndef {hook}(self):\n    return None",
    "exits": "@hookimpl\ndef {hook}(self):\n    raise SystemExit('bye')",
}
STREAMS = {
    "exits": "def __call__(self, event): raise SystemExit('bye')",
    "raises at an event": "def __call__(self, event): fail()",
    "answers the wrong type at an event": "def __call__(self, event): return 7",
    "lists what is no chunk": "def __call__(self, event): return [7]",
    "raises at the end": "def end(self): fail()\ndef __call__(self, event): return ()",
    "answers the wrong type at the end": "def end(self): return 7\ndef __call__(self, event): return ()",
}
DECLARING = ("describe_provider", "declare_models", "declare_quotas")
HOOKS = [name for name in vars(ProviderSpec) if not name.startswith("_")]

# The hooks of a chat request: what the service of the broken provider does, whether the request is a stream, and
# what the trail says; None when the broken provider answers all the same.
ASKED: dict[str, tuple[str, bool, str | None]] = {
    "translate_request": ("ok", False, "bad_answer"),
    "normalize_response": ("ok", False, "bad_answer"),
    "normalize_stream": ("ok", True, "bad_answer"),
    "classify_error": ("500", False, "bad_answer"),
    "read_quota": ("ok", False, None),
    "check_key": ("401", False, "bad_key"),
    "judge_key": ("401", False, "bad_key"),
}
APART = ("translate_embeddings", "normalize_embeddings", "list_models", "read_models")
"""Hooks that a chat request has nothing to do with."""


def source(hook: str, fault: str) -> str:
    """Return the provider's module."""
    body = FAULTS[fault].format(hook=hook)
    return dedent(SOURCE).replace("    HOOK", "\n".join(f"    {line}" for line in body.splitlines()))


def streaming(fault: str) -> str:
    """Return the provider's module, with a stream normalizer that fails."""
    body = "\n".join(f"            {line}" for line in STREAMS[fault].splitlines())
    hook = (
        "@hookimpl\n    def normalize_stream(self, request, model):\n        class Failing(Stream):\n" + body
    )
    hook += "\n        return Failing(super().normalize_stream(request, model))"
    return dedent(SOURCE).replace("HOOK", hook)


@contextmanager
def installed(folder: Path, code: str) -> Iterator[None]:
    """Install the broken provider beside the others."""
    site = folder / "site"
    info = site / f"{MODULE}-1.0.dist-info"
    info.mkdir(parents=True)
    (site / f"{MODULE}.py").write_text(code, "utf-8")
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: freellm-provider-example-broken\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(f"[freellm.providers]\n{NAME} = {MODULE}:provider\n")
    with importable([site]):
        yield


@asynccontextmanager
async def broken_and_good(folder: Path, code: str, mode: str) -> AsyncIterator[tuple[RunningProxy, FaultUp]]:
    """Run a proxy whose best provider is broken and whose other one is well."""
    with installed(folder, code):
        async with faultup() as upstream:
            base_urls = {NAME: upstream.url(mode), "groq": upstream.url("ok")}
            keys = {NAME: ["a-key"], "groq": ["gsk_test"]}
            async with running_proxy(folder, base_urls, keys=keys) as proxy:
                yield proxy, upstream


async def assert_served(proxy: RunningProxy, stream: bool, kind: str | None) -> None:
    response = await proxy.chat(stream=stream)
    body = await response.read()
    assert response.status == 200, body
    if stream:
        assert check_stream(body).finish_reason == "stop"
    else:
        check_completion(await response.json())
    if kind is None:
        assert response.headers["X-Routed-Via"] == f"{NAME}/first"
        assert "X-Fallback-Trail" not in response.headers
    else:
        assert response.headers["X-Routed-Via"].startswith("groq/")
        assert response.headers["X-Fallback-Trail"] == f"{NAME}/first={kind}"


def test_every_hook_has_its_row() -> None:
    assert {*DECLARING, *ASKED, *APART} == set(HOOKS)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("hook", ASKED)
async def test_another_provider_answers_what_a_broken_one_cannot(
    tmp_path: Path, hook: str, fault: str
) -> None:
    mode, stream, kind = ASKED[hook]
    async with broken_and_good(tmp_path, source(hook, fault), mode) as (proxy, _):
        await assert_served(proxy, stream, kind)
        good = await proxy.chat("groq/openai/gpt-oss-120b", stream=stream)
        assert good.status == 200
        assert good.headers["X-Fallback-Attempts"] == "0"
        await asyncio.sleep(0)
        states = {key.provider: key.state for key in proxy.runtime.keyring.all()}
        assert states[NAME] != "invalid"  # nobody has confirmed that


@pytest.mark.parametrize("fault", STREAMS)
async def test_another_provider_answers_when_a_normalizer_fails_before_the_first_delta(
    tmp_path: Path, fault: str
) -> None:
    async with broken_and_good(tmp_path, streaming(fault), "ok") as (proxy, _):
        await assert_served(proxy, True, "bad_answer")


@pytest.mark.parametrize("hook", APART)
async def test_hooks_of_other_requests_touch_no_chat(tmp_path: Path, hook: str) -> None:
    async with broken_and_good(tmp_path, source(hook, "raises"), "ok") as (proxy, _):
        await assert_served(proxy, False, None)
        provider = next(one for one in proxy.runtime.providers if one.name == NAME)
        assert hook in provider.hooks


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("hook", ["translate_embeddings", "normalize_embeddings"])
async def test_another_provider_makes_the_vectors_of_a_broken_one(
    tmp_path: Path, hook: str, fault: str
) -> None:
    with installed(tmp_path, source(hook, fault)):
        async with faultup() as upstream, Simulation(speed=0) as simulation:
            base_urls = {NAME: upstream.url("ok"), "cloudflare": simulation.base_urls["cloudflare"]}
            keys = {NAME: ["a-key"], "cloudflare": [KEYS["cloudflare"]]}
            async with running_proxy(tmp_path, base_urls, keys=keys) as proxy:
                body = {"model": "bge-m3", "input": ["Hello", "Good-bye"]}
                response = await proxy.session.post(
                    f"{proxy.url}/v1/embeddings", json=body, headers=proxy.headers
                )
                assert response.status == 200, await response.text()
                assert len((await response.json())["data"]) == 2
                assert response.headers["X-Routed-Via"] == "cloudflare/@cf/baai/bge-m3"
                assert response.headers["X-Fallback-Trail"] == f"{NAME}/vectors=bad_answer"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("hook", DECLARING)
async def test_a_provider_that_cannot_say_what_it_is_is_left_out_and_the_others_serve(
    tmp_path: Path, hook: str, fault: str
) -> None:
    async with broken_and_good(tmp_path, source(hook, fault), "ok") as (proxy, _):
        assert NAME not in {provider.name for provider in proxy.runtime.providers}
        response = await proxy.chat()
        assert response.headers["X-Routed-Via"].startswith("groq/")
        assert "X-Fallback-Trail" not in response.headers
    with installed(tmp_path / "again", source(hook, fault)):
        told = Commandline(tmp_path, FREELLM_LOAD_PLUGINS=f"groq,{NAME}").document("plugins")["plugins"]
    (row,) = [row for row in told if row["id"] == NAME]
    assert row["status"] == "quarantined"
    assert hook in row["reason"]
    assert "pip uninstall freellm-provider-example-broken" in row["reason"]


@pytest.mark.parametrize("hook", ["list_models", "read_models"])
def test_a_sync_goes_on_without_a_broken_provider(tmp_path: Path, hook: str) -> None:
    async def listing(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response(
            {"object": "list", "data": [{"id": "openai/gpt-oss-120b", "object": "model"}]}
        )

    with installed(tmp_path, source(hook, "raises")), answering(listing) as root:
        line = Commandline(
            tmp_path,
            FREELLM_LOAD_PLUGINS=f"groq,{NAME}",
            FREELLM_GROQ_BASE_URL=root,
            FREELLM_EXAMPLE_BROKEN_BASE_URL=root,
        )
        for name in (NAME, "groq"):
            line.run("keys", "add", name, "--no-check", stdin="gsk_a-key")
        told: dict[str, Any] = {row["provider"]: row for row in line.document("models", "sync")["providers"]}
    assert told["groq"]["listed"] == 1
    assert not told[NAME]["listed"]
