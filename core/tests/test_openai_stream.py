from __future__ import annotations

import json
from copy import deepcopy
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freellm.openai_compatible.response import AnswerShape
from freellm.openai_compatible.stream import ChunkNormalizer
from freellm.types import UNCHANGED, Answer, Event, Failure, Json, Kind

MODEL = "lab/model-1"
USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
REASONS = {"stop", "length", "tool_calls", "content_filter", "function_call"}


def refuse(answer: Answer) -> Failure:
    return Failure(kind=Kind.OVERLOADED, message=str(answer.body))


def chunk(delta: Json, finish: str | None = None, **members: Any) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": MODEL,
        "choices": [choice],
        **members,
    }


def run(events: list[Json], shape: AnswerShape | None = None) -> list[Any]:
    """Return what the client sees: chunks, and at last a failure if there is one."""
    normalize = ChunkNormalizer(MODEL, shape or AnswerShape(), refuse)
    seen: list[Any] = []
    for data in [*events, None]:
        before = deepcopy(data)
        chunks = normalize.end() if data is None else normalize(Event("message", data))
        assert data == before
        if chunks is UNCHANGED:
            seen.append(data)
        elif isinstance(chunks, Failure):
            return [*seen, chunks]
        elif isinstance(chunks, list | tuple):
            seen += chunks
        else:
            pytest.fail(f"these are no chunks: {chunks!r}")
    return seen


class Client:
    """Puts chunks together as OpenAI's clients do, and accepts nothing that would make one stumble."""

    def __init__(self, chunks: list[Any]) -> None:
        self.text = self.reasoning = ""
        self.calls: list[Json] = []
        self.finish: str | None = None
        self.usage: Json | None = None
        self.started = False
        identities = {(c.get("id"), c.get("created")) for c in chunks}
        assert len(identities) == 1
        for data in chunks:
            assert data["object"] == "chat.completion.chunk"
            assert data["model"] == MODEL
            self._take(data)
        assert self.finish in REASONS

    def _take(self, data: Json) -> None:
        if not data["choices"]:
            assert self.usage is None
            assert self.finish is not None
            self.usage = data["usage"]
            return
        assert data.get("usage") is None
        (choice,) = data["choices"]
        assert choice["index"] == 0
        assert self.finish is None
        delta = choice["delta"]
        assert ("role" in delta) is not self.started
        self.started = True
        self.text += delta.get("content") or ""
        assert (delta.get("reasoning") or "") == (delta.get("reasoning_content") or "")
        self.reasoning += delta.get("reasoning") or ""
        for entry in delta.get("tool_calls") or ():
            self._call(entry)
        self.finish = choice["finish_reason"]

    def _call(self, entry: Json) -> None:
        if entry["index"] == len(self.calls):
            assert entry["type"] == "function"
            assert 0 < len(entry["id"]) <= 40
            assert entry["function"]["name"]
            self.calls.append({"id": entry["id"], **entry["function"]})
        else:
            assert entry.keys() == {"index", "function"}
            assert entry["function"].keys() == {"arguments"}
            self.calls[entry["index"]]["arguments"] += entry["function"]["arguments"]


def pieces(text: str, cuts: list[int]) -> list[str]:
    borders = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(borders)]


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(lambda text: not text.isspace())
names = st.sampled_from(["get_weather", "search", "run"])
objects = st.dictionaries(
    st.text("abc", max_size=3), st.integers() | st.text(max_size=5), min_size=1, max_size=3
)
cuts = st.lists(st.integers(0, 40), max_size=6)


@st.composite
def identified(draw: st.DrawFn, events: list[Json]) -> list[Json]:
    """Spoil what the chunks say about themselves."""
    quirk = draw(
        st.sampled_from(["", "model", "object", "no id", "no created", "new ids", "fillers", "no finish"])
    )
    for number, event in enumerate(events):
        if quirk == "model":
            event["model"] = "someone/else"
        elif quirk == "object":
            event["object"] = "text_completion"
        elif quirk == "no id":
            del event["id"]
        elif quirk == "no created":
            del event["created"]
        elif quirk == "new ids":
            event["id"] = f"c-{number}"
        elif quirk == "fillers":
            event.setdefault("usage", None)
        elif quirk == "no finish" and event["choices"] and event["choices"][0]["finish_reason"] is None:
            del event["choices"][0]["finish_reason"]
    return events


@st.composite
def finished(draw: st.DrawFn, events: list[Json], reason: str) -> list[Json]:
    """Finish a stream, with the usage in one of the places where services put it."""
    merged, twice = draw(st.tuples(st.booleans(), st.booleans()))
    end = chunk({}, reason)
    if merged:
        end = events.pop()
        end["choices"][0]["finish_reason"] = reason
    events.append(end)
    where = draw(st.sampled_from(["", "finish", "member", "own", "both", "early"]))
    if where in ("finish", "both"):
        end["usage"] = USAGE
    if where == "member":
        end["x_lab"] = {"id": "r", "usage": USAGE}
    if where == "early":
        events[0]["usage"] = USAGE
    if twice:
        events.append(chunk({}, reason))
    if where in ("own", "both"):
        events.append({**chunk({}), "choices": [], "usage": USAGE})
    return events


