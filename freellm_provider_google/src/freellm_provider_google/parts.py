"""Content parts: OpenAI's, with data URIs, become Gemini's, with inline data."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from freellm import Json

_MIME_ALIASES: Final = {
    "image/jpg": "image/jpeg",
    "audio/mpeg3": "audio/mpeg",
    "": "application/octet-stream",
}
_FILE_TYPES: Final = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
}


class UntranslatableError(ValueError):
    """A part of the request has no counterpart in the Gemini API.

    :param message: what is wrong, for the person who sent it
    :param param: the OpenAI request field at fault
    """

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


def parts_of(content: Any, where: str, *, strict: bool = True) -> list[Json]:
    """Return the Gemini parts of an OpenAI message content; empty texts are left out.

    :param content: a string, a list of content parts, or None
    :param where: the field's path, for the error
    :param strict: whether an unknown kind of part is an error; otherwise it is left out
    :raises UntranslatableError: for a remote URL, a file id, broken data, or an unknown part when `strict`
    """
    if isinstance(content, str):
        return [{"text": content}] if content else []
    parts = []
    for index, part in enumerate(content or ()):
        reader = _READERS.get(part.get("type", "text"))
        if reader is not None:
            parts += reader(part, f"{where}[{index}]")
        elif strict:
            raise UntranslatableError(
                f"content parts of type {part['type']!r} are not taken", f"{where}[{index}]"
            )
    return parts


def text_of(content: Any) -> str:
    """Return the text of an OpenAI message content, its text parts joined with line breaks."""
    if isinstance(content, str):
        return content
    return "\n".join(
        part["text"] for part in content or () if isinstance(part.get("text"), str) and part["text"]
    )


def _text(part: Mapping[str, Any], where: str) -> list[Json]:
    text = part.get("text") or part.get("refusal")
    return [{"text": text}] if isinstance(text, str) and text else []


def _link(part: Mapping[str, Any], where: str) -> list[Json]:
    link = part.get(part["type"])
    url = link.get("url") if isinstance(link, Mapping) else link
    return [_inline_uri(url, where)]


def _audio(part: Mapping[str, Any], where: str) -> list[Json]:
    audio = part.get("input_audio") or {}
    return [_inline(f"audio/{audio.get('format') or 'wav'}", audio.get("data"), where)]


def _file(part: Mapping[str, Any], where: str) -> list[Json]:
    file = part.get("file") or {}
    data = file.get("file_data")
    if not isinstance(data, str):
        raise UntranslatableError("a file is taken as data only, not by its id", where)
    if data[:5].lower() == "data:":
        return [_inline_uri(data, where)]
    suffix = str(file.get("filename", "")).rpartition(".")[2].lower()
    return [_inline(_FILE_TYPES.get(suffix, "application/pdf"), data, where)]


def _inline_uri(url: Any, where: str) -> Json:
    if not isinstance(url, str) or url[:5].lower() != "data:":
        raise UntranslatableError("media is taken as a data URI only, not by a remote address", where)
    header, comma, data = url[5:].partition(",")
    if not comma:
        raise UntranslatableError("this is not a data URI: the comma before the data is missing", where)
    mime, *options = header.split(";")
    if "base64" not in options:
        data = base64.b64encode(unquote_to_bytes(data)).decode("ascii")
    return _inline(mime.lower(), data, where)


def _inline(mime: str, data: Any, where: str) -> Json:
    if not isinstance(data, str) or not data:
        raise UntranslatableError("the data is missing", where)
    return {"inlineData": {"mimeType": _MIME_ALIASES.get(mime, mime), "data": data}}


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], str], list[Json]]]] = {
    "text": _text,
    "refusal": _text,
    "image_url": _link,
    "video_url": _link,
    "input_audio": _audio,
    "file": _file,
}
