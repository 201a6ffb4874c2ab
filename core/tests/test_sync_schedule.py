"""When a running server asks for lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from freellm.store.listings import ListedAt
from freellm.sync.schedule import APART, DAY, SETTLE, SPREAD, due
from small_world import START

WEEK = 7 * DAY


def test_nobody_to_ask_is_never() -> None:
    assert due([], {}, (), every=WEEK, started=START, last=START) is None


def test_the_first_list_waits_until_the_server_has_settled() -> None:
    assert due(["lab"], {}, (), every=WEEK, started=START, last=START) == (START + SETTLE, "lab")


def test_lists_come_one_after_the_other() -> None:
    asked = {"alp": ListedAt(START + 200, "")}
    assert due(["alp", "lab"], asked, (), every=WEEK, started=START, last=START + 200) == (
        START + 200 + APART,
        "lab",
    )


@given(st.text("abcdef", min_size=1), st.floats(0.1, 60.0))
def test_each_comes_once_in_the_time_that_is_set_or_a_little_later(name: str, days: float) -> None:
    every = days * DAY
    (at, _) = due([name], {name: ListedAt(START, "")}, (), every=every, started=0.0, last=0.0) or (0.0, "")
    assert START + every <= at <= START + every * (1 + SPREAD)


def test_providers_that_were_asked_together_do_not_stay_together() -> None:
    names = [f"lab-{number}" for number in range(15)]
    asked = {name: ListedAt(START, "") for name in names}
    times = {due([name], asked, (), every=WEEK, started=0.0, last=0.0) for name in names}
    assert len({at for at, _ in filter(None, times)}) == len(names)


def test_one_that_could_not_be_asked_or_lacked_a_model_is_asked_again_after_a_day() -> None:
    day = START + DAY, START + DAY * (1 + SPREAD)
    for asked, missing in ((ListedAt(START, "no answer"), ()), (ListedAt(START, ""), ("lab",))):
        at, _ = due(["lab"], {"lab": asked}, missing, every=WEEK, started=0.0, last=0.0) or (0.0, "")
        assert day[0] <= at <= day[1]
    at, _ = due(["lab"], {"lab": ListedAt(START, "x")}, (), every=DAY / 2, started=0.0, last=0.0) or (0.0, "")
    assert at < START + DAY
