"""Servers of one's own behind a whole proxy: each one an instance, side by side, told apart in everything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from openai import AsyncOpenAI

from commandline import Commandline, answering
from endpoints import Endpoint, serving
from freellm.testing import check_completion, check_error, check_stream
from processes import freellm_serving
from running import UNIFIED, RunningProxy, running_proxy

PLUGIN = "custom"


def config(folder: Path, text: str) -> None:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "config.toml").write_text(text, "utf-8")


def table(name: str, url: str, more: str = "") -> str:
    return f'[instances.{name}]\nbase_url = "{url}/v1"\n{more}\n'


@asynccontextmanager
async def lab_and_den(folder: Path, more: str = "") -> AsyncIterator[tuple[RunningProxy, Endpoint, Endpoint]]:
    """Run a proxy whose only providers are two servers of one's own; both have the model `tiny`."""
    async with serving(Endpoint("lab")) as lab, serving(Endpoint("den")) as den:
        config(folder, table("lab", lab.url, more) + table("den", den.url))
        async with running_proxy(folder, {}) as proxy:
            await until(lambda: len(names(proxy)) == 2)
            yield proxy, lab, den


def names(proxy: RunningProxy) -> list[str]:
    return [entry.name for entry in proxy.runtime.proxy.catalogue.chain]


def states(proxy: RunningProxy) -> dict[str, str]:
    return {key.provider: key.state for key in proxy.runtime.proxy.keys}


async def until(condition: Any, seconds: float = 5.0) -> None:
    """Wait until something is so; the server looks for changes every half second."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_each_instance_answers_under_its_own_name(tmp_path: Path) -> None:
    async with lab_and_den(tmp_path) as (proxy, lab, den):
        for name, endpoint in (("lab", lab), ("den", den)):
            response = await proxy.chat(f"{name}/tiny")
            body = await response.json()
            check_completion(body)
            assert response.headers["X-Routed-Via"] == f"{name}/tiny"
            assert body["choices"][0]["message"]["content"] == f"I am {name}."
            assert body["_routed_via"] == {"platform": name, "model": "tiny"}
            assert endpoint.bodies[-1]["model"] == "tiny"
        streamed = await proxy.chat("den/tiny", stream=True)
        assert check_stream(await streamed.read()).text == "I am den."
        assert streamed.headers["X-Routed-Via"] == "den/tiny"


async def test_the_openai_sdk_asks_an_instance(tmp_path: Path) -> None:
    async with lab_and_den(tmp_path) as (proxy, _, _):
        async with AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key=UNIFIED) as client:
            listed = {model.id async for model in client.models.list()}
            answer = await client.chat.completions.create(
                model="lab/tiny", messages=[{"role": "user", "content": "Hello"}]
            )
        assert "tiny" in listed
        assert answer.choices[0].message.content == "I am lab."


async def test_one_dead_instance_rules_out_no_other(tmp_path: Path) -> None:
    """Requests for `tiny` go on at the other one, invisibly; requests for the dead one alone say what is wrong."""
    async with serving(Endpoint("den")) as den:
        async with serving(Endpoint("lab")) as lab:
            config(tmp_path, table("lab", lab.url) + table("den", den.url))
            context = running_proxy(tmp_path, {})
            proxy = await context.__aenter__()
            try:
                await until(lambda: len(names(proxy)) == 2)
            except BaseException:
                await context.__aexit__(None, None, None)
                raise
        try:
            for stream in (False, True) * 4:
                response = await proxy.chat("tiny", stream=stream)
                assert response.status == 200
                assert response.headers["X-Routed-Via"] == "den/tiny"
            alone = await proxy.chat("lab/tiny")
            body = await alone.json()
            check_error(body)
            assert alone.status in (502, 503)
            assert "lab/tiny" in str(body)
            direct = await proxy.chat("den/tiny")
            assert (direct.status, direct.headers["X-Fallback-Attempts"]) == (200, "0")
            closed = {standing.name for standing in proxy.runtime.health.closed(proxy.runtime.clock.now())}
            assert not [name for name in closed if "den" in name]
        finally:
            await context.__aexit__(None, None, None)


async def test_a_key_from_the_environment_goes_to_its_instance_alone(tmp_path: Path) -> None:
    key = "lab-canary-0123456789"
    async with serving(Endpoint("lab", key=key)) as lab, serving(Endpoint("den")) as den:
        config(tmp_path, table("lab", lab.url, 'key = "LAB_KEY"') + table("den", den.url))
        async with running_proxy(tmp_path, {}, environ={"LAB_KEY": key}) as proxy:
            await until(lambda: len(names(proxy)) == 2)
            assert (await proxy.chat("lab/tiny")).status == 200
            assert (await proxy.chat("den/tiny")).status == 200
    assert {authorization for _, _, authorization in lab.asked} == {f"Bearer {key}"}
    assert {authorization for _, _, authorization in den.asked} == {""}


async def test_a_refused_variable_is_one_instances_trouble(tmp_path: Path) -> None:
    """Two instances take their key from one variable; one of them stops to accept it."""
    key = "shared-canary-0123456789"
    async with serving(Endpoint("lab", key=key)) as lab, serving(Endpoint("den", key=key)) as den:
        config(tmp_path, table("lab", lab.url, 'key = "KEY"') + table("den", den.url, 'key = "KEY"'))
        async with running_proxy(tmp_path, {}, environ={"KEY": key}) as proxy:
            await until(lambda: len(names(proxy)) == 2)
            lab.key = "another"
            assert (await proxy.chat("lab/tiny")).status == 502
            await until(lambda: names(proxy) == ["den/tiny"])
            assert (await proxy.chat("den/tiny")).status == 200
            await until(lambda: states(proxy) == {"lab": "invalid", "den": "valid"})


async def test_models_are_found_when_the_server_comes_up_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freellm.sync.live.RETRY", 0.05)
    lab = Endpoint("lab")
    async with serving(lab):
        port = int(lab.url.rpartition(":")[2])
    config(tmp_path, table("lab", lab.url))
    async with running_proxy(tmp_path, {}) as proxy:
        assert names(proxy) == []
        async with serving(lab, port):
            await until(lambda: names(proxy) == ["lab/tiny"])
            assert (await proxy.chat("lab/tiny")).status == 200
    async with running_proxy(tmp_path, {}) as proxy:  # what was found is remembered
        assert names(proxy) == ["lab/tiny"]


async def test_at_start_the_list_is_believed_as_it_is(tmp_path: Path) -> None:
    async with serving(Endpoint("lab")) as lab:
        config(tmp_path, table("lab", lab.url))
        async with running_proxy(tmp_path, {}) as proxy:
            await until(lambda: names(proxy) == ["lab/tiny"])
        lab.models = ({"id": "large", "max_model_len": 4096},)
        async with running_proxy(tmp_path, {}) as proxy:
            await until(lambda: names(proxy) == ["lab/large"])
            (entry,) = proxy.runtime.proxy.catalogue.named("lab/large")
            assert entry.context == 4096


async def test_no_more_than_the_stated_number_at_once(tmp_path: Path) -> None:
    """The third of three requests at once finds both servers' one place taken."""
    started, release = asyncio.Event(), asyncio.Event()

    class Slow(Endpoint):
        async def _chat(self, request: Any) -> Any:
            started.set()
            await release.wait()
            return await super()._chat(request)

    async with serving(Slow("lab")) as lab:
        config(tmp_path, table("lab", lab.url, "concurrent = 1"))
        async with running_proxy(tmp_path, {}) as proxy:
            await until(lambda: names(proxy) == ["lab/tiny"])
            first = asyncio.create_task(proxy.chat("lab/tiny"))
            await started.wait()
            second = await proxy.chat("lab/tiny", text="Another one")
            release.set()
            assert (await first).status == 200
            assert second.status == 429
            assert lab.chats == 1


