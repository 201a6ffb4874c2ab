"""Pollinations: an OpenAI-speaking gateway that is paid with pollen, a credit filled up every hour.

The models are in `catalogue.toml`; facts without a source of their own are of its day, 2026-11-23.
"""

from email.utils import parsedate_to_datetime

from freellm import (
    Answer,
    ChatRequest,
    ChatWire,
    Failure,
    Json,
    KeyField,
    Kind,
    ListedModel,
    Model,
    OpenAICompatible,
    ProviderInfo,
    hookimpl,
    load_catalogue,
    replace,
)

_HOUR = 3_600.0

_REFUSALS = (
    (402, None, None, Failure(kind=Kind.QUOTA_EXHAUSTED, scope="account", unit="pollen", window=_HOUR)),
    # The key's permissions leave this model out; it is good for others.
    (403, None, None, Kind.FORBIDDEN),
    # A 400 may quote the service behind the gateway, whose trouble with its own key is not ours.
    (400, None, r"api[ _-]?key|unauthori[sz]ed|credential", Kind.OVERLOADED),
)


class Pollinations(OpenAICompatible):
    """Knows when an hour is over, and which models are for sale only."""

    @hookimpl
    def classify_error(self, request: ChatRequest, model: Model, answer: Answer) -> Failure:
        """Name a refusal by the tables; spent pollen is there again at the next full hour."""
        failure = super().classify_error(request, model, answer)
        if failure.unit != "pollen" or failure.retry_after is not None:
            return failure
        return replace(failure, resets_at=_next_hour(answer.headers.get("date", "")))

    def read_row(self, row: Json, model: ListedModel) -> ListedModel:
        """Tell a model that pollen of the free tiers does not buy; all others cost some of it, so nothing is said."""
        return replace(model, free=False if row.get("paid_only") is True else None)


def _next_hour(date: str) -> float | None:
    """Return the Unix time of the full hour after an HTTP date, None without one."""
    try:
        now = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
    return (now // _HOUR + 1) * _HOUR


provider = Pollinations(
    info=ProviderInfo(
        id="pollinations",
        title="Pollinations",
        signup_url="https://enter.pollinations.ai",
        docs_url="https://enter.pollinations.ai/api/docs",
        key_fields=(
            KeyField(
                name="token",
                title="Secret key",
                help="Begins with sk_. Keys that begin with pk_ are for browsers and slowed down by address.",
                pattern="^sk_",
            ),
        ),
        environment=("POLLINATIONS_API_KEY",),
        base_url="https://gen.pollinations.ai",
    ),
    catalogue=load_catalogue(__package__),
    chat=ChatWire(path="/v1/chat/completions"),
    models_path="/v1/models",
    key_proof=("/account/key", "valid"),  # the list of models is public
    refusals=_REFUSALS,
)
