"""OpenAI's parameters become a generationConfig."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from freellm import ChatRequest, Json, Model
from freellm_provider_google.dialects import Dialect
from freellm_provider_google.parts import UntranslatableError
from freellm_provider_google.schemas import clean

_COPIED: Final = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
"""What keeps its value. Everything that is not named in this module is dropped: the service refuses it."""

TAKEN: Final = frozenset(_COPIED) | {
    "max_tokens",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "tool_choice",
    "tools",
}
"""Parameters that become something, here or in the tools, or that core itself has used."""

_MOST_STOPS: Final = 5
_SEEDS: Final = 2**31
"""Seeds are signed 32-bit numbers."""

_EFFORT_STEPS: Final = ((1_024, "low"), (8_192, "medium"))
"""Reasoning tokens up to which a stated budget stands for an effort; more is `high`."""


def generation_config(request: ChatRequest, model: Model, dialect: Dialect, *, has_tools: bool) -> Json:
    """Return the generationConfig of a request; empty when it states nothing.

    :param has_tools: whether functions are declared, because older models take those or JSON mode
    :raises UntranslatableError: when JSON is asked of a model without JSON mode
    """
    parameters = request.parameters
    config = {field: parameters[name] for name, field in _COPIED.items() if name in parameters}
    if most := parameters.get("max_tokens"):
        config["maxOutputTokens"] = min(most, model.max_output or most)
    if stops := [stop for stop in parameters.get("stop") or () if stop]:
        config["stopSequences"] = stops[:_MOST_STOPS]
    if isinstance(seed := parameters.get("seed"), int):
        config["seed"] = seed % _SEEDS
    if "response_format" in parameters and (dialect.json_with_tools or not has_tools):
        config |= _answer_format(request, model, dialect)
    if thinking := thinking_config(parameters, dialect):
        config["thinkingConfig"] = thinking
    return config


def thinking_config(parameters: Mapping[str, Any], dialect: Dialect) -> Json:
    """Return the thinkingConfig for the effort a request states; empty leaves it to the model."""
    if "reasoning_effort" not in parameters and "reasoning" not in parameters:
        return {}
    effort, shown = _effort(parameters)
    if effort not in dialect.efforts:
        return {}
    value = dialect.efforts[effort]
    config: Json = {"thinkingLevel" if isinstance(value, str) else "thinkingBudget": value}
    if shown and effort != "none" and dialect.thoughts:
        config["includeThoughts"] = True
    return config


def _effort(parameters: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the effort asked for, in OpenAI's or OpenRouter's words, and whether to show the thoughts."""
    reasoning = parameters.get("reasoning")
    reasoning = reasoning if isinstance(reasoning, Mapping) else {}
    shown = reasoning.get("exclude") is not True
    effort = parameters.get("reasoning_effort") or reasoning.get("effort")
    if effort is None and reasoning.get("enabled") is False:
        effort = "none"
    if effort is None and isinstance(tokens := reasoning.get("max_tokens"), int):
        effort = next((name for most, name in _EFFORT_STEPS if tokens <= most), "high")
    return str(effort), shown


def _answer_format(request: ChatRequest, model: Model, dialect: Dialect) -> Json:
    wanted = request.parameters.get("response_format") or {}
    kind = wanted.get("type", "text")
    if kind == "text":
        return {}
    if "json" not in model.abilities:
        raise UntranslatableError(f"{model.id} has no JSON mode", "response_format")
    config: Json = {"responseMimeType": "application/json"}
    schema = (wanted.get("json_schema") or {}).get("schema") if kind == "json_schema" else None
    if not isinstance(schema, Mapping) or "json_schema" not in model.abilities:
        return config
    if dialect.json_schema and "plain_schema" not in request.hints:
        return {**config, "responseJsonSchema": schema}
    return {**config, "responseSchema": clean(schema)}
