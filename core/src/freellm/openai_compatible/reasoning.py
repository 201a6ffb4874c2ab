"""Reasoning: the text models write into `<think>` tags, and the two names of the field that carries it."""

from __future__ import annotations

from typing import Any, Final

from freellm.types import Json

OPEN: Final = "<think>"
CLOSE: Final = "</think>"


def mirror(message: Json) -> Json | None:
    """Return the reasoning fields that a message or delta lacks, None when it lacks none.

    Half of the clients read `reasoning_content`, the other half `reasoning`.
    """
    content, other = message.get("reasoning_content"), message.get("reasoning")
    text = content or other
    if not isinstance(text, str) or content == other:
        return None
    return {"reasoning": text, "reasoning_content": text}


def split_parts(content: Any) -> tuple[str, Any]:
    """Split a content of several parts into its reasoning, in parts of type `thinking`, and the other parts.

    :return: the reasoning, empty when there is none, and the content without it
    """
    if not isinstance(content, list) or not any(map(_is_thinking, content)):
        return "", content
    thoughts = [part.get("thinking") for part in content if _is_thinking(part)]
    texts = [
        str(piece.get("text") or "") if isinstance(piece, dict) else str(piece)
        for thought in thoughts
        for piece in (thought if isinstance(thought, list) else [thought or ""])
    ]
    return "".join(texts), [part for part in content if not _is_thinking(part)]


def _is_thinking(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "thinking"


def split_whole(text: str) -> tuple[str, str]:
    """Split a whole answer into its leading reasoning and the rest.

    An opening tag may be missing: some templates write it into the prompt.

    :return: the reasoning, empty when there is none, and the answer
    """
    head, closed, tail = text.partition(CLOSE)
    if not closed:
        return ("", text) if not text.lstrip().startswith(OPEN) else (text.lstrip()[len(OPEN) :].strip(), "")
    before, opened, reasoning = head.partition(OPEN)
    if before.strip() and opened:
        return "", text  # the tags stand in the middle of an answer: it speaks about them
    return (reasoning if opened else before).strip(), tail.lstrip()


class ThinkSplitter:
    """Splits streamed text into a leading `<think>…</think>` and the answer, across the borders of chunks.

    Only an explicit opening tag counts: without one, the reasoning could be told from the answer only when it is over.
    """

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""

    @property
    def settled(self) -> bool:
        """Whether all further text is the answer's."""
        return self._state == "answer"

    def feed(self, text: str) -> tuple[str, str]:
        """Return what this piece adds to the reasoning and to the answer."""
        text, self._held = self._held + text, ""
        reasoning = ""
        if self._state == "start":
            stripped = text.lstrip()
            if stripped.startswith(OPEN):
                self._state, text = "thinking", stripped[len(OPEN) :]
            elif OPEN.startswith(stripped):
                self._held = text
                return "", ""
            else:
                self._state = "answer"
        if self._state == "thinking":
            reasoning, text = self._think(text)
        if self._state == "gap":  # blank lines between the reasoning and the answer
            text = text.lstrip()
            self._state = "answer" if text else "gap"
        return reasoning, text

    def flush(self) -> tuple[str, str]:
        """Return what is still held when the text is over."""
        held, self._held = self._held, ""
        return (held, "") if self._state == "thinking" else ("", held)

    def _think(self, text: str) -> tuple[str, str]:
        reasoning, closed, rest = text.partition(CLOSE)
        if closed:
            self._state = "gap"
            return reasoning, rest
        kept = next((n for n in range(len(CLOSE) - 1, 0, -1) if text.endswith(CLOSE[:n])), 0)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept], ""
