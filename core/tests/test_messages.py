"""Messages of every legal form become one form; all others are refused by their place."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from freellm.catalogue import ABILITY_BITS
from freellm.errors import RequestError
from freellm.surfaces.openai.messages import Conversation
from freellm.surfaces.openai.parsing import parse

USER = {"role": "user", "content": "Hello"}
PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
LINK = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "high"}}
TEXT = {"type": "text", "text": "Look"}


def call(id_: str = "call_1", **function: Any) -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}", **function}}


def asked(*calls: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls), **fields}


def answered(id_: str = "call_1", content: Any = "42") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


@pytest.mark.parametrize(
    "messages",
    [
        [USER],
        [{"role": "system", "content": "x"}, USER],
        [{"role": "system", "content": [TEXT, TEXT]}, USER],
        [{**USER, "name": "ann"}],
        [{"role": "user", "content": ""}],
        [{"role": "user", "content": [TEXT, PNG, LINK]}],
        [
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}],
            }
        ],
        [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}],
        [USER, {"role": "assistant", "content": "Hi!"}, USER],
        [USER, {"role": "assistant", "content": [TEXT]}, USER],
        [USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, USER],
        [USER, {"role": "assistant", "content": None, "refusal": "no"}, USER],
        [USER, {"role": "assistant", "content": "", "tool_calls": []}, USER],
        [USER, asked(call()), answered()],
        [USER, {"role": "assistant", "tool_calls": [call()]}, answered(content=[TEXT])],
        [USER, asked(call("a"), call("b")), answered("b"), answered("a")],
        [USER, asked({"id": "a", "function": {"name": "f"}}), answered("a", [TEXT, PNG])],
        [USER, asked(call("a")), answered("a"), asked(call("b")), answered("b"), USER],
        [USER, asked(call(), content="Let me see."), answered()],
        [{"role": "assistant", "content": "Hi!"}],
    ],
)
def test_what_is_in_the_one_form_already_stays_as_it_is(messages: list[Any]) -> None:
    assert Conversation(messages).messages == messages


def test_a_developer_is_a_system() -> None:
    developer = {"role": "developer", "content": "Be brief.", "name": "d"}
    assert Conversation([developer, USER]).messages[0] == {
        "role": "system",
        "content": "Be brief.",
        "name": "d",
    }
    assert developer["role"] == "developer", "the client's message itself is not changed"


def test_legacy_function_calls_are_tool_calls() -> None:
    function = {"name": "f", "arguments": "{}"}
    found = Conversation(
        [
            USER,
            {"role": "assistant", "content": None, "function_call": function},
            {"role": "function", "name": "f", "content": "42"},
            {"role": "assistant", "content": "", "function_call": function},
            {"role": "function", "name": "f", "content": None},
        ]
    )
    first, second = found.tool_call_ids
    assert first != second
    assert found.messages[1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": first, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": first, "content": "42"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": second, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": second, "content": ""},
    ]


def test_all_tool_calls_are_known_by_their_ids_in_order() -> None:
    messages = [
        USER,
        asked(call("b"), call("a")),
        answered("a"),
        answered("b"),
        asked(call("c")),
        answered("c"),
    ]
    assert Conversation(messages).tool_call_ids == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("content", "images", "remote"),
    [
        ("Look at https://example.com/cat.png", False, False),
        ([TEXT], False, False),
        ([TEXT, PNG], True, False),
        ([LINK], True, True),
        ([PNG, LINK], True, True),
        ([{"type": "image_url", "image_url": {"url": "http://example.com/cat.png"}}], True, True),
    ],
)
def test_images_are_noticed_and_those_that_have_to_be_fetched(
    content: Any, images: bool, remote: bool
) -> None:
    found = Conversation([{"role": "user", "content": content}])
    assert (found.images, found.remote_images) == (images, remote)
    request = parse(orjson.dumps({"messages": [{"role": "user", "content": content}]}))
    assert bool(request.mask & ABILITY_BITS["vision"]) is images
    assert request.remote_images is remote


def part(**fields: Any) -> list[Any]:
    return [{"role": "user", "content": [fields]}]


NO_ADDRESSES: list[Any] = [
    None, 5, 0.5, True, [], {}, {"a": 1}, "", "ftp://x/y.png", "file:///etc/passwd", "/x", "data:text/html,x",
]  # fmt: skip


@pytest.mark.parametrize(
    ("param", "messages"),
    [
        ("messages", None),
        ("messages", "Hello"),
        ("messages", {"role": "user"}),
        ("messages", []),
        ("messages[0]", ["Hello"]),
        ("messages[0]", [None]),
        ("messages[1]", [USER, [USER]]),
        ("messages[0].role", [{}]),
        ("messages[0].role", [{"role": None, "content": "x"}]),
        ("messages[0].role", [{"role": "USER", "content": "x"}]),
        ("messages[0].role", [{"role": ["user"], "content": "x"}]),
        ("messages[1].role", [USER, {"role": "bot", "content": "x"}]),
        ("messages[0].content", [{"role": "user"}]),
        ("messages[0].content", [{"role": "user", "content": None}]),
        ("messages[0].content", [{"role": "user", "content": 5}]),
        ("messages[0].content", [{"role": "user", "content": {}}]),
        ("messages[0].content", [{"role": "user", "content": []}]),
        ("messages[0].content", [{"role": "system", "content": None}]),
        ("messages[0].content", [{"role": "developer", "content": []}]),
        ("messages[0].content", [{"role": "assistant"}]),
        ("messages[0].content", [{"role": "assistant", "content": None, "tool_calls": []}]),
        ("messages[0].content[0].type", [{"role": "user", "content": ["Hello"]}]),
        ("messages[0].content[0].type", part(text="x")),
        ("messages[0].content[0].type", part(type="video_url", video_url={"url": "https://x/y"})),
        ("messages[0].content[0].type", part(type=["text"], text="x")),
        ("messages[0].content[0].type", part(type={"a": 1})),
        ("messages[0].content[1].type", [{"role": "user", "content": [TEXT, {"type": "tool_result"}]}]),
        ("messages[0].content[0].type", [{"role": "system", "content": [PNG]}]),
        ("messages[0].content[0].type", [{"role": "assistant", "content": [PNG]}]),
        ("messages[0].content[0].text", part(type="text")),
        ("messages[0].content[0].text", part(type="text", text=5)),
        ("messages[0].content[0].image_url.url", part(type="image_url")),
        ("messages[0].content[0].image_url.url", part(type="image_url", image_url="https://x/y.png")),
        *(
            ("messages[0].content[0].image_url.url", part(type="image_url", image_url={"url": url}))
            for url in NO_ADDRESSES
        ),
        ("messages[0].content[0].input_audio", part(type="input_audio", input_audio="AA")),
        ("messages[0].content[0].file", part(type="file")),
        ("messages[0].tool_calls", [asked() | {"tool_calls": "f"}]),
        ("messages[0].tool_calls", [asked() | {"tool_calls": {"id": "x"}}]),
        ("messages[0].tool_calls[0]", [asked() | {"tool_calls": ["f"]}]),
        ("messages[0].tool_calls[0]", [asked({"id": "x"})]),
        ("messages[0].tool_calls[0]", [asked({"id": "x", "function": "f"})]),
        ("messages[0].tool_calls[0]", [asked(call(name=None))]),
        ("messages[0].tool_calls[1].function.arguments", [asked(call(), call(arguments={"a": 1}))]),
        ("messages[0].tool_calls[0].id", [asked(call(""))]),
        ("messages[0].tool_calls[0].id", [asked({"type": "function", "function": {"name": "f"}})]),
        ("messages[0].tool_call_id", [{"role": "tool", "content": "x"}]),
        ("messages[0].tool_call_id", [{"role": "tool", "tool_call_id": 5, "content": "x"}]),
        ("messages[0].tool_call_id", [answered()]),
        ("messages[1].tool_call_id", [USER, answered(), asked(call())]),
        ("messages[2].tool_call_id", [USER, asked(call("a")), answered("b")]),
        ("messages[2].content", [USER, asked(call()), answered(content=None)]),
        ("messages[2].content[0].type", [USER, asked(call()), answered(content=[{"type": "file", "file": {}}])]),
        ("messages[0]", [{"role": "function", "name": "f", "content": "x"}]),
        ("messages[0].function_call", [{"role": "assistant", "function_call": "f"}]),
        ("messages[0].function_call", [{"role": "assistant", "function_call": {"arguments": "{}"}}]),
        ("messages[0].tool_calls[0].function.arguments", [{"role": "assistant", "function_call": {"name": "f", "arguments": 5}}]),
    ],
)  # fmt: skip
def test_a_wrong_message_is_named_by_its_place(param: str, messages: Any) -> None:
    with pytest.raises(RequestError) as caught:
        Conversation(messages)
    assert caught.value.param == param
    assert caught.value.status == 400
    assert len(caught.value.message) < 400


def test_a_tool_message_without_its_call_says_what_to_send_before_it() -> None:
    with pytest.raises(
        RequestError, match="send the assistant message with its tool_calls before the tool message"
    ):
        Conversation([USER, answered("call_9")])
