"""Every installed provider keeps to the contract: declarations, types, purity, and nothing of a key but its header."""

from __future__ import annotations

import inspect
import itertools
import json
import re
from copy import deepcopy
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pytest
from msgspec.structs import replace

from freellm import (
    Answer,
    ChatRequest,
    EmbeddingRequest,
    Event,
    Failure,
    Key,
    Kind,
    Model,
    ProviderInfo,
    Quota,
    Reading,
    Secret,
    Upstream,
    Verdict,
)
from freellm.hookspecs import ProviderSpec
from freellm.plugins import PROVIDERS, relay
from freellm.providers import REQUIRED
from freellm.types import UNCHANGED, Json

POINTS = sorted(entry_points(group=PROVIDERS), key=lambda point: point.name)
DATE = re.compile(r"20\d\d-[01]\d-[0-3]\d")

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
}
SCHEMA = {"name": "city", "strict": True, "schema": TOOL["function"]["parameters"]}  # type: ignore[index]
USER = {"role": "user", "content": "What is the weather in Paris?"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}

FOUND = Model(
    id="found",
    family="found",
    abilities=frozenset({"system", "tools", "json"}),
    source="a list",
    checked="2026-11-24",
)
"""A model as an instance of a plugin for instances has it."""

REQUESTS: dict[str, ChatRequest] = {
    "plain": ChatRequest(messages=[USER]),
    "system": ChatRequest(messages=[{"role": "system", "content": "Be brief."}, USER]),
    "two systems": ChatRequest(messages=[{"role": "system", "content": text} for text in "ab"] + [USER]),
    "stream": ChatRequest(messages=[USER], stream=True),
    "parameters": ChatRequest(
        messages=[USER],
        parameters={
            "temperature": 0.2,
            "top_p": 0.9,
            "max_tokens": 100,
            "seed": 7,
            "stop": ["x"],
            "user": "u",
            "presence_penalty": 0.1,
            "logit_bias": {"1": 1},
            "logprobs": True,
            "stranger": {"a": 1},
        },
    ),
    "reasoning": ChatRequest(messages=[USER], parameters={"reasoning_effort": "high"}),
    "largest": ChatRequest(messages=[USER], parameters={"max_tokens": 10_000_000}),
    "tools": ChatRequest(messages=[USER], parameters={"tools": [TOOL], "tool_choice": "auto"}),
    "forced tool": ChatRequest(
        messages=[USER],
        parameters={
            "tools": [TOOL],
            "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
            "parallel_tool_calls": False,
        },
        stream=True,
    ),
    "tool results": ChatRequest(
        messages=[
            USER,
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [CALL, {**CALL, "id": "call_2"}],
                "reasoning_content": "hm",
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "18 degrees"},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "18 degrees"}]},
        ],
        parameters={"tools": [TOOL]},
    ),
    "kept state": ChatRequest(
        messages=[
            USER,
            {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "18 degrees"},
        ],
        kept={"call_1": "opaque"},
    ),
    "json mode": ChatRequest(messages=[USER], parameters={"response_format": {"type": "json_object"}}),
    "json schema": ChatRequest(
        messages=[USER],
        parameters={"response_format": {"type": "json_schema", "json_schema": SCHEMA}},
        stream=True,
    ),
    "image": ChatRequest(messages=[{"role": "user", "content": [{"type": "text", "text": "What?"}, IMAGE]}]),
    "text parts": ChatRequest(
        messages=[{"role": "user", "content": [{"type": "text", "text": text} for text in "ab"]}]
    ),
    "prefill": ChatRequest(messages=[USER, {"role": "assistant", "content": "It is"}]),
    "hinted": ChatRequest(messages=[USER], hints=frozenset({"a hint of another provider"})),
}

