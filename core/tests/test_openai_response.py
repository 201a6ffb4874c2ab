from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.openai_compatible.reasoning import ThinkSplitter, split_whole
from freellm.openai_compatible.response import AnswerShape, repaired_completion, repaired_usage, text_of
from freellm.types import Failure, Json, Kind

USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def completion(message: Json, finish: str | None = "stop", **members: Any) -> Json:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "refusal": None, **message},
        "logprobs": None,
        "finish_reason": finish,
    }
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [choice],
        "usage": USAGE,
        **members,
    }


def repaired(body: Json, shape: AnswerShape | None = None) -> Json:
    before = deepcopy(body)
    made = repaired_completion(body, shape or AnswerShape())
    assert body == before
    assert isinstance(made, dict)
    return made


@pytest.mark.parametrize(
    "body",
    [
        completion({"content": "Hi"}),
        completion({"content": None, "tool_calls": [CALL]}, "tool_calls"),
        completion({"content": "4", "reasoning": "hm", "reasoning_content": "hm"}),
        completion({"content": None, "refusal": "No."}),
    ],
)
def test_a_perfect_answer_is_returned_as_it_came(body: Json) -> None:
    assert repaired(body) is body


@pytest.mark.parametrize("members", [{"id": 7}, {"created": "now"}, {"created": 1.5}])
def test_an_id_or_a_time_of_another_type_is_left_to_core(members: Json) -> None:
    (name,) = members
    made = repaired(completion({"content": "Hi"}, **members))
    assert name not in made
    assert made["choices"][0]["message"]["content"] == "Hi"


def test_an_empty_list_of_tool_calls_is_taken_out() -> None:
    for finish in ("stop", "length"):
        made = repaired(completion({"content": "Hi", "tool_calls": []}, finish))
        assert "tool_calls" not in made["choices"][0]["message"]
    assert (
        repaired(completion({"content": "Hi", "tool_calls": None}))["choices"][0]["message"]["content"]
        == "Hi"
    )


def test_what_a_service_leaves_out_is_filled_in() -> None:
    body = {
        "choices": [{"message": {"content": "Hi"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5},
    }
    assert repaired(body) == {
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    }


@pytest.mark.parametrize(
    ("given_reason", "reason"),
    [
        ("eos", "stop"),
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("odd", "stop"),
    ],
)
def test_finish_reasons_are_openais(given_reason: str, reason: str) -> None:
    assert repaired(completion({"content": "Hi"}, given_reason))["choices"][0]["finish_reason"] == reason


def test_a_stop_that_called_a_tool_is_tool_calls() -> None:
    body = completion({"content": None, "tool_calls": [CALL]}, "stop")
    assert repaired(body)["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ({"function": {"name": "f", "arguments": {"a": [1]}}}, '{"a":[1]}'),
        ({"function": {"name": "f", "arguments": ""}}, "{}"),
        ({"function": {"name": "f", "arguments": None}}, "{}"),
        ({"function": {"name": "f"}}, "{}"),
        ({"id": "y" * 41, "function": {"name": "f", "arguments": '{"a": 1}'}}, '{"a": 1}'),
    ],
)
def test_calls_get_an_id_a_type_and_arguments(call: Json, arguments: str) -> None:
    bodies = [completion({"content": None, "tool_calls": [deepcopy(call), CALL]}) for _ in range(2)]
    first, second = (repaired(body)["choices"][0]["message"]["tool_calls"] for body in bodies)
    assert first == second
    assert first[0]["function"] == {"name": "f", "arguments": arguments}
    assert first[0]["type"] == "function"
    assert first[0]["id"].startswith("call_")
    assert len(first[0]["id"]) <= 40
    assert first[1] is bodies[0]["choices"][0]["message"]["tool_calls"][1]


def test_calls_without_a_name_are_no_answer() -> None:
    body = completion({"content": None, "tool_calls": [{"function": {"arguments": "{}"}}, "text"]})
    made = repaired_completion(body, AnswerShape())
    assert isinstance(made, Failure)
    assert made.kind == Kind.BAD_ANSWER


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, Kind.BAD_ANSWER),
        ({"choices": []}, Kind.BAD_ANSWER),
        ({"choices": ["text"]}, Kind.BAD_ANSWER),
        ({"choices": [{"text": "Hi"}]}, Kind.BAD_ANSWER),
        (completion({"content": ""}), Kind.BAD_ANSWER),
        (completion({"content": " \n"}), Kind.BAD_ANSWER),
        (completion({"content": None, "reasoning": "hm"}), Kind.BAD_ANSWER),
        (completion({"content": None}, "tool_calls"), Kind.BAD_ANSWER),
        (completion({"content": "Hi"}, "error"), Kind.BAD_ANSWER),
        (completion({"content": None}, "SAFETY"), Kind.CONTENT_FILTERED),
    ],
)
def test_what_is_no_answer_is_a_failure(body: Json, kind: Kind) -> None:
    made = repaired_completion(body, AnswerShape())
    assert isinstance(made, Failure)
    assert made.kind == kind