async def test_what_toml_says_of_a_model_counts(tmp_path: Path) -> None:
    more = """
discover = false
[instances.lab.models.tiny]
context = 64
abilities = ["system"]
limits = { rpm = 1 }
"""
    async with serving(Endpoint("lab", None)) as lab:
        config(tmp_path, table("lab", lab.url, more))
        async with running_proxy(tmp_path, {}) as proxy:
            tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
            assert (await proxy.chat("lab/tiny", tools=tools)).status == 400
            assert (await proxy.chat("lab/tiny", text="word " * 200)).status == 400
            assert (await proxy.chat("lab/tiny")).status == 200
            assert (await proxy.chat("lab/tiny", text="Again")).status == 429
    assert lab.chats == 1
    assert lab.asked[0][:2] == ("POST", "/v1/chat/completions")  # nobody asked for a list


async def test_the_environment_moves_an_instance(tmp_path: Path) -> None:
    async with serving(Endpoint("lab")) as lab, serving(Endpoint("moved")) as moved:
        config(tmp_path, table("lab", lab.url))
        async with running_proxy(tmp_path, {"lab": f"{moved.url}/v1"}, keys={}) as proxy:
            await until(lambda: names(proxy) == ["lab/tiny"])
            body = await (await proxy.chat("lab/tiny")).json()
    assert body["choices"][0]["message"]["content"] == "I am moved."
    assert lab.asked == []


