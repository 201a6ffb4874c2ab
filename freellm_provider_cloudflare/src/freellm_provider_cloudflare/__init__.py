"""Cloudflare Workers AI's free allocation: an OpenAI-speaking service with the account in its paths.

The models, their prices in neurons and the quotas are in `catalogue.toml`. Error codes are those of Cloudflare's table
of Workers AI errors (state of 2026-07-29) unless a comment says otherwise.
"""

from collections.abc import Sequence
from urllib.parse import quote

from freellm import (
    Answer,
    AnswerShape,
    ChatRequest,
    ChatWire,
    DataPolicy,
    EmbeddingRequest,
    EmbeddingsWire,
    Failure,
    Key,
    KeyField,
    Kind,
    ListedModel,
    Model,
    OpenAICompatible,
    ProviderInfo,
    Upstream,
    Verdict,
    hookimpl,
    load_catalogue,
    replace,
)
from freellm_provider_cloudflare.listing import read_models

_MINUTE, _DAY = 60.0, 86_400.0

# Not min_p, logit_bias and logprobs, which are refused. parallel_tool_calls is left out because nothing says that it
# is kept to.
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
        "top_k",
        "top_p",
    }
)

_GPT_OSS = {"low": "low", "medium": "medium", "high": "high"}

_GONE = Failure(kind=Kind.MODEL_GONE, scope="model")
_NO_NEURONS = Failure(kind=Kind.QUOTA_EXHAUSTED, scope="account", unit="neurons", window=_DAY)
_REFUSALS = (
    (None, "3036", None, _NO_NEURONS),
    (429, None, r"daily free allocation|10,000 neurons", _NO_NEURONS),
    (None, "3040", None, Kind.OVERLOADED),
    (None, "3043", None, Kind.OVERLOADED),
    (None, "3007", None, Kind.OVERLOADED),
    (None, "3008", None, Kind.OVERLOADED),
    # What is left of the 429s is the rate limit, which counts all models of the account together.
    (429, None, None, Failure(kind=Kind.RATE_LIMITED, scope="account", unit="requests", window=_MINUTE)),
    (None, "3006", None, Kind.TOO_LARGE),
    # 5021, and vLLM's words behind other codes, are from users' reports, not from the table.
    (None, "5021", None, Kind.CONTEXT_EXCEEDED),
    (None, None, r"maximum context length|exceeds? the context window", Kind.CONTEXT_EXCEEDED),
    (None, None, r"JSON Mode couldn't be met", Kind.BAD_ANSWER),
    (None, "5007", None, _GONE),
    (None, "3042", None, _GONE),
    (None, "7000", None, _GONE),
    (None, "7003", None, Failure(kind=Kind.BAD_KEY, scope="account", message="check the account id")),
    (
        None,
        "5016",
        None,
        Failure(kind=Kind.FORBIDDEN, message="accept the model's licence once, by the prompt 'agree'"),
    ),
    (None, "5018", None, Kind.FORBIDDEN),
    (None, "3041", None, Kind.FORBIDDEN),
    (None, "3023", None, Failure(kind=Kind.FORBIDDEN, scope="account")),
    # 10000 is the API's authentication error, 9109 an unauthorized token, 1000 and 6003 a malformed one.
    (None, "10000", None, Failure(kind=Kind.BAD_KEY, scope="key")),
    (None, "9109", None, Failure(kind=Kind.BAD_KEY, scope="key")),
    (None, "1000", None, Failure(kind=Kind.BAD_KEY, scope="key")),
    (None, "6003", None, Failure(kind=Kind.BAD_KEY, scope="key")),
    (None, "3003", None, Kind.BAD_REQUEST),
    (None, "5004", None, Kind.BAD_REQUEST),
    (None, "5006", None, Kind.BAD_REQUEST),
)


