"""Checking a conversation's messages and saying them in one way, whatever way the client said them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from freellm.errors import RequestError
from freellm.types import Json


class Conversation:
    """The messages of a request, checked one after the other.

    :ivar messages: the messages in one form: `developer` is `system`, legacy function calls are tool calls
    :ivar tool_call_ids: the ids of all tool calls
    :ivar images: whether there is an image
    :ivar remote_images: whether an image is named by address
    """

    __slots__ = ("_answered", "images", "messages", "remote_images", "tool_call_ids")

    def __init__(self, raw: Any) -> None:
        if not isinstance(raw, list):
            raise _wrong("messages", "a list of messages", raw)
        if not raw:
            raise RequestError(
                "messages is empty; send at least one, such as {'role': 'user', 'content': 'Hello'}",
                param="messages",
                code="empty_array",
            )
        self.tool_call_ids: list[str] = []
        self.images = False
        self.remote_images = False
        self.messages: list[Json] = [
            message if _is_plain(message) else self._message(message, f"messages[{index}]")
            for index, message in enumerate(raw)
        ]

    def _message(self, message: Any, path: str) -> Json:
        if not isinstance(message, dict):
            raise _wrong(path, "an object with role and content", message)
        role = message.get("role")
        check = _ROLES.get(role) if isinstance(role, str) else None
        if check is None:
            raise _wrong(f"{path}.role", f"one of {', '.join(_ROLES)}", role)
        return check(self, message, path)

    def _text(self, message: Json, path: str) -> Json:
        self._content(message.get("content"), f"{path}.content", ("text",))
        return {**message, "role": "system"} if message["role"] == "developer" else message

    def _user(self, message: Json, path: str) -> Json:
        self._content(message.get("content"), f"{path}.content", tuple(_PARTS))
        return message

    def _assistant(self, message: Json, path: str) -> Json:
        if (call := message.get("function_call")) is not None:
            message = _legacy_call(message, call, path, len(self.tool_call_ids))
        calls = message.get("tool_calls")
        if calls:
            self._tool_calls(calls, f"{path}.tool_calls")
        if message.get("content") is not None:
            self._content(message["content"], f"{path}.content", ("text", "refusal"))
        elif not calls and message.get("refusal") is None:
            raise _wrong(f"{path}.content", "a string, unless the message has tool_calls", None)
        return message

    def _tool_calls(self, calls: Any, path: str) -> None:
        if not isinstance(calls, list):
            raise _wrong(path, "a list of tool calls", calls)
        for index, call in enumerate(calls):
            function = call.get("function") if isinstance(call, dict) else None
            if not isinstance(function, dict) or not isinstance(function.get("name"), str):
                raise _wrong(f"{path}[{index}]", "an object with id, type and function.name", call)
            if not isinstance(function.get("arguments", ""), str):
                raise _wrong(f"{path}[{index}].function.arguments", "a JSON text", function["arguments"])
            if not isinstance(call.get("id"), str) or not call["id"]:
                raise _wrong(f"{path}[{index}].id", "a string", call.get("id"))
            self.tool_call_ids.append(call["id"])

    def _tool(self, message: Json, path: str) -> Json:
        if message["role"] == "function":
            message = _legacy_result(message, path, self.tool_call_ids)
        call_id = message.get("tool_call_id")
        if not isinstance(call_id, str):
            raise _wrong(f"{path}.tool_call_id", "the id of the tool call it answers", call_id)
        if call_id not in self.tool_call_ids:
            raise RequestError(
                f"{path}.tool_call_id is {call_id!r:.60}, but no earlier assistant message has a tool call with that id; "
                "send the assistant message with its tool_calls before the tool message",
                param=f"{path}.tool_call_id",
            )
        self._content(message.get("content"), f"{path}.content", ("text", "image_url"))
        return message

    def _content(self, content: Any, path: str, allowed: Sequence[str]) -> None:
        if isinstance(content, str):
            return
        if not isinstance(content, list) or not content:
            raise _wrong(path, "a string or a list of content parts", content)
        for index, part in enumerate(content):
            kind = part.get("type") if isinstance(part, dict) else None
            if kind is None or kind not in allowed:
                raise _wrong(f"{path}[{index}].type", f"one of {', '.join(allowed)}", kind)
            _PARTS[kind](self, part, f"{path}[{index}]")

    def _text_part(self, part: Json, path: str) -> None:
        if not isinstance(part.get("text", part.get("refusal")), str):
            raise _wrong(f"{path}.text", "a string", part.get("text"))

    def _image_part(self, part: Json, path: str) -> None:
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else None
        if not isinstance(url, str) or not url.startswith(("data:image/", "https://", "http://")):
            expected = "an http(s) address or a data URI such as data:image/png;base64,…"
            raise _wrong(f"{path}.image_url.url", expected, url)
        self.images = True
        if not url.startswith("data:"):
            self.remote_images = True

    def _media_part(self, part: Json, path: str) -> None:
        if not isinstance(part.get(part["type"]), dict):
            raise _wrong(f"{path}.{part['type']}", "an object", part.get(part["type"]))


def _is_plain(message: Any) -> bool:
    """Tell whether a message is nothing but a text: most are, and there is nothing to check in them or to say otherwise."""
    return (
        message.__class__ is dict
        and message.get("content").__class__ is str
        and message.get("role") in ("user", "assistant", "system")
        and "tool_calls" not in message
        and "function_call" not in message
    )


_PARTS: Mapping[str, Callable[[Conversation, Json, str], None]] = {
    "text": Conversation._text_part,  # noqa: SLF001 - the class's own table
    "refusal": Conversation._text_part,  # noqa: SLF001
    "image_url": Conversation._image_part,  # noqa: SLF001
    "input_audio": Conversation._media_part,  # noqa: SLF001
    "file": Conversation._media_part,  # noqa: SLF001
}

_ROLES: Mapping[str, Callable[[Conversation, Json, str], Json]] = {
    "system": Conversation._text,  # noqa: SLF001
    "developer": Conversation._text,  # noqa: SLF001
    "user": Conversation._user,  # noqa: SLF001
    "assistant": Conversation._assistant,  # noqa: SLF001
    "tool": Conversation._tool,  # noqa: SLF001
    "function": Conversation._tool,  # noqa: SLF001
}


def _legacy_call(message: Json, call: Any, path: str, number: int) -> Json:
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        raise _wrong(f"{path}.function_call", "an object with name and arguments", call)
    rest = {name: value for name, value in message.items() if name != "function_call"}
    return {**rest, "tool_calls": [{"id": f"call_legacy{number}", "type": "function", "function": call}]}


def _legacy_result(message: Json, path: str, tool_call_ids: Sequence[str]) -> Json:
    if not tool_call_ids:
        raise _wrong(
            path, "a function message after an assistant message with function_call", message.get("name")
        )
    rest = {name: value for name, value in message.items() if name != "name"}
    return {
        **rest,
        "role": "tool",
        "tool_call_id": tool_call_ids[-1],
        "content": message.get("content") or "",
    }


def _wrong(param: str, expected: str, value: Any) -> RequestError:
    got = "nothing" if value is None else repr(value)[:60]
    return RequestError(f"{param} must be {expected}; got {got}", param=param)
