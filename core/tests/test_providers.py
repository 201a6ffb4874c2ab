"""One provider behind typed calls: refused at start when it breaks the contract, harmless when it fails later."""

from __future__ import annotations

import re
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest
from pydantic import ValidationError

from freellm import (
    Answer,
    Catalogue,
    ChatRequest,
    EmbeddingRequest,
    Event,
    Failure,
    Key,
    Kind,
    ListedModel,
    OpenAICompatible,
    PluginError,
    ProviderInfo,
    Reading,
    Secret,
    Upstream,
    Verdict,
    hookimpl,
)
from freellm.hookspecs import ProviderSpec
from freellm.plugins import PROVIDERS
from freellm.providers import REQUIRED, Provider, load_providers
from freellm.types import UNCHANGED
from installing import Site, site
from small_world import info, model, quota

__all__ = ["site"]

MODEL = model("m")
REQUEST = ChatRequest(messages=[{"role": "user", "content": "Hello"}])
KEY = Key(id="k", account="a", fields={"token": Secret("secret-token")}, base_url="https://lab.test/v1")
ANSWER = Answer(200, {})
COMPLETION = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]
}


class Plain(OpenAICompatible):
    """A provider that speaks OpenAI's dialect, to be made worse."""

    def __init__(self) -> None:
        super().__init__(
            info=info(quota_headers=("x-left",)), catalogue=Catalogue(models=(MODEL,), quotas=(quota(30),))
        )


def worse(hook: str, answer: Callable[..., Any]) -> Any:
    """Return a plugin of which one hook answers otherwise."""
    return type("Worse", (Plain,), {hook: hookimpl(answer)})()


def says(value: Any) -> Callable[[Any], Any]:
    return lambda self: value


def refusal(plugin: Any) -> str:
    with pytest.raises(PluginError) as caught:
        Provider("lab", plugin)
    text = str(caught.value)
    assert re.match("plugin 'lab' is (refused|left out): ", text)
    return text


def test_a_plain_provider_is_all_declarations_and_hooks() -> None:
    plain = Provider("lab", Plain())
    assert (plain.name, plain.info.id, plain.models, plain.quotas) == ("lab", "lab", (MODEL,), (quota(30),))
    assert plain.quota_headers == ("x-left",)
    assert set(plain.hooks) == {name for name in vars(ProviderSpec) if not name.startswith("_")}
    assert set(REQUIRED) < set(plain.hooks)


def test_without_read_quota_no_header_is_looked_at() -> None:
    class Deaf:
        """Hands on all hooks but one."""

    plain, deaf = Plain(), Deaf()
    for hook in REQUIRED:
        setattr(deaf, hook, getattr(plain, hook))
    silent = Provider("lab", deaf)
    assert silent.info.quota_headers == ("x-left",)
    assert silent.quota_headers == ()


class Nothing:
    """A plugin that answers nothing."""


def test_a_required_hook_that_is_not_answered_is_named_with_the_cure() -> None:
    text = refusal(Nothing())
    for hook in REQUIRED:
        assert hook in text
    assert "OpenAICompatible, which answers all of them" in text
    assert "read_quota" not in text


@pytest.mark.parametrize(
    ("hook", "value", "said"),
    [
        ("describe_provider", None, "describe_provider answered a NoneType, not a ProviderInfo"),
        ("describe_provider", {"id": "lab"}, "describe_provider answered a dict, not a ProviderInfo"),
        ("declare_models", None, "declare_models answered a NoneType, not a Sequence"),
        ("declare_models", iter(()), "declare_models answered a tuple_iterator, not a Sequence"),
        ("declare_models", {"m": MODEL}, "declare_models answered a dict, not a Sequence"),
        ("declare_models", "m", "declare_models lists a str, not a Model"),
        ("declare_models", [None], "declare_models lists a NoneType, not a Model"),
        ("declare_models", [MODEL, quota(1)], "declare_models lists a Quota, not a Model"),
        ("declare_models", [MODEL, MODEL], "declare_models lists 'm' twice; remove one"),
        ("declare_quotas", [{}], "declare_quotas lists a dict, not a Quota"),
        (
            "declare_quotas",
            [quota(1, members=("m", "n"))],
            "names 'n', which declare_models does not list; correct",
        ),
    ],
)
def test_a_wrong_declaration_is_named_with_what_was_expected(hook: str, value: Any, said: str) -> None:
    assert said in refusal(worse(hook, says(value)))


