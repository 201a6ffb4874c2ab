"""`freellm keys import`: the provider keys of a .env file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from freellm.cli import options, printing
from freellm.errors import FreeLLMError, SettingsError

if TYPE_CHECKING:
    from freellm.cli.folder import DataFolder
    from freellm.keyring import FoundKey
    from freellm.providers import Provider
    from freellm.types import Verdict


class Taken(msgspec.Struct, kw_only=True):
    """What becomes of one key of the file.

    :param provider: whose key it is
    :param variable: the variable, or the variables joined by `+`
    :param outcome: `take` (a dry run), `stored`, `known` (stored before), `refused` or `wrong`
    :param reason: why, in words for a person
    :param id: the stored key's id
    :param state: what the check found
    """

    provider: str
    variable: str
    outcome: str
    reason: str = ""
    id: str | None = None
    state: str | None = None


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be taken; ask nobody and store nothing.")
@click.option("--no-check", is_flag=True, help="Store the keys without asking the providers.")
@options.data_dir
@options.as_json
def import_(file: Path, dry_run: bool, no_check: bool, data_dir: Path | None, as_json: bool) -> None:
    """Take the provider keys of a .env file.

    Takes the variables in which the providers' keys usually are, checks each key, and stores those that are not
    refused. Other variables are left alone; - reads stdin. The exit code is 1 when a key was not stored.
    """
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        variables = _read(file)
        found = _found(folder, variables)
        taken = _take(folder, found, dry_run=dry_run, no_check=no_check)
        ignored = sorted(variables.keys() - {name for key in found for name in key[1].name.split("+")})
        _show(taken, ignored, dry_run, as_json)
        if missed := [row.provider for row in taken if row.outcome in ("refused", "wrong")]:
            verb = "cannot be taken" if dry_run else "were not stored"
            raise click.ClickException(
                f"{len(missed)} of {len(taken)} keys {verb} ({', '.join(missed)}); the reasons are above"
            )


def _read(file: Path) -> Mapping[str, str]:
    from freellm.keyring import parse_environment_file

    name = "stdin" if str(file) == "-" else str(file)
    try:
        with click.open_file(str(file), encoding="utf-8") as stream:
            return parse_environment_file(stream.read())
    except OSError as error:
        raise SettingsError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{name} is not text in UTF-8, so it is no .env file") from None
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from None


def _found(folder: DataFolder, variables: Mapping[str, str]) -> list[tuple[Provider, FoundKey]]:
    from freellm.keyring import find_key

    return [
        (provider, found)
        for provider in folder.providers.values()
        if (found := find_key(provider.info, variables)) is not None
    ]


def _take(
    folder: DataFolder, found: Sequence[tuple[Provider, FoundKey]], *, dry_run: bool, no_check: bool
) -> list[Taken]:
    stored = {(key.provider, key.fingerprint) for key in folder.keyring.all() if key.source == "stored"}
    rows = []
    for provider, key in found:
        row = Taken(provider=provider.name, variable=key.name, outcome="take")
        if key.problem:
            row.outcome, row.reason = "wrong", key.problem
        elif (provider.name, folder.vault.fingerprint(provider.name, _texts(key))) in stored:
            row.outcome, row.reason = "known", "it is stored already"
        rows.append(row)
    if not dry_run:
        wanted = [(row, *key) for row, key in zip(rows, found, strict=True) if row.outcome == "take"]
        _store(folder, wanted, no_check=no_check)
    return rows


def _store(folder: DataFolder, wanted: Sequence[tuple[Taken, Provider, FoundKey]], *, no_check: bool) -> None:
    from freellm.cli.keys.probing import ask, new_key

    verdicts: Sequence[Verdict | None] = [None] * len(wanted)
    if not no_check:
        verdicts = ask(folder, [(p, new_key(folder, p, _texts(found))) for _, p, found in wanted])
    for (row, provider, found), verdict in zip(wanted, verdicts, strict=True):
        if verdict is not None and verdict.state == "invalid":
            row.outcome, row.state, row.reason = "refused", "invalid", verdict.message
            continue
        try:
            _add(folder, row, provider, found, verdict)
        except FreeLLMError as error:
            row.outcome, row.reason = "wrong", str(error)


def _add(
    folder: DataFolder, row: Taken, provider: Provider, found: FoundKey, verdict: Verdict | None
) -> None:
    from freellm.cli.keys.words import state_of

    key = folder.keyring.add(provider.name, _texts(found), now=folder.now(), label=found.name)
    if verdict is not None:
        key = folder.keyring.record(key, verdict, folder.now())
    row.outcome, row.id, row.state, row.reason = "stored", key.id, state_of(key), key.reason


def _texts(found: FoundKey) -> dict[str, str]:
    return {name: secret.reveal() for name, secret in found.fields.items()}


def _show(taken: Sequence[Taken], ignored: Sequence[str], dry_run: bool, as_json: bool) -> None:
    if as_json:
        rows: list[Any] = [msgspec.structs.asdict(row) for row in taken]
        printing.document({"dry_run": dry_run, "keys": rows, "ignored": ignored})
        return
    if taken:
        printing.table(
            ["provider", "variable", "what", "state", "reason"],
            [(row.provider, row.variable, row.outcome, row.state, row.reason) for row in taken],
            long=["reason"],
        )
    else:
        click.echo("There is no key of an installed provider in it.")
    if ignored:
        click.echo(f"Left alone: {', '.join(ignored)}.")
    if any(row.outcome == "stored" for row in taken):
        click.echo(f"Next: freellm serve ({options.PICKED_UP})")