ANSWERS: list[Answer] = [
    *(
        Answer(status=status, headers={"retry-after": "3"}, body={"error": {"message": "m", "code": "c"}})
        for status in (400, 401, 402, 403, 404, 408, 410, 413, 422, 429, 500, 502, 503, 529)
    ),
    Answer(status=404, headers={}, text="404 page not found"),
    Answer(status=502, headers={}, text="<html></html>"),
    Answer(status=400, headers={}, body=[{"error": {"message": "m"}}]),
    Answer(status=400, headers={}, body={"error": "m"}),
    Answer(status=400, headers={}, body={}),
    Answer(status=400, headers={}, body="m"),
]
BODIES: list[Any] = [
    None,
    {},
    [],
    "text",
    {"choices": []},
    {"candidates": []},
    {"error": {"message": "m"}},
    {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]},
]
WHOLE = [Answer(status=200, headers={}, body=body) for body in BODIES]
EVENTS: list[Any] = [
    {"error": {"message": "m", "code": 500}},
    "text",
    None,
    [],
    {},
    {"choices": []},
    {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]},
]


class Subject:
    """One installed provider, asked as core asks it."""

    def __init__(self, point: EntryPoint) -> None:
        self.name = point.name
        self.plugin: Any = point.load()
        self.relay = relay(ProviderSpec, [(point.name, self.plugin)])
        self.info: ProviderInfo = self.relay.hook.describe_provider()
        self.models: tuple[Model, ...] = tuple(self.relay.hook.declare_models())
        if self.info.instances:
            assert not self.models, "a plugin for instances has no models of its own"
            self.models = (FOUND,)
        self.quotas: tuple[Quota, ...] = tuple(self.relay.hook.declare_quotas())
        self.key = Key(
            id="k",
            account="acct",
            fields={field.name: Secret(f"KEY-{field.name}") for field in self.info.key_fields},
            base_url=self.info.base_url,
        )

    def ask(self, hook: str, **arguments: Any) -> Any:
        """Ask a hook, and check that it changed no argument."""
        before = deepcopy(arguments)
        found = getattr(self.relay.hook, hook)(**arguments)
        assert arguments == before, f"{hook} of {self.name} changed an argument"
        return found


@cache
def subject(name: str) -> Subject:
    return Subject(next(point for point in POINTS if point.name == name))


@pytest.fixture(params=[point.name for point in POINTS])
def provider(request: pytest.FixtureRequest) -> Subject:
    return subject(request.param)


def asked(provider: Subject) -> list[Model]:
    """Return the models that differ in what a request to them may look like."""
    chatting = (model for model in provider.models if model.task == "chat")
    kinds = {(m.abilities, m.images, m.family.split("-")[0]): m for m in chatting}
    return list(kinds.values())


def assert_sendable(provider: Subject, upstream: Upstream) -> None:
    assert upstream.method in ("GET", "POST")
    assert upstream.path.startswith("/")
    assert not upstream.path.startswith("//")
    assert not re.search(r"\s|\.\./", upstream.path)
    assert all(name == name.lower() for name in upstream.headers)
    sent = json.dumps(upstream.body)
    for field in provider.info.key_fields:
        if field.secret:
            assert f"KEY-{field.name}" not in upstream.path + sent + repr(upstream)


def test_the_reference_providers_are_installed() -> None:
    assert {"groq", "cloudflare", "google"} <= {point.name for point in POINTS}


def test_the_entry_point_has_the_providers_name(provider: Subject) -> None:
    assert provider.info.id == provider.name


def test_every_hook_is_answered_by_a_plain_method_without_defaults(provider: Subject) -> None:
    assert set(provider.relay.hooks_of(provider.plugin)) >= set(REQUIRED)
    for hook in provider.relay.hooks_of(provider.plugin):
        method = getattr(provider.plugin, hook)
        assert not inspect.iscoroutinefunction(method)
        parameters = inspect.signature(method).parameters.values()
        assert [p.name for p in parameters if p.default is not p.empty] == []