def test_a_declaration_that_raises_is_named_with_its_reason() -> None:
    def fail(self: Any) -> None:
        raise ValueError("no such file")

    assert "declare_models raised ValueError: no such file" in refusal(worse("declare_models", fail))


def ask(hook: str, worse_provider: Provider) -> Any:
    """Ask a hook for something plain."""
    calls: dict[str, Callable[[], Any]] = {
        "translate_request": lambda: worse_provider.translate_request(REQUEST, MODEL, KEY),
        "normalize_response": lambda: worse_provider.normalize_response(REQUEST, MODEL, ANSWER),
        "normalize_stream": lambda: worse_provider.normalize_stream(REQUEST, MODEL),
        "classify_error": lambda: worse_provider.classify_error(REQUEST, MODEL, ANSWER),
        "read_quota": lambda: worse_provider.read_quota(MODEL, ANSWER),
        "check_key": lambda: worse_provider.check_key(KEY),
        "judge_key": lambda: worse_provider.judge_key(KEY, [ANSWER]),
    }
    return calls[hook]()


ON_THE_REQUEST_PATH = ("translate_request", "normalize_response", "normalize_stream", "classify_error")


def fails(self: Any) -> Any:
    raise RuntimeError("quotes the prompt and the secret-token")


@pytest.mark.parametrize("hook", ON_THE_REQUEST_PATH)
def test_a_hook_that_raises_costs_one_attempt_and_quotes_nothing(hook: str) -> None:
    assert ask(hook, Provider("lab", worse(hook, fails))) == Failure(
        kind=Kind.BAD_ANSWER, message=f"lab: {hook} raised RuntimeError"
    )


@pytest.mark.parametrize("hook", ON_THE_REQUEST_PATH)
def test_a_hook_that_answers_nothing_costs_one_attempt(hook: str) -> None:
    assert ask(hook, Provider("lab", worse(hook, says(None)))) == Failure(
        kind=Kind.BAD_ANSWER, message=f"lab: {hook} answered a NoneType"
    )


@pytest.mark.parametrize(
    ("hook", "value"),
    [
        ("translate_request", {"path": "/chat"}),
        ("translate_request", ["POST", "/chat"]),
        ("normalize_response", "Hi"),
        ("normalize_response", {}),
        ("normalize_response", {"choices": []}),
        ("normalize_response", {"choices": None}),
        ("normalize_response", {"choices": ["Hi"]}),
        ("normalize_response", {"choices": [{"message": "Hi"}]}),
        ("normalize_response", {**COMPLETION, "usage": [1, 2]}),
        ("classify_error", "busy"),
        ("classify_error", Failure(kind=Kind.BAD_REQUEST, salvaged={"choices": []})),
    ],
)
def test_a_hook_that_answers_what_core_cannot_use_costs_one_attempt(hook: str, value: Any) -> None:
    said = ask(hook, Provider("lab", worse(hook, says(value))))
    assert isinstance(said, Failure)
    assert said.kind is Kind.BAD_ANSWER
    assert said.message.startswith(f"lab: {hook} answered")


@pytest.mark.parametrize(
    ("hook", "value"),
    [
        ("translate_request", Upstream("POST", "/chat")),
        ("translate_request", Failure(kind=Kind.BAD_REQUEST)),
        ("normalize_response", COMPLETION),
        ("normalize_response", {**COMPLETION, "usage": {"prompt_tokens": 1}}),
        ("normalize_response", Failure(kind=Kind.OVERLOADED)),
        ("classify_error", Failure(kind=Kind.BAD_KEY)),
        ("classify_error", Failure(kind=Kind.BAD_REQUEST, salvaged=COMPLETION)),
        ("read_quota", [Reading(unit="requests", window=60.0, remaining=3)]),
        ("read_quota", ()),
        ("check_key", [Upstream("GET", "/models")]),
        ("judge_key", Verdict(state="valid")),
    ],
)
def test_a_right_answer_is_handed_on_as_it_is(hook: str, value: Any) -> None:
    assert ask(hook, Provider("lab", worse(hook, says(value)))) is value


