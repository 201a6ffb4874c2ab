from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.declarations import Model
from freellm.openai_compatible.messages import MESSAGE_FIELDS, fit_messages
from freellm.openai_compatible.request import ChatWire
from freellm.types import ChatRequest, Failure, Json, Kind

HELLO = [{"role": "user", "content": "Hello"}]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]


def model(**fields: Any) -> Model:
    return Model(**{"id": "m", "family": "m", "source": "a test", "checked": "2026-11-23", **fields})


def body(request: ChatRequest, wire: ChatWire | None = None, **fields: Any) -> Json:
    made = (wire or ChatWire()).body(request, model(**fields))
    assert isinstance(made, dict)
    return made


def test_plain_messages_pass_as_the_same_object() -> None:
    messages = [{"role": "system", "content": "Be brief."}, *HELLO]
    assert body(ChatRequest(messages=messages))["messages"] is messages


def test_only_what_the_service_takes_is_sent() -> None:
    parameters = {"temperature": 1, "logit_bias": {}, "stranger": 1, "max_tokens": 5, "stream_options": {}}
    assert body(ChatRequest(messages=HELLO, parameters=parameters)) == {
        "model": "m",
        "messages": HELLO,
        "temperature": 1,
        "max_tokens": 5,
    }


def test_a_stream_always_asks_for_its_usage() -> None:
    made = body(ChatRequest(messages=HELLO, stream=True))
    assert (made["stream"], made["stream_options"]) == (True, {"include_usage": True})


@pytest.mark.parametrize(
    ("stated", "fields", "sent"),
    [
        (10, {}, 10),
        (10, {"max_output": 5}, 5),
        (None, {}, 8_192),
        (None, {"context": 24_000, "max_output": 24_000}, 6_000),
        (None, {"context": 131_072, "max_output": 1_000}, 1_000),
    ],
)
def test_the_limit_leaves_the_prompt_room(stated: int | None, fields: Json, sent: int) -> None:
    parameters = {} if stated is None else {"max_tokens": stated}
    wire = ChatWire(limit_field="max_completion_tokens", always_limit=True)
    made = body(ChatRequest(messages=HELLO, parameters=parameters), wire, **fields)
    assert made["max_completion_tokens"] == sent


def test_without_a_limit_of_the_clients_none_is_sent() -> None:
    assert body(ChatRequest(messages=HELLO)) == {"model": "m", "messages": HELLO}


def test_parameters_go_by_the_services_names_and_within_its_bounds() -> None:
    wire = ChatWire(
        forward=frozenset({"seed", "temperature", "top_p"}),
        renames={"seed": "random_seed"},
        bounds={"temperature": (0.01, 0.99), "top_p": (0.0, 1.0)},
    )
    request = ChatRequest(messages=HELLO, parameters={"seed": 7, "temperature": 2, "top_p": 0.5, "user": "u"})
    made = body(request, wire)
    assert made == {"model": "m", "messages": HELLO, "random_seed": 7, "temperature": 0.99, "top_p": 0.5}
    assert wire.dropped(request, made) == ["user"]
    assert body(ChatRequest(messages=HELLO, parameters={"temperature": 0}), wire)["temperature"] == 0.01


def test_a_stream_whose_usage_comes_anyway_does_not_ask_for_it() -> None:
    made = body(ChatRequest(messages=HELLO, stream=True), ChatWire(ask_usage=False))
    assert made == {"model": "m", "messages": HELLO, "stream": True}


