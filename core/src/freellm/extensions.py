"""The broadcast relay: application plugins, told of what happens and asked to add to it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from freellm import plugins
from freellm.access import LEVELS
from freellm.errors import PluginError
from freellm.hookspecs import ApplicationSpec
from freellm.panels import PANEL_ID, Panel

if TYPE_CHECKING:
    from aiohttp import web

    from freellm.access import Check
    from freellm.declarations import Model
    from freellm.ledger import Ledger
    from freellm.measurements import Measured
    from freellm.proxy import Demo, Proxy
    from freellm.routing import Strategy
    from freellm.settings import Settings
    from freellm.store import AttemptRecord, RequestRecord
    from freellm.types import ChatRequest, EmbeddingRequest

_log = logging.getLogger(__name__)
_COROUTINES = frozenset({"startup", "shutdown"})


class Extensions:
    """Application plugins as typed calls.

    Hooks that watch (`on_attempt`, `on_request`) never break a request: what they raise is logged.

    :param named: names and plugin objects
    :raises PluginError: when a plugin breaks the contract; the text names it and the cure
    """

    def __init__(self, named: Sequence[tuple[str, Any]]) -> None:
        self._relay = plugins.relay(ApplicationSpec, named, may_await=_COROUTINES)
        self._watched = {
            hook: self._relay.answers(hook) for hook in ("before_request", "on_attempt", "on_request")
        }

    @property
    def watches_attempts(self) -> bool:
        """Whether any plugin wants to see attempts."""
        return self._watched["on_attempt"]

    def hooks_of(self, plugin: Any) -> tuple[str, ...]:
        """Return the names of the hooks that a plugin answers, sorted."""
        return self._relay.hooks_of(plugin)

    def checks(self) -> Mapping[str, Check]:
        """Return the plugins' own ways to say who may call a route, by name.

        :raises PluginError: when two have the same name, or one has the name of core's
        """
        offered: dict[str, Check] = {}

        def register(name: str, check: Check) -> None:
            if name in LEVELS or name in offered:
                raise PluginError(
                    f"register_auth: there is an auth named {name!r} already; choose another name"
                )
            offered[name] = check

        self._relay.hook.register_auth(register=register)
        return offered

    def register_routes(self, app: web.Application, proxy: Proxy) -> None:
        """Let every plugin add its routes."""
        self._relay.hook.register_routes(app=app, proxy=proxy)

    def panels(self, proxy: Proxy) -> Mapping[str, Panel]:
        """Return the plugins' panels by id, in the order of their titles.

        :raises PluginError: when two have the same id, or one has no good one
        """
        offered: dict[str, Panel] = {}

        def register(panel: object) -> None:
            if not isinstance(panel, Panel) or not re.fullmatch(PANEL_ID, panel.id):
                raise PluginError(
                    f"register_panels: {panel!r} is no freellm.panels.Panel whose id has lower-case letters, digits and "
                    "hyphens"
                )
            if panel.id in offered:
                raise PluginError(
                    f"register_panels: there is a panel {panel.id!r} already; choose another id"
                )
            offered[panel.id] = panel

        self._relay.hook.register_panels(register=register, proxy=proxy)
        return dict(sorted(offered.items(), key=lambda item: item[1].title))

    def register_strategies(
        self, register: Callable[[str, Strategy], None], measured: Callable[[str, Model], Measured]
    ) -> None:
        """Let every plugin offer its orders of models."""
        self._relay.hook.register_strategies(register=register, measured=measured)

    def create_ledger(self, settings: Settings) -> Ledger | None:
        """Return the first plugin's ledger, if any plugin brings one."""
        return self._relay.hook.create_ledger(settings=settings)  # type: ignore[no-any-return]

    def serve_demo(self) -> Demo | None:
        """Return the first plugin's stand-ins of the providers, if any plugin brings them."""
        return self._relay.hook.serve_demo()  # type: ignore[no-any-return]

    async def startup(self, proxy: Proxy) -> None:
        """Start what plugins run beside the server; when one cannot start, those after it are not started."""
        starting = self._relay.hook.startup(proxy=proxy)
        try:
            for started in starting:
                await started
        finally:
            for started in starting:
                started.close()

    def announce(self, proxy: Proxy, url: str) -> Mapping[str, str]:
        """Return what plugins add to the first screen; one that fails does not keep the server from running."""
        try:
            told = self._relay.hook.announce(proxy=proxy, url=url)
        except Exception:  # noqa: BLE001 - a plugin's bug must not stop a server that runs
            _log.exception("a plugin failed in announce")
            return {}
        return {title: text for lines in told for title, text in lines.items()}

    async def shutdown(self, proxy: Proxy) -> None:
        """Stop what plugins run beside the server; one that fails does not keep the others running."""
        for stopped in self._relay.hook.shutdown(proxy=proxy):
            try:
                await stopped
            except Exception:  # noqa: BLE001 - a plugin's bug must not keep the others running
                _log.exception("a plugin failed in shutdown")

    def before_request(self, request: ChatRequest | EmbeddingRequest, model: str) -> None:
        """Show a validated request to every plugin.

        :raises RequestError: when a plugin refuses it
        """
        if self._watched["before_request"]:
            self._relay.hook.before_request(request=request, model=model)

    def on_attempt(self, attempt: AttemptRecord) -> None:
        """Tell every plugin of an attempt that has ended."""
        self._watch("on_attempt", attempt=attempt)

    def on_request(self, record: RequestRecord) -> None:
        """Tell every plugin of a request that has been answered."""
        self._watch("on_request", record=record)

    def _watch(self, hook: str, **arguments: Any) -> None:
        if not self._watched[hook]:
            return
        try:
            getattr(self._relay.hook, hook)(**arguments)
        except Exception:  # noqa: BLE001 - a watcher's bug must not break a request
            _log.exception("a plugin failed in %s", hook)


def load_extensions(
    only: Sequence[str] | None = None,
    built_in: Sequence[tuple[str, Any]] = (),
    files: Sequence[plugins.PluginRecord] = (),
) -> tuple[Extensions, list[plugins.PluginRecord]]:
    """Load every installed application plugin.

    :param only: names of entry points or distributions to load; None is all of them
    :param built_in: core's own plugins, asked after the installed ones
    :param files: plugins that are files; see `freellm.plugin_files`
    :return: the relay over those that keep to the contract, and a record of every one found
    """
    records = plugins.discover(plugins.PLUGINS, only, files)
    named = list(built_in)
    for record in records:
        if record.status != "loaded":
            continue
        try:
            if record.id in dict(built_in):
                raise PluginError(
                    f"plugin {record.id!r} is refused: core has a plugin of that name; rename its entry point"
                )
            record.hooks = Extensions([(record.id, record.plugin)]).hooks_of(record.plugin)
        except PluginError as error:
            record.status, record.reason = "refused", str(error)
        else:
            named.append((record.id, record.plugin))
    return Extensions(named), records


def refuse_broken(records: Sequence[plugins.PluginRecord], *, strict: bool) -> None:
    """Refuse to serve with plugins that break the contract.

    :param strict: whether a plugin that could not be imported is a reason as well
    :raises PluginError: naming every such plugin and its cure
    """
    broken = ("refused", "quarantined") if strict else ("refused",)
    if reasons := [record.reason for record in records if record.status in broken]:
        raise PluginError("\n".join(dict.fromkeys(reasons)))
