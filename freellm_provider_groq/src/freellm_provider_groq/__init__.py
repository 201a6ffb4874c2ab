"""Groq's free tier: an OpenAI-speaking service, described by data alone.

The models and their limits are in `catalogue.toml`; here is how the service's wire differs from OpenAI's.
Facts without a source of their own are of the catalogue's day, 2026-11-23.
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

_MINUTE, _DAY = 60.0, 86_400.0

# The limits of one model in one organization: requests are those of the day, tokens those of the minute.
_QUOTA_HEADERS = {
    "x-ratelimit-limit-requests": ("requests", _DAY, "limit"),
    "x-ratelimit-remaining-requests": ("requests", _DAY, "remaining"),
    "x-ratelimit-reset-requests": ("requests", _DAY, "reset"),
    "x-ratelimit-limit-tokens": ("tokens", _MINUTE, "limit"),
    "x-ratelimit-remaining-tokens": ("tokens", _MINUTE, "remaining"),
    "x-ratelimit-reset-tokens": ("tokens", _MINUTE, "reset"),
}

# Everything else is dropped: Groq answers 400 to parameters it does not know, and to logprobs, top_logprobs and
# logit_bias; its SDK 1.7.0 calls the penalties, store and metadata unsupported.
_FORWARD = frozenset(
    {
        "parallel_tool_calls",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
        "user",
    }
)

_GPT_OSS = {"low": "low", "medium": "medium", "high": "high"}
_QWEN = {"none": "none", "medium": "default"}

# A schema is kept to neither in a stream nor beside tools, and JSON mode not beside tools. Weakening what the client
# asked for would hand it answers it cannot parse, so the request goes to another provider instead.
_EXCLUDES = {"json_schema": frozenset({"stream", "tools"}), "json_object": frozenset({"tools"})}

_GONE = Failure(kind=Kind.MODEL_GONE, scope="model")
_REFUSALS = (
    # The request alone is larger than a minute's tokens: it never fits, so waiting is of no use.
    (413, None, None, Kind.TOO_LARGE),
    # A day's tokens come back as they age: the stated wait is often minutes.
    (429, None, r"per day \((?:TPD|RPD)\)", Kind.QUOTA_EXHAUSTED),
    (429, None, r"per minute \((?:TPM|RPM)\)", Kind.RATE_LIMITED),
    (None, "tool_use_failed", None, Kind.BAD_ANSWER),
    (None, "json_validate_failed", None, Kind.BAD_ANSWER),
    (None, "model_decommissioned", None, _GONE),
    (None, "model_not_found", None, _GONE),
    # An organization's or a project's settings shut the model out; the key is good.
    (None, "model_permission_blocked_org", None, Kind.FORBIDDEN),
    (None, "model_permission_blocked_project", None, Kind.FORBIDDEN),
    (None, "organization_restricted", None, Failure(kind=Kind.BAD_KEY, scope="account")),
    (498, None, None, Kind.OVERLOADED),
)

provider = OpenAICompatible(
    info=ProviderInfo(
        id="groq",
        title="GroqCloud",
        signup_url="https://console.groq.com/keys",
        docs_url="https://console.groq.com/docs",
        key_fields=(
            KeyField(
                name="token",
                title="API key",
                help="Made under API Keys in the Groq console; shown once.",
                pattern="^gsk_",
            ),
        ),
        environment=("GROQ_API_KEY",),
        base_url="https://api.groq.com/openai/v1",
        quota_headers=tuple(_QUOTA_HEADERS),
        data_policy=DataPolicy(
            note="Prompts and answers of inference are not kept by default, but may be to look into failures and abuse.",
            source="https://console.groq.com/docs/your-data",
            checked="2026-11-23",
        ),
    ),
    catalogue=load_catalogue(__package__),
    chat=ChatWire(
        forward=_FORWARD,
        limit_field="max_completion_tokens",
        efforts={
            "openai/gpt-oss-120b": _GPT_OSS,
            "openai/gpt-oss-20b": _GPT_OSS,
            "openai/gpt-oss-safeguard-20b": _GPT_OSS,
            "qwen/qwen3.8-27b": _QWEN,
        },
        # Without it Qwen's reasoning comes as <think> text inside the answer.
        constants={"qwen/qwen3.8-27b": {"reasoning_format": "parsed"}},
        excludes=_EXCLUDES,
    ),
    answers=AnswerShape(usage_members=("x_groq",)),
    refusals=_REFUSALS,
    account_pattern=r"organization `(org_\w+)`",
    # What a model wrote in place of a tool call, after the messages that say no more than that Groq could not read it.
    # Calls that it read and found against the tool's schema, or to tools not offered, stay failures.
    salvage=("failed_generation", r"^Failed to (?:call a function|parse tool call)"),
    quota_headers=_QUOTA_HEADERS,
)
