"""Reading a key from the person who has it: from a hidden prompt, or from a pipe. Never from an argument."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

import click

from freellm.declarations import ProviderInfo
from freellm.errors import SettingsError
from freellm.keyring import parse_key

_LARGEST: Final = 65_536
"""Characters that are read from a pipe at most."""


def read_key(info: ProviderInfo) -> Mapping[str, str]:
    """Return the fields of a key: asked for one by one on a terminal, else read from stdin in the one-line form.

    :raises SettingsError: when the provider needs no key, or what came is not one of its keys
    """
    if not info.key_fields:
        raise SettingsError(f"{info.title} needs no key; it is used as it is")
    if not sys.stdin.isatty():
        return parse_key(info, sys.stdin.read(_LARGEST))
    click.echo(f"Get a key of {info.title} at {info.signup_url}", err=True)
    return parse_key(info, ":".join(_ask(info)))


def read_optional_key(info: ProviderInfo, *, no_key: bool) -> Mapping[str, str]:
    """Return the fields of a key that a server may need: asked for on a terminal, else read from stdin.

    :param no_key: whether the user says that it needs none
    :return: nothing when no key is given
    :raises SettingsError: when what came cannot be a key
    """
    if no_key:
        return {}
    if not sys.stdin.isatty():
        text = sys.stdin.read(_LARGEST)
    else:
        title = f"{info.key_fields[0].title} (empty if it needs none)"
        text = click.prompt(title, default="", show_default=False, hide_input=True, err=True)
    return parse_key(info, text) if text.strip() else {}


def _ask(info: ProviderInfo) -> list[str]:
    """Ask for each field; an answer that is a whole key in its one-line form ends it."""
    answers: list[str] = []
    for field in info.key_fields:
        if field.help:
            click.echo(field.help, err=True)
        answer = click.prompt(field.title, hide_input=field.secret, err=True).strip()
        answers.append(answer)
        if len(info.key_fields) > 1 and len(answers) == 1 and answer.count(":") == len(info.key_fields) - 1:
            break
    return answers


def refuse_arguments(arguments: list[str], info: ProviderInfo) -> None:
    """Refuse a key that was given as an argument.

    :raises SettingsError: saying why, what to do instead, and nothing of the key
    """
    if arguments:
        raise SettingsError(
            "a key is not taken from the command line, where other processes and the shell's history can read it. "
            f"Run `freellm keys add {info.id}` and paste it when asked, or pipe it in: "
            f"`freellm keys add {info.id} < FILE`. If what you typed was a real key, replace it: {info.signup_url}"
        )
