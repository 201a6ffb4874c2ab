"""What a simulated model says: deterministic, plausible, and plain about being simulated."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from itertools import cycle
from random import Random

import orjson

from freellm_simulator import prompts, toolcalls
from freellm_simulator.exchange import Ask, Finish, Json, Reply, Usage, dice
from freellm_simulator.scalars import UnsatisfiableError
from freellm_simulator.schemas import instance
from freellm_simulator.tokens import count, truncate
from freellm_simulator.worlds import Facts

_TYPICAL_SENTENCES = (2, 4)
_SNIPPET = 160
"""Characters of the prompt, or of a tool's result, that an answer repeats at most."""


def compose(ask: Ask, facts: Facts, seed: int, prompt: int) -> Reply:
    """Answer a request: the same seed, model and request give the same answer.

    Thoughts count as output and come first, so a small `max_tokens` may leave nothing to say.

    :param prompt: the tokens of the request
    """
    rng = dice(seed, facts.label, ask.digest)
    budget = min(ask.max_tokens or facts.context, facts.max_output or facts.context, facts.context - prompt)
    thoughts = truncate(_thoughts(ask, rng), budget) if ask.thinking in ("hidden", "shown") else ""
    thought = count(thoughts)
    calls = toolcalls.decide(ask, rng)
    cost = sum(count(call.name) + count(dumps(call.arguments)) for call in calls)
    if calls and thought + cost <= budget:
        return Reply("", calls, _shown(ask, thoughts), "tool_calls", Usage(prompt, thought + cost, thought))
    text, finish = _fitted("" if calls else _text(ask, facts, rng), ask, budget - thought)
    if calls:
        finish = "length"
    return Reply(text, (), _shown(ask, thoughts), finish, Usage(prompt, thought + count(text), thought))


def dumps(value: object) -> str:
    """Return JSON text."""
    return orjson.dumps(value).decode()


def _shown(ask: Ask, thoughts: str) -> str:
    return thoughts if ask.thinking == "shown" else ""


def _fitted(text: str, ask: Ask, budget: int) -> tuple[str, Finish]:
    """Cut a text at the first stop sequence or at the budget, whichever comes first."""
    ends = [at for stop in ask.stop if stop and (at := text.find(stop)) >= 0]
    stopped = text[: min(ends)] if ends else text
    cut = truncate(stopped, budget)
    return (cut, "stop") if cut == stopped else (cut, "length")


def _text(ask: Ask, facts: Facts, rng: Random) -> str:
    if ask.schema is not None:
        return _structured(ask, ask.schema, rng)
    if ask.json_mode:
        answer = " ".join(_sentences(ask.question, rng)[:1])
        echo = _snippet(ask.question)
        return dumps({"simulated": True, "by": facts.label, "answer": answer, "echo": echo})
    said = f"[simulated by {facts.label}] " + " ".join(_parts(ask, rng))
    return f"<think>\n{_thoughts(ask, rng)}\n</think>\n\n{said}" if ask.thinking == "inline" else said


def _structured(ask: Ask, schema: Json, rng: Random) -> str:
    try:
        return dumps(instance(schema, rng, prompts.hints(ask.question)))
    except UnsatisfiableError as error:
        return dumps({"simulated": True, "error": str(error)})


def _parts(ask: Ask, rng: Random) -> Iterator[str]:
    phrases = _phrases()[prompts.script(ask.question)]
    if results := _results(ask):
        yield phrases["results"].format(list="; ".join(results))
    elif question := _snippet(ask.question):
        yield phrases["opening"].format(question=question)
    images = [image for turn in ask.turns if turn.role == "user" for image in turn.images]
    if images:
        sizes = [f"{image.mime}, {image.size:,} bytes" if image.size else "by URL" for image in images]
        number = f"{len(images)} image{'s' if len(images) > 1 else ''}"
        yield phrases["images"].format(count=number, list="; ".join(sizes))
    yield from _body(ask.question, rng)


def _results(ask: Ask) -> list[str]:
    """Return what the tools said last, if they spoke last."""
    results: list[str] = []
    for turn in reversed(ask.turns):
        if turn.role != "tool":
            break
        results.insert(0, f"{turn.name or 'tool'}: {_snippet(turn.text)}")
    return results


def _body(question: str, rng: Random) -> list[str]:
    """Return as many sentences as were asked for; a number of words is kept exactly."""
    wanted = prompts.wanted_words(question)
    sentences = _sentences(question, rng)
    if wanted is None:
        return sentences[: rng.randint(*_TYPICAL_SENTENCES)]
    words: list[str] = []
    for sentence in cycle(sentences):
        words += sentence.split()
        if len(words) >= wanted:
            break
    return [*words[: wanted - 1], words[wanted - 1].rstrip(".,?:;") + "."]


def _sentences(question: str, rng: Random) -> list[str]:
    phrases = _phrases()[prompts.script(question)]
    shuffled = rng.sample(phrases["sentences"], len(phrases["sentences"]))
    return [sentence.format(topic=prompts.topic(question)) for sentence in shuffled]


def _thoughts(ask: Ask, rng: Random) -> str:
    return f"The user says: {_snippet(ask.question)} " + _sentences(ask.question, rng)[0]


def _snippet(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SNIPPET else line[: _SNIPPET - 1] + "\N{HORIZONTAL ELLIPSIS}"


@cache
def _phrases() -> dict[str, Json]:
    return tomllib.loads(resources.files(__package__).joinpath("phrases.toml").read_text("utf-8"))
