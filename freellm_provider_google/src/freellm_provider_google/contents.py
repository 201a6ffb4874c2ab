"""Messages become contents: turns that alternate, begin with the user, and answer every call they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from freellm import ChatRequest, Json
from freellm_provider_google.dialects import Dialect
from freellm_provider_google.parts import parts_of, text_of

OPENING: Final = "Continue."
"""The user's turn where the service wants one and the conversation has none."""

BYPASS: Final = "skip_thought_signature_validator"
"""Google's documented stand-in for the signature of a call that another model made."""

_Numbered = tuple[int, Json]
_UNANSWERED: Final[tuple[int, Json | None]] = (-1, None)


def translate_messages(
    request: ChatRequest, dialect: Dialect, names: Mapping[str, str], model_id: str, *, fold_system: bool
) -> tuple[Json | None, list[Json]]:
    """Return `systemInstruction` (None without system messages) and `contents`.

    :param names: the tools' names as the service sees them, by their OpenAI names
    :param fold_system: put the system text before the first user text, for models without a system role
    :raises UntranslatableError: when a message holds what the service does not take
    """
    contents = _talk(request.messages)
    if contents is None:
        contents = _tool_talk(request, dialect, names, model_id)
    _open_and_close(contents, dialect)
    system = _system_text(request.messages)
    if system and fold_system:
        contents[0]["parts"].insert(0, {"text": system})
        system = ""
    return ({"parts": [{"text": system}]} if system else None), contents


def _talk(messages: Sequence[Json]) -> list[Json] | None:
    """Return the contents of a conversation without calls; None when it has any."""
    contents: list[Json] = []
    for index, message in enumerate(messages):
        role = message["role"]
        if role == "system":
            continue
        if role == "tool" or "tool_calls" in message:
            return None
        side = "model" if role == "assistant" else "user"
        content = message.get("content")
        if content.__class__ is str:
            parts = [{"text": content}] if content else []
        else:
            parts = parts_of(content, f"messages[{index}].content", strict=side == "user")
        _append(contents, side, parts)
    return contents


def _tool_talk(request: ChatRequest, dialect: Dialect, names: Mapping[str, str], model_id: str) -> list[Json]:
    """Return the contents of a conversation with calls: each model turn's calls are answered by the next user turn."""
    contents: list[Json] = []
    calls: list[Json] = []
    for role, block in _blocks(request.messages):
        if role == "user":
            _append(contents, role, _user_parts(block, calls, request, names))
            calls = []
        else:
            calls = [call for _, message in block for call in message.get("tool_calls") or ()]
            _append(contents, role, _model_parts(block, request, dialect, names, model_id))
    if calls:
        _append(contents, "user", _user_parts([], calls, request, names))
    _sign(contents, request, dialect)
    return contents


def _system_text(messages: Sequence[Json]) -> str:
    texts = [text_of(message.get("content")) for message in messages if message["role"] == "system"]
    return "\n\n".join([text for text in texts if text])


def _blocks(messages: Sequence[Json]) -> list[tuple[str, list[_Numbered]]]:
    """Group messages into runs of one side, system messages left out."""
    blocks: list[tuple[str, list[_Numbered]]] = []
    for index, message in enumerate(messages):
        if message["role"] == "system":
            continue
        side = "model" if message["role"] == "assistant" else "user"
        if not blocks or blocks[-1][0] != side:
            blocks.append((side, []))
        blocks[-1][1].append((index, message))
    return blocks


def _append(contents: list[Json], role: str, parts: list[Json]) -> None:
    if not parts:
        return
    if contents and contents[-1]["role"] == role:
        contents[-1]["parts"] += parts
    else:
        contents.append({"role": role, "parts": parts})


def _open_and_close(contents: list[Json], dialect: Dialect) -> None:
    if not contents or contents[0]["role"] == "model":
        contents.insert(0, {"role": "user", "parts": [{"text": OPENING}]})
    if contents[-1]["role"] == "model" and not dialect.prefill:
        contents.append({"role": "user", "parts": [{"text": OPENING}]})