async def test_redirects_are_not_followed(tmp_path: Path) -> None:
    from aiohttp import web

    class Elsewhere(Endpoint):
        async def _chat(self, request: Any) -> Any:
            raise web.HTTPTemporaryRedirect(f"{target.url}/v1/chat/completions")

    async with serving(Endpoint("target")) as target, serving(Elsewhere("lab")) as lab:
        config(tmp_path, table("lab", lab.url))
        async with running_proxy(tmp_path, {}) as proxy:
            await until(lambda: names(proxy) == ["lab/tiny"])
            assert (await proxy.chat("lab/tiny")).status == 502
    assert target.asked == []


async def test_an_id_of_a_known_model_joins_its_family(tmp_path: Path) -> None:
    """A model of one's own and the same one elsewhere are one model to a client, and fail over into each other."""
    lab = Endpoint("lab", ({"id": "openai/gpt-oss-20b"},))
    async with serving(lab), serving(Endpoint("groq")) as groq:
        config(tmp_path, table("lab", lab.url))
        async with running_proxy(tmp_path, {"groq": f"{groq.url}/v1"}) as proxy:
            await until(lambda: "lab/openai/gpt-oss-20b" in names(proxy))
            answered = {entry.provider.name for entry in proxy.runtime.proxy.catalogue.named("gpt-oss-20b")}
            assert answered >= {"lab", "groq"}


# A running server and the command line beside it


@contextmanager
def lab_in_a_thread(endpoint: Endpoint) -> Iterator[Endpoint]:
    with answering(endpoint.answer) as root:
        endpoint.url = root
        yield endpoint


async def chat(url: str, model: str) -> tuple[int, str]:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {UNIFIED}"}) as session,
        session.post(f"{url}/v1/chat/completions", json=body) as response,
    ):
        return response.status, await response.text()


async def until_it_answers(url: str, model: str, status: int, seconds: float = 3.0) -> str:
    async with asyncio.timeout(seconds):
        while True:
            got, text = await chat(url, model)
            if got == status:
                return text
            await asyncio.sleep(0.05)


async def test_a_running_server_picks_up_what_is_added_and_removed_and_a_restart_remembers(
    tmp_path: Path,
) -> None:
    key = "lab-canary-0123456789"
    line = Commandline(tmp_path, FREELLM_API_KEY=UNIFIED)
    with lab_in_a_thread(Endpoint("lab", key=key)) as lab, lab_in_a_thread(Endpoint("den")) as den:
        with freellm_serving([], line.variables) as (_, facts):
            url = facts["url"]
            for name, endpoint, given in (("lab", lab, key), ("den", den, "")):
                arguments = ["keys", "add", PLUGIN, "--name", name, "--base-url", endpoint.url]
                added = await asyncio.to_thread(line.process, *arguments, stdin=given)
                assert added.returncode == 0, added.stderr
                assert "1 model found: tiny" in added.stdout
                assert f"I am {name}." in await until_it_answers(url, f"{name}/tiny", 200)
        with freellm_serving([], line.variables) as (_, facts):
            assert facts["models"] == {"den": 1, "lab": 1}
            assert "I am lab." in await until_it_answers(facts["url"], "lab/tiny", 200)
            removed = await asyncio.to_thread(line.process, "keys", "remove", "lab")
            assert removed.returncode == 0, removed.stderr
            gone = json.loads(await until_it_answers(facts["url"], "lab/tiny", 404))
            assert "den/tiny" in gone["error"]["message"]
            assert "I am den." in await until_it_answers(facts["url"], "den/tiny", 200)
    assert key.encode() not in b"".join(file.read_bytes() for file in line.data.iterdir())


async def test_without_the_package_an_instance_is_orphaned_and_kept(tmp_path: Path) -> None:
    line = Commandline(tmp_path, FREELLM_API_KEY=UNIFIED)
    with lab_in_a_thread(Endpoint("lab")) as lab:
        arguments = ["keys", "add", PLUGIN, "--name", "lab", "--base-url", lab.url, "--no-key"]
        assert (await asyncio.to_thread(line.process, *arguments)).returncode == 0
        without = {**line.variables, "FREELLM_LOAD_PLUGINS": "groq"}
        with freellm_serving([], without) as (_, facts):
            assert facts["models"] == {}
            assert (await chat(facts["url"], "lab/tiny"))[0] == 503
        orphaned = Commandline(tmp_path, FREELLM_LOAD_PLUGINS="groq")
        (key,) = orphaned.document("keys", "list")["keys"]
        assert (key["provider"], key["state"]) == ("lab", "orphaned")
        assert f"asked through {PLUGIN}" in key["reason"]
        with freellm_serving([], line.variables) as (_, facts):
            assert "I am lab." in await until_it_answers(facts["url"], "lab/tiny", 200)
        assert orphaned.document("keys", "remove", "lab")["removed"] is True
    assert line.document("keys", "list")["keys"] == []
