import asyncio
from typing import Any

import aiohttp
import pytest

from freellm_simulator.faults import DELIVERIES, REFUSALS
from freellm_simulator.simulation import Simulation
from freellm_simulator.testing import Client, Got

PROVIDERS = ("groq", "google", "cloudflare")


async def whole(client: Client, provider: str) -> Got:
    return await getattr(client, provider)("What is jazz?")  # type: ignore[no-any-return]


async def stream(client: Client, provider: str) -> Got:
    if provider == "google":
        return await client.google_stream("What is jazz?")
    return await getattr(client, provider)("What is jazz?", stream=True)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("fault", "groq", "google", "cloudflare"),
    [
        ("rate_limit_minute", 429, 429, 429),
        ("rate_limit_day", 429, 429, 429),
        ("server_error", 500, 500, 500),
        ("overloaded", 503, 503, 429),
        ("bad_key", 401, 400, 401),
        ("forbidden", 403, 400, 403),
        ("model_gone", 400, 404, 400),
        ("context_exceeded", 400, 400, 413),
        ("content_filter", 400, 200, 400),
        ("error_in_200", 200, 200, 200),
    ],
)
async def test_a_refusal_on_demand_strikes_once_and_spends_nothing(
    client: Client, fault: str, groq: int, google: int, cloudflare: int
) -> None:
    for provider, status in zip(PROVIDERS, (groq, google, cloudflare), strict=True):
        client.simulation.fail(provider, fault)
        struck = await whole(client, provider)
        assert struck.status == status
        assert "choices" not in struck.json
        assert "candidates" not in struck.json
        assert client.simulation.state()["quotas"] == []
        assert (await whole(client, provider)).status == 200
        client.simulation.reset()


async def test_rate_limits_on_demand_state_the_wait_that_was_asked_for(client: Client) -> None:
    client.simulation.fail("groq", "rate_limit_minute", seconds=2)
    client.simulation.fail("groq", "rate_limit_day", seconds=578.016)
    minute, day = await client.groq(), await client.groq()
    assert minute.headers["retry-after"] == "2"
    assert "(RPM)" in minute.json["error"]["message"]
    assert "(RPD)" in day.json["error"]["message"]
    assert day.json["error"]["message"].endswith("Please try again in 9m38.016s.")


async def test_a_failed_generation_is_groq_s_alone(client: Client) -> None:
    client.simulation.fail("groq", "tool_use_failed")
    error = (await client.groq()).json["error"]
    assert error["code"] == "tool_use_failed"
    assert error["failed_generation"].startswith("<function=")
    with pytest.raises(ValueError, match="groq alone"):
        client.simulation.fail("google", "tool_use_failed")


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_cut_breaks_the_connection_and_a_clean_cut_only_the_answer(
    client: Client, provider: str
) -> None:
    for fault, broken in (("cut", True), ("cut_clean", False)):
        client.simulation.fail(provider, fault, after_chunks=4)
        got = await stream(client, provider)
        assert got.broken is broken
        assert len(got.events) == 4
        assert "STOP" not in got.text
        assert '"stop"' not in got.text
        assert "[DONE]" not in got.text


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_cut_never_comes_later_than_the_finish_reason(client: Client, provider: str) -> None:
    client.simulation.fail(provider, "cut_clean", after_chunks=10_000)
    got = await stream(client, provider)
    assert "STOP" not in got.text
    assert '"stop"' not in got.text


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_whole_answers_are_cut_garbled_emptied_and_replaced_too(client: Client, provider: str) -> None:
    for fault in ("cut", "garbage", "html", "empty"):
        client.simulation.fail(provider, fault)
    cut, garbage, html, empty = [await whole(client, provider) for _ in range(4)]
    assert cut.broken
    with pytest.raises(ValueError):
        _ = garbage.json
    assert (html.status, html.headers["content-type"]) == (200, "text/html; charset=utf-8")
    if provider == "google":
        assert empty.json["candidates"][0]["content"] == {"role": "model"}
    else:
        assert empty.json["choices"][0]["message"]["content"] == ""


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_one_event_of_a_stream_is_broken_json_and_the_rest_goes_on(
    client: Client, provider: str
) -> None:
    sound = await stream(client, provider)
    client.simulation.fail(provider, "garbage", after_chunks=2)
    got = await stream(client, provider)
    assert got.text != sound.text
    assert len(got.text.split("data: ")) == len(sound.text.split("data: "))
    with pytest.raises(ValueError):
        _ = got.events


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_error_amid_a_stream_ends_it(client: Client, provider: str) -> None:
    client.simulation.fail(provider, "error_mid_stream", after_chunks=3)
    got = await stream(client, provider)
    assert len(got.events) == 4
    assert "error" in got.events[3] or "errors" in got.events[3]
    assert "[DONE]" not in got.text


