"""A provider's stream on its way to the client: nothing that came before a break is lost, wherever reads were cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any, ClassVar

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm import UNCHANGED, ChatRequest, Event, Failure, Kind
from freellm.gateway.chunks import ChunkStream, StreamBrokenError, Whole, as_stream
from freellm.sse import DONE, SSEParser, frame
from freellm.types import Chunks, Json, StreamNormalizer
from small_world import START, World, model, provider

WORLD = World(provider("lab", [model("m")]))
ROUTE = WORLD.route()
REQUEST = ChatRequest(messages=[{"role": "user", "content": "Hello"}], stream=True)
EXTRA = {"request_id": "req_1"}
ESTIMATE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
ROLE: Json = {"role": "assistant", "content": ""}


class Says:
    """A normalizer that does what it is told.

    :param each: what every event becomes
    :param end: what the end becomes
    """

    def __init__(
        self, each: Callable[[Json], Any] = lambda data: [data], end: Callable[[], Any] = tuple
    ) -> None:
        self._each = each
        self._end = end

    def __call__(self, event: Event) -> Chunks:
        said: Chunks = self._each(event.data)
        return said

    def end(self) -> Chunks:
        said: Chunks = deepcopy(self._end())  # core writes into chunks, and these are shared by tests
        return said


def chunk(delta: Json | None = None, finish: str | None = None, **fields: Any) -> Json:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "m",
        "choices": [choice],
        **fields,
    }


def told(usage: Json) -> Json:
    return chunk() | {"choices": [], "usage": usage}


HELLO = [chunk(ROLE), chunk({"content": "Hel"}), chunk({"content": "lo"}), chunk(finish="stop")]


def wire(*chunks: Json, done: bool = True) -> bytes:
    return b"".join(frame(orjson.dumps(one)) for one in chunks) + (DONE if done else b"")


def open_stream(normalizer: StreamNormalizer | None = None) -> ChunkStream:
    openai = ROUTE.provider.normalize_stream(REQUEST, ROUTE.model)
    assert not isinstance(openai, Failure)
    return ChunkStream(normalizer or openai, ROUTE, "chatcmpl-own", int(START), lambda: EXTRA)


def relayed(
    raw: bytes,
    normalizer: StreamNormalizer | None = None,
    *,
    cuts: Sequence[int] = (),
    include_usage: bool = False,
) -> tuple[bytes, Failure | None, ChunkStream]:
    """Return the client's bytes for a provider's bytes that arrive cut as told, and what broke."""
    stream, parser, out = open_stream(normalizer), SSEParser(), b""
    bounds = sorted({0, *(cut for cut in cuts if cut < len(raw)), len(raw)})
    reads = [raw[start:stop] for start, stop in pairwise(bounds)]
    try:
        for frames in (*map(parser.feed, reads), parser.close()):
            out += stream.take(frames)
            if stream.done:
                break
        out += stream.end(include_usage=include_usage, usage=ESTIMATE)
    except StreamBrokenError as broken:
        return out + broken.before, broken.failure, stream
    return out, None, stream


def chunks_of(raw: bytes) -> list[Json]:
    """Return the chunks of a client's bytes, which must end with the terminator."""
    assert raw.endswith(DONE)
    return [orjson.loads(one.removeprefix(b"data: ")) for one in raw.removesuffix(DONE).split(b"\n\n") if one]


def text_of(raw: bytes) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for line in raw.split(b"\n\n")
        if line.startswith(b"data: {")
        for choice in orjson.loads(line.removeprefix(b"data: "))["choices"]
    )