def test_an_empty_answer_that_was_cut_stands() -> None:
    assert repaired(completion({"content": ""}, "length"))["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_is_shown_under_both_names(name: str) -> None:
    message = repaired(completion({"content": "4", name: "2 + 2"}))["choices"][0]["message"]
    assert (message["reasoning"], message["reasoning_content"]) == ("2 + 2", "2 + 2")


def test_thinking_parts_are_reasoning_not_text() -> None:
    thinking = {
        "type": "thinking",
        "thinking": [{"type": "text", "text": "2"}, {"type": "text", "text": " + 2"}],
    }
    content = [thinking, {"type": "thinking", "thinking": "!"}, {"type": "text", "text": "4"}]
    message = repaired(completion({"content": content}))["choices"][0]["message"]
    assert (message["content"], message["reasoning"], message["reasoning_content"]) == (
        "4",
        "2 + 2!",
        "2 + 2!",
    )


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("<think>2 + 2</think>4", "2 + 2", "4"),
        ("\n<think>\n2 + 2\n</think>\n\n4", "2 + 2", "4"),
        ("2 + 2</think>4", "2 + 2", "4"),
        ("<think>2 +", "2 +", ""),
        ("Write <think>a</think> first.", "", "Write <think>a</think> first."),
        ("4", "", "4"),
        ("", "", ""),
    ],
)
def test_leading_reasoning_is_split_from_the_answer(text: str, reasoning: str, answer: str) -> None:
    assert split_whole(text) == (reasoning, answer)


def test_tags_are_looked_for_only_where_models_write_them() -> None:
    body = completion({"content": "<think>a</think>b"})
    assert repaired(body) is body
    message = repaired(body, AnswerShape(think=True))["choices"][0]["message"]
    assert (message["content"], message["reasoning"], message["reasoning_content"]) == ("b", "a", "a")


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "a", " ", "\n"]), max_size=12))
def test_a_splitter_loses_nothing_but_tags_and_blanks(parts: list[str]) -> None:
    splitter = ThinkSplitter()
    out = [splitter.feed(part) for part in parts] + [splitter.flush()]
    both = "".join(reasoning for reasoning, _ in out) + "".join(answer for _, answer in out)
    whole = "".join(parts)
    if whole.lstrip().startswith("<think>"):
        whole = whole.replace("<think>", "", 1).replace("</think>", "", 1)
    assert "".join(both.split()) == "".join(whole.split())


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, None),
        ("a", "a"),
        ([{"type": "text", "text": "a"}, {"text": "b"}], "ab"),
        ({"a": 1}, '{"a":1}'),
        ([1], "[1]"),
    ],
)
def test_content_of_any_form_is_text(content: Any, text: str | None) -> None:
    assert text_of(content) == text


@pytest.mark.parametrize(
    ("usage", "shown"),
    [
        (USAGE, USAGE),
        ({"prompt_tokens": 3, "completion_tokens": 5}, USAGE),
        ({"prompt_tokens": 3, "total_tokens": 8}, USAGE),
        (
            {"prompt_tokens": 3, "completion_tokens": None, "total_tokens": None, "cost": 0},
            {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3, "cost": 0},
        ),
        ({}, None),
        (None, None),
        ({"cost": 1}, None),
    ],
)
def test_usage_has_three_counts_or_is_not_shown(usage: Json | None, shown: Json | None) -> None:
    assert repaired_usage(usage) == shown
