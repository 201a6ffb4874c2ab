"""Messages as a service takes them; those that need no change stay the same objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from freellm.types import Failure, Json, Kind

MESSAGE_FIELDS: Final = frozenset({"role", "content", "name", "tool_calls", "tool_call_id"})
"""The members of a message that any OpenAI-speaking service takes. Reasoning of earlier turns is not among them."""

_TEXT: Final = "text"
_IMAGE: Final = "image_url"


class _UnfitError(Exception):
    """A message holds what the model cannot take; caught in this module."""


def fit_messages(
    messages: Sequence[Json], *, images: bool, null_content: str | None
) -> Sequence[Json] | Failure:
    """Return the messages with the members and contents that a service takes.

    Contents of several text parts become one text. Members that are null, and members OpenAI does not know, go.

    :param images: whether the model takes images; then contents with images stay lists of parts
    :param null_content: what stands for a null content; None leaves the member out
    :return: the same sequence when nothing had to change, or a failure when a part is of a kind the model cannot take
    """
    for message in messages:
        if len(message) != 2 or message.get("content").__class__ is not str:
            break
    else:  # the plain case: a role and a text each
        return messages
    try:
        return [_fit(message, images, null_content) for message in messages]
    except _UnfitError as error:
        return Failure(kind=Kind.BAD_REQUEST, message=str(error), param="messages")


def _fit(message: Json, images: bool, null_content: str | None) -> Json:
    content = message.get("content")
    if isinstance(content, list):
        content = _fit_parts(content, images and message.get("role") == "user")
    elif content is None:
        content = null_content
    if (
        content is message.get("content")
        and MESSAGE_FIELDS.issuperset(message)
        and None not in message.values()
    ):
        return message
    kept = {name: value for name, value in message.items() if name in MESSAGE_FIELDS and value is not None}
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
