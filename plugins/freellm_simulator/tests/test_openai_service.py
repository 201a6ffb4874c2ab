"""What the wires of OpenAI-speaking services share, on a service made up for it."""

import base64
import math
import struct
from collections.abc import Mapping
from math import inf
from types import SimpleNamespace
from typing import Any

import pytest

from freellm_simulator.answers import compose
from freellm_simulator.exchange import Caller, Exchange, RefusedError
from freellm_simulator.quotas import DAY, MINUTE, Exceeded, Limit, Standing
from freellm_simulator.wires import openai
from freellm_simulator.wires.contract import SEED, Wire
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, error
from freellm_simulator.worlds import Facts

REFUSALS: Refusals = {
    "bad_request": error(400, "{message}", "invalid_request_error", param="{param}"),
    "quota": error(429, "Slow down, {account}: {used} of {limit} {unit}", code="slow"),
    ("requests", DAY): (429, {"title": "No more today", "wait": "{wait}"}),
    "unknown_path": (404, "404 page not found"),
}
QUOTA_NAMES: Mapping[tuple[str, float], str] = {("requests", MINUTE): "x-{}-requests-minute"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALLER = Caller("acct")


class Service(OpenAIService):
    provider = "lab"
    refusals = REFUSALS
    takes = frozenset(
        [
            "model",
            "messages",
            "max_tokens",
            "tools",
            "stream",
            "stream_options",
            "response_format",
            "reasoning_effort",
        ]
    )
    message_members = frozenset({"role", "content", "tool_calls", "tool_call_id"})
    embeddings_take = frozenset({"model", "input", "dimensions", "encoding_format"})
    plain_content = True
    quota_names = QUOTA_NAMES


SERVICE: Wire = Service()
PLAIN = Facts(provider="lab", id="plain", max_output=100)
ABLE = Facts(
    provider="lab", id="able", abilities=frozenset({"tools", "vision", "json", "schema"}), efforts=("low",)
)
IMAGE = [{"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}]


def read(facts: Facts, content: Any = "Hello", **more: Any) -> Any:
    body = {"model": facts.id, "messages": [{"role": "user", "content": content}], **more}
    return SERVICE.read(None, body, facts)  # type: ignore[arg-type] - the service reads nothing but the body


def spent(limit: Limit, requested: float = 1, wait: float = 6.2) -> RefusedError:
    return RefusedError("quota", exceeded=(Exceeded(limit, limit.limit, requested, wait),))


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"top_k": 40}, "top_k"),
        ({"reasoning_effort": "low"}, "reasoning_effort"),
        ({"tools": [TOOL]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"max_tokens": 101}, "max_tokens"),
        ({"content": IMAGE}, "messages.0.content"),
        ({"content": [{"type": "text", "text": "Hello"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": "Hello", "name": "Ann"}]}, "messages.0.name"),
    ],
)
def test_what_the_service_does_not_take_is_refused_by_field(more: dict[str, Any], param: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read(PLAIN, **more)
    body = SERVICE.refuse(refused.value, "plain", CALLER).body
    assert body["error"]["param"] == param
    assert body["error"]["type"] == "invalid_request_error"
    if param not in ("top_k", "max_tokens", "messages.0.name"):
        assert read(ABLE, **more)


def test_a_refusal_has_the_words_of_its_row_and_values_keep_their_types() -> None:
    minute = Limit(unit="requests", limit=5, window=MINUTE)
    day = Limit(unit="requests", limit=9, window=DAY)
    slow = SERVICE.refuse(spent(minute), "plain", CALLER)
    assert (slow.status, slow.headers) == (429, {"retry-after": "7"})
    assert slow.body["error"] == {"message": "Slow down, acct: 5 of 5 requests", "type": None, "code": "slow"}
    assert SERVICE.refuse(spent(day), "plain", CALLER).body == {"title": "No more today", "wait": 7}
    assert (
        SERVICE.refuse(RefusedError("unknown_path", path="/x"), "", None).body == REFUSALS["unknown_path"][1]
    )


def test_what_never_fits_has_no_wait() -> None:
    tokens = Limit(unit="tokens", limit=100, window=MINUTE)
    never = SERVICE.refuse(spent(tokens, requested=101, wait=inf), "plain", CALLER)
    assert "retry-after" not in never.headers


def test_headers_speak_of_the_quotas_that_have_names() -> None:
    standings = [
        Standing("acct", Limit(unit="requests", limit=5, window=MINUTE), 2, 12.5),
        Standing("acct", Limit(unit="tokens", limit=5, window=MINUTE), 2, 12.5),
    ]
    assert SERVICE.quota_headers(standings) == {
        "x-limit-requests-minute": "5",
        "x-remaining-requests-minute": "3",
        "x-reset-requests-minute": "12.500",
    }


@pytest.mark.parametrize("whole_calls", [False, True])
@pytest.mark.parametrize(
    ("usage", "asked"), [("asked", False), ("asked", True), ("always", False), ("last", True)]
)
def test_a_stream_has_its_calls_and_its_usage_where_the_service_puts_them(
    usage: Any, asked: bool, whole_calls: bool
) -> None:
    service = Service()
    service.usage, service.whole_calls = usage, whole_calls
    more = {"tools": [TOOL], "stream": True, "stream_options": {"include_usage": asked}}
    ask = read(ABLE, "f", **more)
    reply = compose(ask, ABLE, 0, 9)
    chunks = [frame.data for frame in service.frames(Exchange(ask, reply, ABLE, "t", 1, 0))]
    deltas = [
        call
        for chunk in chunks
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls", ())
    ]
    assert deltas[0]["function"]["arguments"] == ("{}" if whole_calls else "")
    assert "".join(delta["function"]["arguments"] for delta in deltas) == "{}"
    usages = [chunk for chunk in chunks if "usage" in chunk]
    assert [chunk["usage"] for chunk in usages] == [openai.usage(reply.usage)] * (usage != "asked" or asked)
    assert all(bool(chunk["choices"]) == (usage == "last") for chunk in usages)


def embeddings(facts: Facts, **body: Any) -> Any:
    app = {SEED: 7}
    request = SimpleNamespace(app=app)  # the service reads the seed alone
    return Service().embeddings(request, {"model": facts.id, **body}, facts)  # type: ignore[arg-type]


VECTORS = Facts(provider="lab", id="vectors", context=20, dimensions=(8, 4), max_inputs=3)


def test_the_same_text_has_the_same_vector_in_floats_and_in_base64() -> None:
    answer, tokens = embeddings(VECTORS, input=["one", "two", "one"])
    rows = answer["data"]
    assert [row["index"] for row in rows] == [0, 1, 2]
    assert rows[0]["embedding"] == rows[2]["embedding"] != rows[1]["embedding"]
    assert math.hypot(*rows[0]["embedding"]) == pytest.approx(1)
    assert answer["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}
    packed = embeddings(VECTORS, input="one", encoding_format="base64")[0]["data"][0]["embedding"]
    assert struct.unpack("<8f", base64.b64decode(packed)) == pytest.approx(rows[0]["embedding"])
    assert len(embeddings(VECTORS, input="one", dimensions=4)[0]["data"][0]["embedding"]) == 4


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"input": [1, 2]}, "input"),
        ({"input": ["x"] * 4}, "input"),
        ({"input": "word " * 21}, "input"),
        ({"input": "one", "dimensions": 5}, "dimensions"),
        ({"input": "one", "user": "Ann"}, "user"),
    ],
)
def test_embeddings_that_the_service_does_not_make_are_refused_by_field(
    more: dict[str, Any], param: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        embeddings(VECTORS, **more)
    assert refused.value.facts["param"] == param
