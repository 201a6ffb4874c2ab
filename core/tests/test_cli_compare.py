import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from commandline import Commandline, answering

KEY = "fl-the-unified-key-of-this-test"


def listed(
    model: str, family: str, *routes: str, available: bool = True, wait: int | None = None
) -> dict[str, Any]:
    told = {"family": family, "available": available, "retry_in_ms": wait, "routes": list(routes)}
    owner = "freellm" if model.startswith("auto") else routes[0].partition("/")[0]
    return {"id": model, "object": "model", "owned_by": owner, "x_freellm": told}


MODELS = [
    listed("auto", "best", "a/best-preview", "a/best", "b/other", "a/closed", "c/third", "c/fourth"),
    listed("auto:fast", "third", "c/third", "b/other"),
    listed("best", "best", "a/best"),
    listed("best-preview", "best", "a/best-preview"),
    listed("closed", "closed", "a/closed", available=False, wait=12_400),
    listed("fourth", "fourth", "c/fourth"),
    listed("guard", "guard", "a/guard"),
    listed("other", "other", "b/other"),
    listed("third", "third", "c/third"),
]


class Proxy:
    """What the comparison sees of a proxy.

    :ivar url: its root
    :ivar models: its list of models
    :ivar bodies: the requests it got
    """

    def __init__(self) -> None:
        self.url = ""
        self.models = MODELS
        self.bodies: list[dict[str, Any]] = []
        self.three = asyncio.Barrier(3)
        self.under_way = 0
        self.most_at_once = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": {"message": "wrong key"}}, status=401)
        if request.path == "/v1/models":
            return web.json_response({"object": "list", "data": self.models})
        body = await request.json()
        self.bodies.append(body)
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            return await self.complete(request, body["model"])
        finally:
            self.under_way -= 1

    async def complete(self, request: web.BaseRequest, model: str) -> web.StreamResponse:
        if model == "missing":
            error = {"message": "there is no model 'missing'; near it is best", "code": "model_not_found"}
            return web.json_response({"error": error}, status=404)
        if model.startswith("three at once"):
            async with asyncio.timeout(10):
                await self.three.wait()
        answer = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "X-Routed-Via": f"p/{model}",
                "X-Fallback-Attempts": "1",
                "X-Fallback-Trail": "q/other=rate_limited",
                "X-Request-Id": "req_1",
            }
        )
        await answer.prepare(request)
        for chunk in chunks(model):
            await answer.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        if model != "cut":
            await answer.write(b"data: [DONE]\n\n")
        return answer