def _user_parts(
    block: list[_Numbered], calls: list[Json], request: ChatRequest, names: Mapping[str, str]
) -> list[Json]:
    """Return one part per call, in call order, then what the results show, then what the user says."""
    results: dict[str, list[_Numbered]] = {}
    for index, message in block:
        if message["role"] == "tool":
            results.setdefault(message.get("tool_call_id", ""), []).append((index, message))
    parts, media, answered = [], [], set()
    for call in calls:
        found = results.get(call.get("id", ""))
        index, result = found.pop(0) if found else _UNANSWERED
        answered.add(index)
        parts.append(_response_part(call, result, request, names))
        media += _media_of(result, index)
    for index, message in block:
        if message["role"] != "tool":
            media += parts_of(message.get("content"), f"messages[{index}].content")
        elif index not in answered and (text := text_of(message.get("content"))):
            media.append({"text": f"A tool answered: {text}"})
    return parts + media


def _media_of(message: Json | None, index: int) -> list[Json]:
    if message is None or not isinstance(content := message.get("content"), list):
        return []
    return [part for part in parts_of(content, f"messages[{index}].content") if "text" not in part]


def _response_part(call: Json, message: Json | None, request: ChatRequest, names: Mapping[str, str]) -> Json:
    name = names[_function(call).get("name") or ""]
    if message is None:
        response = {"error": "The tool gave no result."}
    else:
        key = "error" if message.get("is_error") else "output"
        response = {key: text_of(message.get("content"))}
    return {"functionResponse": {**_call_id(call, request), "name": name, "response": response}}


def _model_parts(
    block: list[_Numbered], request: ChatRequest, dialect: Dialect, names: Mapping[str, str], model_id: str
) -> list[Json]:
    parts: list[Json] = []
    signed = dialect.signatures != "never" and "bypass_signatures" not in request.hints
    for index, message in block:
        parts += parts_of(message.get("content"), f"messages[{index}].content", strict=False)
        for call in message.get("tool_calls") or ():
            function = _function(call)
            part: Json = {
                "functionCall": {
                    **_call_id(call, request),
                    "name": names[function.get("name") or ""],
                    "args": _arguments(function),
                }
            }
            if signed and (signature := _signature(call, request.kept, model_id)):
                part["thoughtSignature"] = signature
            parts.append(part)
    return parts


def _sign(contents: list[Json], request: ChatRequest, dialect: Dialect) -> None:
    """Put the stand-in on the first call of each step that has no signature of its own."""
    if dialect.signatures != "required" and "bypass_signatures" not in request.hints:
        return
    for content in contents:
        if content["role"] == "model":
            calls = (part for part in content["parts"] if "functionCall" in part)
            if first := next(calls, None):
                first.setdefault("thoughtSignature", BYPASS)


def _call_id(call: Json, request: ChatRequest) -> Json:
    # The ids are optional and refused when only one side has them; a model that wants them says so once.
    return {"id": call.get("id", "")} if "call_ids" in request.hints else {}


def _function(call: Json) -> Json:
    function: Json = call.get("function") or call.get("custom") or {}
    return function


def _signature(call: Json, kept: Mapping[str, Any], model_id: str) -> str | None:
    if own := kept.get(call.get("id", "")):
        return own.get("signature") if isinstance(own, Mapping) else None
    extra = call.get("extra_content")
    google = extra.get("google") if isinstance(extra, Mapping) else None
    # Signatures are valid for the model that gave them; without its name the client's word is taken.
    if not isinstance(google, Mapping) or google.get("model", model_id) != model_id:
        return None
    signature = google.get("thought_signature")
    return signature if isinstance(signature, str) and signature else None


def _arguments(function: Json) -> Json:
    """Return a call's arguments as an object; what is not one is wrapped."""
    raw = function.get("arguments")
    if raw is None and "input" in function:
        return {"input": function["input"]}
    value = _parsed(raw) if isinstance(raw, str) else raw
    return value if isinstance(value, dict) else {"arguments": value}


def _parsed(text: str) -> Any:
    try:
        value = json.loads(text) if text.strip() else {}
        if "\\u" in text:
            # An escaped half of a surrogate pair parses, and could never be sent.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return text
    return value
