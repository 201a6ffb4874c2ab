"""NVIDIA's API catalogue: an OpenAI-speaking service in front of many different model servers.

The models are in `catalogue.toml`; here is how the service's wire differs from OpenAI's. Facts without a source of their
own are of the catalogue's day, 2026-11-23.
"""

from freellm import (
    Answer,
    AnswerShape,
    ChatRequest,
    ChatWire,
    DataPolicy,
    EmbeddingsWire,
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
from freellm_provider_nvidia.turns import single_calls

_MINUTE = 60.0

# What the servers behind the service have in common; anything else depends on the model. parallel_tool_calls is not
# among them because it is always sent as false where there are tools.
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

_SINGLE_CALLS = "single calls"
_ONE_CALL_AT_ONCE = ("meta/", "mistralai/")
"""Makers whose models take no turn with several tool calls."""

_REFUSALS = (
    (429, None, r"\bcredits?\b", Failure(kind=Kind.PAYMENT_REQUIRED, scope="account")),
    (402, None, None, Failure(kind=Kind.PAYMENT_REQUIRED, scope="account")),
    # No wait is stated, and no header: the account's minute has to pass.
    (
        429,
        None,
        None,
        Failure(
            kind=Kind.RATE_LIMITED, scope="account", unit="requests", window=_MINUTE, retry_after=_MINUTE
        ),
    ),
    (403, None, r"Authorization failed", Failure(kind=Kind.BAD_KEY, scope="key")),
    # Every account sees its own part of the catalogue.
    (
        404,
        None,
        r"Not found for account",
        Failure(kind=Kind.FORBIDDEN, message="the account has not this model"),
    ),
    # The model's servers are down, which takes longer than an overload.
    (400, None, r"DEGRADED function", Failure(kind=Kind.OVERLOADED, scope="model", retry_after=600.0)),
)


class Nvidia(OpenAICompatible):
    """Keeps models to one tool call in a turn."""

    @hookimpl
    def translate_request(self, request: ChatRequest, model: Model, key: Key) -> Upstream | Failure:
        """Ask for one call at a time, and show earlier turns of several calls as one turn each."""
        upstream = super().translate_request(request, model, key)
        if isinstance(upstream, Failure) or upstream.body is None:
            return upstream
        body = upstream.body
        if _SINGLE_CALLS in request.hints or model.id.startswith(_ONE_CALL_AT_ONCE):
            body["messages"] = single_calls(body["messages"])
        if "tools" in body:
            body["parallel_tool_calls"] = False
        return upstream

    @hookimpl
    def classify_error(self, request: ChatRequest, model: Model, answer: Answer) -> Failure:
        """Try turns of one call each on a model that takes no others."""
        failure = super().classify_error(request, model, answer)
        if failure.kind != Kind.BAD_REQUEST or "single tool-calls" not in failure.message:
            return failure
        amend = None if _SINGLE_CALLS in request.hints else request.without(hint=_SINGLE_CALLS)
        return replace(failure, param="messages", amend=amend)


_CATALOGUE = load_catalogue(__package__)

provider = Nvidia(
    info=ProviderInfo(
        id="nvidia",
        title="NVIDIA API catalogue",
        signup_url="https://build.nvidia.com/settings/api-keys",
        docs_url="https://docs.api.nvidia.com/nim",
        key_fields=(
            KeyField(
                name="token",
                title="API key",
                help="Made under API Keys on build.nvidia.com; an account without Public API Endpoints is refused.",
                pattern="^nvapi-",
            ),
        ),
        environment=("NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"),
        base_url="https://integrate.api.nvidia.com/v1",
        first_byte_timeout=180.0,  # a model that was not asked for a while takes 30 to 180 seconds to start
        data_policy=DataPolicy(
            note="By the trial's terms content is not kept after a session, with exceptions; for evaluation only.",
            source="https://forums.developer.nvidia.com/t/clarification-on-trial-api-use/334275",
            checked="2026-11-23",
        ),
    ),
    catalogue=_CATALOGUE,
    chat=ChatWire(
        forward=_FORWARD,
        # Some servers have a default so small that reasoning uses it up (hermes-agent issue 12233, 2026-04).
        always_limit=True,
        efforts={"openai/gpt-oss-20b": _GPT_OSS},
    ),
    answers=AnswerShape(think=True),
    embeddings=EmbeddingsWire(
        forward=frozenset({"input_type", "truncate", "user"}),
        # Models that tell questions from passages refuse inputs which are neither.
        constants={
            model.id: {"input_type": "passage", "truncate": "NONE"}
            for model in _CATALOGUE.models
            if model.task == "embeddings"
        },
    ),
    public_models=True,
    refusals=_REFUSALS,
)
