"""A body is a request or a refusal that names the field: never anything else."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import completion_create_params

from freellm.catalogue import ABILITY_BITS
from freellm.errors import RequestError
from freellm.sessions import digests
from freellm.surfaces.errors import body_of
from freellm.surfaces.openai.bodies import DEEPEST
from freellm.surfaces.openai.fields import CHECKS
from freellm.surfaces.openai.parsing import Parsed, parse
from freellm.tokens import estimate_messages

USER = {"role": "user", "content": "Hello"}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        "strict": True,
    },
}
CHOICE = {"type": "function", "function": {"name": "get_weather"}}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "city", "schema": {"type": "object"}, "strict": True},
}


def parsed(**fields: Any) -> Parsed:
    return parse(orjson.dumps({"messages": [USER], **fields}))


def refused(**fields: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        parsed(**fields)
    assert caught.value.status == 400
    return caught.value


# Every field of OpenAI's API with every kind of value it may have there.
LEGAL: dict[str, list[Any]] = {
    "messages": [[USER]],
    "model": ["gpt-5", "auto", "groq/openai/gpt-oss-120b"],
    "audio": [{"voice": "alloy", "format": "wav"}],
    "frequency_penalty": [-2, 0, 0.5, 2.0],
    "function_call": ["none", "auto"],
    "functions": [[TOOL["function"]], []],
    "logit_bias": [{"50256": -100}, {}],
    "logprobs": [True, False],
    "max_completion_tokens": [1, 65_536],
    "max_tokens": [1, 65_536],
    "metadata": [{"team": "a"}],
    "modalities": [["text"], ["text", "audio"]],
    "moderation": [{"model": "omni-moderation-latest"}],
    "n": [1],
    "parallel_tool_calls": [True, False],
    "prediction": [{"type": "content", "content": "x"}],
    "presence_penalty": [-2, 0, 0.5, 2.0],
    "prompt_cache_key": ["conversation-1"],
    "prompt_cache_options": [{"mode": "implicit"}],
    "prompt_cache_retention": ["in-memory", "24h"],
    "reasoning_effort": ["none", "minimal", "low", "medium", "high", "xhigh", "max"],
    "response_format": [{"type": "text"}, {"type": "json_object"}, SCHEMA],
    "safety_identifier": ["user-1"],
    "seed": [0, -1, 2**62],
    "service_tier": ["auto", "default", "flex", "priority"],
    "stop": ["x", ["x"], ["a", "b", "c", "d"]],
    "store": [True, False],
    "stream": [False, True],
    "temperature": [0, 0.7, 2],
    "tools": [[TOOL], [TOOL, {**TOOL, "function": {"name": "other"}}], []],
    "top_logprobs": [0, 20],
    "top_p": [0, 0.9, 1],
    "user": ["user-1"],
    "verbosity": ["low", "medium", "high"],
    "web_search_options": [{}, {"search_context_size": "low"}],
    "stream_options": [],
    "tool_choice": ["none", "auto"],
}
NEVER_NULL = {"messages"}


def test_the_table_has_every_field_that_the_openai_sdk_sends() -> None:
    assert set(completion_create_params.CompletionCreateParamsBase.__annotations__) <= set(LEGAL)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in LEGAL.items() for value in values]
)
def test_every_legal_value_of_every_openai_field_is_taken(name: str, value: Any) -> None:
    assert parsed(**{name: value}).request.messages == [USER]


@pytest.mark.parametrize("name", sorted(LEGAL.keys() - NEVER_NULL))
def test_null_is_the_same_as_leaving_a_field_out(name: str) -> None:
    assert parsed(**{name: None}) == parsed()


def test_checked_fields_are_openais_or_known_extensions() -> None:
    assert set(CHECKS) - set(LEGAL) == {"top_k", "min_p"}


def test_what_core_reads_itself_is_no_parameter_and_everything_else_is() -> None:
    request = parsed(
        model="m",
        n=1,
        stream=True,
        stream_options={"include_usage": True},
        temperature=0.2,
        stranger={"a": 1},
    ).request
    assert request.parameters == {"temperature": 0.2, "stranger": {"a": 1}}
    assert request.stream


@pytest.mark.parametrize(
    ("fields", "parameters"),
    [
        ({"max_completion_tokens": 7}, {"max_tokens": 7}),
        ({"max_completion_tokens": 7, "max_tokens": 9}, {"max_tokens": 7}),
        ({"max_tokens": 9}, {"max_tokens": 9}),
        ({"stop": "x"}, {"stop": ["x"]}),
        ({"stop": ["x", "y"]}, {"stop": ["x", "y"]}),
        ({"tools": []}, {}),
        ({"tools": [], "tool_choice": "auto"}, {}),
        ({"tool_choice": "none"}, {}),
        ({"tools": [TOOL], "tool_choice": CHOICE}, {"tools": [TOOL], "tool_choice": CHOICE}),
        ({"functions": [TOOL["function"]]}, {"tools": [{"type": "function", "function": TOOL["function"]}]}),
        (
            {"functions": [TOOL["function"]], "function_call": {"name": "get_weather"}},
            {"tools": [{"type": "function", "function": TOOL["function"]}], "tool_choice": CHOICE},
        ),
        (
            {"functions": [TOOL["function"]], "function_call": "none"},
            {"tools": [{"type": "function", "function": TOOL["function"]}], "tool_choice": "none"},
        ),
        ({"functions": [], "function_call": "auto"}, {}),
    ],
)
def test_each_thing_has_one_name(fields: dict[str, Any], parameters: dict[str, Any]) -> None:
    assert parsed(**fields).request.parameters == parameters


@pytest.mark.parametrize(
    ("fields", "stated"),
    [({}, None), ({"max_tokens": 9}, 9), ({"max_completion_tokens": 7, "max_tokens": 9}, 7)],
)
def test_the_stated_ceiling_is_the_one_that_is_sent(fields: dict[str, Any], stated: int | None) -> None:
    assert parsed(**fields).stated == stated


@pytest.mark.parametrize(("given", "model"), [({}, "auto"), ({"model": ""}, "auto"), ({"model": "m"}, "m")])
def test_a_request_without_a_model_takes_the_best(given: dict[str, str], model: str) -> None:
    assert parsed(**given).model == model


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (None, False),
        ({}, False),
        ({"include_usage": False}, False),
        ({"include_usage": True}, True),
        ({"include_usage": True, "include_obfuscation": False}, True),
    ],
)
def test_usage_of_a_stream_is_told_when_it_is_asked_for(options: Any, wanted: bool) -> None:
    assert parsed(stream=True, stream_options=options).include_usage is wanted


@pytest.mark.parametrize(
    ("fields", "needed"),
    [
        ({}, set()),
        ({"tools": [TOOL]}, {"tools"}),
        ({"tools": [TOOL], "tool_choice": "none"}, set()),
        ({"tools": [TOOL], "tool_choice": "required"}, {"tools"}),
        ({"functions": [TOOL["function"]]}, {"tools"}),
        ({"response_format": {"type": "text"}}, set()),
        ({"response_format": {"type": "json_object"}}, {"json"}),
        ({"response_format": SCHEMA}, {"json_schema"}),
        ({"reasoning_effort": "high"}, set()),
        ({"messages": [{"role": "system", "content": "x"}, USER]}, set()),
    ],
)
def test_a_request_needs_the_abilities_it_uses(fields: dict[str, Any], needed: set[str]) -> None:
    mask = parsed(**fields).mask
    assert {name for name, bit in ABILITY_BITS.items() if mask & bit} == needed


@pytest.mark.parametrize(
    "choice",
    [
        "auto",
        "none",
        "required",
        CHOICE,
        {"function": {"name": "get_weather"}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [CHOICE]}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}},
    ],
)
def test_a_tool_choice_names_what_is_there(choice: Any) -> None:
    assert parsed(tools=[TOOL], tool_choice=choice).request.parameters["tool_choice"] == choice


OTHER = {"type": "function", "function": {"name": "other"}}


@pytest.mark.parametrize(
    ("param", "fields"),
    [
        ("tools", {"tool_choice": "required"}),
        ("tools", {"tool_choice": CHOICE}),
        ("tools", {"tools": "get_weather"}),
        ("tools", {"tools": {"type": "function"}}),
        ("tools[0]", {"tools": ["get_weather"]}),
        ("tools[1]", {"tools": [TOOL, {"type": "function"}]}),
        ("tools[0]", {"tools": [{"type": "function", "function": {"name": ""}}]}),
        ("tools[0]", {"tools": [{"type": "function", "function": {"name": ["x"]}}]}),
        ("tools[0]", {"tools": [{"type": "custom", "custom": {"name": "x"}}]}),
        ("tools[0].function.parameters", {"tools": [{"function": {"name": "x", "parameters": "{}"}}]}),
        ("tools[0]", {"functions": ["get_weather"]}),
        ("functions", {"functions": {"name": "x"}}),
        ("tool_choice", {"tools": [TOOL], "tool_choice": "get_weather"}),
        ("tool_choice", {"tools": [TOOL], "tool_choice": ["auto"]}),
        ("tool_choice", {"tools": [TOOL], "tool_choice": 1}),
        ("tool_choice", {"tools": [TOOL], "tool_choice": {}}),
        ("tool_choice", {"tools": [TOOL], "tool_choice": {"type": "custom", "custom": {"name": "x"}}}),
        ("tool_choice", {"tools": [TOOL], "tool_choice": {"function": "get_weather"}}),
        ("tool_choice", {"tools": [TOOL], "tool_choice": OTHER}),
        ("tool_choice", {"functions": [TOOL["function"]], "function_call": {"name": "other"}}),
        ("tool_choice", {"functions": [TOOL["function"]], "function_call": "get_weather"}),
        ("tool_choice.allowed_tools", {"tools": [TOOL], "tool_choice": {"type": "allowed_tools"}}),
        (
            "tool_choice.allowed_tools",
            {"tools": [TOOL], "tool_choice": {"type": "allowed_tools", "allowed_tools": 5}},
        ),
        *(
            (
                "tool_choice",
                {
                    "tools": [TOOL],
                    "tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": [tool]}},
                },
            )
            for tool in (
                OTHER,
                "other",
                {"function": "other"},
                {"function": None},
                {},
                None,
                5,
                {"function": [1]},
            )
        ),
        ("stream", {"stream": "yes"}),
        ("stream", {"stream": 1}),
        ("stream_options", {"stream_options": {"include_usage": True}}),
        ("stream_options", {"stream": True, "stream_options": True}),
        ("model", {"model": 5}),
        ("model", {"model": ["auto"]}),
        ("model", {"model": "m" * 201}),
        ("n", {"n": 2}),
        ("n", {"n": "1"}),
        ("n", {"n": 0}),
        ("temperature", {"temperature": "0.5"}),
        ("temperature", {"temperature": True}),
        ("temperature", {"temperature": 2.1}),
        ("temperature", {"temperature": -0.1}),
        ("top_p", {"top_p": 1.5}),
        ("presence_penalty", {"presence_penalty": 3}),
        ("max_tokens", {"max_tokens": 0}),
        ("max_tokens", {"max_tokens": 10.5}),
        ("max_tokens", {"max_tokens": True}),
        ("max_completion_tokens", {"max_completion_tokens": -1}),
        ("seed", {"seed": 1.5}),
        ("seed", {"seed": True}),
        ("stop", {"stop": ["a", "b", "c", "d", "e"]}),
        ("stop", {"stop": [1]}),
        ("logprobs", {"logprobs": 1}),
        ("top_logprobs", {"top_logprobs": 21}),
        ("logit_bias", {"logit_bias": [1]}),
        ("response_format", {"response_format": "json"}),
        ("response_format", {"response_format": {"type": ["text"]}}),
        ("response_format", {"response_format": {"type": "xml"}}),
        ("response_format", {"response_format": {"type": "json_schema"}}),
        ("response_format", {"response_format": {"type": "json_schema", "json_schema": {"schema": "{}"}}}),
        ("reasoning_effort", {"reasoning_effort": "hard"}),
        ("reasoning_effort", {"reasoning_effort": {"effort": "high"}}),
        ("user", {"user": 5}),
        ("prompt_cache_key", {"prompt_cache_key": {"a": 1}}),
        ("metadata", {"metadata": "x"}),
    ],
)
def test_a_wrong_field_is_named_with_what_it_may_be(param: str, fields: dict[str, Any]) -> None:
    error = refused(**fields)
    assert error.param == param
    assert error.type == "invalid_request_error"
    assert param.partition("[")[0].partition(".")[0] in error.message or "function" in error.message


@pytest.mark.parametrize("value", ["x" * 100_000, ["x" * 100_000], {"x" * 100_000: 1}])
@pytest.mark.parametrize("name", ["n", "temperature", "model", "tools", "tool_choice", "stream"])
def test_a_refusal_does_not_repeat_a_large_value(name: str, value: Any) -> None:
    if name == "tools":
        value = [value]
    assert len(refused(**{"tools": [TOOL], name: value}).message) < 400


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"messages": [}', "line 1, column 15"),
        (b'{"temperature": NaN}', "not valid JSON"),
        (b'{"temperature": Infinity}', "not valid JSON"),
        (b'{"temperature": 1e999}', "not valid JSON"),
        (b'{"model": "\\ud800"}', "not valid JSON"),
        (b'{"model": "\xed\xa0\x80"}', "not valid JSON"),
        (b'{"model": "\xff"}', "not valid JSON"),
        (b'{"a": 1,}', "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b"\x1f\x8b\x08\x00", "not valid JSON"),
        (b"[" * 1_100 + b"]" * 1_100, "not valid JSON"),
        (b"[]", "must be a JSON object; got list"),
        (b"null", "must be a JSON object; got NoneType"),
        (b'"text"', "must be a JSON object; got str"),
        (b"5", "must be a JSON object; got int"),
    ],
)
def test_what_is_no_json_object_is_refused_as_such(body: bytes, said: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(body)
    assert caught.value.code == "invalid_json"
    assert caught.value.status == 400
    assert said in caught.value.message


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "around",
    [
        b'{"messages": [{"role": "user", "content": "x", "extra": %s}]}',
        b'{"messages": [{"role": "user", "content": "x"}], "stranger": %s}',
        b'{"messages": [{"role": "user", "content": "x"}], "metadata": {"a": %s}}',
        b'{"messages": %s}',
        b'{"messages": [{"role": "user", "content": [{"type": %s}]}]}',
        b'{"messages": [{"role": "user", "content": "x"}], "n": %s}',
        b'{"messages": [{"role": "user", "content": "x"}], "tools": [{"function": {"name": "f", "parameters": {"x": %s}}}]}',
    ],
)
@pytest.mark.parametrize("levels", [DEEPEST, 300, 900])
def test_a_body_that_could_not_be_written_again_is_refused(around: bytes, levels: int) -> None:
    with pytest.raises(RequestError) as caught:
        parse(around % nested(levels))
    assert caught.value.message == "the body is nested deeper than 200 levels"


def test_a_body_that_is_nested_as_deep_as_it_may_be_can_be_written_again() -> None:
    deep = parse(
        b'{"messages": [{"role": "user", "content": "x", "extra": %s}]}' % nested(DEEPEST - 3)
    ).request
    assert len(digests(deep.messages)[0]) == 20


def test_many_brackets_are_not_deep() -> None:
    tools = [{**TOOL, "function": {"name": f"f{number}", "parameters": {}}} for number in range(300)]
    assert len(parsed(tools=tools).request.parameters["tools"]) == 300


# -- anything a client may send --------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["", "auto", "user", "assistant", "tool", "system", "developer", "function", "text", "image_url", "f", "call_1",
     "json_object", "json_schema", "allowed_tools", "required", "none", "data:image/png;base64,AA", "https://x/y.png",
     "Hello", "\x00", "\U0001f600", "none of this"]
)  # fmt: skip
MEMBERS = st.sampled_from(
    ["role", "content", "type", "text", "image_url", "url", "tool_calls", "tool_call_id", "function", "name", "id",
     "arguments", "parameters", "function_call", "refusal", "audio", "input_audio", "file", "schema", "json_schema",
     "allowed_tools", "tools", "mode", "include_usage", "extra"]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 300),
    st.sampled_from([0.5, -1.0, 1e300]),
    WORDS,
    st.text(max_size=5),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(MEMBERS, inner, max_size=4)),
    max_leaves=12,
)
BODIES = st.dictionaries(st.one_of(st.sampled_from(sorted(LEGAL)), st.text(max_size=5)), JSON, max_size=6)

CONVERSATION: list[Any] = [
    {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
    {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}}]},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "42"}]},
    {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
    {"role": "function", "name": "f", "content": "42"},
    {"role": "user", "content": "And now?"},
]  # fmt: skip
WHOLE: dict[str, Any] = {
    "model": "auto",
    "messages": CONVERSATION,
    "tools": [TOOL],
    "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [CHOICE]}},
    "response_format": SCHEMA,
    "stream": True,
    "stream_options": {"include_usage": True},
    "stop": ["x"],
    "max_completion_tokens": 5,
}


def told(error: RequestError) -> bool:
    """Tell whether a refusal names the field, and can be written."""
    assert orjson.loads(orjson.dumps(body_of(error, "req_1")))["error"]["message"]
    return error.status == 400 and bool(error.param or error.code == "invalid_json")


def goes_on(found: Parsed) -> bool:
    """Tell whether core can go on with a request: recognise it, estimate it, write it again."""
    messages, parameters = found.request.messages, found.request.parameters
    assert digests(messages)
    assert orjson.dumps(parameters)
    assert {message["role"] for message in messages} <= {"system", "user", "assistant", "tool"}
    return estimate_messages(messages, parameters.get("tools")) > 0


def survives(body: Any) -> bool:
    """Parse a body; it must be a request that core can go on with, or a refusal that can be told."""
    try:
        found = parse(orjson.dumps(body))
    except RequestError as error:
        return told(error)
    return goes_on(found)


@given(st.one_of(BODIES, JSON))
@settings(max_examples=300)
def test_any_json_is_a_request_or_a_refusal(body: Any) -> None:
    assert survives(body)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, child in inner for found in places(child, (*path, name)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy in which the value at a path is another."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def test_the_request_that_is_damaged_below_is_whole_at_first() -> None:
    assert parse(orjson.dumps(WHOLE)).include_usage


@given(st.sampled_from(places(WHOLE)), JSON)
@settings(max_examples=500)
def test_a_request_with_one_damaged_place_is_a_request_or_a_refusal(path: tuple[Any, ...], new: Any) -> None:
    assert survives(replaced(WHOLE, path, new))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_a_refusal(body: bytes) -> None:
    with pytest.raises(RequestError):
        parse(body)
