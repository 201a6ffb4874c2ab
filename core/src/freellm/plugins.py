"""Finding installed plugins and refusing, by name and with the cure, those that break the contract.

Discovery goes through entry points only. Every plugin is imported at most once, whatever comes of it.
"""

from __future__ import annotations

import difflib
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from typing import Any, Literal

import msgspec
import pluggy

from freellm.errors import PluginError
from freellm.hookspecs import PROJECT

PROVIDERS = "freellm.providers"
PLUGINS = "freellm.plugins"

Status = Literal["loaded", "quarantined", "refused", "disabled"]


class PluginRecord(msgspec.Struct, kw_only=True):
    """What became of one installed plugin.

    :param id: the entry point's name
    :param group: the entry-point group
    :param distribution: the installed package that declares it, or the path of the file that it is
    :param version: that package's version
    :param status: `loaded`; `quarantined`, its import failed; `refused`, it breaks the contract; `disabled`, it is
        not in `FREELLM_LOAD_PLUGINS`
    :param reason: why it is not loaded, and the cure
    :param hooks: the hooks it answers
    :param plugin: the plugin object, when it is loaded
    """

    id: str
    group: str
    distribution: str
    version: str
    status: Status
    reason: str = ""
    hooks: tuple[str, ...] = ()
    plugin: Any = None


def discover(
    group: str, only: Sequence[str] | None = None, files: Sequence[PluginRecord] = ()
) -> list[PluginRecord]:
    """Import every plugin of an entry-point group.

    :param group: `PROVIDERS` or `PLUGINS`
    :param only: names of entry points or distributions to load; None is all of them
    :param files: plugins that are files, of both groups; see `freellm.plugin_files`
    :return: one record per entry point and file, in the order of their names
    """
    wanted: dict[str, list[metadata.EntryPoint]] = defaultdict(list)
    records = []
    for point in {
        (p.name, p.value, _distribution(p)): p for p in metadata.entry_points(group=group)
    }.values():
        if only is None or point.name in only or _distribution(point) in only:
            wanted[point.name].append(point)
        else:
            records.append(_record(point, "disabled", "not named in FREELLM_LOAD_PLUGINS"))
    for points in wanted.values():
        records += [_load(points[0])] if len(points) == 1 else _duplicates(points)
    records += [file for file in files if file.group == group]
    _refuse_namesakes(records, files)
    return sorted(records, key=lambda record: (record.id, record.distribution))