class TestAWholeStream:
    def test_arrives_with_who_answered_in_its_first_and_last_chunk(self) -> None:
        raw, failure, stream = relayed(wire(*HELLO))
        first, *middle, last = chunks_of(raw)
        assert failure is None
        assert first["_routed_via"] == last["_routed_via"] == {"platform": "lab", "model": "m"}
        assert last["x_freellm"] == EXTRA
        assert not any("_routed_via" in one or "x_freellm" in one for one in middle)
        assert text_of(raw) == "Hello"
        assert (stream.finish_reason, stream.deltas, stream.meaningful) == ("stop", 4, True)

    def test_has_one_identity(self) -> None:
        for one in chunks_of(relayed(wire(*HELLO))[0]):
            assert (one["id"], one["created"], one["model"]) == ("c-1", 7, "m")
            assert one["object"] == "chat.completion.chunk"

    def test_is_given_an_identity_by_core_when_it_has_none(self) -> None:
        bare = [{"choices": one["choices"]} for one in HELLO]
        for one in chunks_of(relayed(wire(*bare), Says())[0]):
            assert (one["id"], one["created"], one["model"]) == ("chatcmpl-own", int(START), "m")

    def test_keeps_the_first_chunks_identity_when_later_ones_differ(self) -> None:
        changing = [{**one, "id": f"c-{number}", "created": number} for number, one in enumerate(HELLO, 1)]
        assert {(one["id"], one["created"]) for one in chunks_of(relayed(wire(*changing), Says())[0])} == {
            ("c-1", 1)
        }

    def test_is_forwarded_byte_by_byte_once_it_says_something(self) -> None:
        odd = b'data: {"choices" : [{"index":0, "delta":{"content":"o\\u0064d"},"finish_reason":null}],"x":1.0}\n\n'
        says = Says(lambda data: UNCHANGED)
        raw, _, stream = relayed(wire(*HELLO[:2], done=False) + odd + wire(*HELLO[2:]), says)
        assert odd in raw
        assert text_of(raw) == "Helodd" + "lo"
        assert stream.deltas == 5

    def test_is_not_forwarded_as_it_came_before_it_says_something(self) -> None:
        odd = b'data: {"choices" : [{"index":0, "delta":{"content":"Hi"},"finish_reason":null}]}\n\n'
        raw, _, _ = relayed(odd + wire(HELLO[-1]), Says(lambda data: UNCHANGED))
        assert odd not in raw
        assert chunks_of(raw)[0]["_routed_via"]["platform"] == "lab"

    def test_ends_where_the_service_says_so(self) -> None:
        raw, failure, stream = relayed(wire(*HELLO) + wire(chunk({"content": "more"})))
        assert failure is None
        assert stream.done
        assert text_of(raw) == "Hello"

    def test_needs_no_terminator_of_the_service(self) -> None:
        assert relayed(wire(*HELLO, done=False))[:2] == relayed(wire(*HELLO))[:2]

    @pytest.mark.parametrize(
        "delta",
        [
            {"content": "x"},
            {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]},
            {"reasoning_content": "hm"},
            {"refusal": "no"},
        ],
    )
    def test_says_something_with_text_calls_thoughts_or_a_refusal(self, delta: Json) -> None:
        stream = open_stream(Says())
        stream.take(SSEParser().feed(wire(chunk(ROLE), done=False)))
        assert not stream.meaningful
        stream.take(SSEParser().feed(wire(chunk(delta), done=False)))
        assert stream.meaningful


class TestUsage:
    SHAPES: ClassVar[dict[str, tuple[list[Json], Json]]] = {
        "in a chunk of its own": ([*HELLO, told(USAGE)], USAGE),
        "in the last chunk": ([*HELLO[:-1], HELLO[-1] | {"usage": USAGE}], USAGE),
        "in every chunk": ([one | {"usage": USAGE} for one in HELLO], USAGE),
        "as null in every chunk": ([*(one | {"usage": None} for one in HELLO), told(USAGE)], USAGE),
        "not at all": (HELLO, ESTIMATE),
    }

    @pytest.mark.parametrize("shape", SHAPES)
    def test_is_told_once_and_last_when_it_is_asked_for(self, shape: str) -> None:
        sent, usage = self.SHAPES[shape]
        raw, failure, _ = relayed(wire(*sent), include_usage=True)
        *others, last = chunks_of(raw)
        assert failure is None
        assert last["choices"] == []
        assert last["usage"].items() >= usage.items()
        assert (last["id"], last["model"]) == ("c-1", "m")
        assert not any(one.get("usage") for one in others)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_is_not_told_when_it_is_not_asked_for_and_known_all_the_same(self, shape: str) -> None:
        sent, usage = self.SHAPES[shape]
        raw, failure, stream = relayed(wire(*sent))
        assert failure is None
        assert not any(one.get("usage") for one in chunks_of(raw))
        assert all(one["choices"] for one in chunks_of(raw))
        if usage is USAGE:
            assert stream.usage is not None
            assert stream.usage.items() >= USAGE.items()
        else:
            assert stream.usage is None


def test_state_to_keep_is_taken_out_of_chunks_and_remembered() -> None:
    sent = [HELLO[0] | {"keep": {"a": 1}}, *HELLO[1:-1], {"keep": {"b": 2}}, HELLO[-1] | {"keep": {"c": 3}}]
    raw, _, stream = relayed(wire(*sent), Says())
    assert stream.kept == {"a": 1, "b": 2, "c": 3}
    assert b"keep" not in raw


