"""`freellm keys add`: one key, checked, then stored."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freellm.cli import options, printing

if TYPE_CHECKING:
    from freellm.cli.folder import DataFolder
    from freellm.keyring import ProviderKey
    from freellm.providers import Provider
    from freellm.types import Verdict


@click.command("add", context_settings={"allow_extra_args": True})
@click.argument("provider")
@click.option("--label", default="", help="What you call the key, such as the account it is of.")
@click.option("--unlimited", is_flag=True, help="It is on a paid plan: count its use, never refuse it.")
@click.option("--base-url", help="Send it there instead of to the provider's own base URL.")
@click.option("--no-check", is_flag=True, help="Store it without asking the provider.")
@options.data_dir
@options.as_json
@click.pass_context
def add(
    context: click.Context,
    provider: str,
    label: str,
    unlimited: bool,
    base_url: str | None,
    no_check: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Check a provider key and store it.

    The key is asked for without showing it, or read from stdin: freellm keys add PROVIDER < FILE. A key of several
    parts is written with colons, such as ACCOUNT:TOKEN. A key that the provider refuses is not stored.
    """
    from freellm.cli.folder import open_folder
    from freellm.cli.keys.reading import read_key, refuse_arguments

    with open_folder(data_dir) as folder:
        chosen = folder.provider(provider)
        refuse_arguments(context.args, chosen.info)
        if not no_check and all(model.status == "retired" for model in chosen.models):
            _refuse_retired(chosen)
        fields = read_key(chosen.info)
        verdict = None if no_check else _checked(folder, chosen, fields, base_url)
        if verdict is not None and verdict.state == "invalid":
            _refuse(chosen, verdict, fields, as_json)
        key = folder.keyring.add(
            provider, fields, now=folder.now(), label=label, base_url=base_url, unlimited=unlimited
        )
        if verdict is not None:
            key = folder.keyring.record(key, verdict, folder.now())
        _say(folder, chosen, key, verdict, fields, data_dir, as_json)


def _refuse_retired(provider: Provider) -> None:
    raise click.ClickException(
        f"a key of {provider.info.title} is of no use, because all its models are retired; nothing was stored. "
        "To store one all the same: --no-check"
    )


def _checked(
    folder: DataFolder, provider: Provider, fields: Mapping[str, str], base_url: str | None
) -> Verdict:
    from freellm.cli.keys.probing import ask, new_key

    key = new_key(folder, provider, fields, base_url)
    if sys.stderr.isatty():
        printing.note(f"Asking {provider.info.title} about the key …")
    return ask(folder, [(provider, key)])[0]


def _refuse(provider: Provider, verdict: Verdict, fields: Mapping[str, str], as_json: bool) -> None:
    from freellm.cli.keys.probing import refusal

    if as_json:
        printing.document(
            {"stored": False, "provider": provider.name, "state": "invalid", "reason": verdict.message}
        )
    raise click.ClickException(refusal(provider, verdict, fields))


def _say(
    folder: DataFolder,
    provider: Provider,
    key: ProviderKey,
    verdict: Verdict | None,
    fields: Mapping[str, str],
    data_dir: Path | None,
    as_json: bool,
) -> None:
    from freellm.cli.keys.probing import models_of, unlocks, unsettled
    from freellm.cli.keys.words import state_of

    models = models_of(folder, provider)
    following = options.with_folder("freellm serve", data_dir)
    facts: dict[str, Any] = {
        "stored": True,
        "id": key.id,
        "provider": key.provider,
        "label": key.label,
        "state": state_of(key),
        "reason": key.reason,
        "models": models,
        "next": following,
    }
    if as_json:
        printing.document(facts)
        return
    if verdict is None:
        told = f"Stored a key of {provider.info.title} without a check, as untested; if it is valid, {unlocks(models)}."
    elif verdict.state == "valid":
        told = f"{provider.info.title} accepted the key: {unlocks(models)}."
    else:
        told = f"{unsettled(provider, verdict, key, fields)}."
    click.echo(printing.plain(f"{told} Next: {following} ({options.PICKED_UP})"))
