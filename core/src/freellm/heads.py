"""The head of an HTTP message in one piece. For heads of a dozen short lines, whose maker has them as text."""

from __future__ import annotations

from collections.abc import Mapping


def head(first: str, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of a head, the empty line at its end included.

    :param first: the lines before the headers, which are the maker's own
    :param headers: the headers
    :raises ValueError: when a header has a line break, which would make two of it
    """
    lines = "".join([f"\r\n{name}: {value}" for name, value in headers.items()])
    ends = len(headers)
    if lines.count("\n") != ends or lines.count("\r") != ends or "\0" in lines:
        raise ValueError("a header has a line break in it")
    return f"{first}{lines}\r\n\r\n".encode()
