"""The event stream parser."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from freellm.errors import UpstreamError
from freellm.sse import DONE, Frame, SSEParser, frame
from freellm.types import Kind


def parse(*chunks: bytes, limit: int = 2**20) -> list[Frame]:
    parser = SSEParser(limit)
    frames = [found for chunk in chunks for found in parser.feed(chunk)]
    return frames + parser.close()


def data(*chunks: bytes) -> list[bytes]:
    return [found.data for found in parse(*chunks)]


# -- the standard -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_of_the_standard_is_one(end: bytes) -> None:
    assert data(b"data: {}" + end + end + b"data: [1]" + end + end) == [b"{}", b"[1]"]


def test_a_line_feed_that_opens_a_chunk_belongs_to_the_carriage_return_before() -> None:
    assert data(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [b"a\nb"]


def test_a_carriage_return_ends_its_line_at_once() -> None:
    assert SSEParser().feed(b"data: {}\r\r")[0].data == b"{}"


def test_data_lines_are_joined_with_a_line_feed() -> None:
    assert data(b"data: one\ndata:two\ndata:  three\n\n") == [b"one\ntwo\n three"]


def test_only_one_space_after_the_colon_is_taken_away() -> None:
    assert data(b"data:{}\n\ndata: {}\n\ndata:  {}\n\n") == [b"{}", b"{}", b" {}"]


def test_an_event_has_the_name_of_its_last_event_line_and_message_otherwise() -> None:
    text = b"event: ping\nevent: delta\ndata: 1\n\ndata: 2\n\nevent\ndata: 3\n\n"
    assert [found.name for found in parse(text)] == ["delta", "message", "message"]


def test_a_name_without_data_does_not_stick_to_the_next_event() -> None:
    assert [found.name for found in parse(b"event: lost\n\ndata: 1\n\n")] == ["message"]


def test_ids_retries_and_unknown_fields_are_ignored() -> None:
    assert data(b"id: 7\nretry: 10\nfoo: bar\ndatax: 1\nx\ndata: {}\n\n") == [b"{}"]


def test_one_byte_order_mark_at_the_start_is_skipped_however_it_is_cut() -> None:
    mark = b"\xef\xbb\xbf"
    for cut in range(4):
        assert data(mark[:cut], mark[cut:] + b"data: 1\n\n") == [b"1"]
    assert data(mark + mark + b"data: 1\n\n") == []
    assert data(b"data: 0\n\n" + mark + b"data: 1\n\n") == [b"0"]


def test_a_stream_that_ends_inside_the_byte_order_mark_is_empty() -> None:
    assert data(b"\xef\xbb") == []
    assert data() == data(b"") == []


def test_comments_are_dropped_and_counted() -> None:
    parser = SSEParser()
    assert parser.feed(b": ping\n\n:\n\n: a\n: b\ndata: 1\n\n") == [Frame("message", b"1", b"data: 1\n\n")]
    assert parser.comments == 4


@pytest.mark.parametrize(
    "empty", [b"data:\n\n", b"data: \n\n", b"data\n\n", b"data\ndata:\n\n", b"event: x\ndata:\n\n"]
)
def test_events_without_data_are_dropped_and_counted(empty: bytes) -> None:
    parser = SSEParser()
    assert [found.data for found in parser.feed(b"data: 0\n\n") + parser.feed(empty + b"data: 1\n\n")] == [
        b"0",
        b"1",
    ]
    assert parser.dropped == 1


def test_blank_lines_between_events_mean_nothing() -> None:
    assert data(b"\n\n\ndata: 1\n\n\n\n\ndata: 2\n\n\n") == [b"1", b"2"]


# -- the end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "last", [b'data: {"a":1}', b'data: {"a":1}\n', b"data: [DONE]", b"event: x\ndata: {}\r\n"]
)
def test_a_last_event_without_its_blank_line_is_delivered_when_it_is_whole(last: bytes) -> None:
    assert len(parse(b"data: 0\n\n", last)) == 2
    assert len(parse(last)) == 1


@pytest.mark.parametrize(
    "last", [b'data: {"a":1', b"data: 12", b"data: [DON", b'data: "x"', b"data: ", b"dat", b": c"]
)
def test_a_last_event_that_could_be_cut_is_not_delivered(last: bytes) -> None:
    assert data(b"data: 0\n\n", last) == [b"0"]


# -- what is forwarded ------------------------------------------------------------------------------------------


def test_raw_is_the_bytes_as_they_came_when_they_came_in_canonical_form() -> None:
    text = b'data: {"a": 1}\n\n' + DONE
    assert b"".join(found.raw for found in parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        b'data:{"a":\ndata:1}\n\n',
        b'event: x\ndata: {"a":\ndata: 1}\n\n',
        b'data: {"a":\r\nid: 3\r\ndata: 1}\r\n\r\n',
    ],
)
def test_raw_is_the_one_line_frame_of_anything_else(text: bytes) -> None:
    assert parse(text)[0].raw == b'data: {"a": 1}\n\n'


def test_the_frame_of_data_is_one_line() -> None:
    assert frame(b'{"a":\n1}') == b'data: {"a": 1}\n\n'
    assert frame(b"[DONE]") == DONE


def test_a_frame_decodes_its_json() -> None:
    assert parse(b'data: {"a":"\xc3\xbc"}\n\n')[0].json() == {"a": "ü"}


def test_invalid_utf_8_becomes_the_replacement_character_in_all_that_is_forwarded() -> None:
    found = parse(b'data: {"a":"\xff\xc3\xbc"}\n\n')[0]
    assert found.json() == {"a": "�ü"}
    assert found.raw.decode() == 'data: {"a":"�ü"}\n\n'
    assert orjson.loads(found.data) == {"a": "�ü"}


@pytest.mark.parametrize("bad", [b"{", b'{"a":"\xff"', b"[" * 5000])
def test_data_that_is_not_json_raises_value_error(bad: bytes) -> None:
    with pytest.raises(ValueError):
        Frame("message", bad, frame(bad)).json()


# -- the limit --------------------------------------------------------------------------------------------------


def test_an_event_of_the_limit_passes_and_one_byte_more_does_not_however_it_is_cut() -> None:
    text = b"data: " + b"x" * 94
    for cut in range(1, 102):
        assert len(parse((text + b"\n\n")[:cut], (text + b"\n\n")[cut:], limit=100)) == 1
        more = b"data: 0\n\n" + text + b"x\n\n"
        with pytest.raises(UpstreamError) as caught:
            parse(more[:cut], more[cut:], limit=100)
        assert caught.value.kind is Kind.BAD_ANSWER


def test_a_line_that_never_ends_is_refused_at_the_limit_and_not_kept() -> None:
    parser = SSEParser(1000)
    for _ in range(10):
        assert parser.feed(b"x" * 100) == []
    parser.feed(b"x")
    with pytest.raises(UpstreamError, match="larger than 1,000 bytes"):
        parser.feed(b"x")


def test_many_small_events_in_one_read_may_be_larger_than_the_limit_together() -> None:
    assert len(parse(b"data: 0\n\n", b"data: {}\n\n" * 100, limit=100)) == 101


# -- any stream, any framing, any cut ---------------------------------------------------------------------------


def reference(text: bytes) -> list[tuple[str, bytes]]:
    """The standard's algorithm, line by line over the whole stream, for streams that end with a blank line."""
    text = text.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found, name, lines = [], b"", list[bytes]()
    for line in text.split(b"\n"):
        if line == b"":
            if b"".join(lines):
                found.append((name.decode() or "message", b"\n".join(lines)))
            name, lines = b"", []
        elif not line.startswith(b":"):
            field, _, value = line.partition(b":")
            value = value[1:] if value.startswith(b" ") else value
            if field == b"data":
                lines.append(value)
            elif field == b"event":
                name = value
    return found


ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
values = st.dictionaries(st.text(max_size=5), st.one_of(st.text(max_size=20), st.integers(-9, 9)), max_size=3)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[tuple[str, Any]], bytes]:
    """Events, and one of the many ways to write them down."""
    events = draw(st.lists(st.tuples(st.sampled_from(["message", "delta", "é"]), values), max_size=6))
    text = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    for name, value in events:
        end = draw(ends)
        option = orjson.OPT_INDENT_2 if draw(st.booleans()) else None
        colon = draw(st.sampled_from([b":", b": "]))
        lines = [b"data" + colon + line for line in orjson.dumps(value, option=option).split(b"\n")]
        if name != "message" or draw(st.booleans()):
            lines.insert(draw(st.integers(0, len(lines))), b"event" + colon + name.encode())
        if draw(st.booleans()):
            lines.insert(
                draw(st.integers(0, len(lines))), draw(st.sampled_from([b": ping", b":", b"id: 1", b"retry"]))
            )
        noise = draw(st.sampled_from([b"", b": hello", b"data:", b"data: ", b"event: lost"]))
        text += b"".join(line + end for line in (*lines, b"")) + (noise + end + end if noise else b"")
    return events, text


def cut(data: st.DataObject, text: bytes) -> list[bytes]:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


@given(st.data())
def test_any_events_in_any_framing_come_out_whole_however_the_bytes_are_cut(data: st.DataObject) -> None:
    events, text = data.draw(streams())
    frames = parse(*cut(data, text))
    assert [(found.name, orjson.loads(found.data)) for found in frames] == events
    assert all(found.raw == frame(found.data) for found in frames)


soup = st.lists(
    st.sampled_from(
        [b"\n", b"\r", b"\r\n", b"\n\n", b"data", b":", b" ", b"event", b"{}", b"\xef\xbb\xbf", b"\xff", b"x"]
    )
).map(b"".join)


@given(soup, st.data())
@example(b"data: x\n\n\ndata: y", None)
@example(b"data: \n\ndata: x", None)
def test_any_bytes_give_what_the_standard_says_however_they_are_cut(
    text: bytes, data: st.DataObject | None
) -> None:
    text = text.replace(b"event", b"event:e") + b"\n\n\n"
    chunks = [text] if data is None else cut(data, text)
    expected = [(name, value) for name, value in reference(text) if value.strip(b"\n")]
    assert [(found.name, found.data) for found in parse(*chunks)] == expected
