"""Messages as a service takes them; those that need no change stay the same objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from freellm.types import Failure, Json, Kind

MESSAGE_FIELDS: Final = frozenset({"role", "content", "name", "tool_calls", "tool_call_id"})
"""The members of a message that any OpenAI-speaking service takes. Reasoning of earlier turns is not among them."""

CALL_FIELDS: Final = frozenset({"id", "type", "function"})
"""The members of a tool call that OpenAI knows. What models put beside them, such as signatures, is of no use to others."""

_TEXT: Final = "text"
_IMAGE: Final = "image_url"


class _UnfitError(Exception):
    """A message holds what the model cannot take; caught in this module."""


def fit_messages(
    messages: Sequence[Json],
    *,
    images: bool,
    null_content: str | None,
    call_extras: bool = False,
    fields: frozenset[str] = MESSAGE_FIELDS,
) -> Sequence[Json] | Failure:
    """Return the messages with the members and contents that a service takes.

    Contents of several text parts become one text. Members that are null, and members the service does not take, go.

    :param images: whether the model takes images; then contents with images stay lists of parts
    :param null_content: what stands for a null content; None leaves the member out
    :param call_extras: whether members of tool calls that OpenAI does not know stay
    :param fields: the members of a message that the service takes
    :return: the same sequence when nothing had to change, or a failure when a part is of a kind the model cannot take
    """
    for message in messages:
        if len(message) != 2 or message.get("content").__class__ is not str:
            break
    else:  # the plain case: a role and a text each
        return messages
    try:
        return [_fit(message, images, null_content, call_extras, fields) for message in messages]
    except _UnfitError as error:
        return Failure(kind=Kind.BAD_REQUEST, message=str(error), param="messages")


def _fit(
    message: Json, images: bool, null_content: str | None, call_extras: bool, fields: frozenset[str]
) -> Json:
    content, calls = message.get("content"), message.get("tool_calls")
    if calls and not call_extras and not all(CALL_FIELDS.issuperset(call) for call in calls):
        known = [{name: value for name, value in call.items() if name in CALL_FIELDS} for call in calls]
        message = {**message, "tool_calls": known}
    if isinstance(content, list):
        content = _fit_parts(content, images and message.get("role") == "user")
    elif content is None:
        content = null_content
    if content is message.get("content") and fields.issuperset(message) and None not in message.values():
        return message
    kept = {name: value for name, value in message.items() if name in fields and value is not None}
    if content is not None:
        kept["content"] = content
    return kept


def _fit_parts(parts: list[Any], images: bool) -> str | list[Any]:
    kinds = {part.get("type") if isinstance(part, dict) else None for part in parts}
    if kinds <= {_TEXT}:
        return "\n".join(part.get("text") or "" for part in parts)
    if images and kinds <= {_TEXT, _IMAGE}:
        return parts
    unfit = ", ".join(sorted(str(kind) for kind in kinds - {_TEXT}))
    raise _UnfitError(f"the model takes no content parts of type {unfit}")
