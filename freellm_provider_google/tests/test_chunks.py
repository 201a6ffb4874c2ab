"""What holds for any stream, however the service cuts it into frames."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from freellm import Answer, ChatRequest, Event, Failure, Model
from freellm_provider_google import provider

REQUEST = ChatRequest(messages=[{"role": "user", "content": "Hi"}], stream=True)

parts = st.one_of(
    st.builds(lambda text: {"text": text}, st.text(max_size=4)),
    st.builds(lambda text: {"text": text, "thought": True}, st.text(max_size=4)),
    st.builds(
        lambda n: {"functionCall": {"name": "f", "args": {"n": n}}, "thoughtSignature": "c2ln"}, st.integers()
    ),
)
frames = st.lists(st.lists(parts, max_size=3), min_size=1, max_size=6)
WORDS = st.sampled_from(
    [
        "candidates",
        "content",
        "parts",
        "text",
        "functionCall",
        "args",
        "finishReason",
        "usageMetadata",
        "promptFeedback",
        "error",
        "details",
        "responseId",
        "inlineData",
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)


def whole(said: list[list[dict[str, Any]]]) -> dict[str, Any]:
    candidate = {"content": {"parts": [part for frame in said for part in frame]}, "finishReason": "STOP"}
    return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 3}, "responseId": "R"}


def streamed(model: Model, said: list[list[dict[str, Any]]]) -> list[dict[str, Any]] | Failure:
    normalize = provider.normalize_stream(REQUEST, model)
    chunks: list[dict[str, Any]] = []
    for number, frame in enumerate(said, 1):
        candidate: dict[str, Any] = {"content": {"parts": frame}}
        if number == len(said):
            candidate["finishReason"] = "STOP"
        data = {"candidates": [candidate], "usageMetadata": {"promptTokenCount": number}, "responseId": "R"}
        made = normalize(Event("message", data))
        assert isinstance(made, list | tuple)
        chunks += made
    last = normalize.end()
    return last if isinstance(last, Failure) else [*chunks, *last]  # type: ignore[misc]


@given(frames)
def test_a_stream_says_what_the_whole_answer_says(
    models: dict[str, Model], said: list[list[dict[str, Any]]]
) -> None:
    model = models["gemini-3.8-flash"]
    completion = provider.normalize_response(REQUEST, model, Answer(200, {}, whole(said)))
    chunks = streamed(model, said)
    if isinstance(completion, Failure):
        assert chunks == completion
        return
    assert not isinstance(chunks, Failure)
    message = completion["choices"][0]["message"]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert "".join(delta.get("content", "") for delta in deltas) == (message["content"] or "")
    for name in ("reasoning_content", "reasoning"):
        assert "".join(delta.get(name, "") for delta in deltas) == message.get(name, "")
    assert calls_of(deltas) == [
        (call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls", ())
    ]
    keep = {id_: value for chunk in chunks for id_, value in chunk.get("keep", {}).items()}
    assert keep == completion.get("keep", {})
    finishes = [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"]]
    assert [finish for finish in finishes if finish] == [completion["choices"][0]["finish_reason"]]


@given(frames)
def test_chunks_keep_to_openai_s_order(models: dict[str, Model], said: list[list[dict[str, Any]]]) -> None:
    chunks = streamed(models["gemini-3.8-flash"], said)
    if isinstance(chunks, Failure):
        return
    roles = ["role" in chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert roles == [True, *[False] * (len(roles) - 1)]
    assert chunks[-2]["choices"][0]["delta"] == {}
    assert chunks[-2]["choices"][0]["finish_reason"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["prompt_tokens"] == len(said)
    assert all("usage" not in chunk for chunk in chunks[:-1])


def calls_of(deltas: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Put tool call deltas together as a client does, and check their indexes on the way."""
    calls: list[tuple[str, str, str]] = []
    for delta in deltas:
        for call in delta.get("tool_calls", ()):
            if "id" in call:
                assert call["index"] == len(calls)
                calls.append((call["id"], call["function"]["name"], ""))
            assert call["index"] == len(calls) - 1
            id_, name, arguments = calls[-1]
            calls[-1] = (id_, name, arguments + call["function"]["arguments"])
    return calls


@given(st.lists(json_values, max_size=4))
def test_whatever_comes_is_chunks_or_a_failure(models: dict[str, Model], data: list[Any]) -> None:
    normalize = provider.normalize_stream(REQUEST, models["gemini-2.5-flash"])
    for each in data:
        assert isinstance(normalize(Event("message", each)), list | tuple | Failure)
    assert isinstance(normalize.end(), list | tuple | Failure)
