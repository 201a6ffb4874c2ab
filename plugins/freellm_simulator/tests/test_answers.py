from collections.abc import Sequence

import pytest

from freellm_simulator import prompts, toolcalls
from freellm_simulator.exchange import Ask, Tool, Turn, dice
from freellm_simulator.simulation import Simulation
from freellm_simulator.testing import Client
from freellm_simulator.tokens import chunks, count, truncate


async def test_the_same_seed_and_request_give_the_same_answer_and_another_seed_another(
    client: Client,
) -> None:
    question = "Tell me a long story about a lighthouse"
    first, second = [await client.groq(question, max_tokens=2000) for _ in range(2)]
    assert first.text == second.text
    async with Simulation(seed=1, speed=0, clock=client.simulation.clock) as other:
        third = await Client(other, client.session).groq(question, max_tokens=2000)
    assert third.text != first.text


async def test_models_answer_differently_and_name_themselves(client: Client) -> None:
    groq, google = await client.groq("What is jazz?"), await client.google("What is jazz?")
    assert groq.json["choices"][0]["message"]["content"].startswith("[simulated by groq/")
    assert google.json["candidates"][0]["content"]["parts"][0]["text"].startswith("[simulated by google/")


@pytest.mark.parametrize(
    ("question", "words"),
    [("Write 1,000 words about the sea", 1000), ("Tell me a long story", prompts.LONG_ANSWER)],
)
async def test_long_answers_are_long(client: Client, question: str, words: int) -> None:
    got = await client.google(question)
    assert words <= len(got.json["candidates"][0]["content"]["parts"][0]["text"].split()) <= words + 20


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("为什么天空是蓝色的?", "你问的是"),
        ("空はなぜ青いのですか", "ご質問は"),
        ("하늘은 왜 파란가요?", "질문"),
    ],
)
async def test_an_answer_keeps_to_the_script_of_the_question(
    client: Client, question: str, words: str
) -> None:
    got = await client.google(question)
    text = got.json["candidates"][0]["content"]["parts"][0]["text"]
    assert words in text
    assert question in text
    streamed = await client.google_stream(question)
    assert len(streamed.events) > 5


def test_tokens_of_english_are_near_real_ones_and_ideographs_are_not_a_quarter() -> None:
    english = "The quick brown fox jumps over the lazy dog, and nobody knows why it does so every morning."
    assert 18 <= count(english) <= 24
    assert count("为什么天空是蓝色的") == 9
    assert count("") == 0


@pytest.mark.parametrize("text", ["a b\n\n c", "Wörter, 为什么天空是 mixed   text 12345!", "x" * 50])
def test_a_text_is_the_sum_of_its_chunks_and_truncates_to_a_beginning(text: str) -> None:
    assert "".join(chunks(text)) == text
    assert sum(count(piece) for piece in chunks(text)) == count(text)
    for budget in range(count(text) + 2):
        cut = truncate(text, budget)
        assert text.startswith(cut)
        assert count(cut) <= budget
    assert truncate(text, count(text)) == text


@pytest.mark.parametrize(
    ("question", "subjects"),
    [
        ("What is the weather in Paris and Tokyo?", ("Paris", "Tokyo")),
        ("Compare New York with Los Angeles.", ("New York", "Los Angeles")),
        ("weather in paris and rome today", ("paris", "rome")),
        ("What's up?", ()),
    ],
)
def test_the_names_in_a_question_are_found(question: str, subjects: Sequence[str]) -> None:
    assert prompts.hints(question).subjects == subjects


SEARCH = Tool("search_web", "Search the web for pages.", {"type": "object", "properties": {"query": {}}})
CLOCK = Tool("currentTime", "The time of day in a zone.", {})


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Search for penguins", ["search_web"]),
        ("What time is it?", ["currentTime"]),
        ("Search the web for penguins and tell me the time", ["search_web", "currentTime"]),
        ("Write a poem", []),
        ("Use currentTime", ["currentTime"]),
    ],
)
def test_a_tool_is_called_when_the_question_speaks_of_it(question: str, names: list[str]) -> None:
    ask = Ask(turns=(Turn("user", question),), tools=(SEARCH, CLOCK))
    assert [call.name for call in toolcalls.decide(ask, dice(0))] == names


def test_a_tool_s_result_is_answered_in_words_unless_a_call_is_forced() -> None:
    turns = (Turn("user", "Search for penguins"), Turn("tool", "found", name="search_web"))
    assert toolcalls.decide(Ask(turns=turns, tools=(SEARCH,)), dice(0)) == ()
    assert toolcalls.decide(Ask(turns=turns, tools=(SEARCH,), choice="required"), dice(0)) != ()


def test_a_named_choice_keeps_to_its_names() -> None:
    ask = Ask(
        turns=(Turn("user", "Search for penguins"),),
        tools=(SEARCH, CLOCK),
        choice="required",
        named=frozenset({"currentTime"}),
    )
    assert [call.name for call in toolcalls.decide(ask, dice(0))] == ["currentTime"]
