"""What holds for the contents of any conversation, not only for those of the cases."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Body = Callable[..., dict[str, Any]]

texts = st.sampled_from(["", "Hello", "Bonjour"])
ids = st.sampled_from(["c1", "c2", "c3", ""])
tool_names = st.sampled_from(["get_weather", "my tool!", "", "2nd"])
arguments = st.sampled_from(["", "{}", '{"a": 1}', "[1]", "nonsense", '"\\ud800"', "[" * 5_000])
image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}}
parts = st.lists(st.builds(lambda text: {"type": "text", "text": text}, texts) | st.just(image), max_size=3)
calls = st.lists(
    st.builds(
        lambda id_, name, args: {
            "id": id_,
            "type": "function",
            "function": {"name": name, "arguments": args},
        },
        ids,
        tool_names,
        arguments,
    ),
    max_size=3,
)
messages = st.lists(
    st.one_of(
        st.builds(lambda content: {"role": "system", "content": content}, texts),
        st.builds(lambda content: {"role": "user", "content": content}, texts | parts),
        st.builds(lambda content: {"role": "assistant", "content": content}, texts | st.none()),
        st.builds(lambda content, called: {"role": "assistant", "content": content, "tool_calls": called}, texts | st.none(), calls),
        st.builds(lambda id_, content: {"role": "tool", "tool_call_id": id_, "content": content}, ids, texts | parts),
    ),
    max_size=10,
)  # fmt: skip
model_ids = st.sampled_from(["gemini-2.5-flash", "gemini-3.8-flash", "gemma-4-31b-it", "gemma-3-27b-it"])
hints = st.frozensets(st.sampled_from(["bypass_signatures", "call_ids", "fold_system"]))


def calls_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [part["functionCall"] for part in content["parts"] if "functionCall" in part]


def responses_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [part["functionResponse"] for part in content["parts"] if "functionResponse" in part]


@given(messages=messages, model_id=model_ids, hints=hints)
@settings(max_examples=500, deadline=None)
def test_contents_keep_the_service_s_rules(
    body_of: Body, messages: list[dict[str, Any]], model_id: str, hints: frozenset[str]
) -> None:
    before = json.dumps(messages)
    contents = body_of(model_id, messages, hints=hints)["contents"]
    assert json.dumps(messages) == before
    assert [content["role"] for content in contents] == (["user", "model"] * len(contents))[: len(contents)]
    assert contents
    for content in contents:
        assert content["parts"]
        assert "" not in [part.get("text") for part in content["parts"]]
    for content, after in zip(contents, [*contents[1:], {"parts": []}], strict=True):
        called, answered = calls_of(content), responses_of(after)
        assert [call["name"] for call in called] == [response["name"] for response in answered]
        assert [call.get("id") for call in called] == [response.get("id") for response in answered]
        assert all(isinstance(call["args"], dict) for call in called)
    json.dumps(contents, ensure_ascii=False).encode()


@given(messages=messages, model_id=model_ids, hints=hints)
@settings(max_examples=300, deadline=None)
def test_every_step_of_a_gemini_3_conversation_is_signed(
    body_of: Body, messages: list[dict[str, Any]], model_id: str, hints: frozenset[str]
) -> None:
    contents = body_of(model_id, messages, hints=hints)["contents"]
    must = model_id.startswith("gemini-3") or "bypass_signatures" in hints
    for content in contents:
        signed = ["thoughtSignature" in part for part in content["parts"] if "functionCall" in part]
        assert signed == [must, *[False] * (len(signed) - 1)][: len(signed)]


@given(messages=messages)
@settings(max_examples=200, deadline=None)
def test_nothing_a_user_or_a_tool_says_is_lost(body_of: Body, messages: list[dict[str, Any]]) -> None:
    numbered = [
        {**m, "content": f"<{i}>"} if m["role"] in ("user", "tool") else m for i, m in enumerate(messages)
    ]
    sent = json.dumps(body_of("gemini-2.5-flash", numbered)["contents"])
    for index, message in enumerate(messages):
        if message["role"] in ("user", "tool"):
            assert sent.count(f"<{index}>") == 1


@pytest.mark.parametrize(
    ("raw", "args"),
    [
        ('{"a": [1, "ü"]}', {"a": [1, "ü"]}),
        ("", {}),
        ("  ", {}),
        (None, {"arguments": None}),
        ({"a": 1}, {"a": 1}),
        ("[1]", {"arguments": [1]}),
        ("{broken", {"arguments": "{broken"}),
        ('{"a": "\\ud800"}', {"arguments": '{"a": "\\ud800"}'}),
        ('{"a": "\\u00fc"}', {"a": "ü"}),
    ],
)
def test_arguments_become_an_object(body_of: Body, raw: Any, args: dict[str, Any]) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": raw}}
    contents = body_of("gemini-2.5-flash", [{"role": "assistant", "content": None, "tool_calls": [call]}])[
        "contents"
    ]
    assert calls_of(contents[1]) == [{"name": "f", "args": args}]


def test_a_custom_tool_s_call_is_sent_as_a_function_s(body_of: Body) -> None:
    call = {"id": "c", "type": "custom", "custom": {"name": "grep", "input": "x+"}}
    contents = body_of("gemini-2.5-flash", [{"role": "assistant", "content": "", "tool_calls": [call]}])[
        "contents"
    ]
    assert calls_of(contents[1]) == [{"name": "grep", "args": {"input": "x+"}}]


def test_ids_that_a_client_uses_again_belong_to_their_own_turn(body_of: Body) -> None:
    def step(result: str) -> list[dict[str, Any]]:
        call = {"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        return [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_0", "content": result},
        ]

    contents = body_of("gemini-2.5-flash", [{"role": "user", "content": "Go"}, *step("one"), *step("two")])[
        "contents"
    ]
    results = [response["response"]["output"] for content in contents for response in responses_of(content)]
    assert results == ["one", "two"]
