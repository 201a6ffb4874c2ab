"""Which parameters a provider would leave out, asked of the provider itself before anything is spent."""

from __future__ import annotations

from typing import Any

import pytest

from freellm.parameters import INCIDENTAL, refused_parameters
from freellm.types import ChatRequest
from small_world import World, model, provider

WORLD = World(provider("lab", [model("m")]))
TOOL = {"type": "function", "function": {"name": "f"}}


def request(**parameters: Any) -> ChatRequest:
    return ChatRequest(messages=[{"role": "user", "content": "Hello"}], parameters=parameters, stream=True)


@pytest.mark.parametrize(
    ("parameters", "refused"),
    [
        ({}, None),
        ({"temperature": 1, "max_tokens": 10, "tools": [TOOL], "tool_choice": "auto"}, None),
        ({"top_k": 3}, "lab does not take top_k"),
        ({"seed": 3, "logit_bias": {}, "min_p": 0.1}, "lab does not take logit_bias, min_p"),
        ({"reasoning_effort": "low"}, "lab does not take reasoning_effort"),
        (dict.fromkeys(INCIDENTAL, "x"), None),
    ],
)
def test_the_provider_says_what_it_would_drop(parameters: dict[str, Any], refused: str | None) -> None:
    said = refused_parameters(request(**parameters), WORLD.entry("lab/m"))
    assert said == (refused and f"provider.require_parameters is true, and {refused}")


def test_a_route_that_does_not_take_them_is_passed_over_before_quota_is_looked_at() -> None:
    needs = WORLD.needs()
    asked = type(needs)(
        needs.mask, needs.tokens, None, needs.deadline, refusal=lambda entry: f"not {entry.name}"
    )
    notes: list[Any] = []
    assert not list(WORLD.router.candidates(WORLD.order, asked, WORLD.clock, passed_over=notes))
    assert [(note.cause, note.detail) for note in notes] == [("filter", "not lab/m")]