def test_declarations_have_their_types_sources_and_dates(provider: Subject) -> None:
    assert isinstance(provider.info, ProviderInfo)
    assert provider.models
    assert all(isinstance(model, Model) for model in provider.models)
    assert all(isinstance(quota, Quota) for quota in provider.quotas)
    rows: list[Model | Quota] = [*provider.models, *provider.quotas]
    for row in rows:
        assert row.source
        assert DATE.fullmatch(row.checked), row
    if provider.info.data_policy:
        assert provider.info.data_policy.source
        assert DATE.fullmatch(provider.info.data_policy.checked)


def test_model_ids_differ_and_what_replaces_one_is_known(provider: Subject) -> None:
    ids = [model.id for model in provider.models]
    assert len(set(ids)) == len(ids)
    assert {model.replaced_by for model in provider.models} - {None} <= set(ids)
    if not any(model.enabled_by_default for model in provider.models):
        assert all(model.status == "retired" and model.note for model in provider.models), "nothing is on"
    for model in provider.models:
        assert (model.status == "retired") or model.retired is None


def test_quotas_name_existing_models_and_differ(provider: Subject) -> None:
    ids = {model.id for model in provider.models}
    names = [quota.name for quota in provider.quotas]
    assert len(set(names)) == len(names)
    for quota in provider.quotas:
        assert set(quota.members) <= ids


def test_every_priced_unit_has_a_quota_and_every_such_quota_a_price(provider: Subject) -> None:
    priced = {unit for model in provider.models for unit in model.costs}
    limited = {quota.unit for quota in provider.quotas} - {"requests", "tokens", "concurrent"}
    assert priced == limited
    for quota in provider.quotas:
        if quota.unit in limited:
            members = [model for model in provider.models if quota.touches(model)]
            assert all(quota.unit in model.costs for model in members)


def test_key_fields_match_the_environment(provider: Subject) -> None:
    fields = {field.name for field in provider.info.key_fields}
    for variable in provider.info.environment:
        name, _, field = variable.partition("=")
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", name)
        assert not field or field in fields
    for declared in provider.info.key_fields:
        if declared.pattern is not None:
            re.compile(declared.pattern)


def test_quota_headers_are_lower_case(provider: Subject) -> None:
    assert all(name == name.lower() for name in provider.info.quota_headers)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_becomes_something_to_send_or_a_failure(provider: Subject, name: str) -> None:
    sent = 0
    for model in asked(provider):
        found = provider.ask("translate_request", request=REQUESTS[name], model=model, key=provider.key)
        assert isinstance(found, Upstream | Failure)
        if isinstance(found, Upstream):
            sent += 1
            assert_sendable(provider, found)
            assert found.stream == REQUESTS[name].stream
    assert sent or name in ("image", "json schema", "json mode", "forced tool")


def test_plain_requests_are_sent_to_every_model(provider: Subject) -> None:
    for model in (model for model in provider.models if model.task == "chat"):
        found = provider.ask("translate_request", request=REQUESTS["plain"], model=model, key=provider.key)
        assert isinstance(found, Upstream), model.id


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.status}")
def test_a_refusal_has_a_name_and_repeats_no_key(provider: Subject, answer: Answer) -> None:
    model = provider.models[0]
    found = provider.ask("classify_error", request=REQUESTS["tools"], model=model, answer=answer)
    assert isinstance(found, Failure)
    assert isinstance(found.kind, Kind)
    assert len(found.message) <= 500
    assert found.retry_after is None or 0 < found.retry_after <= 86_400


@pytest.mark.parametrize("answer", WHOLE, ids=lambda answer: json.dumps(answer.body)[:30])
def test_a_whole_answer_becomes_a_completion_or_a_failure(provider: Subject, answer: Answer) -> None:
    found = provider.ask(
        "normalize_response", request=REQUESTS["plain"], model=provider.models[0], answer=answer
    )
    assert isinstance(found, dict | Failure)
    if isinstance(found, dict):
        assert found["choices"][0]["message"]["role"] == "assistant"


