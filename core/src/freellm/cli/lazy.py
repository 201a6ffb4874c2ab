"""Click groups that import a command when it is run, and know its name and its help before."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

import click
from click.shell_completion import CompletionItem


class Here(NamedTuple):
    """Where a command is.

    :param target: `module:name` of a click command, or the rows of a group
    :param help: its help in one line
    :param default: for a group, the command that runs when none is named
    :param takes_arguments: whether that command runs too when something else is named: its argument
    """

    target: str | Mapping[str, Here]
    help: str
    default: str | None = None
    takes_arguments: bool = False


Rows: TypeAlias = Mapping[str, Here]


class LazyGroup(click.Group):
    """A group whose commands are imported one at a time.

    :param name: the group's name
    :param rows: its commands
    :param default: the command that runs when none is named
    :param takes_arguments: whether that command runs too when something else is named: its argument
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        rows: Rows,
        default: str | None = None,
        takes_arguments: bool = False,
        **attributes: Any,
    ) -> None:
        super().__init__(name, **attributes)
        self.rows = rows
        self.default = default
        self.takes_arguments = takes_arguments

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names in the order of the table."""
        return list(self.rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None when there is none of that name, and the name is no argument either."""
        row = self.rows.get(cmd_name)
        if row is None:
            return self.get_command(ctx, self.default) if self.default and self.takes_arguments else None
        if not isinstance(row.target, str):
            return LazyGroup(
                cmd_name,
                rows=row.target,
                default=row.default,
                takes_arguments=row.takes_arguments,
                help=row.help,
            )
        module, _, attribute = row.target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name the default command when no command is named."""
        named = bool(args) and (args[0] in self.rows or args[0] == "--help")
        is_argument = bool(args) and self.takes_arguments
        if self.default and not named and (not args or args[0].startswith("-") or is_argument):
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name; a typo is answered by the nearest name."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(args[0], known, 1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
            ctx.fail(f"there is no command {args[0]!r}; {meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.summary(name)) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name from the table."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=self.summary(name)) for name in names), *options]

    def summary(self, name: str) -> str:
        """Return a command's help in one line."""
        return self.rows[name].help
