"""LLM7.io's free tier: an OpenAI-speaking gateway that now and then answers with another model than the one asked for.

The models and the limits are in `catalogue.toml`; facts without a source of their own are of its day, 2026-11-23.
"""

import re

from freellm import (
    Answer,
    ChatRequest,
    ChatWire,
    Chunks,
    Event,
    Failure,
    Json,
    KeyField,
    Kind,
    ListedModel,
    Model,
    OpenAICompatible,
    ProviderInfo,
    StreamNormalizer,
    hookimpl,
    load_catalogue,
    replace,
)

# Not logit_bias and logprobs, which are refused, and not response_format, which may be for the plan Pro only.
_FORWARD = frozenset(
    {
        "frequency_penalty",
        "parallel_tool_calls",
        "presence_penalty",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
        "user",
    }
)

_REFUSALS = (
    (None, "model_unavailable", None, Failure(kind=Kind.MODEL_GONE, scope="model")),
    # The model is of the tier Pro; the key is good for the others.
    (402, None, None, Failure(kind=Kind.PAYMENT_REQUIRED, scope="model")),
    # All limits are the key's, and no refusal says which of them it is.
    (429, None, None, Failure(kind=Kind.RATE_LIMITED, scope="key")),
)

_FREE = {"turbo": True, "free": True, "pro": False}


class LLM7(OpenAICompatible):
    """Checks who has answered, and reads the tiers of the list of models."""

    @hookimpl
    def normalize_response(self, request: ChatRequest, model: Model, answer: Answer) -> Json | Failure:
        """Refuse the answer of another model."""
        return _substituted(answer.body, model) or super().normalize_response(request, model, answer)

    @hookimpl
    def normalize_stream(self, request: ChatRequest, model: Model) -> StreamNormalizer:
        """Refuse the stream of another model."""
        return _Doorkeeper(super().normalize_stream(request, model), model)

    def read_row(self, row: Json, model: ListedModel) -> ListedModel:
        """Read the tier, and the window and abilities in LLM7's words."""
        window = row.get("context_window")
        tokens = window.get("tokens") if isinstance(window, dict) else window
        told = {"tools": row.get("tools_calling"), "json": row.get("json_mode")}
        known = any(isinstance(value, bool) for value in told.values())
        named = {name for name, value in told.items() if value is True}
        return replace(
            model,
            free=_FREE.get(str(row.get("tier")).lower()),
            context=tokens if type(tokens) is int and tokens > 0 else model.context,
            abilities=frozenset({"system"} | named) if known else None,
        )


class _Doorkeeper:
    """Looks at the first chunk that names a model before any is let through."""

    __slots__ = ("_checked", "_model", "_normalizer")

    def __init__(self, normalizer: StreamNormalizer, model: Model) -> None:
        self._normalizer = normalizer
        self._model = model
        self._checked = False

    def __call__(self, event: Event) -> Chunks:
        """Return the chunks that this event becomes."""
        if not self._checked:
            if failure := _substituted(event.data, self._model):
                return failure
            self._checked = isinstance(event.data, dict) and bool(event.data.get("model"))
        return self._normalizer(event)

    def end(self) -> Chunks:
        """Judge the stream when it is over."""
        return self._normalizer.end()


def _substituted(body: object, model: Model) -> Failure | None:
    """Return a failure when an answer names a model that shares less than half its words with the one asked for."""
    named = body.get("model") if isinstance(body, dict) else None
    if not isinstance(named, str) or not named:
        return None
    asked = _words(model.id)
    if 2 * len(asked & _words(named)) >= len(asked):
        return None
    return Failure(kind=Kind.BAD_ANSWER, message=f"{named} answered in place of {model.id}")


def _words(model_id: str) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", model_id.lower().rpartition("/")[2])) - {""}


provider = LLM7(
    info=ProviderInfo(
        id="llm7",
        title="LLM7.io",
        signup_url="https://token.llm7.io",
        docs_url="https://docs.llm7.io",
        key_fields=(
            KeyField(name="token", title="Token", help="A free one is made at https://token.llm7.io."),
        ),
        environment=("LLM7_API_KEY",),
        # Disputed: requests without a token were answered on 2026-08-21 and refused on 2026-08-11 and 2026-09-19. Where
        # they are refused, that is found out every ten minutes.
        keyless=True,
        base_url="https://api.llm7.io/v1",
    ),
    catalogue=load_catalogue(__package__),
    chat=ChatWire(forward=_FORWARD),
    public_models=True,
    refusals=_REFUSALS,
)
