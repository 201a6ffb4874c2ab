"""`POST /v1/embeddings` against simulated services: what clients see, and that no two vector spaces are ever mixed."""

from __future__ import annotations

import asyncio
import io
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from struct import unpack
from typing import Any

import aiohttp
import openai
import pytest

from freellm.testing import check_error
from freellm_simulator import Simulation
from running import KEYS, RunningProxy, running_proxy
from vector_lab import Lab, install, vector_lab

CAT = ["The cat sat on the mat.", "A cat is sitting on a mat.", "Stock markets fell sharply on Monday."]
LAB_KEYS = {"lab": ["lab-one"], "cloudflare": [KEYS["cloudflare"]], "google": [KEYS["google"]]}


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation(speed=0) as made:
        yield made


@pytest.fixture
async def proxy(tmp_path: Path, simulation: Simulation) -> AsyncIterator[RunningProxy]:
    names = ("groq", "google", "cloudflare")
    async with running_proxy(tmp_path, {name: simulation.base_urls[name] for name in names}) as running:
        yield running


@pytest.fixture
async def client(proxy: RunningProxy) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key=proxy.key, max_retries=0) as made:
        yield made


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with vector_lab() as made:
        yield made


@pytest.fixture
async def two(
    tmp_path: Path, simulation: Simulation, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RunningProxy]:
    """A proxy with two makers of bge-m3's vectors, and with Google, which makes others."""
    install(tmp_path / "site", monkeypatch)
    urls = {name: simulation.base_urls[name] for name in ("google", "cloudflare")}
    async with running_proxy(tmp_path, {**urls, "lab": lab.url}, keys=LAB_KEYS) as running:
        yield running


async def embed(proxy: RunningProxy, **body: Any) -> aiohttp.ClientResponse:
    response = await proxy.session.post(f"{proxy.url}/v1/embeddings", json=body, headers=proxy.headers)
    await response.read()
    return response


async def error_of(response: aiohttp.ClientResponse) -> Any:
    body = await response.json()
    check_error(body)
    return body["error"]


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def used(proxy: RunningProxy, identity: str) -> float:
    """Return what is booked on the pools whose identity begins so."""
    views = proxy.runtime.ledger.views(proxy.runtime.clock.now())
    return sum(view.used for view in views if view.identity.startswith(identity))


def spent(simulation: Simulation, provider: str, unit: str, model: str) -> float:
    """Return what the simulated service has counted."""
    rows = simulation.state()["quotas"]
    found = [
        row["used"] for row in rows if (row["provider"], row["unit"], row["model"]) == (provider, unit, model)
    ]
    return float(max(found, default=0.0))


async def test_the_sdk_gets_the_same_vectors_in_both_encodings(client: openai.AsyncOpenAI) -> None:
    default = await client.embeddings.create(model="bge-m3", input=CAT)
    floats = await client.embeddings.create(model="bge-m3", input=CAT, encoding_format="float")
    assert [row.index for row in default.data] == [0, 1, 2]
    for packed, plain in zip(default.data, floats.data, strict=True):
        assert packed.embedding == pytest.approx(plain.embedding, abs=1e-6)
    assert default.model == "@cf/baai/bge-m3"
    assert default.usage.prompt_tokens == default.usage.total_tokens > 0
    assert default._routed_via == {"platform": "cloudflare", "model": "@cf/baai/bge-m3"}  # type: ignore[attr-defined]


async def test_similar_texts_have_similar_vectors(client: openai.AsyncOpenAI) -> None:
    for model in ("bge-m3", "gemini-embedding-001", "gemini-embedding-2"):
        cats = await client.embeddings.create(model=model, input=CAT)
        first, second, third = (row.embedding for row in cats.data)
        assert cosine(first, second) > cosine(first, third) + 0.1


async def test_base64_is_little_endian_floats(proxy: RunningProxy) -> None:
    packed = await (await embed(proxy, model="bge-m3", input="a", encoding_format="base64")).json()
    plain = await (await embed(proxy, model="bge-m3", input="a")).json()
    raw = b64decode(packed["data"][0]["embedding"], validate=True)
    assert len(raw) == 4 * 1024
    assert unpack("<1024f", raw) == pytest.approx(plain["data"][0]["embedding"], abs=1e-7)


