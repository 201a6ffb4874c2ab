from typing import Any

import aiohttp
import pytest

from freellm_simulator.clock import VirtualClock
from freellm_simulator.testing import NOON_UTC, Client


async def control(client: Client, method: str, path: str, body: Any = None) -> Any:
    return (await client.send(method, client.simulation.url + path, body)).json


async def test_the_clock_is_advanced_over_http_and_never_backward(client: Client) -> None:
    assert await control(client, "POST", "/sim/clock", {"advance": 3600}) == {"now": NOON_UTC + 3600}
    assert client.simulation.clock.now() == NOON_UTC + 3600
    for body in ({"advance": -1}, {"advance": "1"}, {"advance": True}, {}):
        assert "error" in await control(client, "POST", "/sim/clock", body)
    assert client.simulation.clock.now() == NOON_UTC + 3600


async def test_the_state_counts_answers_and_quotas_and_holds_no_key(client: Client) -> None:
    client.keys["groq"] = "gsk_secret_of_mine"
    got = await client.groq(max_tokens=50)
    await client.groq(n=2)
    text = (await client.send("GET", client.simulation.url + "/sim/state")).text
    state = await control(client, "GET", "/sim/state")
    assert "secret" not in text
    assert state["requests"] == [
        {"provider": "groq", "model": "openai/gpt-oss-120b", "status": 200, "reason": "", "count": 1},
        {
            "provider": "groq",
            "model": "openai/gpt-oss-120b",
            "status": 400,
            "reason": "bad_request",
            "count": 1,
        },
    ]
    used = {(quota["unit"], quota["window"]): quota["used"] for quota in state["quotas"]}
    total = got.json["usage"]["total_tokens"]
    assert used == {
        ("requests", 60): 1,
        ("requests", 86_400): 1,
        ("tokens", 60): total,
        ("tokens", 86_400): total,
    }


async def test_a_reset_starts_over(client: Client) -> None:
    client.simulation.fail("groq", "cut", times=None, model="x")
    client.simulation.clock.advance(5)
    await client.groq()
    state = await control(client, "POST", "/sim/reset")
    assert (state["requests"], state["quotas"], state["faults"], state["now"]) == ([], [], [], NOON_UTC)


async def test_an_unknown_path_outside_the_providers_is_not_found(client: Client) -> None:
    assert (await client.send("GET", client.simulation.url + "/nowhere")).status == 404


def test_a_clock_only_runs_forward() -> None:
    clock = VirtualClock(wall=lambda: 10.0)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    clock.advance(5)
    assert clock.now() == 15
    clock.reset()
    assert clock.now() == 10


async def test_a_body_that_is_not_json_is_refused(client: Client) -> None:
    url = client.simulation.url + "/sim/clock"
    async with aiohttp.ClientSession() as session, session.post(url, data=b"{") as response:
        assert response.status == 400
