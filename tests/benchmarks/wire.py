"""The little of HTTP/1.1 that both the mock upstream and the load generator read by hand.

A general parser costs more per message than everything else these two do, and they must stay well ahead of the
proxies they measure. What they do not understand they refuse, so a proxy cannot gain by answering oddly.
"""

from __future__ import annotations

import socket
from typing import Final

HEAD_END: Final = b"\r\n\r\n"


def split_head(buffer: bytes) -> tuple[bytes, int] | None:
    """Return the head of the first message in lower case and where its body begins.

    :param buffer: what arrived so far
    :return: None while the head is incomplete
    """
    end = buffer.find(HEAD_END)
    return None if end < 0 else (buffer[: end + 2].lower(), end + 4)


def header(head: bytes, name: bytes) -> bytes | None:
    """Return one header's value.

    :param head: a head as `split_head` returns it: lower case, its last line closed by CRLF
    :param name: the header's name in lower case
    """
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return None
    start += len(name) + 3
    return head[start : head.index(b"\r\n", start)].strip()


def free_port() -> int:
    """Return a loopback TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
