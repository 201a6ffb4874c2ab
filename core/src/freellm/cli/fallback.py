"""`freellm fallback`: the order in which `auto` tries the models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing

if TYPE_CHECKING:
    from freellm.cli.folder import DataFolder


@click.command("list")
@options.data_dir
@options.as_json
def list_(data_dir: Path | None, as_json: bool) -> None:
    """List the models in the order they are tried.

    Those that are on, have a key that may be used, and chat. `by hand` are the ones you gave a place.
    """
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        _show(folder, as_json)


@click.command("move")
@click.argument("model")
@click.argument("position", type=click.IntRange(min=1))
@options.data_dir
@options.as_json
def move(model: str, position: int, data_dir: Path | None, as_json: bool) -> None:
    """Put a model at a place in the order, 1 being the first.

    MODEL is a model id, or provider/model id where several providers have it. POSITION counts as `freellm fallback
    list` does. Prints the new order.
    """
    from freellm.administration.chain import Chain
    from freellm.administration.order import move as move_to
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        chain = Chain(folder)
        entry = move_to(folder, chain, model, position)
        state, why = chain.state(entry)
        if state != "on":
            printing.note(f"{entry.name} has its place, and is not tried for now: {state}; {why}")
        _show(folder, as_json)


@click.command("set")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@options.data_dir
@options.as_json
def set_(models: tuple[str, ...], data_dir: Path | None, as_json: bool) -> None:
    """Put models in this order, before all others.

    MODEL is a model id, or provider/model id where several providers have it. Models that are left out follow in the
    order they have. Prints the new order.
    """
    from freellm.administration.order import arrange
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        arrange(folder, models)
        _show(folder, as_json)


@click.command("sort")
@click.argument("by", type=click.Choice(["intelligence", "speed", "reset"]))
@options.data_dir
@options.as_json
def sort(by: str, data_dir: Path | None, as_json: bool) -> None:
    """Put all models in order at once.

    By intelligence (the order of a new installation, which `reset` brings back) or by speed. Prints the new order.
    """
    from freellm.administration.order import sort as sort_by
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        sort_by(folder, by)
        _show(folder, as_json)


def _show(folder: DataFolder, as_json: bool) -> None:
    from freellm.administration.chain import Chain

    rows = [
        {
            "place": place,
            "model": entry.model.id,
            "provider": entry.provider.name,
            "by_hand": entry.choice.position is not None,
            "intelligence_rank": entry.model.intelligence_rank,
            "speed_rank": entry.model.speed_rank,
        }
        for place, entry in enumerate(Chain(folder).tried, 1)
    ]
    if as_json:
        printing.document({"order": rows})
        return
    if not rows:
        click.echo("No model can be tried: no provider has a key. Add one: freellm keys add PROVIDER")
        return
    printing.table(
        ["", "model", "provider", "placed", "intelligence", "speed"],
        [
            (
                row["place"],
                row["model"],
                row["provider"],
                "by hand" if row["by_hand"] else "by rank",
                row["intelligence_rank"],
                row["speed_rank"],
            )
            for row in rows
        ],
    )
