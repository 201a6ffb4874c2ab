"""`freellm profiles`: chains of models, and strategies with filters, that have a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError

if TYPE_CHECKING:
    from freellm.cli.folder import DataFolder
    from freellm.profiles import Profile
    from freellm.strategies import Strategy

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
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        profile = _read(name, said)
        _check(folder, name, profile)
        known = folder.store.profiles.all()
        folder.store.profiles.set(name, profile)
        done = "replaced" if name in known else "added"
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
    from freellm.cli.folder import open_folder
    from freellm.profiles import near

    with open_folder(data_dir) as folder:
        _refuse_filed(folder, name)
        if not folder.store.profiles.remove(name):
            raise SettingsError(f"there is no profile {name!r}{near(name, folder.store.profiles.all())}")
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


def _check(folder: DataFolder, name: str, profile: Profile) -> None:
    from freellm.cli.models.chain import Chain
    from freellm.profiles import check

    _refuse_filed(folder, name)
    check({name: profile}, _strategies(folder), folder.offers)
    chain = Chain(folder)
    for model in profile.models:
        entries = chain.named(model)
        states = {entry.name: chain.state(entry) for entry in entries}
        if all(state != "on" for state, _ in states.values()):
            entry, (state, why) = next(iter(states.items()))
            printing.note(f"{entry} has its place, and is not tried for now: {state}; {why}")


def _refuse_filed(folder: DataFolder, name: str) -> None:
    if name in folder.settings.profiles:
        raise SettingsError(f"the profile {name!r} stands in {_FILE}; change it there")


def _strategies(folder: DataFolder) -> Mapping[str, Strategy]:
    """Return the strategies that a server on this folder has."""
    from freellm.extensions import load_extensions
    from freellm.gauge import NOTHING
    from freellm.plugin_files import load_files
    from freellm.strategies import Gauging, gathered, offered

    settings = folder.settings
    files = load_files(settings.data_dir, settings.load_plugins)
    extensions, _ = load_extensions(settings.load_plugins, files=files)

    def ask(register: Any, measured: Gauging) -> None:
        strategies: Mapping[str, Strategy] = offered(measured)
        for name, strategy in strategies.items():
            register(name, strategy)
        extensions.register_strategies(register, measured)

    return gathered(ask, lambda provider, model: NOTHING, settings.strategies, settings.strategy)


def _show(folder: DataFolder, as_json: bool) -> None:
    filed, made = folder.settings.profiles, folder.store.profiles.all()
    rows = [
        {"name": name, "from": source, **profile.model_dump(mode="json")}
        for source, profiles in ((_FILE, filed), (_HERE, made))
        for name, profile in profiles.items()
        if source == _FILE or name not in filed
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
