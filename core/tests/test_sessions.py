"""A conversation finds the route that answered it last, and only its own."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.sessions import MOST, REST, TTL, Sessions, digests, named
from freellm.types import Json

NOW = 1_800_000_000.0


def digest(messages: list[Json]) -> bytes:
    """Return the digest of a conversation."""
    return digests(messages)[0]


def earlier(messages: list[Json]) -> bytes | None:
    """Return the digest it had when its last answer was asked for."""
    return digests(messages)[1]


def said(*texts: str) -> list[Json]:
    """Return a conversation in which user and assistant take turns."""
    return [{"role": ("user", "assistant")[index % 2], "content": text} for index, text in enumerate(texts)]


@given(st.lists(st.text(), min_size=1, max_size=6), st.text(), st.text())
def test_the_next_turn_finds_the_digest_of_the_turn_before(
    texts: list[str], answer: str, question: str
) -> None:
    turns = said(*texts) if len(texts) % 2 else said(*texts, "?")
    assert earlier([*turns, *said("", answer)[1:], *said(question)]) == digest(turns)


@given(st.lists(st.text(), min_size=1, max_size=5), st.lists(st.text(), min_size=1, max_size=5))
def test_only_equal_conversations_have_equal_digests(one: list[str], other: list[str]) -> None:
    assert (digest(said(*one)) == digest(said(*other))) == (one == other)


def test_conversations_that_begin_alike_differ_at_the_last_answer() -> None:
    first = earlier(said("Hello", "Hi!", "And now?"))
    second = earlier([{"role": "system", "content": "Be brief."}, *said("Hello", "Hi!", "And now?")])
    assert first != second


@pytest.mark.parametrize(
    ("messages", "before"),
    [
        (said("Hello"), None),
        ([{"role": "system", "content": "x"}, *said("Hello")], None),
        ([{"role": "assistant", "content": "Hi!"}, *said("Hello")], None),
        (said("Hello", "Hi!"), 1),
        (said("Hello", "Hi!", "And now?"), 1),
        (said("a", "b", "c", "d", "e"), 3),
        ([*said("a", "b"), {"role": "tool", "content": "x"}, {"role": "tool", "content": "y"}], 1),
    ],
)
def test_what_comes_before_the_last_answer_is_the_request_that_got_it(
    messages: list[Json], before: int | None
) -> None:
    assert earlier(messages) == (None if before is None else digest(messages[:before]))


def test_a_conversation_with_every_kind_of_text_has_a_digest() -> None:
    odd = orjson.loads(b'[{"role": "user", "content": "\\u0000 \\ud83d\\ude00 \xe2\x80\xa8"}]')
    assert len(digest(odd)) == 20


def test_a_named_session_is_its_name_even_when_the_header_was_not_utf_8() -> None:
    assert named("mine") == named("mine") != named("yours")
    assert len(named(b"\xff".decode("utf-8", "surrogateescape"))) == 20


def test_a_route_is_remembered_for_half_an_hour_after_its_last_answer() -> None:
    sessions = Sessions()
    sessions.remember(b"s", "lab/m#k", NOW)
    assert sessions.find(b"s", NOW + TTL - 1) == ("lab/m#k", "lab/m#k", NOW)
    assert sessions.find(b"s", NOW + TTL) is None
    assert sessions.find(b"t", NOW) is None
    sessions.remember(b"s", "lab/n#k", NOW + TTL)
    assert sessions.find(b"s", NOW + 2 * TTL - 1) == ("lab/n#k", "lab/n#k", NOW + TTL)
    assert TTL == 1_800


def test_the_least_recently_used_session_is_forgotten_first() -> None:
    sessions = Sessions()
    for number in range(MOST):
        sessions.remember(b"%d" % number, "r", NOW)
    sessions.remember(b"0", "r", NOW)
    sessions.remember(b"new", "r", NOW)
    assert len(sessions) == MOST == 10_000
    assert sessions.find(b"0", NOW)
    assert sessions.find(b"1", NOW) is None
    assert sessions.find(b"2", NOW)


def test_a_conversation_that_was_handed_over_may_go_back_after_a_rest() -> None:
    sessions = Sessions()
    sessions.remember(b"s", "lab/n#k", NOW, home="lab/m#k")
    place = sessions.find(b"s", NOW + REST)
    assert place is not None
    assert (place.route, place.home) == ("lab/n#k", "lab/m#k")
    assert not place.may_return(NOW + REST - 1)
    assert place.may_return(NOW + REST)
    sessions.remember(b"s", "lab/m#k", NOW)
    at_home = sessions.find(b"s", NOW + REST)
    assert at_home is not None
    assert not at_home.may_return(NOW + REST)
    assert REST == 300
