"""Finding installed plugins, and refusing by name and with the cure those that break the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from freellm import Catalogue, OpenAICompatible, PluginError, hookimpl
from freellm.hookspecs import ApplicationSpec, ProviderSpec
from freellm.plugins import PluginRecord, discover, relay
from installing import Site, site
from small_world import info, model

__all__ = ["site"]

GROUP = "freellm.somewhere"
PLAIN = OpenAICompatible(info=info(), catalogue=Catalogue(models=(model("m"),)))


def found(**expected: Any) -> list[PluginRecord]:
    return discover(GROUP, **expected)


def one() -> PluginRecord:
    (record,) = found()
    return record


def test_nothing_installed_is_nothing_found(site: Site) -> None:
    assert found() == []


def test_an_installed_plugin_is_imported_and_recorded(site: Site) -> None:
    site.install("freellm-first", "plugin = object()", group=GROUP, points={"first": "freellm_first:plugin"})
    record = one()
    assert (record.id, record.group, record.distribution, record.version) == (
        "first",
        GROUP,
        "freellm-first",
        "1.0",
    )
    assert record.status == "loaded"
    assert record.reason == ""
    assert record.plugin is not None
    assert site.loads("freellm-first") == 1


def test_other_groups_are_not_imported(site: Site) -> None:
    site.install("freellm-other", "plugin = object()", group="freellm.elsewhere")
    assert found() == []
    assert site.loads("freellm-other") == 0


def test_plugins_come_in_the_order_of_their_names(site: Site) -> None:
    for name in ("b", "c", "a"):
        site.install(
            f"freellm-{name}", "plugin = object()", group=GROUP, points={name: f"freellm_{name}:plugin"}
        )
    assert [record.id for record in found()] == ["a", "b", "c"]


def test_a_whole_module_may_be_a_plugin(site: Site) -> None:
    site.install("freellm-module", "", group=GROUP, points={"module": "freellm_module"})
    assert one().plugin.__name__ == "freellm_module"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "import a_module_that_is_not_there",
            "ModuleNotFoundError: No module named 'a_module_that_is_not_there'",
        ),
        ("raise RuntimeError('the model list is empty')", "RuntimeError: the model list is empty"),
        ("raise SystemExit('not on this platform')", "SystemExit: not on this platform"),
        ("def broken(:", "SyntaxError"),
        ("plugin_with_another_name = 1", "AttributeError"),
    ],
    ids=["import", "raise", "exit", "syntax", "attribute"],
)
def test_a_plugin_that_cannot_be_imported_is_quarantined_with_the_reason_and_the_cure(
    site: Site, source: str, said: str
) -> None:
    site.install("freellm-broken", source, group=GROUP)
    record = one()
    assert record.status == "quarantined"
    assert record.plugin is None
    assert said in record.reason
    assert "pip uninstall freellm-broken" in record.reason


def test_a_plugin_that_fails_does_not_keep_the_others_from_loading(site: Site) -> None:
    site.install("freellm-bad", "1 / 0", group=GROUP, points={"bad": "freellm_bad:plugin"})
    site.install("freellm-good", "plugin = 1", group=GROUP, points={"good": "freellm_good:plugin"})
    assert {record.id: record.status for record in found()} == {"bad": "quarantined", "good": "loaded"}
    assert site.loads("freellm-bad") == 1


def test_an_interrupt_while_importing_is_not_swallowed(site: Site) -> None:
    site.install("freellm-slow", "raise KeyboardInterrupt", group=GROUP)
    with pytest.raises(KeyboardInterrupt):
        found()


@pytest.mark.parametrize(
    ("only", "loaded"),
    [
        (None, {"a", "b"}),
        ((), set()),
        (("a",), {"a"}),
        (("freellm-b",), {"b"}),
        (("a", "freellm-b"), {"a", "b"}),
        (("nobody",), set()),
    ],
)
def test_only_named_plugins_are_imported(site: Site, only: tuple[str, ...] | None, loaded: set[str]) -> None:
    for name in "ab":
        site.install(f"freellm-{name}", "plugin = 1", group=GROUP, points={name: f"freellm_{name}:plugin"})
    records = found(only=only)
    assert {record.id for record in records if record.status == "loaded"} == loaded
    assert {record.id for record in records if record.status == "disabled"} == {"a", "b"} - loaded
    assert all("FREELLM_LOAD_PLUGINS" in record.reason for record in records if record.status == "disabled")
    assert {name for name in "ab" if site.loads(f"freellm-{name}")} == loaded


class TestTwoDistributionsWithOneName:
    @pytest.fixture(autouse=True)
    def both(self, site: Site) -> None:
        for name in ("freellm-mine", "freellm-yours"):
            site.install(name, "plugin = 1", group=GROUP, points={"lab": f"{name.replace('-', '_')}:plugin"})

    def test_are_both_refused_unread_and_named_with_the_cure(self, site: Site) -> None:
        records = found()
        assert [record.status for record in records] == ["refused", "refused"]
        for record in records:
            assert "freellm-mine and freellm-yours both provide 'lab'" in record.reason
            assert "pip uninstall freellm-yours" in record.reason
        assert site.loads("freellm-mine") == site.loads("freellm-yours") == 0

    def test_are_told_apart_by_naming_the_distribution_to_load(self) -> None:
        records = {record.distribution: record.status for record in found(only=("freellm-yours",))}
        assert records == {"freellm-mine": "disabled", "freellm-yours": "loaded"}

    def test_are_no_reason_to_refuse_when_no_plugin_is_to_be_loaded(self) -> None:
        assert {record.status for record in found(only=())} == {"disabled"}


def hook(name: str, function: Callable[..., Any], *, decorated: bool = True) -> Any:
    """Return a plugin that answers one hook with a function of the class body."""
    return type("Plugin", (), {name: hookimpl(function) if decorated else function})()


def refusal(plugin: Any, spec: type = ProviderSpec, **options: Any) -> str:
    with pytest.raises(PluginError) as caught:
        relay(spec, [("lab", plugin)], **options)
    text = str(caught.value)
    assert "'lab'" in text
    return text


async def sleeping(self: Any, request: Any, model: Any, key: Any) -> None: ...


async def streaming(self: Any, request: Any, model: Any, key: Any) -> Any:
    yield request


@pytest.mark.parametrize(
    ("plugin", "cure"),
    [
        (
            hook("clasify_error", lambda self: None),
            "there is no hook named clasify_error; did you mean classify_error?",
        ),
        (hook("translate_requests", lambda self: None), "did you mean translate_request?"),
        (hook("zzz", lambda self: None), "hooks are: check_key, classify_error,"),
        (hook("check_key", lambda self, key: (), decorated=False), "put @hookimpl above it"),
        (hook("check_key", lambda self, key=None: ()), "gives its argument key a default value"),
        (hook("translate_request", sleeping), "is a coroutine; write it with def"),
        (hook("translate_request", streaming), "is a coroutine; write it with def"),
        (hook("check_key", lambda self, secret: ()), "secret"),
    ],
    ids=["misspelt", "plural", "unknown", "undecorated", "default", "coroutine", "generator", "argument"],
)
def test_a_wrong_hook_is_refused_with_the_cure(plugin: Any, cure: str) -> None:
    assert cure in refusal(plugin)


def test_an_override_without_hookimpl_is_refused_though_the_class_it_overrides_has_one() -> None:
    class Quirk(OpenAICompatible):
        def check_key(self, key: Any) -> list[Any]:
            return []

    text = refusal(Quirk(info=info(), catalogue=Catalogue(models=())))
    assert "check_key is not a hook implementation; put @hookimpl above it" in text


def test_a_class_in_place_of_its_object_is_refused() -> None:
    assert "is a class; " in refusal(OpenAICompatible)


def test_private_names_and_properties_are_nobodys_business() -> None:
    class Quiet:
        _check_key = 1

        @property
        def loud(self) -> Any:
            raise RuntimeError("asked for")

        @hookimpl
        def check_key(self, key: Any) -> list[Any]:
            return []

    assert relay(ProviderSpec, [("lab", Quiet())]).answers("check_key")


def test_hooks_of_the_other_kind_are_unknown_hooks() -> None:
    assert "there is no hook named on_attempt" in refusal(hook("on_attempt", lambda self: None))
    assert "there is no hook named check_key" in refusal(
        hook("check_key", lambda self: None), ApplicationSpec
    )


@pytest.mark.parametrize("name", ["startup", "shutdown"])
def test_a_hook_that_is_awaited_must_be_a_coroutine(name: str) -> None:
    text = refusal(hook(name, lambda self: None), ApplicationSpec, may_await=frozenset({name}))
    assert f"{name} must be written with async def" in text


def test_two_plugins_with_one_name_in_one_relay_are_refused() -> None:
    first, second = hook("on_attempt", lambda self: None), hook("on_request", lambda self: None)
    with pytest.raises(PluginError, match="'lab'"):
        relay(ApplicationSpec, [("lab", first), ("lab", second)])


def test_an_implementation_names_only_the_arguments_it_wants() -> None:
    answers = relay(ProviderSpec, [("lab", hook("classify_error", lambda self, answer: answer))]).hook
    assert answers.classify_error(request="r", model="m", answer="a") == "a"


def test_a_relay_asks_its_own_plugin_alone() -> None:
    mine = relay(ProviderSpec, [("mine", hook("describe_provider", lambda self: "mine"))])
    yours = relay(ProviderSpec, [("yours", hook("describe_provider", lambda self: "yours"))])
    assert mine.hook.describe_provider() == "mine"
    assert yours.hook.describe_provider() == "yours"


def test_a_relay_knows_which_hooks_are_answered() -> None:
    plugin = hook("check_key", lambda self, key: ())
    answered = relay(ProviderSpec, [("lab", plugin)])
    assert answered.hooks_of(plugin) == ("check_key",)
    assert answered.hooks_of(object()) == ()
    assert answered.answers("check_key")
    assert not answered.answers("judge_key")


def test_one_object_may_be_the_plugin_of_two_instances() -> None:
    first, second = relay(ProviderSpec, [("lab", PLAIN)]), relay(ProviderSpec, [("lab2", PLAIN)])
    assert first.hook.describe_provider() is second.hook.describe_provider()
