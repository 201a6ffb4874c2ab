"""The head of an HTTP message in one piece. For heads of a dozen short lines, whose maker has them as text."""

from __future__ import annotations

from collections.abc import Mapping


def head(lines: list[str], headers: Mapping[str, str]) -> bytes:
    """Return the bytes of a head, the empty line at its end included.

    :param lines: what stands before the headers; they are added to it
    :raises ValueError: when a header has a line break, which would make two of it
    """
    lines += [f"{name}: {value}" for name, value in headers.items()]
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1 or "\0" in text:
        raise ValueError("a header has a line break in it")
    return f"{text}\r\n\r\n".encode()
