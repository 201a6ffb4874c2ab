from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.errors import PluginError
from freellm.openai_compatible.durations import clamp, find_wait, parse_duration, parse_number, retry_after
from freellm.openai_compatible.error_body import LONGEST_MESSAGE, read_refusal
from freellm.openai_compatible.quota_headers import QuotaHeaders
from freellm.openai_compatible.refusals import RefusalRow, RefusalTable
from freellm.openai_compatible.salvage import salvaged_completion
from freellm.types import Answer, ChatRequest, Failure, Json, Kind, Reading

HELLO = [{"role": "user", "content": "Hello"}]
HEADERS = QuotaHeaders(
    {
        "x-limit": ("requests", 60.0, "limit"),
        "x-left": ("requests", 60.0, "remaining"),
        "x-reset": ("requests", 60.0, "reset"),
        "x-tokens": ("tokens", 86_400.0, "remaining"),
    }
)


def classified(
    answer: Answer, *rows: RefusalRow, request: ChatRequest | None = None, **options: Any
) -> Failure:
    table = RefusalTable(rows, HEADERS, options.get("account"), options.get("salvage"))
    before = deepcopy((request, answer))
    failure = table.classify(request or ChatRequest(messages=HELLO), answer)
    assert (request, answer) == before
    return failure


def refusal(status: int, message: str = "", headers: Json | None = None, **error: Any) -> Answer:
    return Answer(status=status, headers=headers or {}, body={"error": {"message": message, **error}})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7.66s", 7.66),
        ("825ms", 0.825),
        ("2m59.56s", 179.56),
        ("9m38.016s", 578.016),
        ("1h2m3s", 3723.0),
        ("1d", 86_400.0),
        ("2d3h", 183_600.0),
        ("5m", 300.0),
        ("90 seconds", 90.0),
        ("2 minutes", 120.0),
        ("1 hour", 3_600.0),
        ("0.5 hours", 1_800.0),
        ("20 ms", 0.02),
        ("3 mins", 180.0),
        ("1 minute 30 seconds", 90.0),
        (" 47s ", 47.0),
        ("", None),
        ("s", None),
        ("soon", None),
        ("5 models", None),
        ("5", None),
        ("-5s", None),
    ],
)
def test_durations_are_read_in_every_form(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == (None if seconds is None else pytest.approx(seconds))


@given(
    st.integers(0, 9), st.integers(0, 23), st.integers(0, 59), st.floats(0, 59.999).map(lambda s: round(s, 3))
)
def test_any_go_duration_is_read(days: int, hours: int, minutes: int, seconds: float) -> None:
    text = f"{days}d{hours}h{minutes}m{seconds}s"
    assert parse_duration(text) == pytest.approx(days * 86_400 + hours * 3_600 + minutes * 60 + seconds)


@given(st.text(max_size=20))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (parse_duration, parse_number, find_wait):
        found = read(text)
        assert found is None or found >= 0


@pytest.mark.parametrize(
    ("prose", "seconds"),
    [
        ("Please try again in 9m38.016s. Need more tokens?", 578.016),
        ("Please try again in 825ms.", 0.825),
        ("\nPlease retry in 25.46s.", 25.46),
        ("Please wait 52220 seconds before retrying.", 52_220.0),
        ("Quota resets in 2 hours", 7_200.0),
        ("Retry after 30s", 30.0),
        ("Please retry your request with 3 models", None),
        ("no wait stated", None),
    ],
)
def test_a_wait_is_found_in_prose(prose: str, seconds: float | None) -> None:
    assert find_wait(prose) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "12"}, (12.0, None)),
        ({"retry-after": "0.5"}, (0.5, None)),
        ({"retry-after": "1m3s"}, (63.0, None)),
        ({"retry-after-ms": "300", "retry-after": "5"}, (0.3, None)),
        (
            {"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT", "date": "Mon, 23 Nov 2026 10:00:00 GMT"},
            (30.0, 1_795_428_030.0),
        ),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT"}, (None, 1_795_428_030.0)),
        ({"retry-after": "later"}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_retry_after_is_read_in_every_form(headers: Json, wait: tuple[float | None, float | None]) -> None:
    assert retry_after(headers) == wait


def test_a_wait_is_at_least_a_second_and_at_most_a_day() -> None:
    assert [clamp(seconds) for seconds in (0.1, 60.0, 1e9)] == [1.0, 60.0, 86_400.0]


@pytest.mark.parametrize(
    ("body", "message", "codes", "status"),
    [
        ({"error": {"message": "a", "code": "b", "type": "c"}}, "a", ("b", "c"), 400),
        ({"error": "text"}, "text", (), 400),
        ([{"error": {"message": "a", "code": 429, "status": "X"}}], "a", ("429", "X"), 429),
        ({"message": "a", "type": "b", "code": "1300"}, "a", ("1300", "b"), 400),
        ({"errors": [{"code": 7003, "message": "a"}]}, "a", ("7003",), 400),
        ({"errors": {"code": 5006, "message": "a"}}, "a", ("5006",), 400),
        ({"errors": [], "success": False}, "HTTP 400 without a reason", (), 400),
        ({"title": "Too Many Requests", "status": 429}, "Too Many Requests", ("429",), 429),
        ({"detail": "Unauthorized"}, "Unauthorized", (), 400),
        ({"detail": [{"loc": ["body", "x"]}]}, "x", (), 400),
        (
            {"detail": [{"loc": ["body", "x", 0], "msg": "no"}, {"loc": ["y"], "msg": "so"}]},
            "x.0: no; y: so",
            (),
            400,
        ),
        ({"message": {"detail": [{"loc": ["body", "x"], "msg": "no"}]}, "type": "b"}, "x: no", ("b",), 400),
        ({"detail": ["x"]}, '["x"]', (), 400),
        ({"choices": [{"error": {"code": 502, "message": "a"}}]}, "a", ("502",), 502),
        ({"status": 502, "error": {"code": "BAD_GATEWAY", "message": "a"}}, "a", ("BAD_GATEWAY",), 502),
        (
            {
                "error": {
                    "message": "a",
                    "code": 402,
                    "metadata": {"limit_source": "s", "error_type": "t", "raw": "b"},
                }
            },
            "a: b",
            ("402", "s", "t"),
            402,
        ),
        ({"error": {"message": "a", "metadata": {"raw": {"error": "b"}}}}, "a", (), 400),
        ({"error": {"message": "a", "metadata": "b"}}, "a", (), 400),
        ("text", "text", (), 400),
        (None, "a page", (), 400),
        (7, "a page", (), 400),
    ],
)
def test_the_facts_are_found_wherever_a_body_keeps_them(
    body: Any, message: str, codes: tuple[str, ...], status: int
) -> None:
    found = read_refusal(Answer(status=400, headers={}, body=body, text="" if body == {} else "a page"))
    if isinstance(body, dict) and body.get("errors") == []:
        found = read_refusal(Answer(status=400, headers={}, body=body))
    assert (found.message, found.codes, found.status) == (message, codes, status)


@pytest.mark.parametrize(
    ("headers", "limit", "resets_at"),
    [
        ({"X-RateLimit-Limit": "50", "X-RateLimit-Reset": "1741305600000"}, 50, 1_741_305_600.0),
        ({"X-RateLimit-Reset": 1_741_305_600}, None, 1_741_305_600.0),
        ({"X-RateLimit-Limit": "many", "X-RateLimit-Reset": "60"}, None, None),
        ("none", None, None),
    ],
)
def test_a_quoted_answer_tells_the_limit_and_the_reset(
    headers: Any, limit: int | None, resets_at: float | None
) -> None:
    error = {"message": "Slow down", "code": 429, "metadata": {"headers": headers}}
    found = classified(Answer(status=429, headers={}, body={"error": error}))
    assert (found.limit, found.resets_at, found.retry_after) == (limit, resets_at, None)


def test_the_answer_s_own_wait_goes_before_a_quoted_one() -> None:
    error = {"message": "m", "code": 429, "metadata": {"headers": {"X-RateLimit-Reset": "1741305600000"}}}
    found = classified(Answer(status=429, headers={"retry-after": "7"}, body={"error": error}))
    assert (found.retry_after, found.resets_at) == (7.0, None)


def test_a_row_s_wait_holds_where_the_refusal_states_none() -> None:
    row = (503, None, None, Failure(kind=Kind.OVERLOADED, retry_after=600.0))
    table = RefusalTable([row], QuotaHeaders({}), None, None)
    assert table.classify(ChatRequest(messages=()), refusal(503)).retry_after == 600.0
    stated = Answer(status=503, headers={"retry-after": "7"}, body={})
    assert table.classify(ChatRequest(messages=()), stated).retry_after == 7.0


def test_a_long_message_is_shortened() -> None:
    assert len(classified(refusal(400, "word " * 200)).message) == LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(400, "bad field"), Kind.BAD_REQUEST),
        (refusal(400, "maximum context length is 4096 tokens"), Kind.CONTEXT_EXCEEDED),
        (refusal(400, "API key not valid"), Kind.BAD_KEY),
        (refusal(400, "x is not a valid model ID"), Kind.MODEL_GONE),
        (refusal(401), Kind.BAD_KEY),
        (refusal(402), Kind.PAYMENT_REQUIRED),
        (refusal(403, "not in your country"), Kind.FORBIDDEN),
        (refusal(403, "invalid api key"), Kind.BAD_KEY),
        (refusal(404), Kind.MODEL_GONE),
        (refusal(408), Kind.OVERLOADED),
        (refusal(409), Kind.OVERLOADED),
        (refusal(410), Kind.MODEL_GONE),
        (refusal(413), Kind.TOO_LARGE),
        (refusal(418), Kind.BAD_REQUEST),
        (refusal(422), Kind.BAD_REQUEST),
        (refusal(429), Kind.RATE_LIMITED),
        (refusal(429, "Rate limit of 50 per 86400s exceeded for UserByModelByDay"), Kind.QUOTA_EXHAUSTED),
        (refusal(429, "you have reached your weekly usage limit"), Kind.QUOTA_EXHAUSTED),
        (refusal(429, "limited to 1000 API calls / month"), Kind.QUOTA_EXHAUSTED),
        (refusal(429, "slow down, today is a busy day"), Kind.RATE_LIMITED),
        (refusal(429, "Too many concurrent requests"), Kind.CONCURRENCY),
        (refusal(429, "We're experiencing high traffic"), Kind.OVERLOADED),
        (refusal(451), Kind.CONTENT_FILTERED),
        (refusal(498), Kind.BAD_KEY),
        (refusal(499), Kind.NETWORK),
        (refusal(500), Kind.OVERLOADED),
        (refusal(503), Kind.OVERLOADED),
        (refusal(529), Kind.OVERLOADED),
        (refusal(500, "quota", code=429), Kind.RATE_LIMITED),
        (refusal(200, "odd"), Kind.BAD_ANSWER),
        (refusal(200, "slow", code="rate_limit_exceeded"), Kind.RATE_LIMITED),
        (refusal(302), Kind.BAD_ANSWER),
        (refusal(400, "no", code="content_filter"), Kind.CONTENT_FILTERED),
        (refusal(0), Kind.NETWORK),
        (refusal(500, "the request had 404 tokens and 429 words"), Kind.OVERLOADED),
    ],
)
def test_what_no_provider_names_is_named_by_status_and_words(answer: Answer, kind: Kind) -> None:
    assert classified(answer).kind == kind


