"""The command line. Nothing heavy is imported before a command runs, so that `freellm --help` is immediate."""

from __future__ import annotations

import click

from freellm.cli.commands import COMMANDS
from freellm.cli.program import Program

__all__ = ["cli", "main"]


@click.group("freellm", cls=Program, rows=COMMANDS)
@click.version_option(package_name="freellm-core", message="freellm %(version)s")
def cli() -> None:
    """One OpenAI-compatible endpoint over the free tiers of many LLM providers."""


def main() -> None:
    """Run the command that the process was started with."""
    cli(prog_name="freellm")
