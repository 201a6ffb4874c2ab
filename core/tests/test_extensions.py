"""Application plugins: all of them are told, and one that fails harms nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from aiohttp import web

from freellm import ChatRequest, PluginError, hookimpl
from freellm.declarations import Model
from freellm.errors import RequestError
from freellm.extensions import Extensions, load_extensions, refuse_broken
from freellm.ledger import Ledger
from freellm.measurements import Measured
from freellm.panels import Block, Panel, Text
from freellm.plugins import PLUGINS, PluginRecord
from freellm.proxy import Proxy
from freellm.routing import Strategy
from freellm.settings import Settings
from freellm.store import AttemptRecord, RequestRecord
from freellm.strategies import by_speed_rank
from installing import Site, site

__all__ = ["site"]

REQUEST = ChatRequest(messages=[{"role": "user", "content": "Hello"}])
RECORD = RequestRecord(
    id="req_1", created=1.0, surface="openai", requested="auto", status=200, duration_ms=1.0
)
ATTEMPT = AttemptRecord(
    request="req_1", number=1, provider="lab", model="m", key="k", started=1.0, duration_ms=1.0
)
PROXY = cast(Proxy, object())  # handed on as it is, never looked at


class Watcher:
    """Notes whatever it is told."""

    def __init__(self, notes: list[Any]) -> None:
        self.notes = notes

    @hookimpl
    def before_request(self, request: ChatRequest, model: str) -> None:
        self.notes.append(("before_request", request, model))

    @hookimpl
    def on_attempt(self, attempt: AttemptRecord) -> None:
        self.notes.append(("on_attempt", attempt))

    @hookimpl
    def on_request(self, record: RequestRecord) -> None:
        self.notes.append(("on_request", record))


class Offer:
    """Offers an auth."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def check(self, request: web.Request) -> web.Response | None:
        return None if request.headers.get("X-Badge") else web.Response(status=418)

    @hookimpl
    def register_auth(self, register: Callable[[str, Any], None]) -> None:
        register(self.name, self.check)


def test_an_auth_has_a_name_of_its_own() -> None:
    badge = Offer("badge")
    assert Extensions([("one", badge)]).checks() == {"badge": badge.check}
    for named in ([("one", badge), ("two", Offer("badge"))], [("one", Offer("key"))]):
        with pytest.raises(PluginError, match="choose another name"):
            Extensions(named).checks()


class Signpost:
    """Announces something, or fails to."""

    def __init__(self, told: Any) -> None:
        self.told = told

    @hookimpl
    def announce(self, proxy: Proxy, url: str) -> Any:
        if isinstance(self.told, Exception):
            raise self.told
        return {self.told: url} if self.told else None


def test_what_is_announced_is_gathered() -> None:
    named = [("one", Signpost("a")), ("two", Signpost(None)), ("three", Signpost("b"))]
    assert Extensions(named).announce(PROXY, "http://x") == {"a": "http://x", "b": "http://x"}


def test_who_fails_to_announce_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert Extensions([("one", Signpost(ValueError("no")))]).announce(PROXY, "http://x") == {}
    assert "a plugin failed in announce" in caplog.text


class Refuser:
    """Refuses every request and fails when it is told of anything."""

    @hookimpl
    def before_request(self) -> None:
        raise RequestError("too late in the day", status=403)

    @hookimpl
    def on_attempt(self) -> None:
        raise RuntimeError("attempt")

    @hookimpl
    def on_request(self) -> None:
        raise RuntimeError("request")


def nothing_known(provider: str, model: Model) -> Measured:
    return Measured()


def test_without_plugins_every_hook_is_silent() -> None:
    nobody = Extensions([])
    nobody.before_request(REQUEST, "auto")
    nobody.on_attempt(ATTEMPT)
    nobody.on_request(RECORD)
    nobody.register_strategies(lambda name, strategy: pytest.fail(name), nothing_known)
    assert nobody.create_ledger(Settings.model_construct()) is None
    assert nobody.serve_demo() is None


def test_every_plugin_is_told() -> None:
    notes: list[Any] = []
    both = Extensions([("one", Watcher(notes)), ("two", Watcher(notes))])
    both.before_request(REQUEST, "auto")
    both.on_attempt(ATTEMPT)
    both.on_request(RECORD)
    said = [("before_request", REQUEST, "auto"), ("on_attempt", ATTEMPT), ("on_request", RECORD)]
    assert notes == [note for note in said for _ in range(2)]


def test_a_plugin_may_refuse_a_request() -> None:
    with pytest.raises(RequestError, match="too late in the day"):
        Extensions([("refuser", Refuser())]).before_request(REQUEST, "auto")


@pytest.mark.parametrize("hook", ["on_attempt", "on_request"])
def test_a_watcher_that_fails_is_logged_and_nothing_else(hook: str, caplog: pytest.LogCaptureFixture) -> None:
    extensions = Extensions([("refuser", Refuser())])
    with caplog.at_level(logging.ERROR):
        getattr(extensions, hook)(ATTEMPT if hook == "on_attempt" else RECORD)
    assert [record.getMessage() for record in caplog.records] == [f"a plugin failed in {hook}"]