async def test_the_answer_is_openais_to_the_member(proxy: RunningProxy) -> None:
    response = await embed(proxy, model="auto", input="Hello", user="u")
    body = await response.json()
    assert body.keys() == {"object", "data", "model", "usage", "_routed_via", "x_freellm"}
    assert body["object"] == "list"
    assert [row.keys() for row in body["data"]] == [{"object", "index", "embedding"}]
    assert body["data"][0]["object"] == "embedding"
    assert body["usage"].keys() == {"prompt_tokens", "total_tokens"}
    assert body["x_freellm"]["vector_space"] == {"family": "bge-m3", "dimensions": 1024}
    assert "usage_estimated" not in body["x_freellm"]
    assert response.headers["X-Routed-Via"] == "cloudflare/@cf/baai/bge-m3"
    assert response.headers["X-Fallback-Attempts"] == "0"
    assert response.headers["X-FreeLLM-Dropped-Params"] == "user"
    assert response.headers["X-Request-Id"] == body["x_freellm"]["request_id"]
    assert float(response.headers["X-FreeLLM-Overhead-Ms"]) >= 0


@pytest.mark.parametrize("path", ["/embeddings", "/v1/embeddings", "/v1/v1/embeddings"])
async def test_base_urls_are_pasted_in_every_way(proxy: RunningProxy, path: str) -> None:
    body = {"model": "bge-m3", "input": "a"}
    async with proxy.session.post(proxy.url + path, json=body, headers=proxy.headers) as response:
        assert response.status == 200
    async with proxy.session.post(proxy.url + path, json=body) as response:
        assert response.status == 401


async def test_shorter_vectors_have_length_one_and_their_usage_is_called_an_estimate(
    client: openai.AsyncOpenAI,
) -> None:
    found = await client.embeddings.create(
        model="gemini-embedding-001", input=CAT, dimensions=768, extra_body={"input_type": "document"}
    )
    assert {len(row.embedding) for row in found.data} == {768}
    for row in found.data:
        assert cosine(row.embedding, row.embedding) == pytest.approx(1, abs=1e-5)
    assert found.x_freellm["usage_estimated"] is True  # type: ignore[attr-defined]
    told = await client.embeddings.create(model="gemini-embedding-2", input="a b c")
    assert "usage_estimated" not in told.x_freellm  # type: ignore[attr-defined]


REFUSED: list[tuple[dict[str, Any], int, str, str]] = [
    ({"model": "bge-m3"}, 400, "input", "a string, a list of strings"),
    ({"model": "bge-m3", "input": []}, 400, "input", "is empty"),
    ({"model": "bge-m3", "input": ["a"] * 2049}, 400, "input", "at most 2048"),
    ({"model": "bge-m3", "input": [15339, 1917]}, 400, "input", "check_embedding_ctx_length=False"),
    ({"model": "bge-m3", "input": [[15339], [1917]]}, 400, "input", "check_embedding_ctx_length=False"),
    ({"model": "bge-m3", "input": "a", "dimensions": 512}, 400, "dimensions", "it makes 1024"),
    ({"model": "auto", "input": "a", "dimensions": 512}, 400, "dimensions", "FREELLM_EMBEDDINGS_MODEL"),
    ({"model": "bge-m3", "input": ["a", "word " * 20_000]}, 400, "input", "8192 tokens"),
    ({"model": "gemini-2.5-flash", "input": "a"}, 404, "model", "send it to /v1/chat/completions"),
    ({"model": "bge-m4", "input": "a"}, 404, "model", "@cf/baai/bge-m3"),
    ({"model": "auto:fast", "input": "a"}, 404, "model", "no model that makes embeddings"),
    ({"model": "text-embedding-004", "input": "a"}, 404, "model", "gemini-embedding-001 took its place"),
]


@pytest.mark.parametrize(("body", "status", "param", "words"), REFUSED)
async def test_what_cannot_be_is_refused_with_its_field_and_the_cure(
    proxy: RunningProxy, simulation: Simulation, body: dict[str, Any], status: int, param: str, words: str
) -> None:
    response = await embed(proxy, **body)
    error = await error_of(response)
    assert (response.status, error["param"]) == (status, param)
    assert words in error["message"]
    assert response.headers["X-Should-Retry"] == "false"
    assert not simulation.state()["quotas"]