SECRET = "the text of the answer"
BREAKS: dict[str, tuple[bytes, Kind]] = {
    "an error event": (
        b'event: error\ndata: {"error": {"message": "overloaded", "code": 503}}\n\n',
        Kind.OVERLOADED,
    ),
    "an error chunk": (b'data: {"error": {"message": "boom", "type": "server_error"}}\n\n', Kind.OVERLOADED),
    "half a chunk": (
        b'data: {"choices": [{"delta": {"content": "the text of the answer\n\n',
        Kind.BAD_ANSWER,
    ),
    "a page": (b"data: <html>the text of the answer</html>\n\n", Kind.BAD_ANSWER),
    "a list": (b"data: [1, 2]\n\n", Kind.BAD_ANSWER),
    "a choice that is none": (b'data: {"choices": ["the text of the answer"]}\n\n', Kind.BAD_ANSWER),
}


class TestABreak:
    @pytest.mark.parametrize("what", BREAKS)
    def test_delivers_what_came_before_it_in_the_same_read(self, what: str) -> None:
        broken, kind = BREAKS[what]
        raw, failure, _ = relayed(wire(*HELLO[:3], done=False) + broken + wire(*HELLO))
        assert failure is not None
        assert failure.kind is kind
        assert SECRET not in failure.message
        assert text_of(raw) == "Hello"
        assert DONE not in raw

    @pytest.mark.parametrize("what", BREAKS)
    @given(cuts=st.lists(st.integers(0, 900), max_size=8))
    def test_is_the_same_wherever_reads_were_cut(self, what: str, cuts: list[int]) -> None:
        raw = wire(*HELLO[:3], done=False) + BREAKS[what][0] + wire(*HELLO)
        assert relayed(raw, cuts=cuts)[:2] == relayed(raw)[:2]

    @pytest.mark.parametrize(
        ("normalizer", "kind"),
        [
            (Says(lambda data: Failure(kind=Kind.CONTENT_FILTERED)), Kind.CONTENT_FILTERED),
            (Says(lambda data: 1 / 0), Kind.BAD_ANSWER),
            (Says(lambda data: None), Kind.BAD_ANSWER),
            (Says(lambda data: ["text"]), Kind.BAD_ANSWER),
            (Says(lambda data: [{"choices": [None]}]), Kind.BAD_ANSWER),
            (Says(lambda data: [{"choices": {"a": 1}}]), Kind.BAD_ANSWER),
            (Says(lambda data: [{"choices": [{"delta": {"content": {1, 2}}}]}]), Kind.BAD_ANSWER),
            (Says(lambda data: [{**data, "keep": 5}]), Kind.BAD_ANSWER),
        ],
        ids=["failure", "raises", "nothing", "text", "no choice", "no list", "no json", "no state"],
    )
    def test_is_what_a_normalizer_does_wrong(self, normalizer: StreamNormalizer, kind: Kind) -> None:
        raw, failure, _ = relayed(wire(*HELLO), normalizer)
        assert raw == b""
        assert failure is not None
        assert failure.kind is kind

    @pytest.mark.parametrize("data", [b"{}", b"[]", b'{"choices": [5]}', b"5"])
    def test_is_an_event_called_unchanged_that_is_no_chunk(self, data: bytes) -> None:
        says = Says(lambda data: UNCHANGED)
        raw, failure, _ = relayed(
            wire(*HELLO[:3], done=False) + b"data: " + data + b"\n\n" + wire(*HELLO), says
        )
        assert failure is not None
        assert failure.kind is Kind.BAD_ANSWER
        assert text_of(raw) == "Hello"


