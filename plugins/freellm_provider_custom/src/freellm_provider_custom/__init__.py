"""Any OpenAI-compatible server as a provider of your own: llama.cpp, vLLM, LM Studio, Ollama, a gateway.

The plugin has no models and no address: each server that a user adds is an instance with its own. What servers differ
in is taken as it comes: everything OpenAI knows is sent, and what a server refuses by name is left out the second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from freellm import (
    Answer,
    AnswerShape,
    Catalogue,
    ChatRequest,
    ChatWire,
    Failure,
    KeyField,
    Kind,
    ListedModel,
    Model,
    OpenAICompatible,
    ProviderInfo,
    hookimpl,
    replace,
)

# OpenAI's parameters of chat completions, less those that core keeps to itself, and the samplers that llama.cpp, vLLM,
# LM Studio and Ollama have in common.
_FORWARD = frozenset(
    {
        "frequency_penalty", "logit_bias", "logprobs", "metadata", "min_p", "modalities", "parallel_tool_calls",
        "presence_penalty", "reasoning_effort", "repetition_penalty", "response_format", "safety_identifier", "seed",
        "service_tier", "stop", "store", "temperature", "tool_choice", "tools", "top_k", "top_logprobs", "top_p", "user",
        "verbosity", "chat_template_kwargs", "repeat_penalty",
    }
)  # fmt: skip

_REFUSALS = (
    (None, "exceed_context_size_error", None, Kind.CONTEXT_EXCEEDED),
    # llama.cpp that was started without --jinja answers 500 to tools: the request is to blame, not the server's health.
    (500, None, r"requires --jinja", Kind.BAD_REQUEST),
)

_TASKS = {
    "llm": "chat",
    "vlm": "chat",
    "chat": "chat",
    "generate": "chat",
    "text-generation": "chat",
    "embedding": "embeddings",
    "embeddings": "embeddings",
    "feature-extraction": "embeddings",
    "embed": "embeddings",
    "rerank": "other",
    "reranker": "other",
    "image": "other",
    "audio": "other",
    "transcription": "other",
    "moderation": "other",
}
"""What lists call the task of a model, in `type` or `task`."""

_ABILITIES = {
    "tool_use": "tools",
    "tools": "tools",
    "function_calling": "tools",
    "vision": "vision",
    "multimodal": "vision",
    "image": "vision",
    "reasoning": "reasoning",
    "thinking": "reasoning",
}
"""What lists call abilities, in `capabilities`."""


class AnyServer(OpenAICompatible):
    """Whatever speaks OpenAI's chat completions."""

    @hookimpl
    def classify_error(self, request: ChatRequest, model: Model, answer: Answer) -> Failure:
        """Name a refusal by the tables, with the window that llama.cpp states in a member of its own."""
        failure = super().classify_error(request, model, answer)
        body = answer.body.get("error") if isinstance(answer.body, dict) else None
        window = body.get("n_ctx") if isinstance(body, dict) else None
        if failure.kind is not Kind.CONTEXT_EXCEEDED or failure.limit or type(window) is not int:
            return failure
        return replace(failure, limit=window)

    @hookimpl
    def read_models(self, answer: Answer) -> Sequence[ListedModel]:
        """Read the ids, and what llama.cpp, vLLM, LM Studio and gateways say beside them."""
        rows = _rows(answer.body)
        return [_refined(model, rows.get(model.id, {})) for model in super().read_models(answer)]


def _rows(body: Any) -> dict[str, dict[str, Any]]:
    """Return the rows of a list by their ids; llama.cpp has two lists, of which the second says more about abilities."""
    found: dict[str, dict[str, Any]] = {}
    lists = [body.get(name) for name in ("models", "data")] if isinstance(body, dict) else [body]
    for rows in lists:
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                found.setdefault(str(row.get("id") or row.get("name")), {}).update(row)
    return found


def _refined(model: ListedModel, row: Mapping[str, Any]) -> ListedModel:
    return replace(
        model,
        free=True,
        task=_task(row),
        context=_context(row, model.context),
        abilities=_abilities(row),
    )


def _context(row: Mapping[str, Any], said: int | None) -> int | None:
    """Return the window of a row: what was loaded, before what is said to fit, before what the model was trained for."""
    meta = row.get("meta")
    inner = meta if isinstance(meta, dict) else {}
    windows = (row.get("loaded_context_length"), inner.get("n_ctx"), said, inner.get("n_ctx_train"))
    return next((value for value in windows if type(value) is int and value > 0), None)


def _task(row: Mapping[str, Any]) -> Any:
    named = (row.get(name) for name in ("task", "type", "model_type"))
    return next((_TASKS[name] for name in named if isinstance(name, str) and name in _TASKS), None)


def _abilities(row: Mapping[str, Any]) -> frozenset[str] | None:
    given = row.get("capabilities")
    if isinstance(given, dict):
        given = [name for name, has in given.items() if has]
    named = [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
    if row.get("type") == "vlm":
        named.append("vision")
    return frozenset(_ABILITIES[name] for name in named if name in _ABILITIES) or None


provider = AnyServer(
    info=ProviderInfo(
        id="custom",
        title="OpenAI-compatible server",
        instances=True,
        docs_url="https://platform.openai.com/docs/api-reference/chat",
        key_fields=(KeyField(name="token", title="API key"),),
        # A model on somebody's processor reads a long prompt for a while before it says anything.
        first_byte_timeout=120.0,
    ),
    catalogue=Catalogue(models=()),
    chat=ChatWire(
        forward=_FORWARD,
        # Gemini's own OpenAI endpoint wants its signatures back (docs: Thought signatures, OpenAI compatibility).
        call_extras=True,
    ),
    answers=AnswerShape(think=True),
    refusals=_REFUSALS,
)
