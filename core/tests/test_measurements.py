"""Measurements: what answers and failures teach, how it fades, and how little is spent on models nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.measurements import EXPLORE_AFTER, EXPLORE_EVERY, FAULTS, HALF_LIFE, MEMORY, Measurements, Track
from freellm.types import Kind
from small_world import START

EVENTS = st.lists(
    st.tuples(
        st.floats(0, 2 * HALF_LIFE),
        st.one_of(
            st.none(), st.tuples(st.floats(0, 300), st.none() | st.floats(0, 300), st.integers(0, 10_000))
        ),
    ),
    max_size=40,
)


def track() -> Track:
    return Measurements().track("lab/m")


def everything_left() -> float:
    return 1.0


class TestTracks:
    def test_of_streams_divide_the_time_as_it_was(self) -> None:
        known = track()
        known.answered(3.0, 1.0, 100, START)
        measured = known.measured(START, everything_left)
        assert (measured.first_token, measured.tokens_per_second) == (1.0, 50.0)
        assert (measured.success, measured.answers, measured.attempts) == (1.0, 1.0, 1.0)

    def test_of_whole_answers_divide_the_time_as_streams_did(self) -> None:
        known = track()
        known.answered(3.0, 1.0, 100, START)
        known.answered(6.0, None, 100, START)  # twice as slow as the stream was
        measured = known.measured(START, everything_left)
        assert measured.first_token == pytest.approx(1.5, rel=0.02)
        assert measured.tokens_per_second == pytest.approx(100 / 3, rel=0.02)

    def test_of_a_short_whole_answer_do_not_say_that_the_model_writes_slowly(self) -> None:
        known = track()
        known.answered(2.0, None, 5, START)
        rate = known.measured(START, everything_left).tokens_per_second
        assert rate is not None
        assert rate > 20

    def test_of_a_stream_in_one_piece_are_finite(self) -> None:
        known = track()
        known.answered(1.0, 1.0, 100, START)
        assert known.measured(START, everything_left).tokens_per_second == pytest.approx(5_000)

    def test_fade_by_half_in_six_hours(self) -> None:
        known = track()
        known.failed(START)
        assert known.evidence(START + HALF_LIFE) == 0.5
        known.answered(1.0, 0.5, 10, START + HALF_LIFE)
        measured = known.measured(START + HALF_LIFE, everything_left)
        assert measured.success == pytest.approx(2 / 3, rel=0.02)

    def test_forget_what_was_before_the_last_thirty_or_so(self) -> None:
        known = track()
        for _ in range(1_000):
            known.failed(START)
        assert known.attempts == pytest.approx(MEMORY, rel=0.01)
        for _ in range(MEMORY):
            known.answered(1.0, 0.5, 10, START)
        success = known.measured(START, everything_left).success
        assert success is not None
        assert success > 0.6

    def test_of_nobody_say_nothing(self) -> None:
        measured = track().measured(START, everything_left)
        assert (measured.first_token, measured.tokens_per_second, measured.success) == (None, None, None)
        assert measured.quota_left == 1.0

    @given(EVENTS)
    def test_always_make_sense(
        self, events: list[tuple[float, tuple[float, float | None, int] | None]]
    ) -> None:
        known, now = track(), START
        for pause, answer in events:
            now += pause
            if answer is None:
                known.failed(now)
            else:
                known.answered(*answer, now)
        measured = known.measured(now, everything_left)
        assert 0.0 <= measured.answers <= measured.attempts <= MEMORY + 1e-6
        assert measured.success is None or 0.0 <= measured.success <= 1.0
        assert measured.first_token is None or measured.first_token >= 0.0
        assert measured.tokens_per_second is None or 0.0 < measured.tokens_per_second <= 5_000 * (1 + 1e-9)

    @given(EVENTS)
    def test_are_the_same_after_they_were_stored(
        self, events: list[tuple[float, tuple[float, float | None, int] | None]]
    ) -> None:
        home, now = Measurements(), START
        for pause, answer in events:
            now += pause
            if answer is None:
                home.track("lab/m").failed(now)
            else:
                home.track("lab/m").answered(*answer, now)
        states = home.dump()
        assert home.dump() == ()
        again = Measurements()
        again.load(states)
        assert again.track("lab/m").state() == home.track("lab/m").state()
        assert again.dump() == ()


def test_what_is_the_requests_or_the_keys_doing_is_no_fault() -> None:
    assert set(Kind) - FAULTS == {
        Kind.TOO_LARGE,
        Kind.CONTEXT_EXCEEDED,
        Kind.BAD_KEY,
        Kind.FORBIDDEN,
        Kind.PAYMENT_REQUIRED,
        Kind.MODEL_GONE,
        Kind.CONTENT_FILTERED,
        Kind.BAD_REQUEST,
        Kind.CANCELLED,
    }


def test_exploring_waits_for_attempts_and_for_time() -> None:
    home = Measurements()
    known = home.track("lab/m")
    for _ in range(EXPLORE_AFTER):
        assert not home.may_explore(START)
        known.failed(START)
    assert home.may_explore(START)
    known.wanted = True
    known.asked(START)
    assert not known.wanted
    for _ in range(EXPLORE_AFTER):
        known.failed(START)
    assert not home.may_explore(START + EXPLORE_EVERY - 1)
    assert home.may_explore(START + EXPLORE_EVERY)