def test_every_plugin_may_offer_strategies() -> None:
    class Offer:
        @hookimpl
        def register_strategies(self, register: Callable[[str, Strategy], None]) -> None:
            register("brisk", by_speed_rank)

    offered: dict[str, Strategy] = {}
    Extensions([("offer", Offer())]).register_strategies(offered.__setitem__, nothing_known)
    assert offered == {"brisk": by_speed_rank}


def test_the_first_ledger_that_is_offered_is_taken_and_the_built_in_one_is_the_last() -> None:
    class Offer:
        def __init__(self, ledger: Ledger | None) -> None:
            self.ledger = ledger

        @hookimpl
        def create_ledger(self) -> Ledger | None:
            return self.ledger

    built_in, shared = Ledger(), Ledger()
    settings = Settings.model_construct()
    named = [("core", Offer(built_in)), ("none", Offer(None))]
    assert Extensions(named).create_ledger(settings) is built_in
    assert Extensions([*named, ("shared", Offer(shared))]).create_ledger(settings) is shared


def test_every_plugin_may_add_routes() -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response()

    class Page:
        @hookimpl
        def register_routes(self, app: web.Application, proxy: Proxy) -> None:
            assert proxy is PROXY
            app.router.add_get("/page", page)

    app = web.Application()
    Extensions([("page", Page())]).register_routes(app, PROXY)
    assert [route.method for route in app.router.routes()] == ["HEAD", "GET"]


class Service:
    """Something that runs beside the server."""

    def __init__(self, name: str, running: list[str], *, fails: bool = False) -> None:
        self.name = name
        self.running = running
        self.fails = fails

    @hookimpl
    async def startup(self) -> None:
        if self.fails:
            raise RuntimeError(f"{self.name} cannot start")
        self.running.append(self.name)

    @hookimpl
    async def shutdown(self, proxy: Proxy) -> None:
        if self.fails:
            raise RuntimeError(f"{self.name} cannot stop")
        self.running.remove(self.name)


async def test_services_are_started_and_stopped() -> None:
    running: list[str] = []
    services = Extensions([(name, Service(name, running)) for name in ("a", "b")])
    await services.startup(PROXY)
    assert sorted(running) == ["a", "b"]
    await services.shutdown(PROXY)
    assert running == []


async def test_a_service_that_cannot_start_is_heard_of_and_no_coroutine_is_left_behind() -> None:
    running: list[str] = []
    named = [(name, Service(name, running, fails=name == "b")) for name in "abc"]
    with pytest.raises(RuntimeError, match="b cannot start"):
        await Extensions(named).startup(PROXY)
    assert len(running) == 1


async def test_a_service_that_cannot_stop_is_logged_and_the_others_are_stopped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    running = ["a", "c"]
    named = [(name, Service(name, running, fails=name == "b")) for name in "abc"]
    with caplog.at_level(logging.ERROR):
        await Extensions(named).shutdown(PROXY)
    assert running == []
    assert [record.getMessage() for record in caplog.records] == ["a plugin failed in shutdown"]


@pytest.mark.parametrize("name", ["startup", "shutdown"])
def test_services_must_be_started_and_stopped_by_coroutines(name: str) -> None:
    plain = type("Plain", (), {name: hookimpl(lambda self: None)})()
    with pytest.raises(PluginError, match=rf"'plain' is refused: {name} must be written with async def"):
        Extensions([("plain", plain)])


def test_a_watcher_must_not_be_a_coroutine() -> None:
    class Slow:
        @hookimpl
        async def on_request(self) -> None: ...

    with pytest.raises(PluginError, match="'slow' is refused: on_request is a coroutine"):
        Extensions([("slow", Slow())])


WATCH = """
    from freellm import hookimpl

    class Plugin:
        @hookimpl
        def on_request(self, record):
            self.seen = record

    plugin = Plugin()
"""