def test_the_providers_rows_come_first_and_in_order() -> None:
    rows: tuple[RefusalRow, ...] = (
        (429, "busy", None, Kind.OVERLOADED),
        (429, None, "vip", Failure(kind=Kind.FORBIDDEN, scope="account", message="ask for access")),
        (None, "7", None, Kind.MODEL_GONE),
    )
    assert classified(refusal(429, code="busy"), *rows).kind == Kind.OVERLOADED
    vip = classified(refusal(429, "VIP only"), *rows)
    assert (vip.kind, vip.scope, vip.message) == (Kind.FORBIDDEN, "account", "ask for access: VIP only")
    assert classified(refusal(500, type=7), *rows).kind == Kind.MODEL_GONE
    assert classified(refusal(429, "slow"), *rows).kind == Kind.RATE_LIMITED


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (refusal(429, "try again in 9s", {"retry-after": "3"}), 3.0),
        (refusal(429, "try again in 9s", retry_after=4), 4.0),
        (refusal(429, "try again in 9s", retryAfter="5s"), 5.0),
        (refusal(429, "try again in 9s", {"x-left": "0", "x-reset": "6s"}), 6.0),
        (refusal(429, "try again in 9s", {"x-left": "1", "x-reset": "6s"}), 9.0),
        (refusal(429, "slow down"), None),
        (refusal(503, "try again in 0.2s"), 1.0),
        (refusal(400, "try again in 9s"), None),
    ],
)
def test_the_first_wait_that_is_stated_counts(answer: Answer, wait: float | None) -> None:
    assert classified(answer).retry_after == wait


