"""Bad input gets an error that an OpenAI client understands, and the server goes on."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from freellm.testing import check_error
from freellm_simulator import Simulation
from running import RunningProxy, running_proxy


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[RunningProxy]:
    async with Simulation(speed=0) as simulation, running_proxy(tmp_path, simulation.base_urls) as running:
        yield running


USER = {"role": "user", "content": "Hello"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no messages", {}, "messages"),
    ("empty messages", {"messages": []}, "messages"),
    ("messages is text", {"messages": "Hello"}, "messages"),
    ("unknown role", {"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
    ("content is a number", {"messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
    (
        "unknown part",
        {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
        "messages[0].content[0].type",
    ),
    (
        "image without address",
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
        "messages[0].content[0].image_url.url",
    ),
    (
        "tool result without its call",
        {"messages": [USER, {"role": "tool", "tool_call_id": "call_1", "content": "1"}]},
        "messages[1].tool_call_id",
    ),
    (
        "tool result of another call",
        {
            "messages": [
                USER,
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "call_2", "content": "1"},
            ]
        },
        "messages[2].tool_call_id",
    ),
    ("temperature", {"messages": [USER], "temperature": 3}, "temperature"),
    ("max_tokens", {"messages": [USER], "max_tokens": 0}, "max_tokens"),
    ("stop", {"messages": [USER], "stop": ["a", "b", "c", "d", "e"]}, "stop"),
    ("n", {"messages": [USER], "n": 2}, "n"),
    ("stream", {"messages": [USER], "stream": "yes"}, "stream"),
    ("tools", {"messages": [USER], "tools": [{"type": "function"}]}, "tools[0]"),
    ("tool_choice alone", {"messages": [USER], "tool_choice": "required"}, "tools"),
    ("response_format", {"messages": [USER], "response_format": "json"}, "response_format"),
    ("reasoning_effort", {"messages": [USER], "reasoning_effort": "very"}, "reasoning_effort"),
    ("model is a number", {"messages": [USER], "model": 7}, "model"),
]


@pytest.mark.parametrize(("body", "param"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_a_wrong_field_is_named(proxy: RunningProxy, body: dict[str, Any], param: str) -> None:
    response = await proxy.post(body)
    answer = await response.json()
    check_error(answer)
    assert response.status == 400
    assert answer["error"]["param"] == param
    assert response.headers["X-Should-Retry"] == "false"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b'{"messages": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"a": "\\ud800"}']
)
async def test_what_is_not_a_json_object_is_refused(proxy: RunningProxy, body: bytes) -> None:
    async with proxy.session.post(
        f"{proxy.url}/v1/chat/completions", data=body, headers=proxy.headers
    ) as response:
        check_error(await response.json())
        assert response.status == 400


async def test_a_body_without_content_type_is_read_as_json(proxy: RunningProxy) -> None:
    body = json.dumps({"messages": [USER]})
    headers = {**proxy.headers, "Content-Type": "text/plain"}
    async with proxy.session.post(f"{proxy.url}/v1/chat/completions", data=body, headers=headers) as response:
        assert response.status == 200


async def test_a_body_of_40_mb_is_a_413(proxy: RunningProxy) -> None:
    body = b'{"messages": [{"role": "user", "content": "' + b"x" * 40_000_000 + b'"}]}'
    async with proxy.session.post(
        f"{proxy.url}/v1/chat/completions", data=io.BytesIO(body), headers=proxy.headers
    ) as response:
        answer = await response.json()
    check_error(answer)
    assert response.status == 413
    assert (await proxy.chat()).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"x-api-key": "wrong"},
        {"api-key": ""},
    ],
)
async def test_no_key_and_a_wrong_key_are_a_401_that_says_where_the_right_one_is(
    proxy: RunningProxy, headers: dict[str, str]
) -> None:
    for path in ("/v1/models", "/v1/models/auto", "/v1/chat/completions"):
        method = "POST" if path.endswith("completions") else "GET"
        async with proxy.session.request(method, proxy.url + path, headers=headers) as response:
            answer = await response.json()
            check_error(answer)
            assert response.status == 401
            assert answer["error"]["code"] == "invalid_api_key"
            assert "freellm apikey show" in answer["error"]["message"]


async def test_an_unknown_model_is_a_404_with_the_three_nearest_names(proxy: RunningProxy) -> None:
    response = await proxy.chat("gemini-3.5-flsh")
    answer = await response.json()
    check_error(answer)
    assert response.status == 404
    assert answer["error"]["code"] == "model_not_found"
    suggestions = answer["error"]["x_freellm"]["suggestions"]
    assert len([name for name in suggestions if name != "auto"]) == 3
    assert suggestions[0] == "gemini-3.5-flash"


async def test_a_retired_model_says_when_it_went_and_what_replaces_it(proxy: RunningProxy) -> None:
    answer = await (await proxy.chat("llama-3.3-70b-versatile")).json()
    if "error" in answer:  # another provider of the family may answer instead
        assert "retired" in answer["error"]["message"]
    else:
        assert answer["_routed_via"]["platform"] != "groq"


async def test_unknown_fields_are_accepted(proxy: RunningProxy) -> None:
    response = await proxy.chat(frobnicate={"deep": [1, 2]}, metadata={"a": "b"}, store=False)
    assert response.status == 200


async def test_an_unknown_address_is_json_and_never_html(proxy: RunningProxy) -> None:
    for path, status in (("/v1/nothing", 404), ("/favicon.ico", 404), ("/v1/chat/completions", 405)):
        async with proxy.session.get(proxy.url + path, headers=proxy.headers) as response:
            check_error(await response.json())
            assert response.status == status


@pytest.mark.parametrize(
    "path", ["/chat/completions", "/v1/chat/completions", "/v1/v1/chat/completions?beta=true"]
)
async def test_base_urls_work_with_and_without_v1(proxy: RunningProxy, path: str) -> None:
    async with proxy.session.post(
        proxy.url + path, json={"messages": [USER]}, headers=proxy.headers
    ) as response:
        assert response.status == 200


async def test_a_request_under_another_name_is_refused(proxy: RunningProxy) -> None:
    """A page whose name was pointed at this machine must not get through."""
    headers = {**proxy.headers, "Host": "evil.example:3001"}
    async with proxy.session.get(f"{proxy.url}/v1/models", headers=headers) as response:
        check_error(await response.json())
        assert response.status == 421


async def test_a_client_that_hangs_up_in_the_middle_of_its_body_does_no_harm(proxy: RunningProxy) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", proxy.server.port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {proxy.key}\r\n"
    writer.write(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
    await writer.drain()
    writer.transport.abort()
    assert (await proxy.chat()).status == 200