class TestTheEnd:
    def test_without_a_finish_reason_is_a_cut(self) -> None:
        for normalizer in (None, Says()):
            raw, failure, _ = relayed(wire(*HELLO[:-1]), normalizer)
            assert failure is not None
            assert failure.kind is Kind.NETWORK
            assert text_of(raw) == "Hello"
            assert DONE not in raw

    @pytest.mark.parametrize("reason", ["stop", "tool_calls", "length", "content_filter"])
    def test_of_an_empty_answer_is_bad_unless_a_budget_or_a_filter_explains_it(self, reason: str) -> None:
        _, failure, _ = relayed(wire(chunk(ROLE), chunk(finish=reason)), Says())
        assert (failure is None) is (reason in ("length", "content_filter"))
        assert failure is None or failure.kind is Kind.BAD_ANSWER

    def test_of_nothing_at_all_is_a_cut(self) -> None:
        _, failure, _ = relayed(b"", Says())
        assert failure is not None
        assert failure.kind is Kind.NETWORK

    def test_may_hold_chunks(self) -> None:
        raw, failure, _ = relayed(wire(*HELLO[:2]), Says(end=lambda: HELLO[2:]))
        assert failure is None
        assert text_of(raw) == "Hello"

    @pytest.mark.parametrize(
        ("end", "kind"),
        [
            (lambda: [HELLO[2]], Kind.NETWORK),
            (lambda: [HELLO[2], "text"], Kind.BAD_ANSWER),
            (lambda: [HELLO[2], {"choices": [None]}], Kind.BAD_ANSWER),
        ],
        ids=["cut", "text", "no choice"],
    )
    def test_that_breaks_delivers_what_came_before_it(self, end: Callable[[], Any], kind: Kind) -> None:
        raw, failure, _ = relayed(wire(*HELLO[:2]), Says(lambda data: [dict(data)], end))
        assert failure is not None
        assert failure.kind is kind
        assert text_of(raw) == "Hello"

    @pytest.mark.parametrize(
        ("end", "kind"),
        [
            (lambda: Failure(kind=Kind.OVERLOADED, message="boom"), Kind.OVERLOADED),
            (lambda: 1 / 0, Kind.BAD_ANSWER),
            (lambda: None, Kind.BAD_ANSWER),
        ],
        ids=["failure", "raises", "nothing"],
    )
    def test_is_what_the_normalizer_says(self, end: Callable[[], Any], kind: Kind) -> None:
        raw, failure, _ = relayed(wire(*HELLO), Says(end=end))
        assert failure is not None
        assert failure.kind is kind
        assert text_of(raw) == "Hello"

    def test_unchanged_is_nothing_more(self) -> None:
        assert relayed(wire(*HELLO), Says(end=lambda: UNCHANGED))[1] is None


@given(
    st.lists(st.text(min_size=1), min_size=1, max_size=5),
    st.lists(st.integers(0, 1_500), max_size=8),
    st.booleans(),
)
def test_any_text_arrives_the_same_wherever_reads_were_cut(
    texts: list[str], cuts: list[int], include_usage: bool
) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    raw = wire(HELLO[0], *(chunk({"content": text}) for text in ["Hi", *texts]), HELLO[-1], told(USAGE))
    at_once, failure, _ = relayed(raw, include_usage=include_usage)
    assert failure is None
    assert text_of(at_once) == "".join(["Hi", *texts])
    assert relayed(raw, cuts=cuts, include_usage=include_usage)[:2] == (at_once, None)


# -- an answer that came whole ---------------------------------------------------------------------------------------

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def completion(message: Json, finish: str = "stop", **fields: Any) -> Json:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"id": "w-1", "created": 9, "choices": [choice], **fields}


@pytest.mark.parametrize(
    ("message", "delta"),
    [
        ({"content": "Hi"}, {"role": "assistant", "content": "Hi"}),
        ({"content": ""}, {"role": "assistant", "content": ""}),
        ({"content": None}, {"role": "assistant", "content": ""}),
        ({"content": "Hi", "refusal": None}, {"role": "assistant", "content": "Hi"}),
        ({"content": "Hi", "reasoning": "hm"}, {"role": "assistant", "content": "Hi", "reasoning": "hm"}),
        (
            {"content": None, "tool_calls": [CALL, CALL]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{**CALL, "index": 0}, {**CALL, "index": 1}],
            },
        ),
    ],
)
def test_a_whole_answer_is_two_chunks(message: Json, delta: Json) -> None:
    (first, last), usage = as_stream(completion(message, usage=USAGE))
    assert first["choices"] == [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]
    assert (first["id"], first["created"]) == ("w-1", 9)
    assert last["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    assert usage == USAGE


@pytest.mark.parametrize("include_usage", [False, True])
@pytest.mark.parametrize("usage", [None, USAGE])
def test_a_whole_answer_is_streamed_with_its_usage_and_its_state(
    include_usage: bool, usage: Json | None
) -> None:
    whole = completion({"content": None, "tool_calls": [CALL]}, "tool_calls", keep={"call_1": "state"})
    if usage:
        whole["usage"] = usage
    raw, failure, stream = relayed(b"", Whole(whole), include_usage=include_usage)
    assert failure is None
    assert (stream.finish_reason, stream.usage, stream.kept) == ("tool_calls", usage, {"call_1": "state"})
    chunks = chunks_of(raw)
    assert len(chunks) == 2 + include_usage
    assert {(one["id"], one["created"], one["model"]) for one in chunks} == {("w-1", 9, "m")}
    assert not include_usage or chunks[-1]["usage"] == (usage or ESTIMATE)


def test_an_empty_whole_answer_is_a_bad_one() -> None:
    _, failure, _ = relayed(b"", Whole(completion({"content": None})))
    assert failure is not None
    assert failure.kind is Kind.BAD_ANSWER