def test_a_wait_of_more_than_a_quarter_hour_is_a_long_window() -> None:
    assert classified(refusal(429, "", {"retry-after": "901"})).kind == Kind.QUOTA_EXHAUSTED
    assert classified(refusal(429, "", {"retry-after": "900"})).kind == Kind.RATE_LIMITED


def test_the_headers_name_the_pool_that_a_refusal_does_not_name() -> None:
    minute = classified(refusal(429, "Slow down", {"x-left": "0", "x-reset": "7"}))
    assert (minute.kind, minute.unit, minute.window) == (Kind.RATE_LIMITED, "requests", 60.0)
    day = classified(refusal(429, "Slow down", {"x-left": "0", "x-reset": "7", "x-tokens": "0"}))
    assert (day.kind, day.unit, day.window) == (Kind.QUOTA_EXHAUSTED, "tokens", 86_400.0)
    named = classified(refusal(429, "Requests per minute limit exceeded", {"x-tokens": "0"}))
    assert (named.kind, named.unit, named.window) == (Kind.RATE_LIMITED, "requests", 60.0)
    busy = classified(refusal(429, "out of capacity", {"x-tokens": "0"}))
    assert (busy.kind, busy.unit) == (Kind.OVERLOADED, None)


def test_a_rows_wait_holds_until_the_service_states_one() -> None:
    row: RefusalRow = (429, None, None, Failure(kind=Kind.RATE_LIMITED, retry_after=60.0))
    assert classified(refusal(429), row).retry_after == 60.0
    assert classified(refusal(429, headers={"retry-after": "3"}), row).retry_after == 3.0


