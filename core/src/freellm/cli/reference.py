"""The command reference: the generated parts of docs/cli.md. `python -m freellm.cli.reference docs/cli.md` renews them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from freellm.cli import cli
from freellm.cli.lazy import LazyGroup, Rows

_BLOCK: Final = re.compile(r"(<!-- options: (freellm [\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def commands(
    rows: Rows = cli.rows, path: tuple[str, ...] = ("freellm",)
) -> Iterator[tuple[str, click.Command]]:
    """Iterate over the built-in commands: the words that are typed, and the command."""
    group = LazyGroup(path[-1], rows=rows)
    context = click.Context(group, info_name=path[-1])
    for name, row in rows.items():
        if not isinstance(row.target, str):
            yield from commands(row.target, (*path, name))
        elif command := group.get_command(context, name):
            yield " ".join((*path, name)), command


def rendered(words: str, command: click.Command) -> str:
    """Return a command's usage line and its table of options, in Markdown.

    :param words: what is typed, such as `freellm keys add`
    """
    context = click.Context(command, info_name=words)
    usage = " ".join((words, *command.collect_usage_pieces(context)))
    lines = ["```text", usage, "```", "", "| option | default | what it does |", "| --- | --- | --- |"]
    lines += [
        f"| {_names(option, context)} | {_default(option)} | {option.help or ''} |"
        for option in command.params
        if isinstance(option, click.Option)
    ]
    return "\n".join(lines)


def _names(option: click.Option, context: click.Context) -> str:
    names = ", ".join(option.opts)
    metavar = "" if option.is_flag else f" {option.make_metavar(context)}"
    return f"`{names}{metavar}`".replace("|", "\\|")


def _default(option: click.Option) -> str:
    shown = option.show_default and not option.is_flag and option.default is not None
    return f"`{option.default}`" if shown else ""


def renewed(text: str) -> str:
    """Return a document whose blocks between `<!-- options: COMMAND -->` and `<!-- end -->` are as the commands are."""
    known = dict(commands())

    def block(match: re.Match[str]) -> str:
        command = known.get(match[2])
        body = "There is no such command." if command is None else rendered(match[2], command)
        return f"{match[1]}{body}\n{match[3]}"

    return _BLOCK.sub(block, text)


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(renewed(document.read_text("utf-8")), "utf-8")