async def test_a_text_longer_than_the_window_is_never_cut(proxy: RunningProxy) -> None:
    response = await embed(proxy, model="gemini-embedding-001", input=["a", "word " * 4_000])
    error = await error_of(response)
    assert (response.status, error["code"], error["param"]) == (400, "context_length_exceeded", "input")
    short = await embed(proxy, model="bge-m3", input=["word " * 2_000] * 20)
    assert short.status == 200  # together they are longer than the window, each of them is not


async def test_a_chat_with_a_model_that_makes_embeddings_is_refused(proxy: RunningProxy) -> None:
    response = await proxy.chat("bge-m3")
    error = await error_of(response)
    assert response.status == 404
    assert "send it to /v1/embeddings" in error["message"]
    assert error["x_freellm"]["suggestions"]


async def test_the_list_of_models_tells_the_kinds_apart(client: openai.AsyncOpenAI) -> None:
    rows = {row.id: row.model_dump() async for row in client.models.list()}
    maker = rows["gemini-embedding-001"]
    assert maker["architecture"]["output_modalities"] == ["embeddings"]
    assert maker["dimensions"][0] == 3072
    assert maker["x_freellm"]["task"] == "embeddings"
    assert rows["gemini-2.5-flash"]["x_freellm"]["task"] == "chat"
    assert rows["auto"]["x_freellm"]["task"] == "chat"
    one = await client.models.retrieve("bge-m3")
    assert one.x_freellm["routes"] == ["cloudflare/@cf/baai/bge-m3"]  # type: ignore[attr-defined]


async def test_many_inputs_are_split_and_come_back_in_order(
    proxy: RunningProxy, simulation: Simulation
) -> None:
    texts = [f"text number {number}" for number in range(250)]
    response = await embed(proxy, model="bge-m3", input=texts)
    body = await response.json()
    assert [row["index"] for row in body["data"]] == list(range(250))
    alone = await (await embed(proxy, model="bge-m3", input=texts[137])).json()
    assert body["data"][137]["embedding"] == alone["data"][0]["embedding"]
    assert spent(simulation, "cloudflare", "requests", "embeddings") == 4
    assert used(proxy, "cloudflare|requests/60s:embeddings") == 4
    neurons = spent(simulation, "cloudflare", "neurons", "*")
    assert used(proxy, "cloudflare|neurons") == pytest.approx(neurons)
    assert neurons > 0
    await proxy.runtime.journal.flush()
    logged = proxy.runtime.store.request(response.headers["X-Request-Id"])
    assert logged is not None
    assert logged.request is not None
    assert (logged.request.attempts, logged.request.output_tokens) == (3, 0)
    assert logged.request.input_tokens == body["usage"]["prompt_tokens"]
    assert [attempt.number for attempt in logged.attempts] == [1, 2, 3]
    assert {attempt.kind for attempt in logged.attempts} == {"ok"}


async def test_where_each_input_counts_as_a_request_the_books_agree_with_the_service(
    proxy: RunningProxy, simulation: Simulation
) -> None:
    model = "gemini-embedding-001"
    assert (await embed(proxy, model=model, input=["a"] * 60)).status == 200
    assert (await embed(proxy, model=model, input=["a"] * 30)).status == 200
    assert spent(simulation, "google", "requests", model) == 90
    assert used(proxy, f"google|requests/60s:{model}") == 90
    full = await embed(proxy, model=model, input=["a"] * 30)
    error = await error_of(full)
    assert (full.status, error["code"]) == (429, "all_routes_exhausted")
    assert 50 < float(full.headers["Retry-After"]) <= 61
    assert spent(simulation, "google", "requests", model) == 90
    assert (await embed(proxy, model=model, input=["a"] * 10)).status == 200


