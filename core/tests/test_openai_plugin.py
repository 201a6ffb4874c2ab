from __future__ import annotations

from typing import Any

import pytest

from freellm import Answer, Catalogue, ChatRequest, Failure, Key, Kind, OpenAICompatible, ProviderInfo, Secret
from freellm.declarations import Model
from freellm.hookspecs import ProviderSpec, hookimpl
from freellm.plugins import relay

INFO = ProviderInfo(
    id="lab", title="Lab", signup_url="https://x", docs_url="https://x", base_url="https://x/v1"
)
MODEL = Model(id="m", family="m", source="a test", checked="2026-11-23")
PLUGIN = OpenAICompatible(info=INFO, catalogue=Catalogue(models=(MODEL,)))
REQUEST = ChatRequest(messages=[{"role": "user", "content": "Hello"}])


def key(**fields: str) -> Key:
    secrets = {name: Secret(value) for name, value in fields.items()}
    return Key(id="1", account="a", fields=secrets, base_url="https://x/v1")


def answer(status: int, body: Any = None, text: str = "") -> Answer:
    return Answer(status=status, headers={}, body=body, text=text)


def test_one_call_answers_every_directed_hook() -> None:
    hooks = relay(ProviderSpec, [("lab", PLUGIN)]).hooks_of(PLUGIN)
    assert set(hooks) == {name for name in vars(ProviderSpec) if not name.startswith("_")}


def test_a_quirk_is_one_override_and_the_other_hooks_use_it() -> None:
    class Quirk(OpenAICompatible):
        @hookimpl
        def classify_error(self, request: ChatRequest, model: Model, answer: Answer) -> Failure:
            """Name every error busy."""
            return Failure(kind=Kind.CONCURRENCY, message="busy")

    quirk = Quirk(info=INFO, catalogue=Catalogue(models=(MODEL,)))
    hidden = quirk.normalize_response(REQUEST, MODEL, answer(200, {"error": {"message": "x"}}))
    assert hidden == Failure(kind=Kind.CONCURRENCY, message="busy")
    assert set(relay(ProviderSpec, [("lab", quirk)]).hooks_of(quirk)) >= {"classify_error", "judge_key"}


def test_the_key_goes_into_the_header_and_nowhere_else() -> None:
    upstream = PLUGIN.translate_request(REQUEST, MODEL, key(token="t0ken"))
    assert not isinstance(upstream, Failure)
    assert upstream.headers == {"authorization": "Bearer t0ken"}
    assert "t0ken" not in repr((upstream, upstream.path, upstream.body))


def test_a_key_without_a_token_sends_no_header() -> None:
    upstream = PLUGIN.translate_request(REQUEST, MODEL, key())
    assert not isinstance(upstream, Failure)
    assert upstream.headers == {}


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_an_answer_that_is_no_object_is_a_bad_one(body: Any) -> None:
    failure = PLUGIN.normalize_response(REQUEST, MODEL, answer(200, body, "<html>"))
    assert isinstance(failure, Failure)
    assert failure.kind == Kind.BAD_ANSWER


def test_a_key_is_proved_by_the_list_of_models() -> None:
    (probe,) = PLUGIN.check_key(key(token="t0ken"))
    assert (probe.method, probe.path, probe.body) == ("GET", "/models", None)
    assert probe.headers == {"authorization": "Bearer t0ken"}


@pytest.mark.parametrize(
    ("probe", "state"),
    [
        (answer(200, {"object": "list", "data": []}), "valid"),
        (answer(200, [{"id": "m"}]), "valid"),
        (answer(200, {"hello": 1}), "inconclusive"),
        (answer(200, None, "<html>"), "inconclusive"),
        (answer(401, {"error": {"message": "no"}}), "invalid"),
        (answer(403, {"error": {"message": "API key is disabled"}}), "invalid"),
        (answer(400, {"error": {"code": "invalid_api_key"}}), "invalid"),
        (answer(403, None, "<html>blocked</html>"), "inconclusive"),
        (answer(401, None, "<html>challenge</html>"), "inconclusive"),
        (answer(404, {"error": "no such page"}), "inconclusive"),
        (answer(429, {}), "inconclusive"),
        (answer(500, {}), "inconclusive"),
        (answer(0, None, "connection refused"), "inconclusive"),
    ],
)
def test_only_an_authenticated_answer_decides_about_a_key(probe: Answer, state: str) -> None:
    verdict = PLUGIN.judge_key(key(token="t0ken"), [probe])
    assert (verdict.state, bool(verdict.message)) == (state, True)


