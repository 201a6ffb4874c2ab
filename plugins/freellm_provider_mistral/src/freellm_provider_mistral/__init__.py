"""Mistral's free mode: an OpenAI-speaking service with strict bodies and strict rules of order.

The models and their limits are in `catalogue.toml`, the rules for messages in `messages.py`. Facts without a source of
their own are of the catalogue's day, 2026-11-23.
"""

from freellm import (
    Answer,
    ChatRequest,
    ChatWire,
    EmbeddingsWire,
    Failure,
    Json,
    Key,
    KeyField,
    Kind,
    ListedModel,
    Model,
    OpenAICompatible,
    ProviderInfo,
    Upstream,
    hookimpl,
    load_catalogue,
    replace,
)
from freellm_provider_mistral.messages import strict_messages

_MINUTE, _MONTH = 60.0, 2_592_000.0

# A report of 2026-02 shows these; there is none that states a reset, and no Retry-After.
_QUOTA_HEADERS = {
    "x-ratelimit-limit-req-minute": ("requests", _MINUTE, "limit"),
    "x-ratelimit-remaining-req-minute": ("requests", _MINUTE, "remaining"),
    "x-ratelimit-limit-tokens-minute": ("tokens", _MINUTE, "limit"),
    "x-ratelimit-remaining-tokens-minute": ("tokens", _MINUTE, "remaining"),
}

# What Mistral's SDK 3.7.0 can say of OpenAI's parameters. Any other member is a 422.
_FORWARD = frozenset(
    {
        "frequency_penalty",
        "logprobs",
        "parallel_tool_calls",
        "presence_penalty",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
    }
)

# Small 4 and Medium 3.5 think or do not; the Magistral models always think, the others never, and both refuse the field.
_EFFORTS = {"none": "none", "high": "high"}

# Capabilities of Mistral's list as abilities.
_CAPABILITIES = {"tools": "function_calling", "vision": "vision", "reasoning": "reasoning"}

_REFUSALS = (
    # Both kinds of 429 have the code 1300; the words tell the month's allowance from the second's.
    (
        429,
        None,
        r"month",
        Failure(kind=Kind.QUOTA_EXHAUSTED, scope="account", unit="tokens", window=_MONTH),
    ),
    (None, "1300", None, Failure(kind=Kind.RATE_LIMITED, scope="account", retry_after=2.0)),
    (429, None, r"requests rate limit", Failure(kind=Kind.RATE_LIMITED, scope="account", retry_after=2.0)),
    (None, "3505", None, Failure(kind=Kind.OVERLOADED, scope="model")),
    (None, "3800", None, Kind.OVERLOADED),
    (None, None, r"too large for model", Kind.CONTEXT_EXCEEDED),
    (None, "1500", None, Failure(kind=Kind.MODEL_GONE, scope="model")),
    (402, None, None, Failure(kind=Kind.PAYMENT_REQUIRED, scope="account")),
)


class Mistral(OpenAICompatible):
    """Keeps to the strict bodies, and drops the effort that a model refuses."""

    @hookimpl
    def translate_request(self, request: ChatRequest, model: Model, key: Key) -> Upstream | Failure:
        """Send the request with messages and tools that Mistral takes."""
        upstream = super().translate_request(request, model, key)
        if isinstance(upstream, Failure) or upstream.body is None:
            return upstream
        body = {**upstream.body, "messages": strict_messages(upstream.body["messages"])}
        if body.get("tools"):
            body["tools"] = [_tool(tool["function"]) for tool in body["tools"]]
        return replace(upstream, body=body)

    @hookimpl
    def classify_error(self, request: ChatRequest, model: Model, answer: Answer) -> Failure:
        """Name a refusal by the tables; one of the reasoning effort (code 3051) names no field."""
        failure = super().classify_error(request, model, answer)
        refused = failure.kind == Kind.BAD_REQUEST and "reasoning" in failure.message.lower()
        if not refused or "reasoning_effort" not in request.parameters:
            return failure
        return replace(failure, param="reasoning_effort", amend=request.without("reasoning_effort"))

    def read_row(self, row: Json, model: ListedModel) -> ListedModel:
        """Read what the model can do."""
        able = row.get("capabilities")
        if not isinstance(able, dict) or not able.get("completion_chat"):
            return replace(model, task="embeddings" if "embed" in model.id else "other")
        named = {ability for ability, name in _CAPABILITIES.items() if able.get(name)}
        return replace(model, task="chat", abilities=frozenset({"system"} | named))


def _tool(function: Json) -> Json:
    known = {
        name: function[name] for name in ("name", "description", "strict") if function.get(name) is not None
    }
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    return {"type": "function", "function": {**known, "parameters": parameters}}


provider = Mistral(
    info=ProviderInfo(
        id="mistral",
        title="Mistral AI",
        signup_url="https://console.mistral.ai/api-keys",
        docs_url="https://docs.mistral.ai",
        key_fields=(
            KeyField(
                name="token",
                title="API key",
                help="Made under API keys in Mistral's console; the free mode asks for a phone number.",
            ),
        ),
        environment=("MISTRAL_API_KEY",),
        base_url="https://api.mistral.ai/v1",
        quota_headers=tuple(_QUOTA_HEADERS),
    ),
    catalogue=load_catalogue(__package__),
    chat=ChatWire(
        forward=_FORWARD,
        renames={"seed": "random_seed"},
        bounds={"temperature": (0.0, 1.5)},
        ask_usage=False,  # the last chunk has it, and stream_options is a 422
        efforts={"mistral-small-latest": _EFFORTS, "mistral-medium-latest": _EFFORTS},
    ),
    embeddings=EmbeddingsWire(forward=frozenset(), renames={"dimensions": "output_dimension"}),
    refusals=_REFUSALS,
    quota_headers=_QUOTA_HEADERS,
)
