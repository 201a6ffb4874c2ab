"""Refusals named in the router's words, by tables: the provider's first, then the one all services share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from freellm.openai_compatible.amends import amended, named_parameter
from freellm.openai_compatible.durations import clamp, find_wait, parse_duration, parse_number, retry_after
from freellm.openai_compatible.error_body import Refusal, read_refusal
from freellm.openai_compatible.quota_headers import QuotaHeaders
from freellm.openai_compatible.salvage import salvaged_completion
from freellm.types import Answer, ChatRequest, Failure, Kind, Reading

RefusalRow: TypeAlias = tuple[int | None, str | None, str | None, Kind | Failure]
"""A HTTP status, a machine-readable code or type, a regular expression for the words (each None fits all), and what a
refusal that fits all three means. A `Failure` states more than the kind; a message in it is put before the service's, a
wait in it holds when the service states none."""

_LONG_WINDOW: Final = (
    r"(?=.*(?:quota|limit|exhaust|usage|allocation|exceeded))"
    r".*(?:per[ -]?day|\b[tr]pd\b|\bdaily\b|per 86400s|by ?day|weekly|per month|/ month|monthly|session usage)"
)
_CONTEXT: Final = (
    r"context[ _](?:length|window|size)|maximum context|prompt is too long|too many (?:input )?tokens"
    r"|reduce the length of the (?:messages|input|prompt)|input token count|longer than the maximum"
)
_LIMIT_NAMED: Final = r"max_(?:completion_)?tokens\W{1,2}(?:must be|is too large)"
_KEY: Final = r"api[ _-]?key|api token|access token|unauthori[sz]ed|authentication|credential"
_MODEL: Final = (
    r"model\b.{0,80}\b(?:not (?:found|exist|available|a valid)|does not exist|decommissioned|deprecated|retired)"
    r"|(?:no such|unknown|invalid) model|not a valid model"
)
_CAPACITY: Final = (
    r"over ?capacity|out of capacity|capacity exceeded|high (?:traffic|demand)|overloaded|queue"
)

GENERIC: Final[tuple[RefusalRow, ...]] = (
    (None, "context_length_exceeded", None, Kind.CONTEXT_EXCEEDED),
    (None, "invalid_api_key", None, Failure(kind=Kind.BAD_KEY, scope="key")),
    (None, "model_not_found", None, Failure(kind=Kind.MODEL_GONE, scope="model")),
    (None, "content_filter", None, Kind.CONTENT_FILTERED),
    (None, "content_policy_violation", None, Kind.CONTENT_FILTERED),
    (400, None, _LIMIT_NAMED, Kind.BAD_REQUEST),
    (400, None, _CONTEXT, Kind.CONTEXT_EXCEEDED),
    (400, None, _KEY, Failure(kind=Kind.BAD_KEY, scope="key")),
    (400, None, _MODEL, Failure(kind=Kind.MODEL_GONE, scope="model")),
    (401, None, None, Failure(kind=Kind.BAD_KEY, scope="key")),
    (402, None, None, Failure(kind=Kind.PAYMENT_REQUIRED, scope="key")),
    (403, None, _KEY, Failure(kind=Kind.BAD_KEY, scope="key")),
    (403, None, None, Kind.FORBIDDEN),
    (404, None, None, Failure(kind=Kind.MODEL_GONE, scope="model")),
    (408, None, None, Kind.OVERLOADED),
    (409, None, None, Kind.OVERLOADED),
    (410, None, None, Failure(kind=Kind.MODEL_GONE, scope="model")),
    (413, None, _CONTEXT, Kind.CONTEXT_EXCEEDED),
    (413, None, None, Kind.TOO_LARGE),
    (422, None, _CONTEXT, Kind.CONTEXT_EXCEEDED),
    (429, None, _LONG_WINDOW, Kind.QUOTA_EXHAUSTED),
    (429, None, r"concurren|simultaneous|in[- ]flight", Kind.CONCURRENCY),
    (429, None, _CAPACITY, Kind.OVERLOADED),
    (429, None, None, Kind.RATE_LIMITED),
    (451, None, None, Kind.CONTENT_FILTERED),
    (498, None, None, Failure(kind=Kind.BAD_KEY, scope="key")),
    (499, None, None, Kind.NETWORK),
    (None, "rate_limit_exceeded", None, Kind.RATE_LIMITED),
    (None, "invalid_request_error", None, Kind.BAD_REQUEST),
    (None, "server_error", None, Kind.OVERLOADED),
    (None, "internal_server_error", None, Kind.OVERLOADED),
    (None, "overloaded_error", None, Kind.OVERLOADED),
)

_BY_CLASS: Final[Mapping[int, Kind]] = {
    0: Kind.NETWORK,
    4: Kind.BAD_REQUEST,
    5: Kind.OVERLOADED,
}
_TIMED: Final = frozenset({Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED, Kind.CONCURRENCY, Kind.OVERLOADED})
_LONG_WAIT: Final = 15 * 60.0
"""A wait longer than this many seconds is the sign of a long window, whatever the words say."""

_POOL: Final = re.compile(r"(requests|tokens) per (minute|hour|day)", re.IGNORECASE)
_WINDOWS: Final = {"minute": 60.0, "hour": 3_600.0, "day": 86_400.0}
_LIMIT: Final = re.compile(r"\blimit:? (\d+)\b", re.IGNORECASE)
_USED: Final = re.compile(r"\bused:? (\d+)\b", re.IGNORECASE)
_LARGEST: Final = re.compile(
    r"(?:maximum context length (?:is|of)|context window (?:is|of)|limit(?: is|:)?|allowed|max(?:imum)? size:?)"
    r" \(?(\d{3,})\b"
    r"|\b(\d{3,}) maximum context length",
    re.IGNORECASE,
)


class RefusalTable:
    """Names refusals by an ordered table; the first row that fits wins.

    :param rows: the provider's rows, asked before the generic ones
    :param quota_headers: reads how long an empty pool needs
    :param account_pattern: a regular expression whose group is the account that the words name
    :param salvage: the error member that holds what the model wrote, and a regular expression for the messages after
        which tool calls are rescued from it
    """

    __slots__ = ("_account", "_quota_headers", "_rows", "_salvage")

    def __init__(
        self,
        rows: Sequence[RefusalRow],
        quota_headers: QuotaHeaders | None = None,
        account_pattern: str | None = None,
        salvage: tuple[str, str] | None = None,
    ) -> None:
        self._rows = [
            (
                status,
                code,
                re.compile(words, re.IGNORECASE | re.DOTALL) if words else None,
                _template(meaning),
            )
            for status, code, words, meaning in (*rows, *GENERIC)
        ]
        self._quota_headers = quota_headers or QuotaHeaders({})
        self._account = re.compile(account_pattern) if account_pattern else None
        self._salvage = (salvage[0], re.compile(salvage[1], re.IGNORECASE)) if salvage else None

    def classify(self, request: ChatRequest, answer: Answer) -> Failure:
        """Return the failure that an answer means."""
        refusal = read_refusal(answer)
        failure = _measured(self._meaning(refusal), refusal)
        if failure.kind in _TIMED:
            failure = self._timed(failure, refusal, answer)
        account = self._account.search(refusal.prose) if self._account else None
        message = f"{failure.message}: {refusal.message}" if failure.message else refusal.message
        return msgspec.structs.replace(
            failure,
            message=message,
            account=failure.account or (account[1] if account else None),
            salvaged=self._salvaged(request, refusal),
            **_corrected(request, failure, refusal),
        )

    def place(self, answer: Answer) -> int | None:
        """Return the place of the row that names a refusal, the generic rows after the provider's; None without one."""
        return self._place(read_refusal(answer))

    def _place(self, refusal: Refusal) -> int | None:
        for place, (status, code, words, _) in enumerate(self._rows):
            if (
                (status is None or status == refusal.status)
                and (code is None or code in refusal.codes)
                and (words is None or words.search(refusal.prose))
            ):
                return place
        return None

    def _meaning(self, refusal: Refusal) -> Failure:
        place = self._place(refusal)
        if place is None:
            return Failure(kind=_BY_CLASS.get(refusal.status // 100, Kind.BAD_ANSWER))
        return self._rows[place][3]

    def _timed(self, failure: Failure, refusal: Refusal, answer: Answer) -> Failure:
        wait, resets_at = retry_after(answer.headers)
        if wait is None:
            wait, resets_at = _stated_wait(refusal), resets_at or refusal.resets_at
        if (spent := self._quota_headers.spent(answer.headers)) is not None:
            wait = spent.resets_in if wait is None else wait
            failure = _of_pool(failure, spent)
        if wait is None:
            wait = find_wait(refusal.prose)
        long = failure.kind == Kind.RATE_LIMITED and wait is not None and wait > _LONG_WAIT
        return msgspec.structs.replace(
            failure,
            kind=Kind.QUOTA_EXHAUSTED if long else failure.kind,
            retry_after=failure.retry_after if wait is None else clamp(wait),
            resets_at=resets_at,
        )

    def _salvaged(self, request: ChatRequest, refusal: Refusal) -> dict[str, object] | None:
        if self._salvage is None:
            return None
        member, words = self._salvage
        text = refusal.error.get(member)
        if not isinstance(text, str) or not words.search(refusal.prose):
            return None
        return salvaged_completion(request, text)


def _template(meaning: Kind | Failure) -> Failure:
    return meaning if isinstance(meaning, Failure) else Failure(kind=meaning)


def _stated_wait(refusal: Refusal) -> float | None:
    for name in ("retry_after", "retryAfter"):
        value = refusal.error.get(name)
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, str):
            number = parse_number(value)
            return parse_duration(value) if number is None else number
    return None


def _of_pool(failure: Failure, spent: Reading) -> Failure:
    """Return a refusal for a limit that it does not name with the pool that the headers say is empty."""
    if failure.kind not in (Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED) or failure.unit or failure.window:
        return failure
    daily = spent.window is not None and spent.window >= _WINDOWS["day"]
    kind = Kind.QUOTA_EXHAUSTED if daily else failure.kind
    return msgspec.structs.replace(failure, kind=kind, unit=spent.unit, window=spent.window)


def _measured(failure: Failure, refusal: Refusal) -> Failure:
    if failure.kind in (Kind.CONTEXT_EXCEEDED, Kind.TOO_LARGE):
        largest = _LARGEST.search(refusal.prose)
        return msgspec.structs.replace(failure, limit=int(largest[1] or largest[2])) if largest else failure
    if failure.kind not in (Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED):
        return failure
    pool, limit, used = (words.search(refusal.prose) for words in (_POOL, _LIMIT, _USED))
    return msgspec.structs.replace(
        failure,
        unit=failure.unit or (pool[1].lower() if pool else None),
        window=failure.window or (_WINDOWS[pool[2].lower()] if pool else None),
        limit=failure.limit or refusal.limit or (int(limit[1]) if limit and pool else None),
        used=failure.used if failure.used is not None else int(used[1]) if used and limit and pool else None,
    )


def _corrected(request: ChatRequest, failure: Failure, refusal: Refusal) -> dict[str, object]:
    if failure.kind != Kind.BAD_REQUEST:
        return {}
    param = named_parameter(request, refusal)
    return {"param": param, "amend": amended(request, param, refusal)}