PUBLIC = OpenAICompatible(info=INFO, catalogue=Catalogue(models=(MODEL,)), public_models=True)
NO_MESSAGE = answer(400, {"error": {"message": "messages must not be empty"}})
NO_KEY = answer(401, {"error": {"message": "no key"}})
WRONG = answer(403, {"error": {"message": "API key is unknown"}})
PAGE = answer(403, None, "<html>blocked</html>")


def test_where_anyone_may_list_models_an_empty_chat_is_sent_with_the_key_and_without() -> None:
    keyed, keyless = PUBLIC.check_key(key(token="t0ken"))
    assert keyed.headers == {"authorization": "Bearer t0ken"}
    assert keyless.headers == {}
    assert keyed.path == keyless.path == "/chat/completions"
    assert keyed.body == keyless.body == {"model": MODEL.id, "messages": [], "max_tokens": 1}


@pytest.mark.parametrize(
    ("keyed", "keyless", "state"),
    [
        (NO_MESSAGE, NO_KEY, "valid"),
        (answer(404, {"error": {"message": "model not found for account x"}}), NO_KEY, "valid"),
        (answer(200, {"choices": []}), NO_KEY, "valid"),
        (WRONG, NO_KEY, "invalid"),
        (WRONG, WRONG, "invalid"),
        (NO_MESSAGE, NO_MESSAGE, "inconclusive"),
        (NO_MESSAGE, PAGE, "inconclusive"),
        (NO_MESSAGE, answer(0, None, "refused"), "inconclusive"),
        (answer(404, None, "404 page not found"), answer(404, None, "404 page not found"), "inconclusive"),
        (answer(200, None, "<html>hello</html>"), NO_KEY, "inconclusive"),
        (answer(401, None, "<html>sign in</html>"), NO_KEY, "inconclusive"),
        (answer(0, None, "refused"), NO_KEY, "inconclusive"),
        (answer(402, {"error": {"message": "add a card"}}), NO_KEY, "inconclusive"),
        (answer(429, {"error": {"message": "slow down"}}), NO_KEY, "inconclusive"),
        (answer(503, {"error": {"message": "maintenance"}}), NO_KEY, "inconclusive"),
        (PAGE, NO_KEY, "inconclusive"),
    ],
)
def test_a_key_is_proved_by_the_difference_it_makes(keyed: Answer, keyless: Answer, state: str) -> None:
    verdict = PUBLIC.judge_key(key(token="t0ken"), [keyed, keyless])
    assert (verdict.state, bool(verdict.message)) == (state, True)


def test_where_lists_are_public_a_key_is_proved_elsewhere() -> None:
    plugin = OpenAICompatible(
        info=INFO, catalogue=Catalogue(models=(MODEL,)), models_path="/list", key_proof=("/me", "user")
    )
    (probe,) = plugin.check_key(key(token="t"))
    assert (probe.method, probe.path, plugin.list_models(key())[0].path) == ("GET", "/me", "/list")
    states = [
        plugin.judge_key(key(), [answer(200, body)]).state
        for body in ({"user": {"name": "x"}}, {"user": {}}, {"data": []}, [], None)
    ]
    assert states == ["valid", *["inconclusive"] * 4]
    assert plugin.judge_key(key(), [answer(401, {"error": "no"})]).state == "invalid"


def test_only_free_ids_and_the_catalogue_s_are_asked_and_listed_as_free() -> None:
    declared = MODEL.model_copy(update={"id": "declared"})
    plugin = OpenAICompatible(info=INFO, catalogue=Catalogue(models=(declared,)), free_ids=":free$")
    for id_, asked in (("declared", True), ("new:free", True), ("new", False), ("declared-2", False)):
        model = MODEL.model_copy(update={"id": id_})
        found = plugin.translate_request(REQUEST, model, key(token="t"))
        assert isinstance(found, Failure) is not asked
        listed = plugin.read_models(answer(200, [{"id": id_, "pricing": {"prompt": "0", "completion": "0"}}]))
        assert [model.free for model in listed] == [asked]


def test_an_error_in_the_first_choice_is_an_error() -> None:
    body = {"choices": [{"error": {"code": 429, "message": "slow down"}, "finish_reason": "error"}]}
    found = PLUGIN.normalize_response(REQUEST, MODEL, answer(200, body))
    assert isinstance(found, Failure)
    assert found.kind is Kind.RATE_LIMITED
