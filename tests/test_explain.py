"""What an explanation says is what the gateway then does, whatever the state of quotas and cooldowns."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freellm.gateway.calls import PASSED_OVER_TOLD
from freellm.gateway.explaining import GUESS, STICKY
from freellm.health import GUESS_FIRST
from freellm.types import Kind
from freellm_simulator import Simulation
from running import RunningProxy, running_proxy

PROVIDERS = ("groq", "google", "cloudflare", "mistral", "cohere")
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


class Stage:
    """A proxy before a simulator, in a loop of its own, whose state is set and forgotten between two requests."""

    def __init__(self, runner: asyncio.Runner, proxy: RunningProxy, simulation: Simulation) -> None:
        self._runner = runner
        self.proxy = proxy
        self.simulation = simulation

    def post(self, path: str, body: object, **headers: str) -> tuple[int, Mapping[str, str], Any]:
        return self._runner.run(self._post(path, body, headers))

    async def _post(
        self, path: str, body: object, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], Any]:
        url = f"{self.proxy.url}/v1/{path}"
        async with self.proxy.session.post(
            url, json=body, headers={**self.proxy.headers, **headers}
        ) as answer:
            return answer.status, answer.headers, await answer.json(content_type=None)

    def get(self, path: str) -> Any:
        async def ask() -> Any:
            url = f"{self.proxy.url}/v1/freellm/{path}"
            async with self.proxy.session.get(url, headers=self.proxy.headers) as answer:
                assert answer.status == 200
                return await answer.json()

        return self.run(ask())

    def run(self, wanted: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(wanted)

    def explain(self, body: object) -> Any:
        status, _, told = self.post("freellm/explain", body)
        assert status == 200, told
        return told

    def forget(self) -> None:
        """Bring everything back to the beginning: nothing spent, nothing held against anybody."""
        runtime = self.proxy.runtime
        now = runtime.clock.now()
        for pool in runtime.ledger.pools():
            pool.reopen(now)
            pool.learned = None
            pool.counter.book(now, -pool.counter.used)
            pool.counter.used = 0.0
            pool.refresh()
        for route in self.proxy.runtime.proxy.routes:
            for standing in route.standings():
                runtime.health.clear(standing.name)
        runtime._corrections._models.clear()
        self.simulation.reset()


@asynccontextmanager
async def standing_still(folder: Path) -> AsyncIterator[tuple[RunningProxy, Simulation]]:
    async with Simulation(speed=0) as simulation:
        base_urls = {name: simulation.base_urls[name] for name in PROVIDERS}
        keys = {name: [simulation.keys[name]] for name in PROVIDERS}
        async with running_proxy(
            folder, base_urls, keys=keys, monotonic=lambda: 0.0, models_sync_days=0, max_wait=0
        ) as proxy:
            await _prove_the_keys(proxy)
            yield proxy, simulation


async def _prove_the_keys(proxy: RunningProxy) -> None:
    """Use every key once: the first answer proves it, and the server then makes its catalogue anew."""
    for route in {
        route.key.id: route for route in proxy.runtime.proxy.routes if route.model.task == "chat"
    }.values():
        assert (await proxy.chat(route.entry.name)).status == 200
    async with asyncio.timeout(10):
        while any(key.state != "valid" for key in proxy.runtime.proxy.keys):
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with asyncio.Runner() as runner:
        context = standing_still(tmp_path_factory.mktemp("explain"))
        proxy, simulation = runner.run(context.__aenter__())
        try:
            yield Stage(runner, proxy, simulation)
        finally:
            runner.run(context.__aexit__(None, None, None))


def chat(model: str = "auto", text: str = "Hello", **fields: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **fields}


SIZES = (1, 2_000, 6_000)
"""Words of a request."""

requests = st.fixed_dictionaries(
    {
        "model": st.sampled_from(
            ["auto", "auto:fast", "auto:smart", "auto:reliable", "gpt-oss-120b", "groq/openai/gpt-oss-20b"]
        ),
        "size": st.sampled_from(SIZES),
        "word": st.sampled_from(["word ", "漢字 "]),
    },
    optional={
        "max_tokens": st.sampled_from([1, 500, 8_000]),
        "tools": st.just([TOOL]),
        "response_format": st.just({"type": "json_object"}),
        "provider": st.sampled_from([{"only": ["google", "mistral"]}, {"allow_fallbacks": False}]),
    },
)


@given(
    seed=st.integers(0, 2**32),
    spent=st.floats(0, 1),
    closed=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    mistaken=st.floats(0, 1),
    body=requests,
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_route_that_is_said_to_serve_is_the_one_that_is_asked_first(
    stage: Stage, seed: int, spent: float, closed: float, mistaken: float, body: dict[str, Any]
) -> None:
    """A seed makes the state of every pool and standing: hypothesis would draw for minutes."""
    stage.forget()
    chance = random.Random(seed)
    _spend(stage, spent, chance)
    _close(stage, closed, chance)
    _mistake(stage, mistaken, chance)
    body = chat(text=body.pop("word") * body.pop("size"), **body)
    status, _, told = stage.post("freellm/explain", body)
    if status != 200:
        assert told["error"]["message"] == stage.post("chat/completions", body)[2]["error"]["message"]
        return
    again = stage.explain(body)
    assert [(row["route"], row["key"], row["verdict"]) for row in told["routes"]] == [
        (row["route"], row["key"], row["verdict"]) for row in again["routes"]
    ]
    status, headers, answer = stage.post("chat/completions", body)
    if told["serves"] is None:
        assert status != 200
        assert answer["error"]["message"] == told["refusal"]
        return
    if status != 200:  # an estimate that was mistaken: the service finds it too large
        assert answer["error"]["x_freellm"]["attempts"][0]["route"] == told["serves"]
        return
    first = headers.get("X-Fallback-Trail", "").partition("=")[0] or headers["X-Routed-Via"]
    assert first == told["serves"]
    _check(told, answer)


def _spend(stage: Stage, share: float, chosen: random.Random) -> None:
    """Spend parts of some pools, down to nothing left; close others as a service does."""
    runtime = stage.proxy.runtime
    pools = sorted(runtime.ledger.pools(), key=lambda pool: pool.identity)
    for pool in pools:
        now = runtime.clock.now()
        pool.advance(now)
        if chosen.random() < share and math.isfinite(pool.limit) and pool.quota.window:
            pool.counter.spend(pool.limit * chosen.choice([0.2, 0.99, 1.0]))
        if chosen.random() < share / 8 and pool.quota.window:
            pool.close(now + chosen.choice([5.0, 500.0]), now)


def _close(stage: Stage, share: float, chosen: random.Random) -> None:
    """Cool some things down, stated or guessed, open breakers, and sink models."""
    runtime = stage.proxy.runtime
    now = runtime.clock.now()
    for route in runtime.proxy.routes:
        if chosen.random() < share:
            kind = chosen.choice([Kind.RATE_LIMITED, Kind.OVERLOADED, Kind.TIMEOUT])
            standing = chosen.choice([route.standing, route.entry.standing])
            standing.close(now + GUESS_FIRST * chosen.randint(1, 40), kind, stated=chosen.random() < 0.5)
        if chosen.random() < share:
            runtime.health.penalize(route.entry.standing, now)
        if chosen.random() < share / 3:
            runtime.health.refused_size(route.standing, chosen.choice([100, 3_000]), now)


def _mistake(stage: Stage, share: float, chosen: random.Random) -> None:
    """Let the estimates of some models have been wrong, always alike or now this way, now that way."""
    runtime = stage.proxy.runtime
    for entry in runtime.snapshot.orders.catalogue.chain:
        if chosen.random() < share:
            for actual in chosen.choice([(60,), (130,), (50, 150), (40, 300)]) * 10:
                runtime._corrections.observe(entry.name, 100, actual, chosen.choice([10, 900]))


def _check(told: Any, answer: Any) -> None:
    """Check what the answer says was passed over against the explanation."""
    said = {(note["route"], note["reason"]) for note in answer["x_freellm"].get("passed_over", [])}
    rows = told["routes"]
    place = [row["verdict"] for row in rows].index("serves")
    before = {(row["route"], row["reason"]) for row in rows[:place]}
    # A guess is told where it would be put to the test, with the reason for which it is passed over at first.
    guesses = {(row["route"], row["reason"]) for row in rows if row["detail"] == GUESS}
    # Why it cannot be tested then is what is told of a guess in the end.
    objected = {row["route"] for row in rows if row["reason"] == "request"}
    assert all(pair in before | guesses or pair[0] in objected for pair in said)
    surely = {pair for pair in before - guesses if pair[0] not in objected}
    if len(answer["x_freellm"].get("passed_over", [])) < PASSED_OVER_TOLD:
        assert surely <= said
    if rows[place]["detail"] == GUESS:  # everything was passed over at first
        assert said
    elif not said:
        assert not before


def test_a_route_for_which_an_estimate_is_put_to_the_test_is_told_as_a_guess(stage: Stage) -> None:
    """Its quota has room for what is estimated, and none for the margin of a model whose estimates are often wrong."""
    stage.forget()
    runtime = stage.proxy.runtime
    for entry in runtime.snapshot.orders.catalogue.chain:
        for actual in (50, 150) * 10:
            runtime._corrections.observe(entry.name, 100, actual, 10)
    for size in (2_000, 4_000, 6_000, 8_000, 12_000):
        body = chat(text="word " * size, model="gpt-oss-120b")
        told = stage.explain(body)
        if told["serves"] is not None:
            _check(told, stage.post("chat/completions", body)[2])


def test_a_dry_run_spends_nothing_and_changes_nothing(stage: Stage) -> None:
    stage.forget()
    runtime = stage.proxy.runtime

    def state() -> object:
        pools = [(pool.identity, pool.counter.used, pool.changed) for pool in runtime.ledger.pools()]
        turns = [entry.upcoming for entry in runtime.proxy.catalogue.entries]
        return pools, turns, runtime.health.version, len(runtime.proxy.activity.last)

    before, upstream = state(), stage.simulation.state()["quotas"]
    for model in ("auto", "auto:fast", "groq/openai/gpt-oss-20b"):
        assert stage.explain(chat(model))["serves"]
    assert state() == before
    assert stage.simulation.state()["quotas"] == upstream


def test_every_route_is_told_with_its_quotas(stage: Stage) -> None:
    stage.forget()
    told = stage.explain(chat(max_tokens=50))
    first = told["routes"][0]
    assert (first["verdict"], first["route"]) == ("serves", told["serves"])
    assert {row["verdict"] for row in told["routes"][1:]} == {"next"}
    chain = [r for r in stage.proxy.runtime.proxy.routes if r.model.task == "chat" and not r.model.classifier]
    assert len(told["routes"]) == len(chain)
    for row in told["routes"]:
        assert all(quota["fits"] for quota in row["quotas"])
        for quota in row["quotas"]:
            if quota["forecast"]["unit"] == "requests":
                assert quota["reserves"] == 1
            if quota["forecast"]["unit"] == "tokens":
                whole = row["input_tokens"] + row["max_tokens"]
                assert quota["reserves"] in (
                    row["input_tokens"],
                    whole,
                )  # some services count the prompt alone


def test_reasons_are_those_of_the_request(stage: Stage) -> None:
    stage.forget()
    told = stage.explain(chat(text="漢字 " * 60_000, tools=[TOOL]))
    reasons = {row["reason"] for row in told["routes"]}
    assert {"context", "ability"} <= reasons
    lacking = next(row for row in told["routes"] if row["reason"] == "ability")
    assert (lacking["verdict"], lacking["missing"], lacking["opens_at"]) == ("unable", ["tools"], None)


def test_what_the_request_itself_leaves_out_is_told_with_the_reason(stage: Stage) -> None:
    stage.forget()
    told = stage.explain(chat(provider={"only": ["groq"]}))
    assert {row["provider"] for row in told["routes"] if row["verdict"] in ("serves", "next")} == {"groq"}
    left_out = [row for row in told["routes"] if row["provider"] == "google"]
    assert left_out
    assert {(row["verdict"], row["reason"]) for row in left_out} == {("unable", "filter")}
    assert "provider.only" in left_out[0]["detail"]


def test_a_cooldown_is_told_and_cleared(stage: Stage) -> None:
    stage.forget()
    serving = stage.explain(chat())["serves"]
    runtime = stage.proxy.runtime
    now = runtime.clock.now()
    (entry,) = runtime.proxy.catalogue.named(serving)
    entry.standing.close(now + 90, Kind.RATE_LIMITED, stated=True)
    runtime.health.penalize(entry.standing, now)
    told = stage.explain(chat())
    row = next(row for row in told["routes"] if row["route"] == serving)
    assert told["serves"] != serving
    assert (row["verdict"], row["reason"], row["opens_at"], row["penalty"]) == (
        "closed",
        "cooldown",
        now + 90,
        3.0,
    )
    (cooldown,) = row["cooldowns"]
    assert cooldown == {
        "what": f"model {serving}",
        "kind": "rate_limited",
        "stated": True,
        "until": now + 90,
    }
    status, _, cleared = stage.post("freellm/clear", {"name": serving})
    assert (status, cleared["cleared"]) == (200, [f"model {serving}"])
    assert stage.explain(chat())["serves"] == serving
    assert stage.post("freellm/clear", {"name": serving})[2]["cleared"] == []


def test_a_conversation_stays_with_its_route_and_the_explanation_says_so(stage: Stage) -> None:
    stage.forget()
    first = [{"role": "user", "content": "Hello"}]
    pinned = {"model": "groq/openai/gpt-oss-20b", "messages": first}
    _, _, answer = stage.post("chat/completions", pinned, **{"X-Session-Id": "s1"})
    assert answer["model"] == "openai/gpt-oss-20b"
    status, _, told = stage.post("freellm/explain", chat(), **{"X-Session-Id": "s1"})
    assert (status, told["sticky"], told["serves"]) == (
        200,
        "groq/openai/gpt-oss-20b",
        "groq/openai/gpt-oss-20b",
    )
    assert told["routes"][0]["detail"] == STICKY


def test_an_embeddings_request_is_explained(stage: Stage) -> None:
    stage.forget()
    body = {"model": "auto", "input": ["one", "two"]}
    told = stage.explain(body)
    _, headers, _ = stage.post("embeddings", body)
    assert headers["X-Routed-Via"] == told["serves"]


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"model": "auto"}, "messages", None),
        (chat("no-such-model"), "model", "model_not_found"),
        ([], None, "invalid_json"),
    ],
)
def test_a_request_that_would_be_refused_is_refused_in_the_same_words(
    stage: Stage, body: Any, param: str | None, code: str | None
) -> None:
    status, _, told = stage.post("freellm/explain", body)
    status_then, _, answer = stage.post("chat/completions", body)
    for error in (told["error"], answer["error"]):
        del error["x_freellm"]["request_id"]
    assert (status, told) == (status_then, answer)
    assert (told["error"]["param"], told["error"]["code"]) == (param, code)


def test_the_rest_of_the_tightest_pools_is_in_the_headers(stage: Stage) -> None:
    stage.forget()
    _, headers, _ = stage.post("chat/completions", chat("groq/openai/gpt-oss-20b"))
    told = stage.explain(chat("groq/openai/gpt-oss-20b"))
    least: dict[str, float] = {}
    for quota in told["routes"][0]["quotas"]:
        unit, left = quota["forecast"]["unit"], quota["forecast"]["left"]
        least[unit] = min(left, least.get(unit, left))
    assert headers["X-FreeLLM-Pool-Remaining"] == ", ".join(
        f"{unit}={int(left)}" for unit, left in least.items()
    )
    assert set(least) == {"requests", "tokens"}


@pytest.mark.parametrize("path", ["explain", "clear", "quotas", "activity"])
def test_nothing_is_told_without_the_unified_key(stage: Stage, path: str) -> None:
    method = "POST" if path in ("explain", "clear") else "GET"

    async def ask() -> int:
        url = f"{stage.proxy.url}/v1/freellm/{path}"
        async with stage.proxy.session.request(method, url, json=chat()) as answer:
            return answer.status

    assert stage.run(ask()) == 401


def test_quotas_activity_and_explanations_hold_no_secret(stage: Stage) -> None:
    stage.forget()
    stage.post("chat/completions", chat(text="a text nobody may keep"))
    secrets = [*stage.simulation.keys.values(), stage.proxy.key, "a text nobody may keep"]
    for told in (stage.get("quotas"), stage.get("activity"), stage.explain(chat())):
        assert not [secret for secret in secrets if secret in str(told)]
    assert stage.get("activity")["last"][0]["status"] == 200
    assert stage.get("activity")["under_way"] == []
