from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.administration.masking import mask


@given(st.text("abcdefghij", max_size=80))
def test_a_third_is_shown_at_most_and_never_more_than_four_at_an_end(text: str) -> None:
    shown = mask(text)
    head, _, tail = shown.partition("…")
    assert len(head) + len(tail) <= min(len(text) // 3, 8)
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(text) >= 5 or shown == "…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "…"),
        ("abcd", "…"),
        ("abcde", "…e"),
        ("abcdefghi", "a…hi"),
        ("gsk_" + "x" * 40 + "7f3a", "gsk_…7f3a"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert mask(text) == shown