NAMED = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("choice", "kept", "sent"),
    [
        ("auto", {"auto"}, {"tools": TOOLS, "parallel_tool_calls": True, "tool_choice": "auto"}),
        ("auto", set(), {"tools": TOOLS, "parallel_tool_calls": True}),
        ("none", {"auto"}, {}),
        (
            "required",
            {"auto", "required"},
            {"tools": TOOLS, "parallel_tool_calls": True, "tool_choice": "required"},
        ),
        (NAMED, {"function"}, {"tools": TOOLS, "parallel_tool_calls": True, "tool_choice": NAMED}),
        ("required", {"auto", "function"}, None),
        (
            NAMED,
            {"auto", "required"},
            {"tools": TOOLS[:1], "parallel_tool_calls": True, "tool_choice": "required"},
        ),
        (NAMED, {"auto"}, None),
    ],
)
def test_a_choice_that_the_service_does_not_keep_to_is_kept_otherwise_or_refused(
    choice: Any, kept: set[str], sent: Json | None
) -> None:
    other = {"type": "function", "function": {"name": "g"}}
    tools = [*TOOLS, other] if choice == NAMED and "function" not in kept else TOOLS
    parameters = {"tools": tools, "parallel_tool_calls": True, "tool_choice": choice}
    request = ChatRequest(messages=HELLO, parameters=parameters)
    wire = ChatWire(tool_choices=frozenset(kept))
    made = wire.body(request, model())
    if sent is None:
        assert isinstance(made, Failure)
        assert (made.kind, made.param) == (Kind.BAD_REQUEST, "tool_choice")
    else:
        assert made == {"model": "m", "messages": HELLO, **sent}
        assert wire.dropped(request, made) == []


@pytest.mark.parametrize("kept", [{"auto", "none", "required", "function"}, {"auto", "required"}])
@pytest.mark.parametrize("mode", ["auto", "required"])
def test_a_choice_among_some_tools_offers_these_alone(mode: str, kept: set[str]) -> None:
    other = {"type": "function", "function": {"name": "g"}}
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [NAMED]}}
    parameters = {"tools": [*TOOLS, other], "tool_choice": choice}
    made = ChatWire(tool_choices=frozenset(kept)).body(
        ChatRequest(messages=HELLO, parameters=parameters), model()
    )
    assert made == {"model": "m", "messages": HELLO, "tools": TOOLS[:1], "tool_choice": mode}
    assert parameters["tools"] == [*TOOLS, other]


@pytest.mark.parametrize(
    ("known", "sent"),
    [
        ("low medium high", "low low low medium high high high"),
        ("none low medium high", "none low low medium high high high"),
        ("none low medium high max", "none low low medium high max max"),
        ("none high", "none none high high high high high"),
        ("none minimal low medium high xhigh", "none minimal low medium high xhigh xhigh"),
    ],
)
def test_an_effort_is_sent_in_the_services_word_for_the_nearest_that_it_knows(known: str, sent: str) -> None:
    wire = ChatWire(efforts={"m": {word: f"{word} effort" for word in known.split()}})
    asked = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
    made = [body(ChatRequest(messages=HELLO, parameters={"reasoning_effort": word}), wire) for word in asked]
    assert [made_body["reasoning_effort"] for made_body in made] == [
        f"{word} effort" for word in sent.split()
    ]


@pytest.mark.parametrize(("model_id", "effort"), [("m", "strange"), ("other", "high")])
def test_what_is_no_effort_and_what_a_model_does_not_take_is_not_sent(model_id: str, effort: str) -> None:
    wire = ChatWire(efforts={"m": {"high": "high"}})
    request = ChatRequest(messages=HELLO, parameters={"reasoning_effort": effort})
    assert "reasoning_effort" not in body(request, wire, id=model_id)


def test_a_model_gets_its_constants() -> None:
    assert body(ChatRequest(messages=HELLO), ChatWire(constants={"m": {"reasoning_format": "parsed"}}))[
        "reasoning_format"
    ] == ("parsed")


@pytest.mark.parametrize(
    ("kind", "stream", "tools", "clash"),
    [
        ("json_schema", True, [], "stream"),
        ("json_schema", False, TOOLS, "tools"),
        ("json_schema", False, [], None),
        ("json_object", True, [], None),
        ("json_object", False, TOOLS, "tools"),
        ("text", True, TOOLS, None),
    ],
)
def test_what_the_service_cannot_combine_is_refused_before_it_is_sent(
    kind: str, stream: bool, tools: list[Json], clash: str | None
) -> None:
    wire = ChatWire(
        excludes={"json_schema": frozenset({"stream", "tools"}), "json_object": frozenset({"tools"})}
    )
    request = ChatRequest(
        messages=HELLO, parameters={"response_format": {"type": kind}, "tools": tools}, stream=stream
    )
    made = wire.body(request, model())
    if clash is None:
        assert isinstance(made, dict)
        assert made.get("response_format") == (None if kind == "text" else {"type": kind})
    else:
        assert isinstance(made, Failure)
        assert (made.kind, made.param) == (Kind.BAD_REQUEST, "response_format")
        assert clash in made.message


IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
TEXT = {"type": "text", "text": "Hi"}


@pytest.mark.parametrize(
    ("message", "images", "fitted"),
    [
        ({"role": "user", "content": [TEXT, TEXT]}, False, {"role": "user", "content": "Hi\nHi"}),
        ({"role": "user", "content": []}, False, {"role": "user", "content": ""}),
        ({"role": "user", "content": [TEXT, IMAGE]}, True, {"role": "user", "content": [TEXT, IMAGE]}),
        ({"role": "user", "content": [TEXT, IMAGE]}, False, None),
        ({"role": "user", "content": [{"type": "input_audio"}]}, True, None),
        ({"role": "user", "content": ["text"]}, True, None),
        ({"role": "tool", "tool_call_id": "1", "content": [TEXT, IMAGE]}, True, None),
        ({"role": "user", "content": "Hi", "name": None}, False, {"role": "user", "content": "Hi"}),
        (
            {"role": "user", "content": "Hi", "name": "Ann"},
            False,
            {"role": "user", "content": "Hi", "name": "Ann"},
        ),
        (
            {"role": "assistant", "content": None, "tool_calls": []},
            False,
            {"role": "assistant", "tool_calls": []},
        ),
        (
            {"role": "assistant", "content": "Hi", "reasoning": "hm"},
            False,
            {"role": "assistant", "content": "Hi"},
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "1", "index": 0, "extra_content": {}}, {"id": "2"}]},
            False,
            {"role": "assistant", "tool_calls": [{"id": "1"}, {"id": "2"}]},
        ),
    ],
)
def test_a_message_is_fitted_or_refused(message: Json, images: bool, fitted: Json | None) -> None:
    made = fit_messages([*HELLO, message], images=images, null_content=None)
    if fitted is None:
        assert isinstance(made, Failure)
        assert (made.kind, made.param) == (Kind.BAD_REQUEST, "messages")
    else:
        assert made == [*HELLO, fitted]


def test_what_stands_beside_a_tool_call_can_stay() -> None:
    message: Json = {"role": "assistant", "tool_calls": [{"id": "1", "extra_content": {"a": 1}}]}
    assert fit_messages([message], images=False, null_content=None, call_extras=True) == [message]


def test_a_service_can_take_fewer_members_of_messages() -> None:
    result: Json = {"role": "tool", "tool_call_id": "1", "name": "clock", "content": "12:00"}
    taken = frozenset({"role", "content", "tool_call_id"})
    assert fit_messages([result], images=False, null_content=None) == [result]
    assert fit_messages([result], images=False, null_content=None, fields=taken) == [
        {"role": "tool", "tool_call_id": "1", "content": "12:00"}
    ]


def test_a_null_content_can_become_a_text() -> None:
    message: Json = {"role": "assistant", "content": None, "tool_calls": []}
    assert fit_messages([message], images=False, null_content="") == [
        {"role": "assistant", "tool_calls": [], "content": ""}
    ]


contents = st.none() | st.text(max_size=5) | st.lists(st.just(TEXT), max_size=3)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": contents},
        optional={"name": st.none() | st.just("a"), "reasoning": st.just("hm"), "x": st.integers()},
    ),
    max_size=5,
)


@given(messages)
def test_fitting_changes_no_argument_and_leaves_nothing_to_fit(given_messages: list[Json]) -> None:
    before = deepcopy(given_messages)
    fitted = fit_messages(given_messages, images=False, null_content=None)
    assert given_messages == before
    assert not isinstance(fitted, Failure)
    for message in fitted:
        assert MESSAGE_FIELDS.issuperset(message)
        assert None not in message.values()
    assert fit_messages(fitted, images=False, null_content=None) == fitted
