"""What Groq refuses whatever the quotas, and how it is told to think."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from freellm_simulator.exchange import Ask, Json
from freellm_simulator.worlds import Facts

_UNSUPPORTED = ("logprobs", "top_logprobs", "logit_bias")
_MEMBERS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "reasoning"})


def thinking(body: Json, facts: Facts) -> Literal["none", "hidden", "shown", "inline"]:
    """Say whether the model thinks, and where its thoughts go."""
    if not facts.efforts or body.get("reasoning_effort") in (None, "none"):
        return "none"
    if body.get("reasoning_format") == "raw":
        return "inline"
    return (
        "hidden"
        if body.get("reasoning_format") == "hidden" or body.get("include_reasoning") is False
        else "shown"
    )


def problems(body: Json, ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield what Groq refuses: the field at fault and the words."""
    for name in _UNSUPPORTED:
        if body.get(name):
            yield name, f"`{name}` is not supported with this model"
    if body.get("n", 1) != 1:
        yield "n", "'n' : number must be at most 1"
    yield from _message_problems(body["messages"], ask, facts)
    effort = body.get("reasoning_effort")
    if effort is not None and effort not in facts.efforts:
        allowed = " or ".join(f"`{name}`" for name in facts.efforts)
        yield (
            "reasoning_effort",
            f"`reasoning_effort` must be one of {allowed}"
            if allowed
            else ("`reasoning_effort` is not supported with this model"),
        )
    if body.get("reasoning_format") and body.get("include_reasoning") is not None:
        yield "reasoning_format", "`reasoning_format` and `include_reasoning` cannot be used together"
    if body.get("reasoning_format") == "raw" and (ask.tools or ask.json_mode):
        yield "reasoning_format", "`reasoning_format` must not be `raw` with tools or JSON mode"
    yield from _format_problems(ask, facts)
    if facts.max_output and (ask.max_tokens or 0) > facts.max_output:
        yield "max_tokens", f"`max_tokens` must be less than or equal to `{facts.max_output}`"


def _format_problems(ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
    if ask.schema is None:
        return
    if "schema" not in facts.abilities:
        yield "response_format", "This model does not support response format `json_schema`."
    if ask.tools or ask.stream:
        other = "tool calling" if ask.tools else "streaming"
        yield "response_format", f"response format `json_schema` cannot be combined with {other}"


def _message_problems(messages: Sequence[Json], ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
    for at, message in enumerate(messages):
        rule = f"'messages.{at}' : for 'role:{message['role']}' the following must be satisfied"
        for name, value in message.items():
            if name not in _MEMBERS:
                yield f"messages.{at}", f"{rule}[('messages.{at}' : property '{name}' is unsupported)]"
            elif value is None and name != "content":
                yield f"messages.{at}", f"{rule}[('messages.{at}.{name}' : value must not be null)]"
        if ask.turns[at].images and "vision" not in facts.abilities:
            yield f"messages.{at}", f"{rule}[('messages.{at}.content' : value must be a string)]"