@pytest.mark.parametrize("fault", ["stall", "slow_first_byte"])
async def test_a_silence_lasts_as_long_as_it_should_and_a_client_may_leave(
    client: Client, fault: str
) -> None:
    client.simulation.fail("groq", fault, times=2, seconds=0.15, after_chunks=2)
    loop = asyncio.get_running_loop()
    start = loop.time()
    got = await stream(client, "groq")
    assert loop.time() - start >= 0.15
    assert got.text.endswith("[DONE]\n\n")

    client.simulation.fail("groq", fault, after_chunks=2)
    client.simulation.faults.pending.pop(0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stream(client, "groq"), 0.1)
    async with asyncio.timeout(1):
        while not client.simulation.state()["disconnected"]:
            await asyncio.sleep(0)


async def test_a_client_that_leaves_has_spent_its_prompt_and_what_it_was_sent(client: Client) -> None:
    client.simulation.fail("groq", "stall", after_chunks=4)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.groq(stream=True, max_tokens=1000), 0.1)
    async with asyncio.timeout(1):
        while not client.simulation.state()["disconnected"]:
            await asyncio.sleep(0)
    tokens = next(quota for quota in client.simulation.state()["quotas"] if quota["unit"] == "tokens")
    assert 10 < tokens["used"] < 40


async def test_faults_fit_by_model_and_by_path(client: Client) -> None:
    client.simulation.fail("groq", "server_error", model="openai/gpt-oss-20b", times=None)
    client.simulation.fail("groq", "bad_key", on="probes", times=2)
    assert (await client.groq()).status == 200
    for _ in range(3):
        assert (await client.groq(model="openai/gpt-oss-20b")).status == 500
    probes = [await client.groq_path("/models", method="GET") for _ in range(3)]
    assert [probe.status for probe in probes] == [401, 401, 200]


async def test_faults_come_over_http_and_mistakes_are_named(simulation: Simulation) -> None:
    async with aiohttp.ClientSession(simulation.url) as session:

        async def post(body: Any) -> tuple[int, Any]:
            async with session.post("/sim/faults", json=body) as response:
                return response.status, await response.json()

        status, answer = await post({"provider": "groq", "fault": "cut", "after_chunks": 2, "times": None})
        assert status == 200
        assert answer["pending"][0]["after_chunks"] == 2
        assert set(answer["known"]) == {*REFUSALS, *DELIVERIES}
        for body, words in (
            ({"provider": "groq", "fault": "flood"}, "unknown fault 'flood'"),
            ({"provider": "openai", "fault": "cut"}, "unknown provider 'openai'"),
            ({"provider": "groq", "fault": "cut", "times": 0}, "'times' is a number from 1"),
            ({"provider": "groq", "fault": "cut", "on": "sundays"}, "'on' is"),
            ({"provider": "groq", "fault": "cut", "colour": "red"}, "colour"),
            ([], "not a JSON object"),
        ):
            status, answer = await post(body)
            assert status == 400
            assert words in answer["error"]
        async with session.delete("/sim/faults") as response:
            assert (await response.json())["pending"] == []
