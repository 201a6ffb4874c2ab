"""Google's own SDK types forbid unknown fields: they accept what we send, and what we say the service answers."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

CASES = [
    json.loads(path.read_text("utf-8")) for path in sorted((Path(__file__).parent / "cases").glob("*.json"))
]
CHATS = [case for case in CASES if "embedding_request" not in case and "listed" not in case]
EMBEDDINGS = [case for case in CASES if "embedding_request" in case]
BODIES = [case["upstream"]["body"] for case in CHATS if "upstream" in case]
ANSWERS = [
    data
    for case in CHATS
    for data in [case.get("answer", {}).get("body"), *(event["data"] for event in case.get("events", ()))]
    if isinstance(data, dict) and "error" not in data
]


@pytest.fixture(scope="module")
def types() -> Any:
    with warnings.catch_warnings():
        # The SDK is not warning-free while it is imported; what it says about our bodies still counts.
        warnings.simplefilter("ignore")
        from google.genai import types

    return types


def test_the_official_types_accept_every_request_of_the_cases(types: Any) -> None:
    assert len(BODIES) > 30
    for body in BODIES:
        assert body.keys() <= {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"}
        for content in [
            *body["contents"],
            *([body["systemInstruction"]] if "systemInstruction" in body else []),
        ]:
            types.Content.model_validate(content)
        for tool in body.get("tools", ()):
            types.Tool.model_validate(tool)
        types.ToolConfig.model_validate(body.get("toolConfig", {}))
        types.GenerationConfig.model_validate(body.get("generationConfig", {}))


def test_the_official_types_know_every_level_and_mode_we_send(types: Any) -> None:
    from freellm_provider_google.dialects import DIALECTS

    levels = {
        value for _, dialect in DIALECTS for value in dialect.efforts.values() if isinstance(value, str)
    }
    assert {level.upper() for level in levels} <= set(types.ThinkingLevel.__members__)
    modes = {body["toolConfig"]["functionCallingConfig"]["mode"] for body in BODIES if "toolConfig" in body}
    assert modes == {"AUTO", "ANY", "NONE"}
    assert modes <= set(types.FunctionCallingConfigMode.__members__)


def test_every_official_finish_reason_has_a_meaning(types: Any) -> None:
    from freellm_provider_google.completions import FAILED_TURNS, FINISHES

    official = set(types.FinishReason.__members__)
    assert official >= FAILED_TURNS
    assert set(FINISHES) <= official
    unnamed = official - FAILED_TURNS - set(FINISHES)
    assert not {
        reason for reason in unnamed if "SAFETY" in reason or "PROHIBITED" in reason or "MALFORMED" in reason
    }


def test_the_answers_of_the_cases_are_real_ones(types: Any) -> None:
    assert len(ANSWERS) > 20
    for answer in ANSWERS:
        types.GenerateContentResponse.model_validate(answer)


def test_the_official_types_accept_the_embeddings_of_the_cases(types: Any) -> None:
    bodies = [case["upstream"]["body"] for case in EMBEDDINGS if "upstream" in case]
    requests = [request for body in bodies for request in body.get("requests", [body])]
    assert len(requests) > 4
    for request in requests:
        assert request.keys() <= {"model", "content", "taskType", "outputDimensionality"}
        types.Content.model_validate(request["content"])
        config = {name: request[name] for name in ("taskType", "outputDimensionality") if name in request}
        types.EmbedContentConfig.model_validate(config)
