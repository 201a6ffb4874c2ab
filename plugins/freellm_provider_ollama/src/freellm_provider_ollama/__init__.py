"""Ollama Cloud's free plan: an OpenAI-speaking service that measures usage and ignores what it does not know.

The models and their windows are in `catalogue.toml`. Facts without a source of their own are of the catalogue's day,
2026-11-23.
"""

from freellm import (
    ChatWire,
    Failure,
    KeyField,
    Kind,
    OpenAICompatible,
    ProviderInfo,
    load_catalogue,
)

_HOUR, _SESSION, _WEEK, _MONTH = 3_600.0, 18_000.0, 604_800.0, 2_592_000.0

# What Ollama's page of its compatible endpoints lists. tool_choice, logit_bias, user, n and parallel_tool_calls are
# ignored without a word.
_FORWARD = frozenset(
    {
        "frequency_penalty",
        "presence_penalty",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
    }
)

_GPT_OSS = {"low": "low", "medium": "medium", "high": "high"}
_OTHERS = {word: word for word in ("none", "low", "medium", "high", "max")}


def _spent(window: float) -> Failure:
    return Failure(kind=Kind.QUOTA_EXHAUSTED, scope="account", window=window)


_REFUSALS = (
    # Usage is the account's. The words name the window, nothing says when it is over.
    (429, None, r"session usage limit", _spent(_SESSION)),
    (429, None, r"hourly usage limit", _spent(_HOUR)),
    (429, None, r"weekly usage limit", _spent(_WEEK)),
    (429, None, r"monthly usage limit", _spent(_MONTH)),
    (429, None, r"concurrent", Failure(kind=Kind.CONCURRENCY, scope="account", retry_after=3.0)),
    (403, None, r"subscription|upgrade for access", Failure(kind=Kind.PAYMENT_REQUIRED, scope="route")),
    (400, None, r"prompt (?:is )?too long|context", Kind.CONTEXT_EXCEEDED),
)


_CATALOGUE = load_catalogue(__package__)

provider = OpenAICompatible(
    info=ProviderInfo(
        id="ollama",
        title="Ollama Cloud",
        signup_url="https://ollama.com/settings/keys",
        docs_url="https://docs.ollama.com/cloud",
        key_fields=(
            KeyField(name="token", title="API key", help="Made under Settings, Keys at ollama.com."),
        ),
        environment=("OLLAMA_API_KEY",),
        base_url="https://ollama.com",
        first_byte_timeout=120.0,  # large models are loaded on demand
    ),
    catalogue=_CATALOGUE,
    chat=ChatWire(
        path="/v1/chat/completions",
        forward=_FORWARD,
        tool_choices=frozenset(),  # it is ignored, so nothing but the default is kept to
        efforts={
            model.id: _GPT_OSS if model.id.startswith("gpt-oss") else _OTHERS
            for model in _CATALOGUE.models
            if "reasoning" in model.abilities
        },
    ),
    models_path="/v1/models",
    # The list of models is open to everybody; what the account has used is told to a valid key, and costs nothing.
    key_proof=("/api/usage", "limits"),
    refusals=_REFUSALS,
    account_pattern=r"\byou \(([^()\s]+)\) have reached",
)
