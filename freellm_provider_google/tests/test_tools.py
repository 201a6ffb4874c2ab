import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm import Answer, ChatRequest, Model
from freellm_provider_google import provider
from freellm_provider_google.tools import original_names, wire_names

VALID = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
names = st.text(max_size=80) | st.sampled_from(
    ["my tool", "my_tool", "my-tool", "my tool_2", "x" * 64, "x" * 65]
)


def request_with(tools: list[str]) -> ChatRequest:
    functions = [{"type": "function", "function": {"name": name}} for name in tools]
    return ChatRequest(messages=[{"role": "user", "content": "Hi"}], parameters={"tools": functions})


@given(st.lists(names, max_size=8, unique=True))
def test_any_names_become_valid_ones_and_come_back(tools: list[str]) -> None:
    request = request_with(tools)
    wire = wire_names(request)
    assert all(VALID.fullmatch(name) for name in wire.values())
    assert len(set(wire.values())) == len(tools)
    assert [original_names(request).get(wire[name], name) for name in tools] == tools
    assert all(wire[name] == name for name in tools if VALID.fullmatch(name))


def test_a_declared_schema_is_sent_as_it_is_or_in_the_subset(body_of: Callable[..., dict[str, Any]]) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"]}},
        "additionalProperties": False,
    }
    parameters = {"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}
    message = [{"role": "user", "content": "Hi"}]

    def declared(model_id: str, **fields: Any) -> dict[str, Any]:
        body = body_of(model_id, message, parameters=parameters, **fields)
        declaration: dict[str, Any] = body["tools"][0]["functionDeclarations"][0]
        return declaration

    plain = {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}
    assert declared("gemini-3.8-flash") == {"name": "f", "parametersJsonSchema": schema}
    assert declared("gemini-3.8-flash", hints=frozenset({"plain_schema"})) == {
        "name": "f",
        "parameters": plain,
    }
    assert declared("gemini-2.0-flash") == {"name": "f", "parameters": plain}


@pytest.mark.parametrize(
    ("schema", "is_sent"),
    [
        (None, False),
        ({}, False),
        ({"type": "object"}, False),
        ({"type": "object", "properties": {}}, False),
        ({"type": "object", "additionalProperties": False}, False),
        ({"type": "object", "additionalProperties": True}, True),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"b": {}}}}}, True),
        ({"anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, True),
    ],
)
def test_a_function_without_parameters_is_declared_without(
    body_of: Callable[..., dict[str, Any]], schema: Any, is_sent: bool
) -> None:
    parameters = {"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}
    body = body_of("gemini-2.5-flash", [{"role": "user", "content": "Hi"}], parameters=parameters)
    assert ("parametersJsonSchema" in body["tools"][0]["functionDeclarations"][0]) == is_sent


def test_a_kept_signature_comes_back_on_the_next_turn(
    models: dict[str, Model], body_of: Callable[..., dict[str, Any]]
) -> None:
    model = models["gemini-3.8-flash"]
    part = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}
    body = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}], "responseId": "R"}
    completion = provider.normalize_response(request_with(["f"]), model, Answer(200, {}, body))
    assert isinstance(completion, dict)
    message = completion["choices"][0]["message"]
    history = [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{**message["tool_calls"][0], "extra_content": None}],
        },
        {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "done"},
    ]
    kept = body_of("gemini-3.8-flash", history, kept=completion["keep"])
    assert kept["contents"][1]["parts"] == [part]
    echoed = body_of("gemini-3.8-flash", [history[0], {"role": "assistant", **message}, history[2]])
    assert echoed["contents"] == kept["contents"]


def test_ids_differ_between_answers_and_between_calls_and_are_always_the_same(
    models: dict[str, Model],
) -> None:
    def ids(answer_id: str) -> list[str]:
        part = {"functionCall": {"name": "f", "args": {}}}
        body = {
            "candidates": [{"content": {"parts": [part, part]}, "finishReason": "STOP"}],
            "responseId": answer_id,
        }
        completion = provider.normalize_response(
            request_with(["f"]), models["gemini-2.5-flash"], Answer(200, {}, body)
        )
        assert isinstance(completion, dict)
        return [call["id"] for call in completion["choices"][0]["message"]["tool_calls"]]

    assert ids("R-1") == ids("R-1")
    assert len({*ids("R-1"), *ids("R-2"), *ids("")}) == 6
    assert all(len(id_) <= 40 and id_.startswith("call_") for id_ in ids(""))
