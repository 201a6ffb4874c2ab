"""`freellm keys add`: one key, checked, then stored."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freellm.cli import options, printing
from freellm.errors import KeyRefusedError, SettingsError

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
@click.option("--name", help="Add a server of your own under this name, at --base-url.")
@click.option("--no-key", is_flag=True, help="The server of your own needs no key.")
@click.option(
    "--concurrent",
    type=click.IntRange(1),
    help="Send the server of your own so many requests at once, at most.",
)
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
    name: str | None,
    no_key: bool,
    concurrent: int | None,
    no_check: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Check a provider key and store it.

    The key is asked for without showing it, or read from stdin: freellm keys add PROVIDER < FILE. A key of several
    parts is written with colons, such as ACCOUNT:TOKEN. A key that the provider refuses is not stored.

    A server of your own gets a name: freellm keys add PLUGIN --name NAME --base-url URL.
    """
    from freellm.cli.folder import open_folder
    from freellm.cli.keys.reading import refuse_arguments

    with open_folder(data_dir) as folder:
        own = (name, no_key, concurrent)
        if plugin := folder.roster.plugins.get(provider):
            refuse_arguments(context.args, plugin.info)
            _add_instance(folder, plugin, base_url, label, unlimited, no_check, own, data_dir, as_json)
            return
        chosen = folder.provider(provider)
        refuse_arguments(context.args, chosen.info)
        _refuse_own(folder, provider, base_url, own)
        _add_key(folder, chosen, label, unlimited, base_url, no_check, data_dir, as_json)


def _add_key(
    folder: DataFolder,
    provider: Provider,
    label: str,
    unlimited: bool,
    base_url: str | None,
    no_check: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    from freellm.administration.keys import add_key, refuse_retired, store_key
    from freellm.cli.keys.reading import read_key

    if not no_check:
        refuse_retired(provider)
    fields = read_key(provider.info)
    how: dict[str, Any] = {"label": label, "unlimited": unlimited, "base_url": base_url}
    if no_check:
        key, verdict = store_key(folder, provider, fields, **how), None
    else:
        key, verdict = _checked(provider, add_key(folder, provider, fields, **how), as_json)
    _say(folder, provider, key, verdict, fields, data_dir, as_json)


def _checked(
    provider: Provider, adding: Coroutine[Any, Any, tuple[ProviderKey, Verdict]], as_json: bool
) -> tuple[ProviderKey, Verdict | None]:
    if sys.stderr.isatty():
        printing.note(f"Asking {provider.info.title} about the key …")
    try:
        with contextlib.redirect_stdout(sys.stderr):  # a hook that prints must not get into a JSON document
            return asyncio.run(adding)
    except KeyRefusedError as refused:
        if as_json:
            printing.document(
                {"stored": False, "provider": provider.name, "state": "invalid", "reason": refused.reason}
            )
        raise


def _add_instance(
    folder: DataFolder,
    plugin: Provider,
    base_url: str | None,
    label: str,
    unlimited: bool,
    no_check: bool,
    own: tuple[str | None, bool, int | None],
    data_dir: Path | None,
    as_json: bool,
) -> None:
    from freellm.administration.instances import Wanted
    from freellm.cli.folder import how_to_add
    from freellm.cli.keys.instances import add as add_instance

    name, no_key, concurrent = own
    if not name or not base_url:
        raise SettingsError(f"a server of your own needs a name and a base URL: {how_to_add(plugin.name)}")
    wanted = Wanted(
        name=name,
        base_url=base_url,
        label=label,
        unlimited=unlimited,
        no_check=no_check,
        concurrent=concurrent,
    )
    following = options.with_folder("freellm serve", data_dir)
    add_instance(folder, plugin, wanted, no_key=no_key, as_json=as_json, following=following)


def _refuse_own(
    folder: DataFolder, provider: str, base_url: str | None, own: tuple[str | None, bool, int | None]
) -> None:
    """Refuse what is for servers of one's own, where a key of a known provider is added."""
    from freellm.administration.keys import refuse_base_url
    from freellm.cli.folder import how_to_add

    refuse_base_url(folder, provider, base_url)
    if any(own):
        how = (
            " or ".join(map(how_to_add, folder.roster.plugins)) or "none of the installed packages does that"
        )
        raise SettingsError(f"--name, --no-key and --concurrent are for servers of your own: {how}")


def _say(
    folder: DataFolder,
    provider: Provider,
    key: ProviderKey,
    verdict: Verdict | None,
    fields: Mapping[str, str],
    data_dir: Path | None,
    as_json: bool,
) -> None:
    from freellm.administration.probing import models_of, unlocks, unsettled
    from freellm.administration.words import state_of

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
