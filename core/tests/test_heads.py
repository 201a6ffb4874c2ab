"""The head of a message as bytes."""

from __future__ import annotations

import pytest

from freellm.heads import head


def test_a_head_ends_with_an_empty_line() -> None:
    assert head("POST /x HTTP/1.1\r\nHost: a", {"X-One": "1", "X-Two": "é"}) == (
        "POST /x HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nX-Two: é\r\n\r\n".encode()
    )


def test_a_head_may_have_no_headers_but_its_makers_own() -> None:
    assert head("GET / HTTP/1.1\r\nHost: a", {}) == b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b"])
@pytest.mark.parametrize("where", ["name", "value"])
def test_a_header_cannot_become_two(value: str, where: str) -> None:
    headers = {value: "1"} if where == "name" else {"X-One": value}
    with pytest.raises(ValueError, match="line break"):
        head("GET / HTTP/1.1", headers)
