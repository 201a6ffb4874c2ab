from typing import Any

import pytest

from freellm_tester.guard import POLICY, Guard


async def page(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
    await send({"type": "http.response.body", "body": b"the page"})


async def nothing() -> Any:
    raise AssertionError("the guard reads no body")


async def asked(kind: str = "http", **headers: str) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    await Guard(page, 7860)({"type": kind, "headers": lines}, nothing, send)
    return sent


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:7860"},
        {"host": "localhost:7860"},
        {"host": "localhost:7860", "origin": "http://localhost:7860"},
    ],
)
async def test_this_machines_browser_is_answered_with_a_policy(headers: dict[str, str]) -> None:
    start, body = await asked(**headers)
    assert (start["status"], body["body"]) == (200, b"the page")
    told = dict(start["headers"])
    assert told[b"content-security-policy"] == POLICY.encode()
    assert told[b"x-own"] == b"1"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example:7860"},
        {"host": "127.0.0.1"},
        {"host": "127.0.0.1:7860", "origin": "http://evil.example"},
        {"host": "127.0.0.1:7860", "origin": "null"},
        {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:9999"},
    ],
)
async def test_other_names_and_other_sites_are_refused(headers: dict[str, str]) -> None:
    start, body = await asked(**headers)
    assert start["status"] == 403
    assert b"freellm tester" in body["body"]


async def test_websockets_of_other_sites_are_hung_up() -> None:
    closed = {"type": "websocket.close", "code": 1008}
    assert await asked("websocket", host="127.0.0.1:7860", origin="http://evil.example") == [closed]
    own = await asked("websocket", host="127.0.0.1:7860", origin="http://127.0.0.1:7860")
    assert own[-1]["body"] == b"the page"