class TestInstalledPlugins:
    def install(self, site: Site, name: str, source: str, distribution: str = "") -> None:
        distribution = distribution or f"freellm-{name}"
        points = {name: f"{distribution.replace('-', '_')}:plugin"}
        site.install(distribution, source, group=PLUGINS, points=points)

    def test_are_loaded_with_their_hooks_and_told(self, site: Site) -> None:
        self.install(site, "watch", WATCH)
        extensions, (record,) = load_extensions()
        assert (record.id, record.status, record.hooks) == ("watch", "loaded", ("on_request",))
        extensions.on_request(RECORD)
        assert record.plugin.seen is RECORD

    def test_are_asked_before_the_built_in_ones(self, site: Site) -> None:
        self.install(site, "demo", WATCH.replace("on_request(self, record)", "serve_demo(self)").replace(
            "self.seen = record", "return 'installed'"
        ))  # fmt: skip

        class BuiltIn:
            @hookimpl
            def serve_demo(self) -> Any:
                return "built in"

        extensions, _ = load_extensions(built_in=[("core", BuiltIn())])
        assert extensions.serve_demo() == "installed"  # type: ignore[comparison-overlap]

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("on_request", "on_requests", "did you mean on_request?"),
            ("@hookimpl", "", "put @hookimpl above it"),
            ("def on_request", "async def on_request", "is a coroutine"),
            ("record)", "record=None)", "gives its argument record a default value"),
            ("plugin = Plugin()", "plugin = Plugin", "is a class"),
            ("on_request(self, record)", "on_request(self, recorded)", "recorded"),
        ],
        ids=["misspelt", "undecorated", "coroutine", "default", "class", "argument"],
    )
    def test_that_break_the_contract_are_refused_by_name_and_the_others_are_told(
        self, site: Site, old: str, new: str, said: str
    ) -> None:
        self.install(site, "wrong", WATCH.replace(old, new))
        self.install(site, "right", WATCH)
        extensions, (right, wrong) = load_extensions()
        assert (right.status, wrong.status) == ("loaded", "refused")
        assert "'wrong'" in wrong.reason
        assert said in wrong.reason
        extensions.on_request(RECORD)
        assert right.plugin.seen is RECORD

    def test_that_cannot_be_imported_are_quarantined_after_one_try(self, site: Site) -> None:
        self.install(site, "broken", "import a_module_that_is_not_there")
        _, (record,) = load_extensions()
        assert record.status == "quarantined"
        assert "pip uninstall freellm-broken" in record.reason
        assert site.loads("freellm-broken") == 1

    def test_of_two_distributions_with_one_name_none_is_imported(self, site: Site) -> None:
        for distribution in ("freellm-mine", "freellm-yours"):
            self.install(site, "watch", WATCH, distribution)
        _, records = load_extensions()
        assert [record.status for record in records] == ["refused", "refused"]
        assert site.loads("freellm-mine") == site.loads("freellm-yours") == 0

    def test_are_left_alone_when_none_is_to_be_loaded(self, site: Site) -> None:
        self.install(site, "watch", WATCH)
        _, (record,) = load_extensions(only=())
        assert record.status == "disabled"
        assert site.loads("freellm-watch") == 0

    def test_cannot_take_the_name_of_a_built_in_one(self, site: Site) -> None:
        self.install(site, "core", WATCH)
        _, (record,) = load_extensions(built_in=[("core", Watcher([]))])
        assert record.status == "refused"
        assert "rename its entry point" in record.reason


def records(*statuses: str) -> list[PluginRecord]:
    return [
        PluginRecord(
            id=s, group=PLUGINS, distribution=s, version="1", status=cast(Any, s), reason=f"{s}: why"
        )
        for s in statuses
    ]


def test_a_server_starts_without_what_could_not_be_imported() -> None:
    refuse_broken(records("loaded", "quarantined", "disabled"), strict=False)


def test_a_strict_server_does_not() -> None:
    with pytest.raises(PluginError, match="quarantined: why"):
        refuse_broken(records("loaded", "quarantined", "disabled"), strict=True)


@pytest.mark.parametrize("strict", [False, True])
def test_no_server_starts_with_what_breaks_the_contract_and_all_of_it_is_told(strict: bool) -> None:
    several = [*records("refused"), *records("refused")]
    several[1].reason = "another"
    with pytest.raises(PluginError) as caught:
        refuse_broken(several, strict=strict)
    assert str(caught.value) == "refused: why\nanother"


def test_two_of_one_name_are_told_once() -> None:
    with pytest.raises(PluginError) as caught:
        refuse_broken([*records("refused"), *records("refused")], strict=False)
    assert str(caught.value) == "refused: why"


class Panels:
    """Adds a panel of each id.

    :param ids: the ids
    """

    def __init__(self, *ids: str) -> None:
        self.ids = ids

    @hookimpl
    def register_panels(self, register: Callable[[Panel], None]) -> None:
        async def draw() -> Sequence[Block]:
            return [Text(text="hello")]

        for id_ in self.ids:
            register(Panel(id=id_, title=id_.upper(), draw=draw))


class NotAPanel:
    @hookimpl
    def register_panels(self, register: Callable[[Any], None]) -> None:
        register({"id": "mine", "title": "Mine"})


async def test_panels_of_all_plugins_are_gathered_by_title() -> None:
    extensions = Extensions([("one", Panels("b", "c")), ("two", Panels("a"))])
    panels = extensions.panels(PROXY)
    assert list(panels) == ["a", "b", "c"]
    assert await panels["a"].draw() == [Text(text="hello")]


@pytest.mark.parametrize(
    ("plugins", "said"),
    [
        ([Panels("a"), Panels("a")], "there is a panel 'a' already"),
        ([Panels("A/b")], "lower-case letters"),
        ([Panels("")], "lower-case letters"),
        ([NotAPanel()], "no freellm.panels.Panel"),
    ],
)
def test_a_panel_that_will_not_do_is_refused(plugins: list[Any], said: str) -> None:
    extensions = Extensions([(str(number), plugin) for number, plugin in enumerate(plugins)])
    with pytest.raises(PluginError, match=said):
        extensions.panels(PROXY)