def test_a_refusals_figures_are_read() -> None:
    day = classified(refusal(429, "on requests per day (RPD): Limit 1000, Used 1000"))
    assert (day.unit, day.window, day.limit) == ("requests", 86_400.0, 1000)
    assert classified(refusal(400, "maximum context length is 4096 tokens, got 5000")).limit == 4096
    assert classified(refusal(413, "Request body too large. Max size: 8000 tokens.")).limit == 8000
    assert classified(refusal(429, "limit 12 reached")).limit is None


def test_an_account_is_read_from_the_words() -> None:
    failure = classified(refusal(429, "in organization `org_1a`"), account=r"`(org_\w+)`")
    assert failure.account == "org_1a"


PARAMETERS = {"temperature": 1, "logprobs": True, "max_tokens": 9_000, "tools": [], "stop": ["x"]}


@pytest.mark.parametrize(
    ("message", "error", "param", "left"),
    [
        ("property 'logprobs' is unsupported", {}, "logprobs", {"logprobs"}),
        ("Unsupported parameter: 'temperature'", {}, "temperature", {"temperature"}),
        ("Unrecognized request argument supplied: logprobs", {}, "logprobs", {"logprobs"}),
        ("`logprobs` is not supported with this model", {}, "logprobs", {"logprobs"}),
        ("no", {"param": "temperature"}, "temperature", {"temperature"}),
        ("property 'reasoning' is unsupported", {}, None, None),
        ("`tools` is not supported", {}, "tools", None),
        ("no", {"param": "stop"}, "stop", None),
        ("no", {"param": "messages[0].content"}, "messages[0].content", None),
        ("max_completion_tokens is too large: 9000", {}, "max_tokens", {"max_tokens"}),
    ],
)
def test_a_refused_parameter_is_dropped_unless_the_answer_would_be_another(
    message: str, error: Json, param: str | None, left: set[str] | None
) -> None:
    request = ChatRequest(messages=HELLO, parameters=PARAMETERS)
    failure = classified(refusal(400, message, **error), request=request)
    assert (failure.kind, failure.param) == (Kind.BAD_REQUEST, param)
    dropped = None if failure.amend is None else PARAMETERS.keys() - failure.amend.parameters.keys()
    assert dropped == left


def test_all_the_fields_of_a_validation_error_are_dropped_at_once() -> None:
    request = ChatRequest(messages=HELLO, parameters={"top_k": 1, "min_p": 0.1, "seed": 2})
    details = [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs"}
        for name in ("top_k", "min_p")
    ]
    failure = classified(Answer(status=422, headers={}, body={"detail": details}), request=request)
    assert (failure.kind, failure.param) == (Kind.BAD_REQUEST, "top_k")
    assert failure.amend == ChatRequest(messages=HELLO, parameters={"seed": 2})
    details.append({"type": "missing", "loc": ["body", "tools"], "msg": "odd"})
    request = ChatRequest(messages=HELLO, parameters={**request.parameters, "tools": []})
    assert classified(Answer(status=422, headers={}, body={"detail": details}), request=request).amend is None


def test_a_wait_that_a_row_states_holds_when_the_service_states_none() -> None:
    row = (429, None, None, Failure(kind=Kind.RATE_LIMITED, retry_after=5.0))
    assert classified(refusal(429, "slow down"), row).retry_after == 5.0
    assert classified(refusal(429, "try again in 7s"), row).retry_after == 7.0


