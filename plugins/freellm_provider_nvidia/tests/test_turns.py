from copy import deepcopy
from typing import Any

import pytest

from freellm_provider_nvidia.turns import single_calls

USER = {"role": "user", "content": "Hello"}


def call(identifier: str) -> dict[str, Any]:
    return {"id": identifier, "type": "function", "function": {"name": "f", "arguments": "{}"}}


def result(identifier: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": identifier, "content": identifier}


def turn(*identifiers: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": [call(name) for name in identifiers], **more}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([USER], [USER]),
        ([USER, turn("a"), result("a")], [USER, turn("a"), result("a")]),
        ([turn("a", "b"), result("a"), result("b")], [turn("a"), result("a"), turn("b"), result("b")]),
        ([turn("a", "b"), result("b"), result("a")], [turn("a"), result("a"), turn("b"), result("b")]),
        ([turn("a", "b"), result("b"), USER], [turn("a"), turn("b"), result("b"), USER]),
        ([turn("a", "b"), result("c")], [turn("a"), turn("b"), result("c")]),
        (
            [turn("a", "b", content="Let me see."), result("a"), result("b"), turn("c", "d")],
            [
                turn("a", content="Let me see."),
                result("a"),
                turn("b"),
                result("b"),
                turn("c"),
                turn("d"),
            ],
        ),
    ],
)
def test_each_call_has_a_turn_of_its_own_with_its_result(given: list[Any], expected: list[Any]) -> None:
    before = deepcopy(given)
    assert single_calls(given) == expected
    assert given == before