@st.composite
def text_streams(draw: st.DrawFn) -> tuple[str, str, list[Json]]:
    text, reasoning = draw(texts), draw(texts | st.just(""))
    name = draw(st.sampled_from(["reasoning", "reasoning_content"]))
    deltas: list[Json] = [{name: piece} for piece in pieces(reasoning, draw(cuts)) if piece]
    deltas += [{"content": piece} for piece in pieces(text, draw(cuts))]
    role = draw(st.sampled_from(["none", "first", "own", "all"]))
    if role == "own":
        deltas.insert(0, {"role": "assistant", "content": ""})
    elif role in ("first", "all"):
        for delta in deltas if role == "all" else deltas[:1]:
            delta["role"] = "assistant"
    events = draw(
        finished([chunk(delta) for delta in deltas], draw(st.sampled_from(["stop", "eos", "length"])))
    )
    return text, reasoning, draw(identified(events))


@given(text_streams())
@settings(max_examples=300, deadline=None)
def test_a_text_stream_with_any_quirk_becomes_one_that_clients_read_rightly(
    stream: tuple[str, str, list[Json]],
) -> None:
    text, reasoning, events = stream
    expects_usage = any(event.get("usage") or "x_lab" in event for event in events)
    client = Client(run(events, AnswerShape(usage_members=("x_lab",))))
    assert (client.text, client.reasoning) == (text, reasoning)
    assert client.usage == (USAGE if expects_usage else None)


@st.composite
def call_entries(draw: st.DrawFn, style: str, index: int, name: str, arguments: Json | None) -> list[Json]:
    """Return the deltas in which a service of this style tells one call."""
    text = json.dumps(arguments) if arguments is not None else ""
    if style == "whole":
        shown = draw(st.sampled_from([text, arguments])) if arguments else text
        return [{"function": {"name": name, "arguments": shown}}]
    head: Json = {"function": {"name": name, "arguments": ""}}
    tail = [{"function": {"arguments": piece}} for piece in pieces(text, draw(cuts)) if piece]
    if style in ("plain", "no ids", "ids everywhere"):
        for entry in [head, *tail]:
            entry["index"] = index
    if style == "one index":
        for entry in [head, *tail]:
            entry["index"] = 0
    if style != "no ids":
        for entry in [head, *tail] if style == "ids everywhere" else [head]:
            entry["id"] = f"call_{index}"
    if style == "plain":
        head["type"] = "function"
    return [head, *tail]


STYLES = ["plain", "no ids", "ids everywhere", "one index", "no index", "whole"]


@st.composite
def tool_streams(draw: st.DrawFn) -> tuple[list[tuple[str, Json]], list[Json]]:
    style = draw(st.sampled_from(STYLES))
    calls = draw(
        st.lists(
            st.tuples(names, objects if style == "whole" else objects | st.none()), min_size=1, max_size=4
        )
    )
    entries = [
        entry
        for index, (name, arguments) in enumerate(calls)
        for entry in draw(call_entries(style, index, name, arguments))
    ]
    lists = [[entry] for entry in entries]
    if style in ("plain", "ids everywhere", "whole") and draw(st.booleans()):
        lists = [entries]  # all in one event
    events = [chunk({"content": None, "tool_calls": found}) for found in lists]
    events = draw(finished(events, draw(st.sampled_from(["tool_calls", "stop", "tool_use"]))))
    return [(name, arguments or {}) for name, arguments in calls], draw(identified(events))


@given(tool_streams())
@settings(max_examples=400, deadline=None)
def test_tool_calls_in_any_style_become_ones_that_clients_put_together_rightly(
    stream: tuple[list[tuple[str, Json]], list[Json]],
) -> None:
    calls, events = stream
    client = Client(run(events, AnswerShape(usage_members=("x_lab",))))
    assert [(call["name"], json.loads(call["arguments"])) for call in client.calls] == calls
    assert len({call["id"] for call in client.calls}) == len(calls)
    assert client.finish == "tool_calls"


