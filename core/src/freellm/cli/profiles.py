"""`freellm profiles`: chains of models, and strategies with filters, that have a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError

if TYPE_CHECKING:
    from freellm.cli.folder import DataFolder
    from freellm.profiles import Profile

_FILE, _HERE = "config.toml", "command line"


@click.command("list")
@options.data_dir
@options.as_json
def list_(data_dir: Path | None, as_json: bool) -> None:
    """List the profiles: who may answer, in which order.

    Those of config.toml are changed there.
    """
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        _show(folder, as_json)


@click.command("add")
@click.argument("name")
@click.option("--models", default="", help="Models, families or provider/model, in the order they are tried.")
@click.option("--strategy", help="The strategy that orders all models, such as `fast`.")
@click.option("--only", default="", help="The providers that may answer.")
@click.option("--ignore", default="", help="The providers that may not.")
@click.option("--abilities", default="", help="What each model must be able to do: tools, vision, json, …")
@click.option(
    "--data-collection",
    type=click.Choice(["allow", "deny"]),
    default="allow",
    help="With deny, only providers that are known not to train on prompts.",
)
@options.data_dir
@options.as_json
def add(name: str, data_dir: Path | None, as_json: bool, **said: str | None) -> None:
    """Give a chain of models, or a choice of them, a name.

    Requests ask for it as `auto:NAME`. Lists are separated by commas. With --models and --strategy, the strategy orders the providers of each model. A
    profile of that name is replaced. Prints the profiles.
    """
    from freellm.administration.profiles import make_profile
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        done, notes = make_profile(folder, name, _read(name, said))
        for note in notes:
            printing.note(note)
        printing.note(f"{done} auto:{name}; {options.PICKED_UP}")
        _show(folder, as_json)


@click.command("remove")
@click.argument("name")
@options.data_dir
@options.as_json
def remove(name: str, data_dir: Path | None, as_json: bool) -> None:
    """Delete a profile.

    Prints those that are left.
    """
    from freellm.administration.profiles import remove_profile
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        remove_profile(folder, name)
        printing.note(f"removed auto:{name}; {options.PICKED_UP}")
        _show(folder, as_json)


def _read(name: str, said: Mapping[str, str | None]) -> Profile:
    from pydantic import ValidationError

    from freellm.profiles import NAME, Profile

    if not re.fullmatch(NAME, name):
        raise SettingsError(f"{name!r} is no name: use up to 50 lower-case letters, digits, - and _")
    try:
        profile = Profile.model_validate({field: value for field, value in said.items() if value})
    except ValidationError as error:
        detail = error.errors()[0]
        field = str(detail["loc"][0]).replace("_", "-") if detail["loc"] else "profile"
        raise SettingsError(f"--{field}: {detail['msg'].removeprefix('Value error, ')}") from None
    if profile == Profile():
        raise SettingsError(
            "say who may answer: --models, --strategy, --only, --ignore, --abilities or --data-collection"
        )
    return profile


def _show(folder: DataFolder, as_json: bool) -> None:
    from freellm.administration.profiles import all_profiles

    rows = [
        {"name": name, "from": _FILE if filed else _HERE, **profile.model_dump(mode="json")}
        for name, (profile, filed) in all_profiles(folder).items()
    ]
    if as_json:
        printing.document({"profiles": rows})
        return
    if not rows:
        click.echo("There are no profiles. Add one: freellm profiles add NAME --models MODEL,MODEL")
        return
    columns = ["only", "ignore", "abilities"]
    printing.table(
        ["name", "models", "strategy", *columns, "data collection", "from"],
        [
            (
                row["name"],
                ", ".join(row["models"]) or "all",
                row["strategy"],
                *(", ".join(row[column]) for column in columns),
                row["data_collection"],
                row["from"],
            )
            for row in rows
        ],
    )