def _distribution(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist else "?"


def _record(point: metadata.EntryPoint, status: Status, reason: str = "", plugin: Any = None) -> PluginRecord:
    return PluginRecord(
        id=point.name,
        group=point.group,
        distribution=_distribution(point),
        version=point.dist.version if point.dist else "?",
        status=status,
        reason=reason,
        plugin=plugin,
    )


def _load(point: metadata.EntryPoint) -> PluginRecord:
    try:
        return _record(point, "loaded", plugin=point.load())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's module may raise anything at import
        cure = f"mend it, or remove it: pip uninstall {_distribution(point)}"
        return _record(point, "quarantined", f"import failed: {type(error).__name__}: {error}; {cure}")


def _duplicates(points: Sequence[metadata.EntryPoint]) -> list[PluginRecord]:
    distributions = sorted(_distribution(point) for point in points)
    reason = (
        f"{' and '.join(distributions)} both provide {points[0].name!r}; uninstall one of them: "
        f"pip uninstall {distributions[-1]}, or name the other one's distribution in FREELLM_LOAD_PLUGINS"
    )
    return [_record(point, "refused", reason) for point in points]


def _refuse_namesakes(records: Sequence[PluginRecord], files: Sequence[PluginRecord]) -> None:
    """Refuse files that have the name of another plugin, and that plugin."""
    for file in files:
        same = [record for record in records if record.id == file.id and record.status != "disabled"]
        if file not in same or len(same) == 1:
            continue
        places = sorted({record.distribution for record in same})
        for record in same:
            record.plugin, record.status = None, "refused"
            record.reason = (
                f"{' and '.join(places)} both provide {file.id!r}; remove one of them: rm {file.distribution}"
            )


class _PluginManager(pluggy.PluginManager):
    """A plugin manager that leaves properties alone: pluggy before 1.7 evaluates them to see whether they are hooks."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        """Return the options of a hook implementation, None for anything else."""
        if isinstance(getattr(type(plugin), name, None), property):
            return None
        return super().parse_hookimpl_opts(plugin, name)


def relay(
    spec: type, plugins: Iterable[tuple[str, Any]], *, may_await: frozenset[str] = frozenset()
) -> Relay:
    """Make a plugin manager for plugin objects that keep to a specification.

    :param spec: the class that holds the hook specifications
    :param plugins: names and plugin objects
    :param may_await: the hooks that are coroutines; all others must not be
    :raises PluginError: when a plugin breaks the contract; the text names the plugin and the cure
    """
    manager = _PluginManager(PROJECT)
    manager.add_hookspecs(spec())
    known = {name for name in dir(spec) if not name.startswith("_")}
    for name, plugin in plugins:
        _refuse_wrong_hooks(manager, name, plugin, known, may_await)
        try:
            manager.register(plugin, name)
            manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginError(f"plugin {name!r} is refused: {error}") from error
    return Relay(manager, spec)


def _refuse_wrong_hooks(
    manager: pluggy.PluginManager, plugin_name: str, plugin: Any, known: set[str], may_await: frozenset[str]
) -> None:
    if inspect.isclass(plugin):
        raise PluginError(
            f"plugin {plugin_name!r} is refused: {plugin.__name__} is a class; let the entry point name an object of it"
        )
    for name in dir(plugin):
        if name.startswith("_") or isinstance(getattr(type(plugin), name, None), property):
            continue
        decorated = manager.parse_hookimpl_opts(plugin, name) is not None
        if problem := _problem(name, getattr(plugin, name), decorated, known, may_await):
            raise PluginError(f"plugin {plugin_name!r} is refused: {problem}")


def _problem(
    name: str, method: Any, decorated: bool, known: set[str], may_await: frozenset[str]
) -> str | None:
    if name in known and callable(method) and not decorated:
        return f"{name} is not a hook implementation; put @hookimpl above it"
    if not decorated:
        return None
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        meant = f"; did you mean {near[0]}?" if near else f"; hooks are: {', '.join(sorted(known))}"
        return f"there is no hook named {name}{meant}"
    is_coroutine = inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
    if is_coroutine != (name in may_await):
        return (
            f"{name} must be written with async def"
            if name in may_await
            else f"{name} is a coroutine; write it with def, hooks do no I/O"
        )
    defaults = [p.name for p in inspect.signature(method).parameters.values() if p.default is not p.empty]
    if defaults:
        return (
            f"{name} gives its argument {defaults[0]} a default value, which pluggy versions treat "
            "differently; remove the default, core always passes the argument or leave the argument out"
        )
    return None


class Relay:
    """A plugin manager whose plugins keep to their specification.

    :param manager: the manager, plugins registered
    :param spec: the class that holds the hook specifications
    """

    __slots__ = ("_manager", "_spec", "hook")

    def __init__(self, manager: pluggy.PluginManager, spec: type) -> None:
        self._manager = manager
        self._spec = spec
        self.hook: Any = manager.hook

    def hooks_of(self, plugin: Any) -> tuple[str, ...]:
        """Return the names of the hooks that a plugin answers, sorted."""
        return tuple(sorted(caller.name for caller in self._manager.get_hookcallers(plugin) or ()))

    def sole(self, hook: str) -> Callable[..., Any]:
        """Return a directed hook as a plain call with keyword arguments.

        The audience is one, so when no wrapper stands around it there is nobody to ask but the implementation
        itself, with the arguments it named: what pluggy would do, at a tenth of its price.
        """
        caller: Callable[..., Any] = getattr(self._manager.hook, hook)
        (only,) = getattr(self._manager.hook, hook).get_hookimpls()
        if only.hookwrapper or getattr(only, "wrapper", False):
            return caller
        function, names = only.function, only.argnames
        if _takes_by_name(function, getattr(self._spec, hook)):
            named: Callable[..., Any] = function
            return named

        def ask(**arguments: Any) -> Any:
            return function(*[arguments[name] for name in names])

        return ask

    def answers(self, hook: str) -> bool:
        """Tell whether any plugin answers a hook."""
        return bool(getattr(self._manager.hook, hook).get_hookimpls())


def _takes_by_name(function: Callable[..., Any], specified: Callable[..., Any]) -> bool:
    """Tell whether a bound method names every argument that its specification gives it, which then needs no sorting out."""
    named = {
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    }
    return named == set(inspect.signature(specified).parameters) - {"self"}