@given(
    texts.filter(lambda text: "<" not in text),
    texts.filter(lambda text: "<" not in text),
    cuts,
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_think_tags_are_found_wherever_the_text_is_cut(
    reasoning: str, text: str, borders: list[int], gap: bool
) -> None:
    whole = f"<think>{reasoning}</think>" + ("\n\n" if gap else "") + text
    events = [chunk({"content": piece}) for piece in pieces(whole, borders)]
    client = Client(run([*events, chunk({}, "stop")], AnswerShape(think=True)))
    assert client.reasoning == reasoning
    assert client.text == text.lstrip()


@given(texts, cuts)
@settings(max_examples=100, deadline=None)
def test_text_without_think_tags_is_never_touched(text: str, borders: list[int]) -> None:
    if text.lstrip().startswith("<think>"):
        return
    events = [chunk({"content": piece}) for piece in pieces(text, borders)]
    assert Client(run([*events, chunk({}, "stop")], AnswerShape(think=True))).text == text


def test_thinking_parts_are_reasoning_not_text() -> None:
    def thinking(text: str) -> Json:
        return chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]})

    texts = [{"type": "text", "text": "4"}]
    events = [
        chunk({"role": "assistant", "content": ""}),
        thinking("2 "),
        thinking("+ 2"),
        chunk({"content": texts}),
    ]
    client = Client(run([*events, chunk({"content": "."}), chunk({"content": ""}, "stop")]))
    assert (client.reasoning, client.text) == ("2 + 2", "4.")


def test_a_perfect_stream_passes_byte_for_byte() -> None:
    normalize = ChunkNormalizer(MODEL, AnswerShape(), refuse)
    events = [
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Sun"}),
        chunk({"content": "ny"}),
        chunk(
            {
                "tool_calls": [
                    {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
                ]
            }
        ),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}),
        chunk({}, "tool_calls"),
        {**chunk({}), "choices": [], "usage": USAGE},
    ]
    assert [normalize(Event("message", event)) for event in events] == [UNCHANGED] * len(events)
    assert normalize.end() == ()


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([], Kind.NETWORK),
        ([chunk({"content": "Hi"})], Kind.NETWORK),
        ([chunk({"role": "assistant", "content": ""}), chunk({}, "stop")], Kind.BAD_ANSWER),
        ([chunk({"content": " \n"}), chunk({}, "stop")], Kind.BAD_ANSWER),
        ([chunk({"reasoning": "hm"}), chunk({}, "stop")], Kind.BAD_ANSWER),
        ([chunk({}, "content_filter")], Kind.CONTENT_FILTERED),
        ([chunk({"content": "Hi"}), chunk({}, "error")], Kind.BAD_ANSWER),
        ([chunk({"content": "Hi"}), {"error": {"message": "gone"}}], Kind.OVERLOADED),
        ([chunk({"content": "Hi"}), {"error": "gone"}], Kind.OVERLOADED),
        ([{**chunk({}), "choices": [{"error": {"code": 502}}]}], Kind.OVERLOADED),
        (["text"], Kind.BAD_ANSWER),
        ([{**chunk({}), "choices": ["text"]}], Kind.BAD_ANSWER),
    ],
)
def test_a_stream_that_is_no_answer_is_a_failure(events: list[Any], kind: Kind) -> None:
    last = run(events)[-1]
    assert isinstance(last, Failure)
    assert last.kind == kind


def test_a_stream_that_spent_all_tokens_on_reasoning_stands() -> None:
    client = Client(run([chunk({"reasoning": "hm"}), chunk({}, "length")]))
    assert (client.reasoning, client.finish) == ("hm", "length")


def test_nothing_but_usage_follows_the_finish() -> None:
    events = [
        chunk({"content": "Hi"}),
        chunk({}, "stop"),
        chunk({"content": "more"}, usage=USAGE),
        chunk({}, "stop"),
    ]
    chunks = run(events)
    assert Client(chunks).text == "Hi"
    assert chunks[-1]["usage"] == USAGE


def test_an_event_named_error_is_an_error_whatever_it_holds() -> None:
    normalize = ChunkNormalizer(MODEL, AnswerShape(), refuse)
    assert isinstance(normalize(Event("error", {"message": "gone"})), Failure)


def test_one_whole_message_instead_of_deltas_is_shown() -> None:
    event = chunk({}, "stop")
    del event["choices"][0]["delta"]
    event["choices"][0]["message"] = {
        "role": "assistant",
        "content": "Hi",
        "tool_calls": [{"function": {"name": "f", "arguments": {}}}],
    }
    client = Client(run([event]))
    assert client.text == "Hi"
    assert [(call["name"], call["arguments"]) for call in client.calls] == [("f", "{}")]


def test_ids_too_long_for_openai_are_replaced_by_stable_ones() -> None:
    entry = {"index": 0, "id": "x" * 60, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    first, second = (Client(run([chunk({"tool_calls": [entry]}), chunk({}, "stop")])) for _ in range(2))
    assert first.calls == second.calls
    assert first.calls[0]["id"].startswith("call_")


def test_a_name_that_comes_late_holds_the_call_back() -> None:
    events = [
        chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"arguments": '{"a"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": ":1}"}}]}),
        chunk({}, "tool_calls"),
    ]
    (call,) = Client(run(events)).calls
    assert call == {"id": "a", "name": "f", "arguments": '{"a":1}'}
