"""Kilo Gateway's free models, with a key or without: OpenRouter's ids, counted by address.

The models and the pool are in `catalogue.toml`. Codes and bodies are those of the gateway's own published source; facts
without a source of their own are of the catalogue's day, 2026-11-23.
"""

from freellm import (
    AnswerShape,
    ChatWire,
    DataPolicy,
    Failure,
    KeyField,
    Kind,
    OpenAICompatible,
    ProviderInfo,
    load_catalogue,
)

_HOUR = 3_600.0

# Not response_format, which what is behind the gateway refuses ("Provider returned error"), and none of OpenRouter's
# members that can make a request cost money.
_FORWARD = frozenset(
    {
        "frequency_penalty",
        "min_p",
        "parallel_tool_calls",
        "presence_penalty",
        "repetition_penalty",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
        "user",
    }
)

_EFFORTS = {word: word for word in ("none", "minimal", "low", "medium", "high", "xhigh")}

_SPENT = Failure(kind=Kind.QUOTA_EXHAUSTED, scope="ip", unit="requests", window=_HOUR)
_REFUSALS = (
    # Only free ids are ever asked, so this says that the gateway takes no anonymous requests, or does not know the key.
    (
        None,
        "PAID_MODEL_AUTH_REQUIRED",
        None,
        Failure(
            kind=Kind.FORBIDDEN,
            scope="key",
            message="Kilo wants a key, a valid one: make one at https://app.kilo.ai/profile, then freellm keys add kilo",
        ),
    ),
    # Sent with 401 (its source says that this will be a 429) when an address has asked too much without a key.
    (None, "PROMOTION_MODEL_LIMIT_REACHED", None, _SPENT),
    (429, None, r"^rate limit exceeded|usage limit reached", _SPENT),
    (
        429,
        None,
        r"provider returned error|rate-limited upstream",
        Failure(kind=Kind.RATE_LIMITED, scope="model", retry_after=60.0),
    ),
    # May be an unpaid bill of the gateway's own at the service behind it (its 402 comes as 503): no matter of seconds.
    (503, None, None, Failure(kind=Kind.OVERLOADED, retry_after=600.0)),
    (401, None, r"provider returned error", Kind.OVERLOADED),
)

_CATALOGUE = load_catalogue(__package__)

provider = OpenAICompatible(
    info=ProviderInfo(
        id="kilo",
        title="Kilo Gateway",
        signup_url="https://app.kilo.ai/profile",
        docs_url="https://kilo.ai/docs/gateway",
        key_fields=(
            KeyField(
                name="token",
                title="API key",
                help="At the foot of the profile page; free models answer without one too.",
                pattern="^eyJ",
            ),
        ),
        environment=("KILO_API_KEY", "KILOCODE_API_KEY"),
        keyless=True,
        base_url="https://api.kilo.ai/api",  # a key is proven beside the gateway, not below it
        first_byte_timeout=60.0,
        data_policy=DataPolicy(
            note="The services behind the free models may log prompts and answers.",
            source="Kilo's description of its free models, read through mnfst list 2026-10-05",
            checked="2026-11-23",
        ),
    ),
    catalogue=_CATALOGUE,
    chat=ChatWire(
        path="/gateway/chat/completions",
        forward=_FORWARD,
        efforts={model.id: _EFFORTS for model in _CATALOGUE.models if "reasoning" in model.abilities},
    ),
    answers=AnswerShape(
        # A router may pick a guard model.
        verdicts=frozenset({"safe", "unsafe"}),
    ),
    models_path="/gateway/models",
    # The list of models is public, and a free model answers whatever key it is asked with.
    key_proof=("/profile", "user"),
    free_ids=r":free$",
    refusals=_REFUSALS,
)