def test_a_limit_that_is_too_high_is_lowered_to_the_one_stated_and_only_once() -> None:
    request = ChatRequest(messages=HELLO, parameters=PARAMETERS)
    answer = refusal(400, "`max_tokens` must be less than or equal to `8192`")
    amended = classified(answer, request=request).amend
    assert amended is not None
    assert amended.parameters == {**PARAMETERS, "max_tokens": 8_192}
    assert classified(answer, request=amended).amend is None


TOOLS = [{"type": "function", "function": {"name": name}} for name in ("read", "write")]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ('<function=read>{"a": 1}</function>', [("read", '{"a": 1}')]),
        ('<function=read={"a": 1}</function>', [("read", '{"a": 1}')]),
        ('<function=read{"a": 1}</function>', [("read", '{"a": 1}')]),
        ("<function=read></function>", [("read", "{}")]),
        (
            '<function=read>{"a": 1}</function>\n<function=write>{}</function>',
            [("read", '{"a": 1}'), ("write", "{}")],
        ),
        ('read{"a": 1}</function>', [("read", '{"a": 1}')]),
        ('{"name": "read", "arguments": {"a": 1}}', [("read", '{"a":1}')]),
        ('[{"name": "read", "parameters": {"a": 1}}]', [("read", '{"a":1}')]),
        ('{"tool_calls": [{"function": {"name": "read", "arguments": "{}"}}]}', [("read", "{}")]),
        ('```json\n{"name": "read"}\n```', [("read", "{}")]),
        ('<tool_call>\n{"name": "read", "arguments": {}}\n</tool_call>', [("read", "{}")]),
        ("<function=delete>{}</function>", None),
        ('<function=read>{"a": </function>', None),
        ("I would read the file.", None),
        ('{"name": ', None),
        ("[]", None),
        ("7", None),
        ("", None),
    ],
)
def test_calls_written_as_text_are_rescued_when_all_of_it_is_understood(
    text: str, calls: list[tuple[str, str]] | None
) -> None:
    request = ChatRequest(messages=HELLO, parameters={"tools": TOOLS})
    made = salvaged_completion(request, text)
    assert made == salvaged_completion(request, text)
    if calls is None:
        assert made is None
    else:
        assert made is not None
        message = made["choices"][0]["message"]
        found = [(c["function"]["name"], c["function"]["arguments"]) for c in message["tool_calls"]]
        assert found == calls
        assert len({c["id"] for c in message["tool_calls"]}) == len(calls)


def test_a_rescue_keeps_to_what_the_client_asked_for() -> None:
    text = "<function=read></function><function=write></function>"
    none = ChatRequest(messages=HELLO, parameters={"tools": TOOLS, "tool_choice": "none"})
    assert salvaged_completion(none, text) is None
    one = ChatRequest(messages=HELLO, parameters={"tools": TOOLS, "parallel_tool_calls": False})
    made = salvaged_completion(one, text)
    assert made is not None
    assert len(made["choices"][0]["message"]["tool_calls"]) == 1


def test_only_the_stated_member_and_messages_are_rescued() -> None:
    request = ChatRequest(messages=HELLO, parameters={"tools": TOOLS})
    salvage = ("failed", "^could not read")
    good = refusal(400, "Could not read the call", failed="<function=read></function>")
    other = refusal(400, "The call is wrong", failed="<function=read></function>")
    assert classified(good, request=request, salvage=salvage).salvaged
    assert classified(other, request=request, salvage=salvage).salvaged is None
    assert classified(good, request=request).salvaged is None


@pytest.mark.parametrize(
    ("headers", "readings"),
    [
        (
            {"x-limit": "30", "x-left": "29", "x-reset": "2.5"},
            [Reading(unit="requests", window=60.0, limit=30, remaining=29, resets_in=2.5)],
        ),
        (
            {"x-reset": "1795428030", "date": "Mon, 23 Nov 2026 10:00:00 GMT"},
            [Reading(unit="requests", window=60.0, resets_in=30)],
        ),
        (
            {"x-reset": "1795428030000", "date": "Mon, 23 Nov 2026 10:00:00 GMT"},
            [Reading(unit="requests", window=60.0, resets_in=30)],
        ),
        ({"x-reset": "1795428030"}, []),
        ({"x-tokens": "5"}, [Reading(unit="tokens", window=86_400.0, remaining=5)]),
        ({"x-tokens": "many", "x-reset": "soon", "x-limit": "nan"}, []),
        ({}, []),
    ],
)
def test_quota_headers_become_readings(headers: Json, readings: list[Reading]) -> None:
    assert HEADERS.read(headers) == readings


def test_a_header_row_that_names_another_figure_is_refused() -> None:
    with pytest.raises(PluginError, match="x-used"):
        QuotaHeaders({"x-used": ("requests", 60.0, "used")})
