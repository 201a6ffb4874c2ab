"""Who may answer, as clients say it: strategies, profiles, and OpenRouter's fields through the OpenAI SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest

from commandline import Commandline
from freellm.runtime import LOOK_EVERY
from freellm_simulator import Simulation
from running import RunningProxy, running_proxy

HELLO: Any = [{"role": "user", "content": "Hello"}]
PROVIDERS = ("groq", "google", "cloudflare", "mistral")
CONFIG = """
[strategies.thrifty]
quota = 1

[profiles.night]
models = ["gpt-oss-20b", "gpt-oss-120b"]

[profiles.private]
data_collection = "deny"
"""


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation(speed=0) as running:
        yield running


@pytest.fixture
async def proxy(tmp_path: Path, simulation: Simulation) -> AsyncIterator[RunningProxy]:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "config.toml").write_text(CONFIG, "utf-8")
    urls = {name: simulation.base_urls[name] for name in PROVIDERS}
    async with running_proxy(tmp_path, urls, unlimited=True) as running:
        yield running


@pytest.fixture
async def client(proxy: RunningProxy) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key=proxy.key, max_retries=0) as made:
        yield made


async def platform(client: openai.AsyncOpenAI, model: str = "auto", **body: Any) -> str:
    """Return who answers."""
    answer = await client.chat.completions.create(model=model, messages=HELLO, extra_body=body)
    via: dict[str, str] = answer._routed_via  # type: ignore[attr-defined]
    return f"{via['platform']}/{via['model']}"


async def refused(client: openai.AsyncOpenAI, model: str = "auto", **body: Any) -> openai.APIStatusError:
    """Return the refusal."""
    with pytest.raises(openai.APIStatusError) as caught:
        await client.chat.completions.create(model=model, messages=HELLO, extra_body=body)
    return caught.value


class TestStrategies:
    @pytest.mark.parametrize(
        "name", ["priority", "smart", "fast", "reliable", "balanced", "latency", "throughput", "thrifty"]
    )
    async def test_of_every_name_answer(self, client: openai.AsyncOpenAI, name: str) -> None:
        assert await platform(client, f"auto:{name}")

    async def test_are_listed_with_the_profiles(self, client: openai.AsyncOpenAI) -> None:
        listed = {model.id async for model in client.models.list()}
        assert {"auto", "auto:smart", "auto:thrifty", "auto:night", "auto:private"} <= listed

    async def test_that_nobody_offers_are_refused_with_the_near_ones(
        self, client: openai.AsyncOpenAI
    ) -> None:
        error = await refused(client, "auto:fats")
        assert error.status_code == 404
        assert "near it are auto:fast" in error.message

    async def test_are_measured_by_the_answers(self, client: openai.AsyncOpenAI, proxy: RunningProxy) -> None:
        name = await platform(client)
        track = proxy.runtime.health.measurements.track(name)
        assert (track.attempts, track.good, track.timed) == (1.0, 1.0, 1.0)
        stream = await client.chat.completions.create(model=name, messages=HELLO, stream=True)
        assert [chunk async for chunk in stream]
        assert track.attempts == track.good == pytest.approx(2.0 - 1 / 30, abs=1e-3)
        assert track.tokens > 0

    async def test_put_a_provider_that_fails_behind_one_that_answers(
        self, client: openai.AsyncOpenAI, proxy: RunningProxy
    ) -> None:
        first = await platform(client, "auto:reliable")
        track = proxy.runtime.health.measurements.track(first)
        for _ in range(10):
            track.failed(proxy.runtime.clock.now())
        proxy.runtime.refresh()  # a new snapshot looks at once, where an old one looks every few seconds
        assert await platform(client, "auto:reliable") != first


class TestModels:
    async def test_are_tried_in_their_order(self, client: openai.AsyncOpenAI) -> None:
        models = ["groq/openai/gpt-oss-20b", "gemini-3.5-flash"]
        assert await platform(client, models=models) == models[0]
        assert (await platform(client, models=models[::-1])).startswith("google/")

    async def test_come_after_the_model_itself(self, client: openai.AsyncOpenAI) -> None:
        assert (await platform(client, "gemini-3.5-flash", models=["gpt-oss-120b"])).startswith("google/")

    async def test_are_fallen_back_to(
        self, client: openai.AsyncOpenAI, simulation: Simulation, proxy: RunningProxy
    ) -> None:
        now = proxy.runtime.clock.now()
        (standing,) = {
            entry.standing
            for entry in proxy.runtime.proxy.catalogue.chain
            if entry.name == "google/gemini-3.5-flash"
        }
        standing.close(now + 60.0, "overloaded", stated=True)  # type: ignore[arg-type]
        assert await platform(client, models=["google/gemini-3.5-flash", "groq/openai/gpt-oss-20b"]) == (
            "groq/openai/gpt-oss-20b"
        )

    async def test_that_do_not_exist_are_refused_by_their_place(self, client: openai.AsyncOpenAI) -> None:
        error = await refused(client, models=["gpt-oss-120b", "gpt-oss-121b"])
        assert (error.status_code, error.param) == (404, "models[1]")
        assert "gpt-oss-120b" in error.message


class TestProvider:
    async def test_only(self, client: openai.AsyncOpenAI) -> None:
        for name in PROVIDERS:
            assert (await platform(client, provider={"only": [name.upper()]})).startswith(f"{name}/")

    async def test_ignore(self, client: openai.AsyncOpenAI) -> None:
        assert (await platform(client, provider={"ignore": [*PROVIDERS[1:]]})).startswith("groq/")

    async def test_order(self, client: openai.AsyncOpenAI) -> None:
        for first in PROVIDERS:
            assert (await platform(client, provider={"order": [first]})).startswith(f"{first}/")

    @pytest.mark.parametrize("sort", ["price", "throughput", "latency", {"by": "latency"}])
    async def test_sort(self, client: openai.AsyncOpenAI, sort: object) -> None:
        assert await platform(client, provider={"sort": sort})

    async def test_require_parameters(self, client: openai.AsyncOpenAI) -> None:
        # Groq takes no logit_bias, and neither does Google; the header tells what a provider has dropped.
        lenient = await client.chat.completions.with_raw_response.create(
            model="groq/openai/gpt-oss-120b", messages=HELLO, logit_bias={"50256": -100}
        )
        assert "logit_bias" in lenient.headers["X-FreeLLM-Dropped-Params"]
        error = await refused(
            client,
            "groq/openai/gpt-oss-120b",
            logit_bias={"50256": -100},
            provider={"require_parameters": True},
        )
        assert (error.status_code, error.code) == (400, "no_capable_model")
        assert "groq does not take logit_bias" in error.message
        assert await platform(client, "groq/openai/gpt-oss-120b", provider={"require_parameters": True})

    async def test_require_parameters_leaves_those_that_take_them(self, client: openai.AsyncOpenAI) -> None:
        answer = await client.chat.completions.with_raw_response.create(
            model="auto", messages=HELLO, seed=7, extra_body={"provider": {"require_parameters": True}}
        )
        assert "X-FreeLLM-Dropped-Params" not in answer.headers

    async def test_data_collection(self, client: openai.AsyncOpenAI) -> None:
        deny = {"data_collection": "deny"}
        assert (await platform(client, provider=deny)).split("/")[0] in ("groq", "cloudflare")
        error = await refused(client, "gemini-3.5-flash", provider=deny)
        assert (error.status_code, error.code, error.param) == (404, "no_allowed_provider", "provider")
        assert "google may train on prompts" in error.message
        assert "these would do otherwise: google" in error.message

    async def test_allow_fallbacks(self, client: openai.AsyncOpenAI, simulation: Simulation) -> None:
        alone = {"order": ["groq"], "allow_fallbacks": False}
        assert (await platform(client, provider=alone)).startswith("groq/")
        first = (await platform(client)).split("/")[0]
        assert (await platform(client, provider={"allow_fallbacks": False})).startswith(f"{first}/")
        error = await refused(client, "gemini-3.5-flash", provider=alone)
        assert "provider.order does not name google" in error.message

    async def test_max_price_and_what_no_free_tier_states_change_nothing(
        self, client: openai.AsyncOpenAI
    ) -> None:
        body = {"max_price": {"prompt": 0, "completion": "1.5"}, "quantizations": ["fp8"], "zdr": False}
        assert await platform(client, provider=body, route="fallback", transforms=["middle-out"], preset="x")

    async def test_wrong_values_name_their_field(self, client: openai.AsyncOpenAI) -> None:
        error = await refused(client, provider={"only": ["grok"]})
        assert (error.status_code, error.param) == (400, "provider.only")
        assert "near it are groq" in error.message

    async def test_a_conversation_does_not_stay_with_a_provider_that_is_left_out(
        self, client: openai.AsyncOpenAI
    ) -> None:
        session = {"X-Session-Id": "one"}
        first = await client.chat.completions.create(model="auto", messages=HELLO, extra_headers=session)
        served = first._routed_via["platform"]  # type: ignore[attr-defined]
        second = await client.chat.completions.create(
            model="auto",
            messages=HELLO,
            extra_headers=session,
            extra_body={"provider": {"ignore": [served]}},
        )
        assert second._routed_via["platform"] != served  # type: ignore[attr-defined]


class TestProfiles:
    async def test_of_the_settings_keep_to_their_chain(self, client: openai.AsyncOpenAI) -> None:
        assert "gpt-oss-20b" in await platform(client, "auto:night")
        assert (await platform(client, "auto:private")).split("/")[0] in ("groq", "cloudflare")

    async def test_and_what_a_request_says_hold_both(self, client: openai.AsyncOpenAI) -> None:
        chosen = await platform(client, "auto:night", provider={"only": ["cloudflare"]})
        assert chosen.startswith("cloudflare/")
        error = await refused(client, "auto:private", provider={"only": ["google"]})
        assert "profile private.data_collection is deny" in error.message

    async def test_of_the_command_line_are_there_within_a_second(
        self, client: openai.AsyncOpenAI, proxy: RunningProxy, tmp_path: Path
    ) -> None:
        assert (await refused(client, "auto:coding")).status_code == 404
        commandline = Commandline(tmp_path)
        await asyncio.to_thread(
            commandline.process, "profiles", "add", "coding", "--models", "gemini-3.5-flash,gpt-oss-120b"
        )
        async with asyncio.timeout(LOOK_EVERY * 2):
            while "coding" not in proxy.runtime.proxy.profiles:
                await asyncio.sleep(0.05)
        assert (await platform(client, "auto:coding")).startswith("google/")


async def test_what_was_measured_outlives_a_restart(tmp_path: Path, simulation: Simulation) -> None:
    urls = {"groq": simulation.base_urls["groq"]}
    async with running_proxy(tmp_path, urls) as first:
        assert (await first.chat("groq/openai/gpt-oss-120b")).status == 200
        before = first.runtime.health.measurements.track("groq/openai/gpt-oss-120b").state()
    async with running_proxy(tmp_path, urls) as second:
        assert second.runtime.health.measurements.track("groq/openai/gpt-oss-120b").state() == before


async def test_auto_stands_for_the_strategy_of_the_settings(tmp_path: Path, simulation: Simulation) -> None:
    urls = {name: simulation.base_urls[name] for name in PROVIDERS}
    async with running_proxy(tmp_path, urls, strategy="fast") as running:
        proxy = running.runtime.proxy
        assert proxy.order("auto") is proxy.order("auto:fast")
