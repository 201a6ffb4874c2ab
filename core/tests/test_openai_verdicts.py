"""A guard model's bare verdict is no answer, whole or streamed; everything else passes as it came."""

from typing import Any

import pytest

from freellm import (
    UNCHANGED,
    Answer,
    AnswerShape,
    Catalogue,
    ChatRequest,
    Event,
    Failure,
    Kind,
    Model,
    OpenAICompatible,
    ProviderInfo,
)

INFO = ProviderInfo(
    id="lab", title="Lab", signup_url="https://x", docs_url="https://x", base_url="https://x/v1"
)
MODEL = Model(id="m", family="m", source="a test", checked="2026-11-23")
PLUGIN = OpenAICompatible(
    info=INFO,
    catalogue=Catalogue(models=(MODEL,)),
    answers=AnswerShape(verdicts=frozenset({"safe", "unsafe"})),
)
REQUEST = ChatRequest(messages=[{"role": "user", "content": "Hello"}])
HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def asking(content: Any) -> ChatRequest:
    return ChatRequest(messages=[{"role": "user", "content": content}])


def whole(request: ChatRequest = REQUEST, **message: Any) -> Any:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return PLUGIN.normalize_response(request, MODEL, Answer(200, {}, {"choices": [choice]}))


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def streamed(*chunks: dict[str, Any], request: ChatRequest = REQUEST) -> list[Any]:
    normalize = PLUGIN.normalize_stream(request, MODEL)
    found: list[Any] = []
    for data in chunks:
        made = normalize(Event("message", data))
        if isinstance(made, Failure):
            return [*found, made.kind]
        found += [data] if made is UNCHANGED else made  # type: ignore[misc]
    ended = normalize.end()
    return [*found, ended.kind] if isinstance(ended, Failure) else found


@pytest.mark.parametrize("said", ["safe", "Unsafe", " unsafe.\n"])
def test_a_bare_verdict_is_a_bad_answer(said: str) -> None:
    found = whole(content=said)
    assert isinstance(found, Failure)
    assert (found.kind, "guard model" in found.message) == (Kind.BAD_ANSWER, True)


@pytest.mark.parametrize(
    "message",
    [{"content": "Safe travels."}, {"content": "safe", "reasoning": "Is it?"}, {"content": "A safe"}],
)
def test_an_answer_that_says_more_stands(message: dict[str, Any]) -> None:
    assert whole(**message)["choices"][0]["message"]["content"] == message["content"]


@pytest.mark.parametrize("content", ["Is it safe?", [{"type": "text", "text": "Say SAFE."}]])
def test_who_asks_for_the_word_gets_it(content: Any) -> None:
    assert not isinstance(whole(asking(content), content="safe"), Failure)
    assert streamed(chunk(role="assistant", content="safe"), chunk("stop"), request=asking(content))[
        -1
    ] == chunk("stop")


def test_a_streamed_verdict_is_found_before_anything_is_shown() -> None:
    assert streamed(chunk(role="assistant", content="un"), chunk(content="safe"), chunk("stop")) == [
        Kind.BAD_ANSWER
    ]
    assert streamed(chunk(role="assistant", content="safe"), chunk("stop", content=".")) == [Kind.BAD_ANSWER]


@pytest.mark.parametrize(
    "chunks",
    [
        (chunk(role="assistant", content=""), chunk(content="Sa"), chunk(content="turn"), chunk("stop")),
        (chunk(role="assistant", content="saf"), chunk("length")),
        (chunk(role="assistant", content="Hi"), chunk(content=" there"), chunk("stop")),
    ],
)
def test_a_stream_that_says_more_comes_whole_and_in_order(chunks: tuple[dict[str, Any], ...]) -> None:
    assert streamed(*chunks) == list(chunks)


def test_nothing_is_held_once_the_stream_has_said_more() -> None:
    normalize = PLUGIN.normalize_stream(REQUEST, MODEL)
    assert normalize(Event("message", chunk(role="assistant", content="S"))) == ()
    assert normalize(Event("message", chunk(content="o"))) == [
        chunk(role="assistant", content="S"),
        chunk(content="o"),
    ]
    assert normalize(Event("message", chunk(content=" it is"))) is UNCHANGED


def test_reasoning_and_calls_show_that_it_is_no_guard() -> None:
    normalize = PLUGIN.normalize_stream(REQUEST, MODEL)
    made = normalize(Event("message", chunk(role="assistant", reasoning="Hm")))
    assert made[0]["choices"][0]["delta"]["reasoning_content"] == "Hm"  # type: ignore[index]


def test_a_cut_stream_and_an_error_in_it_stay_what_they_are() -> None:
    assert streamed(chunk(role="assistant", content="safe")) == [Kind.NETWORK]
    assert streamed(chunk(role="assistant", content="sa"), {"error": {"message": "x", "code": 502}}) == [
        Kind.OVERLOADED
    ]