async def test_what_the_quota_cannot_finish_is_refused_before_any_of_it_is_spent(
    proxy: RunningProxy, simulation: Simulation
) -> None:
    response = await embed(proxy, model="gemini-embedding-001", input=["a"] * 250)
    assert response.status == 429
    assert spent(simulation, "google", "requests", "gemini-embedding-001") == 0
    assert used(proxy, "google|requests/60s:gemini-embedding-001") == 0
    assert (await embed(proxy, model="gemini-embedding-001", input=["a"] * 100)).status == 200


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("rate_limit_minute", "rate_limited"),
        ("rate_limit_day", "quota_exhausted"),
        ("server_error", "overloaded"),
        ("bad_key", "bad_key"),
        ("forbidden", "forbidden"),
        ("model_gone", "model_gone"),
    ],
)
async def test_a_fault_moves_to_the_other_maker_of_the_same_vectors(
    two: RunningProxy, simulation: Simulation, lab: Lab, fault: str, kind: str
) -> None:
    before = await (await embed(two, model="bge-m3", input=CAT)).json()
    assert before["_routed_via"]["platform"] == "cloudflare"
    simulation.fail("cloudflare", fault, on="embeddings", times=None)
    response = await embed(two, model="bge-m3", input=CAT)
    after = await response.json()
    assert after["_routed_via"] == {"platform": "lab", "model": "baai/bge-m3"}
    assert f"=@cf/baai/bge-m3={kind}".lstrip("=") in response.headers["X-Fallback-Trail"]
    for one, other in zip(before["data"], after["data"], strict=True):
        assert one["embedding"] == pytest.approx(other["embedding"])
    assert after["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


async def test_workers_ai_and_nvidia_answer_for_each_other(tmp_path: Path, simulation: Simulation) -> None:
    names = ("cloudflare", "nvidia", "google")
    urls = {name: simulation.base_urls[name] for name in names}
    keys = {name: [simulation.keys[name]] for name in names}
    async with running_proxy(tmp_path, urls, keys=keys) as proxy:
        before = await (await embed(proxy, input=CAT)).json()
        simulation.fail("cloudflare", "overloaded", on="embeddings", times=None)
        after = await (await embed(proxy, input=CAT)).json()
    assert before["_routed_via"] == {"platform": "cloudflare", "model": "@cf/baai/bge-m3"}
    assert after["_routed_via"] == {"platform": "nvidia", "model": "baai/bge-m3"}
    assert before["data"] == after["data"]


async def test_no_other_family_ever_answers(two: RunningProxy, simulation: Simulation, lab: Lab) -> None:
    assert (await embed(two, input="a")).status == 200  # auto stands for bge-m3 from now on
    simulation.fail("cloudflare", "server_error", on="embeddings", times=None)
    lab.script = [500] * 50
    for model in ("auto", "bge-m3", "baai/bge-m3", "@cf/baai/bge-m3"):
        response = await embed(two, model=model, input="a")
        error = await error_of(response)
        assert response.status == 502
        attempts = error["x_freellm"]["attempts"]
        assert all("bge-m3" in attempt["route"] for attempt in attempts)
    assert not spent(simulation, "google", "requests", "gemini-embedding-001")


async def test_pinned_to_a_provider_nobody_else_answers(two: RunningProxy, simulation: Simulation) -> None:
    simulation.fail("cloudflare", "server_error", on="embeddings", times=None)
    assert (await embed(two, model="cloudflare/@cf/baai/bge-m3", input="a")).status == 502


async def test_vectors_of_a_wrong_length_are_not_handed_on(two: RunningProxy, lab: Lab) -> None:
    lab.script = [{"data": [{"index": 0, "embedding": [0.1] * 768}]}]
    response = await embed(two, model="baai/bge-m3", input="a")
    assert response.headers["X-Fallback-Trail"] == "lab/baai/bge-m3=bad_answer"
    assert response.headers["X-Routed-Via"] == "cloudflare/@cf/baai/bge-m3"
    lab.script = [{"data": [{"index": 0, "embedding": [1e300] * 1024}]}]
    assert (await embed(two, model="baai/bge-m3", input="a")).headers["X-Fallback-Attempts"] == "1"


async def test_parts_may_come_from_several_makers_of_one_space(
    two: RunningProxy, simulation: Simulation, lab: Lab
) -> None:
    texts = [f"text number {number}" for number in range(200)]
    lab.script = [429]
    response = await embed(two, model="baai/bge-m3", input=texts)
    body = await response.json()
    assert response.status == 200
    assert [row["index"] for row in body["data"]] == list(range(200))
    assert sum(made["inputs"] for made in body["x_freellm"]["made_by"]) == 200
    assert {made["platform"] for made in body["x_freellm"]["made_by"]} == {"lab", "cloudflare"}
    assert set(response.headers["X-Routed-Via"].split(", ")) == {
        "lab/baai/bge-m3",
        "cloudflare/@cf/baai/bge-m3",
    }
    alone = await (await embed(two, model="cloudflare/@cf/baai/bge-m3", input=texts)).json()
    for one, other in zip(body["data"], alone["data"], strict=True):
        assert one["embedding"] == pytest.approx(other["embedding"])


async def test_a_part_that_nobody_can_answer_fails_the_request_and_what_it_cost_stays_booked(
    two: RunningProxy, lab: Lab
) -> None:
    lab.script = [{"data": []}] * 3
    response = await embed(two, model="lab/baai/bge-m3", input=["a"] * 120)
    assert response.status == 502
    await two.runtime.journal.flush()
    logged = two.runtime.store.request(response.headers["X-Request-Id"])
    assert logged is not None
    assert logged.request is not None
    assert (logged.request.status, logged.request.error) == (502, "all_routes_failed")
    assert len({attempt.number for attempt in logged.attempts}) == len(logged.attempts) >= 1


async def test_parts_wait_for_their_turn_where_a_service_takes_one_at_a_time(
    two: RunningProxy, lab: Lab
) -> None:
    response = await embed(two, model="single", input=["a", "b"])
    assert response.status == 200
    assert len((await response.json())["data"]) == 2
    assert (len(lab.seen), lab.most) == (2, 1)


async def test_token_ids_go_where_they_are_taken(two: RunningProxy, lab: Lab) -> None:
    response = await embed(two, model="tokens", input=[[15339, 1917], [1]])
    assert response.status == 200
    assert lab.seen[-1]["input"] == [[15339, 1917], [1]]


async def test_unknown_fields_reach_those_who_take_them(two: RunningProxy, lab: Lab) -> None:
    await embed(two, model="baai/bge-m3", input="a", input_type="query", stranger=1)
    assert lab.seen[-1]["input_type"] == "query"
    assert "stranger" not in lab.seen[-1]


async def test_auto_stays_with_its_vectors_over_a_restart(
    tmp_path: Path, simulation: Simulation, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "site", monkeypatch)
    google = {"google": simulation.base_urls["google"]}
    async with running_proxy(tmp_path, google) as proxy:
        first = await (await embed(proxy, input="a")).json()
    assert first["x_freellm"]["vector_space"]["family"] == "gemini-embedding-001"
    both = {**google, "cloudflare": simulation.base_urls["cloudflare"]}
    async with running_proxy(tmp_path, both) as proxy:
        again = await (await embed(proxy, model="auto", input="a")).json()
        assert again["data"] == first["data"]
        for key in proxy.runtime.keyring.all():
            if key.provider == "google":
                proxy.runtime.store.keys.remove(key.id)
        proxy.runtime.refresh()
        gone = await embed(proxy, model="auto", input="a")
        error = await error_of(gone)
        assert gone.status == 404
        assert "stays with it" in error["message"]
        assert "FREELLM_EMBEDDINGS_MODEL" in error["message"]
    async with running_proxy(tmp_path, both, embeddings_model="bge-m3") as proxy:
        chosen = await (await embed(proxy, model="auto", input="a")).json()
        assert chosen["x_freellm"]["vector_space"]["family"] == "bge-m3"


async def test_a_client_that_leaves_is_logged_and_the_rest_is_given_up(
    proxy: RunningProxy, simulation: Simulation
) -> None:
    body = json.dumps({"model": "bge-m3", "input": ["word " * 1_000] * 2_000}).encode()
    with pytest.raises(asyncio.TimeoutError):
        await proxy.session.post(
            f"{proxy.url}/v1/embeddings",
            data=io.BytesIO(body),
            headers={**proxy.headers, "X-Request-Id": "leaves"},
            timeout=aiohttp.ClientTimeout(total=0.7),
        )
    async with asyncio.timeout(10):
        while True:
            await proxy.runtime.journal.flush()
            logged = proxy.runtime.store.request("leaves")
            if logged is not None and logged.request is not None:
                break
            await asyncio.sleep(0.05)
    assert (logged.request.status, logged.request.error) == (499, "cancelled")
    assert not proxy.runtime.ledger._live


async def test_watchers_hear_of_each_attempt_and_once_of_the_request(
    proxy: RunningProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, Any]] = []
    extensions = proxy.runtime.extensions
    monkeypatch.setattr(extensions, "on_attempt", lambda attempt: heard.append(("attempt", attempt)))
    monkeypatch.setattr(extensions, "on_request", lambda record: heard.append(("request", record)))
    assert (await embed(proxy, model="bge-m3", input=["a"] * 250)).status == 200
    assert [kind for kind, _ in heard] == ["attempt"] * 3 + ["request"]
    assert json.dumps(heard[-1][1].surface) == '"openai/embeddings"'
