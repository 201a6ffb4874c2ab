"""The top of the command line: built-in commands, those of plugins, and what an error looks like."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from importlib import metadata
from typing import Any

import click

from freellm.cli.exits import exit_code
from freellm.cli.lazy import LazyGroup
from freellm.errors import FreeLLMError, PluginError

GROUP = "freellm.commands"
"""The entry-point group; the entry point's name is the command."""


class Program(LazyGroup):
    """The group of all commands."""

    @cached_property
    def offered(self) -> dict[str, list[metadata.EntryPoint]]:
        """The commands that plugins offer, by name, those that cannot be had included."""
        offered: dict[str, list[metadata.EntryPoint]] = defaultdict(list)
        for point in sorted(metadata.entry_points(group=GROUP), key=_distribution):
            if point not in offered[point.name]:
                offered[point.name].append(point)
        return dict(offered)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the built-in commands' names, then the plugins'."""
        return [*self.rows, *sorted(self.offered.keys() - self.rows.keys())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; a built-in one wins."""
        if cmd_name in self.rows:
            return super().get_command(ctx, cmd_name)
        points = self.offered.get(cmd_name)
        return None if points is None else _Broken.unless(cmd_name, points)

    def summary(self, name: str) -> str:
        """Return a command's help in one line; of a plugin's command, which plugin brings it."""
        if name in self.rows:
            return super().summary(name)
        if problem := problem_of(name, self.offered[name], self.rows):
            return f"Cannot run: {problem}."
        point = self.offered[name][0]
        about = point.dist.metadata.json.get("summary") if point.dist else None
        return (
            f"{str(about).rstrip('.')} ({_distribution(point)})."
            if about
            else f"From the plugin {_distribution(point)}."
        )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name the plugin commands that are hidden by a built-in one."""
        super().format_epilog(ctx, formatter)
        for name in sorted(self.offered.keys() & self.rows.keys()):
            problem = problem_of(name, self.offered[name], self.rows)
            formatter.write_paragraph()
            formatter.write_text(f"Refused: {problem}.")

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn what freellm raises on purpose into one sentence and an exit code."""
        try:
            return super().invoke(ctx)
        except FreeLLMError as error:
            click.ClickException(str(error)).show()
            ctx.exit(exit_code(error))


def problem_of(name: str, points: list[metadata.EntryPoint], built_in: object) -> str | None:
    """Say why a plugin's command cannot be had, and the cure; None when nothing is known against it.

    :param points: the entry points of that name
    :param built_in: the names of the built-in commands
    """
    distributions = [_distribution(point) for point in points]
    remedy = f"pip uninstall {distributions[-1]}"
    if isinstance(built_in, dict) and name in built_in:
        return (
            f"the command {name!r} of {' and '.join(distributions)} has the name of a built-in one; "
            f"its author has to rename it, or {remedy}"
        )
    if len(points) > 1:
        return (
            f"{' and '.join(distributions)} both offer the command {name!r}; uninstall one of them: {remedy}"
        )
    return None


class _Broken(click.Command):
    """Stands for a plugin's command that cannot be had, so that only running it fails."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            name,
            add_help_option=False,
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        )
        self.reason = reason

    @classmethod
    def unless(cls, name: str, points: list[metadata.EntryPoint]) -> click.Command:
        """Return the command of a plugin, or the stand-in that says why there is none."""
        if problem := problem_of(name, points, {}):
            return cls(name, problem)
        distribution = _distribution(points[0])
        cure = f"mend it, or remove it: pip uninstall {distribution}"
        try:
            command = points[0].load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's module may raise anything at import
            what = f"{type(error).__name__}: {error}"
            return cls(
                name, f"the command {name!r} of the plugin {distribution} failed to import: {what}; {cure}"
            )
        if not isinstance(command, click.Command):
            kind = type(command).__name__
            return cls(
                name,
                f"the command {name!r} of the plugin {distribution} is of type {kind}, not a click command; {cure}",
            )
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Say why it cannot be run.

        :raises PluginError: always
        """
        raise PluginError(self.reason)


def _distribution(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist else "an unknown package"
