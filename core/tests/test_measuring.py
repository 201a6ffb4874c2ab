import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from freellm.measuring import Reading, Result
from freellm.sse import EVENT_LIMIT

STREAM = CIMultiDict({"content-type": "text/event-stream", "x-routed-via": "p/m"})
WHOLE = CIMultiDict({"content-type": "application/json; charset=utf-8", "x-routed-via": "p/m"})

BODY = b"".join(
    b"data: " + json.dumps(chunk).encode() + b"\n\n"
    for chunk in (
        {"choices": [{"delta": {"role": "assistant"}}]},
        {"choices": [{"delta": {"content": "Grüße, "}}]},
        {"choices": [{"delta": {"content": "世界"}}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}},
    )
)


@given(st.lists(st.integers(0, len(BODY)), max_size=20).map(sorted))
def test_a_stream_reads_the_same_however_it_was_cut(cuts: list[int]) -> None:
    body = BODY + b"data: [DONE]\n\n"
    reading = Reading(Result(number=1))
    reading.head(200, STREAM)
    edges = [0, *cuts, len(body)]
    said = [reading.feed(body[start:end], float(place)) for place, (start, end) in enumerate(pairwise(edges))]
    reading.end(99.0)
    assert "".join(said) == reading.text == "Grüße, 世界"
    assert (reading.tokens_in, reading.tokens_out, reading.finish_reason) == (3, 5, "stop")
    assert (reading.result.succeeded, reading.result.model, reading.result.ms) == (True, "p/m", 99.0)
    assert reading.first_delta_ms == next(float(place) for place, text in enumerate(said) if text)


def test_comments_and_the_role_are_no_delta_yet() -> None:
    reading = Reading(Result(number=1))
    reading.head(200, STREAM)
    reading.feed(b": keep-alive\n\n", 1.0)
    assert reading.result.first_byte_ms is None
    reading.feed(BODY[: BODY.index(b"\n\n") + 2], 2.0)
    assert (reading.result.first_byte_ms, reading.first_delta_ms) == (2.0, None)
    reading.feed(b'data: {"choices": [{"delta": {"tool_calls": [{}]}}]}\n\n', 3.0)
    assert reading.first_delta_ms == 3.0


def test_a_whole_answer_is_read_at_its_end() -> None:
    reading = Reading(Result(number=1))
    reading.head(200, WHOLE)
    body = json.dumps(
        {
            "choices": [{"message": {"content": "Hi", "reasoning": "hm"}, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        }
    ).encode()
    assert reading.feed(body[:7], 1.0) + reading.feed(body[7:], 2.0) == ""
    reading.end(3.0)
    assert (reading.text, reading.reasoning, reading.finish_reason) == ("Hi", "hm", "length")
    assert (reading.tokens_out, reading.first_delta_ms, reading.result.first_byte_ms) == (2, 3.0, 3.0)


def test_what_failed_stays_failed() -> None:
    reading = Reading(Result(number=1))
    reading.fail("connection_lost", "the connection broke")
    reading.end(5.0)
    assert (reading.result.error, reading.result.ms) == ("connection_lost", 5.0)


def test_an_event_without_an_end_is_no_answer() -> None:
    reading = Reading(Result(number=1))
    reading.head(200, STREAM)
    reading.feed(b"data: " + b"x" * EVENT_LIMIT, 1.0)
    reading.end(2.0)
    assert reading.result.error == "bad_stream"
