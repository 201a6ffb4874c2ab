"""What is slow for a model: the slow tenth of its newest answers, told apart by their kind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from freellm.delays import FEWEST, REMEMBERED, Delays


@given(st.lists(st.floats(0.01, 100), max_size=80), st.booleans())
def test_nine_in_ten_of_the_newest_are_no_slower(seconds: list[float], stream: bool) -> None:
    delays = Delays()
    for one in seconds:
        delays.note(one, stream=stream)
    newest = seconds[-REMEMBERED:]
    slow = delays.slow(stream=stream)
    if len(newest) < FEWEST:
        assert slow is None
    else:
        assert slow in newest
        assert sum(one <= slow for one in newest) >= 0.9 * len(newest)
        assert sum(one < slow for one in newest) < 0.9 * len(newest)
    assert delays.slow(stream=not stream) is None
