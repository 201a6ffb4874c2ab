"""SambaNova Cloud's free tier: an OpenAI-speaking service with one override, for DeepSeek's switch of reasoning.

The models and their limits are in `catalogue.toml`; here is how the service's wire differs from OpenAI's.
Facts without a source of their own are of the catalogue's day, 2026-11-23.
"""

from freellm import (
    AnswerShape,
    ChatRequest,
    ChatWire,
    DataPolicy,
    Failure,
    Key,
    KeyField,
    Kind,
    Model,
    OpenAICompatible,
    ProviderInfo,
    Upstream,
    hookimpl,
    load_catalogue,
    replace,
)

_MINUTE, _DAY = 60.0, 86_400.0

# The requests of one model in one account.
_QUOTA_HEADERS = {
    f"x-ratelimit-{figure}-requests{window}": ("requests", seconds, figure)
    for figure in ("limit", "remaining", "reset")
    for window, seconds in (("", _MINUTE), ("-day", _DAY))
}

# What SambaNova's SDK 1.13.0 has a type for; whether each model honours each of them is not said. min_p is not in it.
_FORWARD = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "parallel_tool_calls",
        "presence_penalty",
        "repetition_penalty",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_k",
        "top_logprobs",
        "top_p",
    }
)

# None of that SDK's messages has a name.
_MESSAGE_FIELDS = frozenset({"role", "content", "tool_calls", "tool_call_id"})

_GPT_OSS = {"low": "low", "medium": "medium", "high": "high"}

_REFUSALS = (
    (None, "PAYMENT_METHOD_REQUIRED", None, Failure(kind=Kind.PAYMENT_REQUIRED, scope="account")),
    (None, "invalid_authentication", None, Failure(kind=Kind.BAD_KEY, scope="key")),
    # "Request would exceed rate limit Violated duration_s: 86400, current usage: 196279, limit: 200000"
    (429, None, r"duration_s: 86400\b", Failure(kind=Kind.QUOTA_EXHAUSTED, window=_DAY)),
    (422, None, r"valid service tier", Failure(kind=Kind.FORBIDDEN, message="the model needs a paid plan")),
)


class SambaNova(OpenAICompatible):
    """Switches DeepSeek's reasoning on or off, which has no degrees there."""

    @hookimpl
    def translate_request(self, request: ChatRequest, model: Model, key: Key) -> Upstream | Failure:
        """Say `enable_thinking` in the place of `reasoning_effort` (SambaNova's SDK 1.13.0)."""
        upstream = super().translate_request(request, model, key)
        effort = request.parameters.get("reasoning_effort")
        if isinstance(upstream, Failure) or effort is None or not model.family.startswith("deepseek-"):
            return upstream
        switch = {"chat_template_kwargs": {"enable_thinking": effort != "none"}}
        dropped = tuple(name for name in upstream.dropped if name != "reasoning_effort")
        return replace(upstream, body={**(upstream.body or {}), **switch}, dropped=dropped)


provider = SambaNova(
    info=ProviderInfo(
        id="sambanova",
        title="SambaNova Cloud",
        signup_url="https://cloud.sambanova.ai/apis",
        docs_url="https://docs.sambanova.ai",
        key_fields=(
            KeyField(
                name="token",
                title="API key",
                help="Made under APIs in SambaNova Cloud; lately it serves accounts with a payment method only.",
            ),
        ),
        environment=("SAMBANOVA_API_KEY",),
        base_url="https://api.sambanova.ai/v1",
        quota_headers=tuple(_QUOTA_HEADERS),
        data_policy=DataPolicy(
            trains=False,
            note="Prompts are neither kept nor used for training by default, says a member of SambaNova's staff.",
            source="https://community.sambanova.ai/t/data-handling-and-retention/1314",
            checked="2026-11-23",
        ),
    ),
    catalogue=load_catalogue(__package__),
    chat=ChatWire(
        forward=_FORWARD,
        efforts={"gpt-oss-120b": _GPT_OSS},
        null_content="",  # its types demand the member
        message_fields=_MESSAGE_FIELDS,
    ),
    answers=AnswerShape(think=True),
    public_models=True,
    refusals=_REFUSALS,
    quota_headers=_QUOTA_HEADERS,
)
