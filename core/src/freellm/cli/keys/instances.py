"""Adding an instance on the command line, and saying what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from freellm.administration.instances import Tried, Wanted, add_instance, place_instance, places
from freellm.cli import options, printing
from freellm.cli.folder import DataFolder
from freellm.cli.keys.reading import read_optional_key
from freellm.providers import Provider

if TYPE_CHECKING:
    from freellm.keyring import ProviderKey


def add(
    folder: DataFolder, plugin: Provider, wanted: Wanted, *, no_key: bool, as_json: bool, following: str
) -> None:
    """Add an instance; see `freellm.administration.instances.add_instance`.

    :param no_key: whether the user says that it needs none
    :param following: the command to suggest next
    """
    bases, _ = places(folder, plugin, wanted)
    fields = read_optional_key(plugin.info, no_key=no_key)
    if wanted.no_check:
        placed = place_instance(folder, plugin, wanted, fields)
    else:
        if sys.stderr.isatty():
            printing.note(f"Asking {' and '.join(bases)} …")
        with contextlib.redirect_stdout(sys.stderr):  # a hook that prints must not get into a JSON document
            placed = asyncio.run(add_instance(folder, plugin, wanted, fields))
    _say(folder, wanted, placed.found, placed.tried, placed.key, as_json=as_json, following=following)


def _say(
    folder: DataFolder,
    wanted: Wanted,
    found: Tried,
    tried: Sequence[Tried],
    key: ProviderKey,
    *,
    as_json: bool,
    following: str,
) -> None:
    from freellm.administration.probing import models_of
    from freellm.administration.words import state_of

    provider = folder.providers[wanted.name]
    models = models_of(folder, provider)
    left_out = [row.id for row in found.listed or () if row.id not in {model.id for model in provider.models}]
    facts: dict[str, Any] = {
        "stored": True,
        "id": key.id,
        "provider": wanted.name,
        "label": key.label,
        "base_url": found.base_url,
        "local": found.local,
        "tried": [{"base_url": one.base_url, "result": one.verdict.message} for one in tried],
        "state": state_of(key),
        "reason": key.reason,
        "models": models,
        "left_out": left_out,
        "next": following,
    }
    if as_json:
        printing.document(facts)
        return
    for one in tried:
        if one is not found:
            click.echo(printing.plain(f"Tried {one.base_url}: {one.verdict.message}."))
    where = " (on this machine or in its network)" if found.local else ""
    click.echo(printing.plain(f"{wanted.name} is at {found.base_url}{where}."))
    click.echo(printing.plain(_about_models(wanted, found, models, left_out)))
    click.echo(f"Next: {following} ({options.PICKED_UP})")


def _about_models(wanted: Wanted, found: Tried, models: Sequence[str], left_out: Sequence[str]) -> str:
    table = f'[instances.{wanted.name}.models."ID"]'
    if found.listed is None:
        return (
            f"It could not be asked: {found.verdict.message}. It is stored as untested; freellm serve asks for its list "
            "of models until it is there."
        )
    noun = "model" if len(models) == 1 else "models"
    said = f"{len(models)} {noun} found: {', '.join(models)}." if models else "Its list of models is empty."
    if models:
        said += f" Ask for {wanted.name}/{models[0]}."
    if left_out:
        said += f" Left out: {', '.join(left_out)}, which do not chat; embeddings need their dimensions in {table}."
    return said
