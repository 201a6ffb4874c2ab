"""Z.ai's free GLM models: an OpenAI-speaking service on two hosts, which refuses by codes of its own.

The models and their limits are in `catalogue.toml`. The codes are those of Z.ai's and BigModel's tables of errors (state
of 2026-11-23). The HTTP status is 429, 400 or 200 for several of them, so the code decides.
"""

import re
from datetime import datetime, timedelta, timezone

from freellm import (
    Answer,
    AnswerShape,
    ChatRequest,
    ChatWire,
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

# What the SDK 0.2.3 of Z.ai can say of OpenAI's parameters. Whether its user_id takes any `user` is not known.
_FORWARD = frozenset({"response_format", "seed", "stop", "temperature", "tool_choice", "tools", "top_p"})

_BAD_KEY = Failure(kind=Kind.BAD_KEY, scope="key")
_LOCKED = Failure(kind=Kind.BAD_KEY, scope="account")
_GONE = Failure(kind=Kind.MODEL_GONE, scope="model")
_UNPAID = Failure(kind=Kind.PAYMENT_REQUIRED, scope="route")
_SPENT = Failure(kind=Kind.QUOTA_EXHAUSTED, scope="account")

_MEANINGS: dict[str, Kind | Failure] = {
    "1000": _BAD_KEY,
    "1001": _BAD_KEY,
    "1002": _BAD_KEY,
    "1003": _BAD_KEY,
    "1004": _BAD_KEY,
    "1100": _LOCKED,
    "1110": _LOCKED,
    "1111": _LOCKED,
    "1112": _LOCKED,
    "1120": _LOCKED,
    "1121": _LOCKED,
    # No balance and no package for this model; the free ones of the same account still answer.
    "1113": _UNPAID,
    "1210": Kind.BAD_REQUEST,
    "1211": _GONE,
    "1212": Kind.BAD_REQUEST,
    "1213": Kind.BAD_REQUEST,
    "1214": Kind.BAD_REQUEST,
    "1215": Kind.BAD_REQUEST,
    "1220": _GONE,
    "1221": _GONE,
    "1222": _GONE,
    "1230": Kind.OVERLOADED,
    "1234": Kind.OVERLOADED,
    "500": Kind.OVERLOADED,
    "1261": Kind.CONTEXT_EXCEEDED,
    "1301": Kind.CONTENT_FILTERED,
    # Too many at once, and too often: both pass within seconds, and no header says when.
    "1302": Failure(kind=Kind.CONCURRENCY, scope="account", retry_after=2.0),
    "1303": Failure(kind=Kind.RATE_LIMITED, retry_after=5.0),
    "1304": Kind.QUOTA_EXHAUSTED,
    "1305": Kind.OVERLOADED,
    "1312": Kind.OVERLOADED,
    "1308": _SPENT,
    "1310": _SPENT,
    "1309": _UNPAID,
    "1311": _UNPAID,
    "1313": _UNPAID,
}
_REFUSALS: tuple[tuple[int | None, str | None, None, Kind | Failure], ...] = (
    *((None, code, None, meaning) for code, meaning in _MEANINGS.items()),
    (405, None, None, Kind.BAD_ANSWER),  # a page of the edge, in front of the service
)

# "Your limit will reset at 2026-11-24 00:00:00": no zone is stated; the service is China's.
_RESET = re.compile(r"reset at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_CHINA = timezone(timedelta(hours=8))


class Zhipu(OpenAICompatible):
    """Switches thinking in Z.ai's way, and reads when a plan's window resets."""

    @hookimpl
    def translate_request(self, request: ChatRequest, model: Model, key: Key) -> Upstream | Failure:
        """Send the request, with the reasoning effort as `thinking`."""
        upstream = super().translate_request(request, model, key)
        effort = request.parameters.get("reasoning_effort")
        if (
            isinstance(upstream, Failure)
            or upstream.body is None
            or effort is None
            or "reasoning" not in model.abilities
        ):
            return upstream
        thinking = {"type": "disabled" if effort in ("none", "minimal") else "enabled"}
        dropped = [name for name in upstream.dropped if name != "reasoning_effort"]
        return replace(upstream, body={**upstream.body, "thinking": thinking}, dropped=dropped)

    @hookimpl
    def classify_error(self, request: ChatRequest, model: Model, answer: Answer) -> Failure:
        """Name a refusal by its code."""
        failure = super().classify_error(request, model, answer)
        stated = _RESET.search(failure.message)
        if stated is None or failure.kind != Kind.QUOTA_EXHAUSTED:
            return failure
        moment = datetime.strptime(stated[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=_CHINA)
        return replace(failure, resets_at=moment.timestamp())


provider = Zhipu(
    info=ProviderInfo(
        id="zhipu",
        title="Z.ai (Zhipu GLM)",
        signup_url="https://z.ai/manage-apikey/apikey-list",
        docs_url="https://docs.z.ai",
        key_fields=(
            KeyField(
                name="token",
                title="API key",
                help="Made under API keys at z.ai, or at open.bigmodel.cn in China.",
                pattern=r"^[^.\s]+\.[^.\s]+$",
            ),
        ),
        environment=("ZAI_API_KEY", "ZHIPU_API_KEY", "ZHIPUAI_API_KEY", "BIGMODEL_API_KEY"),
        base_url="https://api.z.ai/api/paas/v4",
        alternative_base_urls=("https://open.bigmodel.cn/api/paas/v4",),
        first_byte_timeout=60.0,  # GLM-4.7-Flash was seen to take up to 41 seconds
    ),
    catalogue=load_catalogue(__package__),
    chat=ChatWire(
        forward=_FORWARD,
        # The open interval from 0 to 1: the SDK moves what is outside to these.
        bounds={"temperature": (0.01, 0.99), "top_p": (0.01, 0.99)},
        tool_choices=frozenset({"auto"}),  # the only one that is documented
        ask_usage=False,  # the last chunk has it
    ),
    answers=AnswerShape(
        finish_reasons={
            "sensitive": "content_filter",
            "network_error": None,
            "model_context_window_exceeded": "length",
        },
    ),
    refusals=_REFUSALS,
)