def chunks(model: str) -> Iterator[dict[str, Any]]:
    yield {"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}
    yield {"choices": [{"delta": {"reasoning_content": "hm"}, "finish_reason": None}]}
    if model != "thinker":
        yield {"choices": [{"delta": {"content": f"I am {model}.\n"}, "finish_reason": None}]}
        yield {"choices": [{"delta": {"content": "A \x1b[2Jword."}, "finish_reason": None}]}
    if model != "cut":
        reason = "length" if model == "long" else "stop"
        yield {"choices": [{"delta": {}, "finish_reason": reason}]}
        yield {"choices": [], "usage": {"prompt_tokens": 1_234, "completion_tokens": 20}}


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    with answering(made.answer) as made.url:
        yield made


@pytest.fixture
def line(tmp_path: Path) -> Commandline:
    return Commandline(tmp_path, FREELLM_API_KEY=KEY)


def test_a_comparison_is_a_table_and_the_answers(line: Commandline, proxy: Proxy) -> None:
    told = line.run("compare", "Who are you?", "-m", "best", "-m", "other", "--url", proxy.url).stdout
    table, *answers = told.split("\n--- ")
    rows = [row.split() for row in table.splitlines()]
    assert rows[0] == ["model", "asked", "answered", "by", "first", "all", "in", "out", "tok/s", "fallbacks"]
    assert [row[:2] for row in rows[2:4]] == [["best", "p/best"], ["other", "p/other"]]
    for row in rows[2:4]:
        first, last, speed = float(row[2]), float(row[4]), float(row[8])
        assert 0 <= first <= last
        assert speed > 0
        assert row[6:8] == ["1,234", "20"]
        assert row[9] == "1"
    assert answers == ["best ---\nI am best.\nA  [2Jword.\n", "other ---\nI am other.\nA  [2Jword.\n"]
    assert proxy.bodies[0] == {
        "model": "best",
        "messages": [{"role": "user", "content": "Who are you?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_on_a_terminal_of_80_columns_answers_stand_side_by_side(line: Commandline, proxy: Proxy) -> None:
    line.variables["COLUMNS"] = "80"
    arguments = ("-m", "a-model-of-a-long-name", "-m", "another-model-of-a-long-name", "-m", "best")
    told = line.run("compare", "x", *arguments, "--url", proxy.url).stdout
    assert all(len(row) <= 80 for row in told.splitlines())
    rows = [row.split() for row in told.splitlines()]
    assert rows[0][:5] == ["model", "asked,", "answered", "by", "first"]
    assert ["p/a-model-of-a-long-name"] in rows
    assert ["a-model-of-a-long-name", "another-model-of-a-long-name"] in rows
    assert ["I", "am", "a-model-of-a-long-name.", "I", "am", "another-model-of-a-long-name."] in rows
    assert ["I", "am", "best."] in rows


def test_a_comparison_is_a_document(line: Commandline, proxy: Proxy) -> None:
    arguments = ("--system", "Be brief.", "--max-tokens", "9", "-m", "best")
    told = line.document("compare", "x", *arguments, "--url", f"{proxy.url}/v1")
    (answer,) = told.pop("answers")
    assert told == {
        "url": proxy.url,
        "prompt": "x",
        "system": "Be brief.",
        "max_tokens": 9,
        "sequential": False,
        "interrupted": False,
        "failed": 0,
    }
    assert 0 < answer["first_delta_ms"] <= answer["ms"]
    assert answer["tokens_per_s"] == pytest.approx(20 / answer["ms"] * 1000)
    assert {
        name: answer[name] for name in answer.keys() - {"first_delta_ms", "ms", "tokens_per_s", "text"}
    } == {
        "asked": "best",
        "model": "p/best",
        "status": 200,
        "tokens_in": 1_234,
        "tokens_out": 20,
        "attempts": 1,
        "trail": [{"route": "q/other", "kind": "rate_limited"}],
        "finish_reason": "stop",
        "reasoning": "hm",
        "request_id": "req_1",
        "error": None,
        "message": "",
    }
    assert proxy.bodies[0]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert proxy.bodies[0]["max_tokens"] == 9


def test_without_a_name_the_best_of_three_families_that_are_open_are_asked(
    line: Commandline, proxy: Proxy
) -> None:
    told = line.document("compare", "x", "--url", proxy.url)
    assert [answer["asked"] for answer in told["answers"]] == ["best-preview", "other", "third"]


def test_all_are_asked_at_once_and_told_in_the_order_of_their_names_on_the_line(
    line: Commandline, proxy: Proxy
) -> None:
    models = [f"three at once {n}" for n in (3, 1, 2)]
    told = line.document("compare", "x", *(f"-m{model}" for model in models), "--url", proxy.url)
    assert [answer["asked"] for answer in told["answers"]] == models
    assert proxy.most_at_once == 3


def test_one_is_asked_after_the_other_on_request(line: Commandline, proxy: Proxy) -> None:
    told = line.document("compare", "x", "-m", "best", "-m", "other", "--sequential", "--url", proxy.url)
    assert [body["model"] for body in proxy.bodies] == ["best", "other"]
    assert (told["failed"], proxy.most_at_once) == (0, 1)


@pytest.mark.parametrize("arguments", [("-",), ("--stdin",), ("-", "--stdin")])
def test_a_long_prompt_comes_from_standard_input(
    line: Commandline, proxy: Proxy, arguments: tuple[str, ...]
) -> None:
    line.document("compare", *arguments, "-m", "best", "--url", proxy.url, stdin="two\nlines\n")
    assert proxy.bodies[0]["messages"][0]["content"] == "two\nlines\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "there is no prompt; state it"),
        (("x", "--stdin"), "leave one of them out"),
        (("-",), "the prompt is empty"),
        (("  ",), "the prompt is empty"),
    ],
)
def test_a_prompt_that_is_nowhere_is_said(line: Commandline, arguments: tuple[str, ...], says: str) -> None:
    assert says in line.run("compare", *arguments, exit_code=2).stderr


def test_a_model_that_fails_does_not_fail_the_others_and_the_exit_code_says_so(
    line: Commandline, proxy: Proxy
) -> None:
    arguments = ("compare", "x", "-m", "missing", "-m", "cut", "-m", "best", "--url", proxy.url)
    ran = line.run(*arguments, exit_code=1)
    assert (
        "failed: model_not_found (status 404): there is no model 'missing'; near it is best\n" in ran.stdout
    )
    assert "I am cut.\nA  [2Jword.\nfailed: stream_cut: the stream ended without [DONE]\n" in ran.stdout
    assert "--- best ---\nI am best.\n" in ran.stdout
    assert "2 of 3 models failed" in ran.stderr
    told = line.document(*arguments, exit_code=1)
    assert [answer["error"] for answer in told["answers"]] == ["model_not_found", "stream_cut", None]
    assert told["failed"] == 2


def test_an_answer_without_text_and_one_that_was_cut_short_are_told_as_such(
    line: Commandline, proxy: Proxy
) -> None:
    told = line.run("compare", "x", "-m", "thinker", "-m", "long", "--url", proxy.url).stdout
    assert "--- thinker ---\n(no text, but reasoning: see --json)\n" in told
    assert "(cut at the longest answer: a larger --max-tokens lets it end)\n" in told


@pytest.mark.parametrize(
    ("models", "says"),
    [
        ([], "freellm keys add PROVIDER"),
        (
            [listed("auto", "f", "a/closed", available=False, wait=12_400), MODELS[4]],
            "no model is open at the moment; the first opens in 12 s; name one with -m to hear why",
        ),
        (
            [
                listed("auto", "f", "a/closed", available=False),
                listed("closed", "f", "a/closed", available=False),
            ],
            "no model is open at the moment; name one",
        ),
    ],
)
def test_that_nobody_can_be_asked_is_said_with_the_cure(
    line: Commandline, proxy: Proxy, models: list[dict[str, Any]], says: str
) -> None:
    proxy.models = models
    assert says in line.refused("compare", "x", "--url", proxy.url, exit_code=1)
    assert proxy.bodies == []


def test_a_wrong_key_and_a_proxy_that_is_not_there_are_said_before_anybody_is_asked(
    line: Commandline, proxy: Proxy
) -> None:
    assert "start one with freellm serve" in line.refused(
        "compare", "x", "--url", "http://127.0.0.1:9", exit_code=1
    )
    line.variables["FREELLM_API_KEY"] = "fl-another-key"
    sentence = line.refused("compare", "x", "--url", proxy.url)
    assert "refuses the key" in sentence
    assert "fl-another-key" not in sentence
    assert proxy.bodies == []