@pytest.mark.parametrize(
    "answer", [fails, says(None), says([None]), says([{"unit": "requests"}]), says("text")]
)
@pytest.mark.parametrize("hook", ["read_quota", "check_key"])
def test_a_list_that_cannot_be_had_is_empty(hook: str, answer: Callable[[Any], Any]) -> None:
    assert ask(hook, Provider("lab", worse(hook, answer))) == ()


@pytest.mark.parametrize("answer", [fails, says(None), says("valid")])
def test_a_verdict_that_cannot_be_had_is_inconclusive_and_says_why(answer: Callable[[Any], Any]) -> None:
    verdict = ask("judge_key", Provider("lab", worse("judge_key", answer)))
    assert verdict.state == "inconclusive"
    assert "judge_key" in verdict.message
    assert "secret-token" not in verdict.message


def test_a_hand_written_provider_is_as_good_as_a_configured_one() -> None:
    class Stream:
        def __call__(self, event: Event) -> Any:
            return UNCHANGED

        def end(self) -> Any:
            return ()

    class Own:
        @hookimpl
        def describe_provider(self) -> Any:
            return info("own")

        @hookimpl
        def declare_models(self) -> Any:
            return [MODEL]

        @hookimpl
        def declare_quotas(self) -> Any:
            return ()

        @hookimpl
        def translate_request(self, request: ChatRequest) -> Any:
            return Upstream("POST", "/say", body={"text": request.messages[0]["content"]})

        @hookimpl
        def normalize_response(self, answer: Answer) -> Any:
            return COMPLETION

        @hookimpl
        def normalize_stream(self) -> Any:
            return Stream()

        @hookimpl
        def classify_error(self, answer: Answer) -> Any:
            return Failure(kind=Kind.OVERLOADED, message=str(answer.status))

        @hookimpl
        def check_key(self) -> Any:
            return [Upstream("GET", "/me")]

        @hookimpl
        def judge_key(self, answers: Any) -> Any:
            return Verdict(state="valid" if answers[0].status == 200 else "invalid")

    own = Provider("own", Own())
    assert own.hooks == REQUIRED
    assert own.translate_request(REQUEST, MODEL, KEY) == Upstream("POST", "/say", body={"text": "Hello"})
    assert own.classify_error(REQUEST, MODEL, Answer(503, {})).message == "503"
    assert isinstance(own.normalize_stream(REQUEST, MODEL), Stream)
    assert own.judge_key(KEY, [Answer(401, {})]).state == "invalid"


def test_two_instances_of_one_plugin_are_two_providers() -> None:
    plugin = Plain()
    assert (Provider("lab", plugin).name, Provider("lab-two", plugin).name) == ("lab", "lab-two")


SOURCE = """
    from freellm import Catalogue, Model, OpenAICompatible, ProviderInfo

    plugin = OpenAICompatible(
        info=ProviderInfo(id={id!r}, title="T", signup_url="https://x", docs_url="https://x", base_url="https://x"),
        catalogue=Catalogue(models=(Model(id="m", family="m", source="s", checked="2026-11-24"),)),
    )
"""


