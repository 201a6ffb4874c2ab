"""The facts of a refusal, wherever its body keeps them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from freellm.openai_compatible.durations import parse_number
from freellm.types import Answer, Json

LONGEST_MESSAGE: Final = 300
_STATUS_MEMBERS: Final = ("status_code", "status", "code")
_METADATA_CODES: Final = ("limit_source", "error_type")
_EPOCH: Final = 1e9
_EPOCH_MILLISECONDS: Final = 1e12


class Refusal(msgspec.Struct, frozen=True):
    """What a refusing answer says.

    :param status: the HTTP status, or the one its body states in its place
    :param codes: the machine-readable names in it, the most exact first
    :param message: its words, at most 300 characters
    :param param: the request field it names, the first one of several
    :param params: all the request fields it names
    :param error: the object the facts were read from
    :param prose: its words in full, for the patterns
    :param limit: the limit that the headers quoted in it state
    :param resets_at: the Unix time at which these say that there is quota again
    """

    status: int
    codes: tuple[str, ...]
    message: str
    param: str | None
    error: Json
    prose: str
    params: tuple[str, ...] = ()
    limit: int | None = None
    resets_at: float | None = None


def read_refusal(answer: Answer) -> Refusal:
    """Read a refusal from a body of any of the known shapes.

    These are `{"error": {…}}`, `{"error": "text"}`, `{"errors": [{…}]}` and `{"errors": {…}}`, members at the top level,
    a list of one such object, an error inside `choices[0]`, pydantic's `detail` list, and plain text. Gateways add `metadata`:
    a code of their own, the words of the service behind them (`raw`), the rate limit headers of its answer.
    """
    error = _error_of(answer.body)
    details, metadata = _details(error), _object(error.get("metadata"))
    prose = "; ".join(": ".join(filter(None, detail)) for detail in details) or _words(error) or _page(answer)
    if isinstance(raw := metadata.get("raw"), str) and raw:
        prose = f"{prose}: {raw}"
    param = details[0][0] if details else error.get("param")
    limit, resets_at = _quoted_quota(_object(metadata.get("headers")))
    return Refusal(
        status=_status(answer.status, error, _object(answer.body)),
        codes=_codes(error, ("code", "type", "status")) + _codes(metadata, _METADATA_CODES),
        message=shorten(prose or f"HTTP {answer.status} without a reason"),
        param=param if isinstance(param, str) and param else None,
        error=error,
        prose=prose,
        params=tuple(place for place, _ in details),
        limit=limit,
        resets_at=resets_at,
    )


def hides_error(body: Json) -> bool:
    """Tell whether a 2xx answer's body is an error, or its first choice has one."""
    return bool(body.get("error") or body.get("errors") or _in_choice(body))


def shorten(text: str) -> str:
    """Return the text on one line, at most 300 characters long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def _error_of(body: Any) -> Json:
    if isinstance(body, list) and body:
        return _error_of(body[0])
    if not isinstance(body, dict):
        return {"message": body} if isinstance(body, str) else {}
    for found in (body.get("error"), body.get("errors"), _in_choice(body)):
        if isinstance(found, list) and found:
            found = found[0]
        if isinstance(found, dict) and found:
            return found
        if isinstance(found, str) and found:
            return {**body, "message": found}
    return body


def _in_choice(body: Json) -> Any:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first.get("error") if isinstance(first, dict) else None


def _details(error: Json) -> list[tuple[str, str]]:
    """Return the fields and the words of pydantic's list of what is wrong, `detail: [{"loc": ["body", …], "msg"}]`."""
    wrapped = error.get("message")
    found = wrapped.get("detail") if isinstance(wrapped, dict) else error.get("detail")
    return [
        (".".join(str(step) for step in detail["loc"] if step != "body"), str(detail.get("msg", "")))
        for detail in (found if isinstance(found, list) else ())
        if isinstance(detail, dict) and isinstance(detail.get("loc"), list)
    ]


def _words(error: Json) -> str:
    for name in ("message", "detail", "title", "error"):
        value = error.get(name)
        if isinstance(value, str) and value:
            return value
        if value and name in ("message", "detail"):
            return msgspec.json.encode(value).decode()
    return ""


def _page(answer: Answer) -> str:
    text = answer.text.strip()
    return f"HTTP {answer.status} with an HTML page" if text.startswith("<") else text


def _status(status: int, error: Json, body: Json) -> int:
    # A gateway in front may answer 200 or 5xx while the body states what happened: the inner status is trusted.
    for holder in (error, body):
        for name in _STATUS_MEMBERS:
            inner = holder.get(name)
            if type(inner) is int and 400 <= inner <= 599:
                return inner
    return status


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _codes(error: Json, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(error[name]) for name in names if _is_name(error.get(name)))


def _quoted_quota(headers: Json) -> tuple[int | None, float | None]:
    """Return the limit and the Unix time of its reset that quoted headers state; the time may be in milliseconds."""
    quoted = {name.lower(): parse_number(str(value)) for name, value in headers.items()}
    limit, moment = quoted.get("x-ratelimit-limit"), quoted.get("x-ratelimit-reset")
    if moment is not None and moment >= _EPOCH_MILLISECONDS:
        moment /= 1_000
    known = moment if moment is not None and moment >= _EPOCH else None
    return None if limit is None else int(limit), known


def _is_name(value: Any) -> bool:
    return type(value) in (str, int) and value != ""
