"""`freellm fallback`: the order in which `auto` tries the models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError

if TYPE_CHECKING:
    from freellm.catalogue import Entry
    from freellm.cli.folder import DataFolder
    from freellm.cli.models.chain import Chain


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
    from freellm.cli.folder import open_folder
    from freellm.cli.models.chain import Chain

    with open_folder(data_dir) as folder:
        chain = Chain(folder)
        entries = chain.named(model)
        if len(entries) > 1:
            names = ", ".join(entry.name for entry in entries)
            raise SettingsError(f"{model!r} stands for several models; name one of {names}")
        if entries[0].model.task == "embeddings":
            raise SettingsError(
                f"{entries[0].name} makes embeddings, and the order is one of models that chat; what 'auto' stands for "
                "at /v1/embeddings is the setting embeddings_model (FREELLM_EMBEDDINGS_MODEL)"
            )
        _place(folder, _moved(chain, entries[0], position))
        state, why = chain.state(entries[0])
        if state != "on":
            printing.note(f"{entries[0].name} has its place, and is not tried for now: {state}; {why}")
        _show(folder, as_json)


@click.command("sort")
@click.argument("by", type=click.Choice(["intelligence", "speed", "reset"]))
@options.data_dir
@options.as_json
def sort(by: str, data_dir: Path | None, as_json: bool) -> None:
    """Put all models in order at once.

    By intelligence (the order of a new installation, which `reset` brings back) or by speed. Prints the new order.
    """
    from freellm.cli.folder import open_folder
    from freellm.cli.models.chain import Chain
    from freellm.strategies import by_speed_rank

    with open_folder(data_dir) as folder:
        if by == "speed":
            entries = Chain(folder).catalogue.entries
            _place(
                folder,
                sorted(
                    entries, key=lambda entry: (by_speed_rank(entry.provider.name, entry.model), entry.name)
                ),
            )
        else:
            folder.store.models.reset_order()
        _show(folder, as_json)


def _moved(chain: Chain, entry: Entry, position: int) -> list[Entry]:
    """Return all models with one put right behind the one that is to be before it, the unused ones where they are."""
    order = [other for other in chain.catalogue.entries if other is not entry]
    before = [other for other in chain.tried if other is not entry][: position - 1]
    index = order.index(before[-1]) + 1 if before else 0
    return [*order[:index], entry, *order[index:]]


def _place(folder: DataFolder, order: Sequence[Entry]) -> None:
    """Store an order. The tail that is as it would be anyway gets no places, so that models to come find theirs."""
    from freellm.cli.models.chain import ref_of

    placed = list(order)
    while placed and (len(placed) == len(order) or placed[-1].rank[1:] <= order[len(placed)].rank[1:]):
        placed.pop()
    folder.store.models.set_order([ref_of(entry) for entry in placed])


def _show(folder: DataFolder, as_json: bool) -> None:
    from freellm.cli.models.chain import Chain

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