@pytest.mark.parametrize("data", EVENTS, ids=lambda data: json.dumps(data)[:30])
def test_a_stream_becomes_chunks_or_a_failure(provider: Subject, data: Any) -> None:
    normalize = provider.ask("normalize_stream", request=REQUESTS["stream"], model=provider.models[0])
    before = deepcopy(data)
    for found in (normalize(Event("message", data)), normalize.end()):
        assert found is UNCHANGED or isinstance(found, list | tuple | Failure)
    assert data == before


EMBEDDINGS = (
    EmbeddingRequest(inputs=["Hello"]),
    EmbeddingRequest(inputs=["Hello", "κόσμε", "你好"]),
    EmbeddingRequest(inputs=["Hello"], parameters={"user": "u", "input_type": "query", "stranger": {"a": 1}}),
)


def test_embeddings_become_something_to_send_or_a_failure(provider: Subject) -> None:
    for model in (model for model in provider.models if model.task == "embeddings"):
        for request, dimensions in itertools.product(EMBEDDINGS, (None, *model.dimensions)):
            whole = replace(request, dimensions=dimensions)
            found = provider.ask("translate_embeddings", request=whole, model=model, key=provider.key)
            assert isinstance(found, Upstream), model.id
            assert_sendable(provider, found)
            assert not found.stream
        tokens = EmbeddingRequest(inputs=[[1, 2], [3]])
        found = provider.ask("translate_embeddings", request=tokens, model=model, key=provider.key)
        assert isinstance(found, Upstream) == model.token_inputs
        assert isinstance(found, Upstream) or found.param == "input"


@pytest.mark.parametrize("answer", WHOLE, ids=lambda answer: json.dumps(answer.body)[:30])
def test_what_holds_no_vectors_is_a_failure(provider: Subject, answer: Answer) -> None:
    for model in (model for model in provider.models if model.task == "embeddings"):
        found = provider.ask("normalize_embeddings", request=EMBEDDINGS[1], model=model, answer=answer)
        assert isinstance(found, Failure)


def test_an_empty_stream_is_a_failure(provider: Subject) -> None:
    normalize = provider.ask("normalize_stream", request=REQUESTS["stream"], model=provider.models[0])
    assert isinstance(normalize.end(), Failure)


def test_two_streams_share_nothing(provider: Subject) -> None:
    first, second = (
        provider.ask("normalize_stream", request=REQUESTS["stream"], model=provider.models[0])
        for _ in range(2)
    )
    assert first is not second


def test_readings_come_from_the_declared_headers_alone(provider: Subject) -> None:
    if "read_quota" not in provider.relay.hooks_of(provider.plugin):
        pytest.skip("the provider reads no headers")
    for value in ("7", "", "soon", "1m3s"):
        headers = dict.fromkeys(provider.info.quota_headers, value)
        answer = Answer(status=200, headers=headers)
        found = provider.ask("read_quota", model=provider.models[0], answer=answer)
        assert all(isinstance(reading, Reading) for reading in found)
        assert value != "7" or bool(found) == bool(headers)
    bare = Answer(status=200, headers={})
    assert list(provider.ask("read_quota", model=provider.models[0], answer=bare)) == []


def test_probes_of_a_key_can_be_sent_and_judged(provider: Subject) -> None:
    probes = provider.ask("check_key", key=provider.key)
    assert probes
    for probe in probes:
        assert isinstance(probe, Upstream)
        assert_sendable(provider, probe)
    bodies: list[Json] = [{}, {"error": {"message": "m"}}, {"data": []}]
    for status in (0, 200, 400, 401, 403, 429, 500):
        for body in bodies:
            answers = [Answer(status=status, headers={}, body=body, text="t")] * len(probes)
            verdict = provider.ask("judge_key", key=provider.key, answers=answers)
            assert isinstance(verdict, Verdict)
            assert verdict.message
            assert status not in (0, 429, 500) or verdict.state == "inconclusive"
            assert not any(f"KEY-{field.name}" in verdict.message for field in provider.info.key_fields)
