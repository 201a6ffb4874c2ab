"""What the provider declares, and how it judges keys."""

import re

import pytest

from freellm import Answer, ChatRequest, Key, Kind, Model
from freellm_provider_google import INFO, provider
from freellm_provider_google.amends import AMENDS, Amend
from freellm_provider_google.dialects import dialect_of


def refusal(code: int, status: str, message: str, reason: str = "") -> Answer:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    error = {"code": code, "status": status, "message": message, "details": details}
    return Answer(code, {}, {"error": error})


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answer(200, {}, {"models": [{"name": "models/gemini-2.5-flash"}]}), "valid"),
        (Answer(200, {}, {}), "inconclusive"),
        (Answer(200, {}, None, "<html>Sign in to this network</html>"), "inconclusive"),
        (Answer(0, {}, None, "connection refused"), "inconclusive"),
        (refusal(400, "INVALID_ARGUMENT", "API key not valid.", "API_KEY_INVALID"), "invalid"),
        (refusal(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."), "invalid"),
        (refusal(400, "INVALID_ARGUMENT", "Something else"), "inconclusive"),
        (
            refusal(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
            "inconclusive",
        ),
        (refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."), "invalid"),
        (refusal(403, "PERMISSION_DENIED", "The caller does not have permission"), "inconclusive"),
        (refusal(403, "PERMISSION_DENIED", "Your API key was reported as leaked."), "invalid"),
        (refusal(403, "PERMISSION_DENIED", "Blocked.", "API_KEY_SERVICE_BLOCKED"), "invalid"),
        (
            refusal(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
            "inconclusive",
        ),
        (refusal(503, "UNAVAILABLE", "The service is currently unavailable."), "inconclusive"),
        (Answer(401, {}, None, "<html>proxy</html>"), "inconclusive"),
        (Answer(403, {}, None, "<html>Error 403 (Forbidden)!!1</html>"), "inconclusive"),
        (Answer(502, {}, None, ""), "inconclusive"),
    ],
)
def test_a_key_is_judged_by_what_is_said_about_it(answer: Answer, state: str) -> None:
    verdict = provider.judge_key([answer])
    assert verdict.state == state
    assert state == "valid" or verdict.message


def test_a_key_is_probed_without_spending_quota(key: Key) -> None:
    (probe,) = provider.check_key(key)
    assert (probe.method, probe.path, probe.body) == ("GET", "/models?pageSize=1", None)
    assert probe.headers == {"x-goog-api-key": "KEY-token"}


def test_the_key_is_in_a_header_and_shown_nowhere_else(models: dict[str, Model], key: Key) -> None:
    request = ChatRequest(messages=[{"role": "user", "content": "Hi"}], stream=True)
    upstream = provider.translate_request(request, models["gemini-2.5-flash"], key)
    assert "KEY-token" not in repr(upstream)
    assert "KEY-token" not in getattr(upstream, "path", "KEY-token")


def test_models_that_are_served_and_retired_ones_are_declared(models: dict[str, Model]) -> None:
    assert models["gemini-2.5-pro"].enabled_by_default
    assert "disputed" in models["gemini-2.5-pro"].note
    assert models["gemini-3.1-pro-preview"].status == "paid-only"
    assert not models["gemma-3-27b-it"].enabled_by_default
    for model in models.values():
        assert model.images == ("none" if model.task == "embeddings" else "inline")
        assert bool(model.retired) == (model.status == "retired")
        assert model.replaced_by is None or model.replaced_by in models
        assert model.source


def test_limits_are_those_of_a_project_and_a_model(models: dict[str, Model]) -> None:
    limited, unknown = set[str](), set[str]()
    for quota in provider.declare_quotas():
        assert quota.scope == "account"
        assert len(quota.members) == 1
        assert quota.charge == ("input" if quota.unit == "tokens" else "actual")
        assert quota.clock == ("pacific-midnight" if quota.window == 86_400 else "rolling")
        limited |= set(quota.members)
        if quota.limit is None:
            unknown |= set(quota.members)
    gone = {id_ for id_, model in models.items() if model.status in ("retired", "paid-only")}
    assert not limited & gone
    assert limited | gone == set(models)
    assert unknown == {
        "gemini-3.7-flash",
        "gemini-3.8-flash",
        "gemini-flash-latest",
        "gemini-flash-lite-latest",
    }


def test_abilities_and_dialects_agree(models: dict[str, Model]) -> None:
    for model in (model for model in models.values() if model.task == "chat"):
        dialect = dialect_of(model.id)
        assert bool(dialect.efforts) == ("reasoning" in model.abilities)
        assert "json" in model.abilities or not dialect.json_with_tools
        # An effort that is a level never stands beside one that is a budget: both together are refused.
        assert len({type(value) for value in dialect.efforts.values()}) <= 1


def test_every_effort_has_a_place_in_every_thinking_dialect(models: dict[str, Model]) -> None:
    efforts = {"none", "minimal", "low", "medium", "high", "xhigh", "max"}
    assert all(dialect_of(id_).efforts.keys() in (efforts, set()) for id_ in models)
    assert dialect_of("gemini-9-flash") is dialect_of("gemini-3.8-flash")
    assert dialect_of("something-else").efforts == {}


def test_the_service_sends_no_quota_headers() -> None:
    assert INFO.quota_headers == ()
    assert not hasattr(provider, "read_quota")


WORDS = (
    "Thought signature is not valid",
    "functionResponse.id does not match functionCall.id",
    "Developer instruction is not enabled for models/gemma-3-27b-it",
    "Penalty is not enabled for this model",
    "Budget 0 is invalid. This model only works in thinking mode.",
    "Function calling with a response mime type: 'application/json' is unsupported",
    "Invalid value at 'generation_config.response_schema' (type.googleapis.com/google.ai.generativelanguage.Schema)",
    "GenerateContentRequest.tools[0].function_declarations[0].parameters.properties[a].items: missing field.",
)
"""What the service says for each row of the table of corrections, in its order."""


@pytest.mark.parametrize(
    ("row", "words"), list(zip(AMENDS, WORDS, strict=True)), ids=[row.words for row in AMENDS]
)
def test_a_correction_is_tried_once_and_then_no_more(row: Amend, words: str) -> None:
    parameters = {
        "presence_penalty": 1,
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
    }
    request = ChatRequest(messages=[], parameters=parameters)
    first = provider.classify_error(request, refusal(400, "INVALID_ARGUMENT", words))
    assert (first.kind, first.param) == (Kind.BAD_REQUEST, row.param)
    assert first.amend == request.without(*row.drops, hint=row.hint)
    second = provider.classify_error(first.amend, refusal(400, "INVALID_ARGUMENT", words))
    assert (second.kind, second.param, second.amend) == (Kind.BAD_REQUEST, row.param, None)


def test_a_failure_s_message_is_one_short_line() -> None:
    failure = provider.classify_error(ChatRequest(messages=[]), refusal(503, "UNAVAILABLE", "busy\n\n" * 500))
    assert len(failure.message) <= 300
    assert not re.search(r"\s\s|\n", failure.message)
