"""Cerebras' free trial: an OpenAI-speaking service, described by data alone.

The models and their limits are in `catalogue.toml`; here is how the service's wire differs from OpenAI's.
Facts without a source of their own are of the catalogue's day, 2026-11-23.
"""

from freellm import (
    ChatWire,
    DataPolicy,
    Failure,
    KeyField,
    Kind,
    OpenAICompatible,
    ProviderInfo,
    load_catalogue,
)

_WINDOWS = {"minute": 60.0, "hour": 3_600.0, "day": 86_400.0}

# One bucket for each unit and window of a model in an organization; resets are seconds, such as 33011.382867.
_QUOTA_HEADERS = {
    f"x-ratelimit-{figure}-{unit}-{window}": (unit, seconds, figure)
    for figure in ("limit", "remaining", "reset")
    for unit in ("requests", "tokens")
    for window, seconds in _WINDOWS.items()
}

# What Cerebras' SDK 1.91.0 has a type for, without the choice of a paid service tier. top_k, min_p and
# repetition_penalty are not in it.
_FORWARD = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
    }
)

_GPT_OSS = {"low": "low", "medium": "medium", "high": "high"}  # it cannot do without reasoning
_QWEN = {"none": "none", **_GPT_OSS}

_GONE = Failure(kind=Kind.MODEL_GONE, scope="model")
_SPENT = Failure(
    kind=Kind.PAYMENT_REQUIRED,
    scope="account",
    message="the trial's credits are spent or its 30 days are over",
)
_REFUSALS = (
    # The service is busy; the caller's quota is untouched.
    (None, "queue_exceeded", None, Kind.OVERLOADED),
    (None, "request_quota_exceeded", r"per (?:day|hour)", Kind.QUOTA_EXHAUSTED),
    (None, "token_quota_exceeded", r"per (?:day|hour)", Kind.QUOTA_EXHAUSTED),
    (None, "request_quota_exceeded", None, Kind.RATE_LIMITED),
    (None, "token_quota_exceeded", None, Kind.RATE_LIMITED),
    (None, "wrong_api_key", None, Failure(kind=Kind.BAD_KEY, scope="key")),
    (402, None, None, _SPENT),
    (None, "model_not_found", None, _GONE),
    (None, "model_archived", None, _GONE),
)

provider = OpenAICompatible(
    info=ProviderInfo(
        id="cerebras",
        title="Cerebras Inference",
        signup_url="https://cloud.cerebras.ai",
        docs_url="https://inference-docs.cerebras.ai",
        key_fields=(
            KeyField(
                name="token",
                title="API key",
                help="Made under API Keys in the Cerebras cloud; the free trial is 5 USD of credits for 30 days.",
                pattern="^csk-",
            ),
        ),
        environment=("CEREBRAS_API_KEY",),
        base_url="https://api.cerebras.ai/v1",
        quota_headers=tuple(_QUOTA_HEADERS),
        data_policy=DataPolicy(
            note="Prompts and answers are not kept.",
            source="https://support.cerebras.net/articles/1811589793-does-cerebras-retain-my-data, of 2025-07-11",
            checked="2026-11-23",
        ),
    ),
    catalogue=load_catalogue(__package__),
    chat=ChatWire(
        forward=_FORWARD,
        limit_field="max_completion_tokens",
        efforts={"gpt-oss-120b": _GPT_OSS, "qwen-3.8-27b": _QWEN},
        # GPT OSS has its reasoning in a member of its own anyway.
        constants={"qwen-3.8-27b": {"reasoning_format": "parsed"}},
    ),
    refusals=_REFUSALS,
    quota_headers=_QUOTA_HEADERS,
)