class Cloudflare(OpenAICompatible):
    """Puts the account into the paths, and knows the two kinds of tokens."""

    @hookimpl
    def translate_request(self, request: ChatRequest, model: Model, key: Key) -> Upstream | Failure:
        """Send the request to the account's own path."""
        return _of_account(super().translate_request(request, model, key), key)

    @hookimpl
    def translate_embeddings(self, request: EmbeddingRequest, model: Model, key: Key) -> Upstream | Failure:
        """Send the inputs to the account's own path."""
        return _of_account(super().translate_embeddings(request, model, key), key)

    @hookimpl
    def list_models(self, key: Key) -> Sequence[Upstream]:
        """Ask for the models that Workers AI has for the account, all on one page."""
        path = f"{_account_path(key)}/ai/models/search?per_page=1000"
        return [Upstream("GET", path, self._headers(key))]

    @hookimpl
    def read_models(self, answer: Answer) -> Sequence[ListedModel]:
        """Read the models; none when the page has not got all of them."""
        return read_models(answer.body) if _succeeded(answer) else ()

    @hookimpl
    def check_key(self, key: Key) -> Sequence[Upstream]:
        """Verify the token as a user's and as an account's, and ask whether it may use Workers AI on the account.

        Each kind of token is known to its own endpoint only, and neither looks at the account id or the permissions.
        """
        account = _account_path(key)
        paths = ("/user/tokens/verify", f"{account}/tokens/verify", f"{account}/ai/models/search?per_page=1")
        return [Upstream("GET", path, self._headers(key)) for path in paths]

    @hookimpl
    def judge_key(self, key: Key, answers: Sequence[Answer]) -> Verdict:
        """Call a key invalid only when Cloudflare says so of the token or of its use on this account."""
        user, account, models = answers
        active = _is_active(user) or _is_active(account)
        if _succeeded(models):
            return Verdict(state="valid", message="Workers AI accepts the token for this account")
        if active and self._refuses(models):
            message = "the token is active, but not for Workers AI on this account: check the account id and the permission Workers AI"
            return Verdict(state="invalid", message=message)
        if active:
            return Verdict(state="valid", message="the token is active")
        if self._refuses(user) and self._refuses(account):
            return Verdict(state="invalid", message="Cloudflare does not know the token, or it has expired")
        return Verdict(state="inconclusive", message="Cloudflare could not be asked; try again later")

    def _refuses(self, answer: Answer) -> bool:
        """Tell whether Cloudflare itself refuses the key, rather than a proxy or an outage."""
        if answer.status == 0 or 200 <= answer.status < 300 or not isinstance(answer.body, dict):
            return False
        failure = self.classify_error(ChatRequest(messages=()), self.declare_models()[0], answer)
        return failure.kind in (Kind.BAD_KEY, Kind.FORBIDDEN, Kind.MODEL_GONE)


def _account_path(key: Key) -> str:
    return f"/accounts/{quote(key.reveal('account_id'), safe='')}"


def _of_account(upstream: Upstream | Failure, key: Key) -> Upstream | Failure:
    if isinstance(upstream, Failure):
        return upstream
    return replace(upstream, path=f"{_account_path(key)}{upstream.path}")


def _succeeded(answer: Answer) -> bool:
    return answer.status == 200 and isinstance(answer.body, dict) and answer.body.get("success") is True


def _is_active(answer: Answer) -> bool:
    result = answer.body.get("result") if _succeeded(answer) else None
    return isinstance(result, dict) and result.get("status") == "active"


provider = Cloudflare(
    info=ProviderInfo(
        id="cloudflare",
        title="Cloudflare Workers AI",
        signup_url="https://dash.cloudflare.com/profile/api-tokens",
        docs_url="https://developers.cloudflare.com/workers-ai/",
        key_fields=(
            KeyField(
                name="account_id",
                title="Account ID",
                secret=False,
                help="32 hexadecimal digits, on the Workers AI page of the dashboard under Use REST API.",
                pattern="^[0-9a-f]{32}$",
            ),
            KeyField(
                name="token",
                title="API token",
                help="Made from the template Workers AI, with the permissions Read and Edit.",
            ),
        ),
        environment=("CLOUDFLARE_API_KEY", "CLOUDFLARE_API_TOKEN=token", "CLOUDFLARE_ACCOUNT_ID=account_id"),
        base_url="https://api.cloudflare.com/client/v4",
        # Answers that are no stream send nothing until they are whole; Cloudflare's edge gives up after 100 seconds.
        first_byte_timeout=100.0,
        account_of="account_id",
        data_policy=DataPolicy(
            trains=False,
            note="Prompts and answers train no models and improve no services without explicit consent.",
            source="https://developers.cloudflare.com/workers-ai/platform/data-usage/, read through a third party",
            checked="2026-11-23",
        ),
    ),
    catalogue=load_catalogue(__package__),
    chat=ChatWire(
        path="/ai/v1/chat/completions",
        forward=_FORWARD,
        always_limit=True,  # the service's own default is 256 tokens (its changelog of 2025-04)
        efforts={"@cf/openai/gpt-oss-120b": _GPT_OSS, "@cf/openai/gpt-oss-20b": _GPT_OSS},
        null_content="",
    ),
    answers=AnswerShape(
        think=True,  # DeepSeek R1 and QwQ write their reasoning into the answer
    ),
    embeddings=EmbeddingsWire(
        path="/ai/v1/embeddings",
        forward=frozenset(),
    ),
    refusals=_REFUSALS,
)