class TestInstalledProviders:
    def install(self, site: Site, name: str, source: str) -> None:
        site.install(
            f"freellm-provider-{name}",
            dedent(source),
            group=PROVIDERS,
            points={name: f"freellm_provider_{name}:plugin"},
        )

    def test_are_loaded_with_their_hooks(self, site: Site) -> None:
        self.install(site, "one", SOURCE.format(id="one"))
        (loaded,), (record,) = load_providers()
        assert loaded.name == loaded.info.id == record.id == "one"
        assert record.status == "loaded"
        assert record.hooks == loaded.hooks

    def test_are_refused_when_the_entry_point_has_another_name_than_the_provider(self, site: Site) -> None:
        self.install(site, "one", SOURCE.format(id="two"))
        providers, (record,) = load_providers()
        assert providers == []
        assert record.status == "refused"
        assert "plugin 'one' is refused: describe_provider says its id is 'two'; make" in record.reason

    def test_break_the_contract_alone(self, site: Site) -> None:
        self.install(site, "good", SOURCE.format(id="good"))
        self.install(site, "hollow", "plugin = object()")
        self.install(site, "crashed", "raise OSError('no disk')")
        self.install(site, "klass", "from freellm import OpenAICompatible as plugin")
        providers, records = load_providers()
        assert [one.name for one in providers] == ["good"]
        assert {record.id: record.status for record in records} == {
            "crashed": "quarantined",
            "good": "loaded",
            "hollow": "refused",
            "klass": "refused",
        }
        assert all(record.id in record.reason for record in records if record.status == "refused")
        assert site.loads("freellm-provider-crashed") == 1

    def test_are_left_alone_unless_they_are_named(self, site: Site) -> None:
        self.install(site, "one", SOURCE.format(id="one"))
        self.install(site, "two", SOURCE.format(id="two"))
        providers, records = load_providers(only=["two"])
        assert [one.name for one in providers] == ["two"]
        assert [record.status for record in records] == ["disabled", "loaded"]
        assert site.loads("freellm-provider-one") == 0


# Embeddings and lists of models

VECTORS = {"data": [{"index": 0, "embedding": [0.5]}, {"index": 1, "embedding": [1.0]}]}
INPUTS = EmbeddingRequest(inputs=["a", "b"])


@pytest.mark.parametrize(
    "said", [{}, {"data": []}, {"data": VECTORS["data"][:1]}, {"data": VECTORS["data"][::-1]}, [], None]
)
def test_what_is_no_embedding_list_is_a_failure_that_names_the_hook(said: Any) -> None:
    lab = Provider("lab", worse("normalize_embeddings", says(said)))
    found = lab.normalize_embeddings(INPUTS, MODEL, ANSWER)
    assert isinstance(found, Failure)
    assert (found.kind, "lab: normalize_embeddings answered" in found.message) == (Kind.BAD_ANSWER, True)


def test_an_embedding_list_passes() -> None:
    lab = Provider("lab", worse("normalize_embeddings", says(VECTORS)))
    assert lab.normalize_embeddings(INPUTS, MODEL, ANSWER) == VECTORS


@pytest.mark.parametrize("said", [None, "m", [{"id": "m"}]])
def test_a_list_of_models_that_is_none_is_empty(said: Any) -> None:
    assert Provider("lab", worse("read_models", says(said))).read_models(ANSWER) == ()


def test_a_list_of_models_is_read() -> None:
    found = Provider("lab", Plain()).read_models(
        Answer(200, {}, {"data": [{"id": "m", "context_length": 8}]})
    )
    assert found == [ListedModel(id="m", context=8)]


class Bare:
    """Hands on the required hooks, and those optional ones that are named."""

    def __init__(self, *optional: str, **model_fields: Any) -> None:
        plain = OpenAICompatible(
            info=info(), catalogue=Catalogue(models=(model("m", **model_fields),), quotas=())
        )
        for hook in (*REQUIRED, *optional):
            setattr(self, hook, getattr(plain, hook))


def test_a_model_that_makes_embeddings_needs_both_hooks() -> None:
    text = refusal(Bare("translate_embeddings", task="embeddings", dimensions=(8,)))
    assert "'m' makes embeddings, but the plugin does not answer normalize_embeddings" in text
    assert Provider("lab", Bare(task="chat")).hooks == REQUIRED


@pytest.mark.parametrize("only", ["list_models", "read_models"])
def test_the_hooks_of_a_list_of_models_go_together(only: str) -> None:
    assert "list_models and read_models go together" in refusal(Bare(only))
    assert not Provider("lab", Bare()).lists_models
    assert Provider("lab", Bare()).list_models(KEY) == ()


def test_a_plugin_for_instances_needs_no_address_and_any_other_does() -> None:
    links = {"id": "server", "title": "Server", "docs_url": "https://server.test"}
    assert ProviderInfo.model_validate({**links, "instances": True}).base_url == ""
    with pytest.raises(ValidationError, match="signup_url and base_url are needed"):
        ProviderInfo.model_validate(links)
