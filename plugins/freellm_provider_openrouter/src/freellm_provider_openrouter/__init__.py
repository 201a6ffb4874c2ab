"""OpenRouter's free models: one account-wide pool over the variants that end in `:free`.

The models and the pools are in `catalogue.toml`. Names of fields and limits' sources are those of OpenRouter's own SDK
1.3.84 and of its pages on limits and errors; facts without a source of their own are of the catalogue's day, 2026-11-23.
"""

from collections.abc import Sequence

from freellm import (
    Answer,
    AnswerShape,
    ChatWire,
    DataPolicy,
    Failure,
    Json,
    Key,
    KeyField,
    Kind,
    OpenAICompatible,
    ProviderInfo,
    Reading,
    Verdict,
    hookimpl,
    load_catalogue,
)

_MINUTE, _DAY = 60.0, 86_400.0

# Not models, provider, plugins and transforms: with these a request for a free model can be answered, or enriched, for
# money. What the service behind the gateway does not know is ignored.
_FORWARD = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "min_p",
        "parallel_tool_calls",
        "presence_penalty",
        "repetition_penalty",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_a",
        "top_k",
        "top_logprobs",
        "top_p",
        "user",
    }
)

_EFFORTS = {word: word for word in ("none", "minimal", "low", "medium", "high", "xhigh")}

_DAILY = Failure(kind=Kind.QUOTA_EXHAUSTED, scope="account", unit="requests", window=_DAY)
_SPENDING_CAP = Failure(kind=Kind.QUOTA_EXHAUSTED, scope="key", unit="credits")
_REFUSALS = (
    (None, "openrouter_free_tier_daily", None, _DAILY),
    (429, None, r"free-models-per-day", _DAILY),
    (
        429,
        None,
        r"free-models-per-min",
        Failure(kind=Kind.RATE_LIMITED, scope="account", unit="requests", window=_MINUTE),
    ),
    # The service behind the gateway is full: for everybody, and for this model alone.
    (
        429,
        None,
        r"provider returned error|rate-limited upstream",
        Failure(kind=Kind.RATE_LIMITED, scope="model", retry_after=_MINUTE),
    ),
    (None, "openrouter_in_flight_budget", None, Failure(kind=Kind.RATE_LIMITED, scope="account")),
    (None, "openrouter_key_limit", None, _SPENDING_CAP),
    (403, None, r"key limit exceeded", _SPENDING_CAP),
    (402, None, r"fewer max_tokens|can only afford", Kind.TOO_LARGE),
    (
        402,
        None,
        None,
        Failure(
            kind=Kind.PAYMENT_REQUIRED,
            scope="account",
            message="a balance below nought blocks the free models too",
        ),
    ),
    # The key of OpenRouter's own at the service behind it, not ours.
    (401, None, r"provider returned error", Kind.OVERLOADED),
    (403, None, r"moderation|flagged", Kind.CONTENT_FILTERED),
    (
        404,
        None,
        r"data policy|guardrail",
        Failure(
            kind=Kind.FORBIDDEN,
            scope="account",
            message="allow free models in the account's settings, https://openrouter.ai/settings/privacy",
        ),
    ),
    # No service of this model can do what the request asks for: a want of the model, which stays in use.
    (404, None, r"no endpoints found that support", Kind.BAD_REQUEST),
)


class OpenRouter(OpenAICompatible):
    """Reads from the key's own page whose account it is and what is left of the day's free requests."""

    @hookimpl
    def judge_key(self, key: Key, answers: Sequence[Answer]) -> Verdict:
        """Judge a key by the key endpoint; one that only manages other keys is of no use."""
        verdict = super().judge_key(key, answers)
        if verdict.state != "valid":
            return verdict
        told: Json = answers[0].body["data"]
        if told.get("is_management_key") is True:
            message = "this key manages other keys and is refused by models; make an API key"
            return Verdict(state="invalid", message=message)
        owner = told.get("organization_id") or told.get("creator_user_id")
        readings = _readings(told.get("free_model_daily_requests"))
        left = [
            f"{daily.remaining:,.0f} of today's {daily.limit:,.0f} free requests are left"
            for daily in readings
        ]
        return Verdict(
            state="valid",
            message="; ".join([verdict.message, *left]),
            account=owner if isinstance(owner, str) else None,
            readings=readings,
        )


def _readings(daily: object) -> Sequence[Reading]:
    """Read the pool of free requests, which the whole account shares and which is full again at 00:00 UTC."""
    if not isinstance(daily, dict):
        return ()
    limit, remaining = (daily.get(name) for name in ("limit", "remaining"))
    if type(limit) is not int or type(remaining) is not int:
        return ()
    return [Reading(unit="requests", window=_DAY, limit=limit, remaining=remaining, scope="account")]


_CATALOGUE = load_catalogue(__package__)

provider = OpenRouter(
    info=ProviderInfo(
        id="openrouter",
        title="OpenRouter",
        signup_url="https://openrouter.ai/keys",
        docs_url="https://openrouter.ai/docs",
        key_fields=(
            KeyField(
                name="token",
                title="API key",
                help="Made under Keys in the settings; shown once.",
                pattern="^sk-or-",
            ),
        ),
        environment=("OPENROUTER_API_KEY",),
        base_url="https://openrouter.ai/api/v1",
        # Free requests queue; the comments that come meanwhile are no answer yet.
        first_byte_timeout=60.0,
        data_policy=DataPolicy(
            note="It depends on the service behind each model; some free ones may train on prompts or publish them, which "
            "the account's privacy settings allow or forbid.",
            source="OpenRouter's refusals of free models by an account's data policy, as users report them",
            checked="2026-11-23",
        ),
    ),
    catalogue=_CATALOGUE,
    chat=ChatWire(
        forward=_FORWARD,
        efforts={model.id: _EFFORTS for model in _CATALOGUE.models if "reasoning" in model.abilities},
    ),
    answers=AnswerShape(
        # The free router may pick a guard model.
        verdicts=frozenset({"safe", "unsafe"}),
    ),
    key_proof=("/key", "data"),  # the list of models is public
    free_ids=r":free$",
    refusals=_REFUSALS,
)
