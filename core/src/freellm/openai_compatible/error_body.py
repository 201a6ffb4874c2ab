"""The facts of a refusal, wherever its body keeps them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from freellm.types import Answer, Json

LONGEST_MESSAGE: Final = 300
_STATUS_MEMBERS: Final = ("status_code", "status", "code")


class Refusal(msgspec.Struct, frozen=True):
    """What a refusing answer says.

    :param status: the HTTP status, or the one its body states in its place
    :param codes: the machine-readable names in it, the most exact first
    :param message: its words, at most 300 characters
    :param param: the request field it names, the first one of several
    :param params: all the request fields it names
    :param error: the object the facts were read from
    :param prose: its words in full, for the patterns
    """

    status: int
    codes: tuple[str, ...]
    message: str
    param: str | None
    error: Json
    prose: str
    params: tuple[str, ...] = ()


def read_refusal(answer: Answer) -> Refusal:
    """Read a refusal from a body of any of the known shapes.

    These are `{"error": {…}}`, `{"error": "text"}`, `{"errors": [{…}]}` and `{"errors": {…}}`, members at the top level,
    a list of one such object, an error inside `choices[0]`, pydantic's `detail` list, and plain text.
    """
    error = _error_of(answer.body)
    details = _details(error)
    prose = "; ".join(": ".join(filter(None, detail)) for detail in details) or _words(error) or _page(answer)
    param = details[0][0] if details else error.get("param")
    return Refusal(
        status=_status(answer.status, error),
        codes=tuple(str(error[name]) for name in ("code", "type", "status") if _is_name(error.get(name))),
        message=shorten(prose or f"HTTP {answer.status} without a reason"),
        param=param if isinstance(param, str) and param else None,
        error=error,
        prose=prose,
        params=tuple(place for place, _ in details),
    )


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


def _status(status: int, error: Json) -> int:
    # A gateway in front may answer 200 or 5xx while the body states what happened: the inner status is trusted.
    for name in _STATUS_MEMBERS:
        inner = error.get(name)
        if type(inner) is int and 400 <= inner <= 599:
            return inner
    return status


def _is_name(value: Any) -> bool:
    return type(value) in (str, int) and value != ""
