"""`freellm models list`: every model with its limits and whether it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freellm.cli import options, printing

if TYPE_CHECKING:
    from freellm.administration.chain import Chain
    from freellm.catalogue import Entry
    from freellm.cli.folder import DataFolder

ABILITIES = ("tools", "vision", "json", "json_schema", "reasoning", "system")
TASKS = ("chat", "embeddings")


@click.command("list")
@click.option("--provider", help="Only this provider's.")
@click.option(
    "--ability", type=click.Choice(ABILITIES), multiple=True, help="Only those that can; repeatable."
)
@click.option("--task", type=click.Choice(TASKS), help="Only those that chat, or that make embeddings.")
@click.option("--all", "everything", is_flag=True, help="Those that are off, too.")
@click.option("-q", "text", metavar="TEXT", default="", help="Only those with this text in their names.")
@options.data_dir
@options.as_json
def list_(
    provider: str | None,
    ability: tuple[str, ...],
    task: str | None,
    everything: bool,
    text: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """List the models with their limits and state.

    The first column is the place in the order in which `auto` tries them; a model without one is not tried, and the
    last column says why. Models that are off are listed with --all, or when it was you who decided.
    """
    from freellm.administration.chain import Chain
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        chosen = None if provider is None else folder.provider(provider).name
        chain = Chain(folder)
        places = chain.places()
        rows = [
            _described(folder, chain, entry, places.get(entry.name))
            for entry in chain.catalogue.entries
            if (everything or entry.enabled or entry.choice.enabled is not None)
            and chosen in (None, entry.provider.name)
            and (not ability or entry.model.task == "chat")
            and entry.model.abilities.issuperset(ability)
            and task in (None, entry.model.task)
            and text.lower() in f"{entry.name} {entry.model.family} {entry.model.title}".lower()
        ]
        rows.sort(key=lambda row: (row["place"] is None, row["place"] or 0))
        if as_json:
            printing.document({"models": rows})
        elif rows:
            _show(rows)
        elif not chain.catalogue.entries:
            click.echo(f"No provider is installed that can be used. {options.INSTALL_ONE}")
        else:
            click.echo("No model is like that; freellm models list --all lists every one.")


def _described(folder: DataFolder, chain: Chain, entry: Entry, place: int | None) -> dict[str, Any]:
    from freellm.administration.limits import limits_of

    model, provider = entry.model, entry.provider
    state, why = chain.state(entry)
    own = {
        name: limit.model_dump(exclude_none=True)
        for name, limit in folder.settings.limits.get(provider.name, {}).items()
    }
    return {
        "place": place,
        "model": model.id,
        "title": model.title,
        "family": model.family,
        "provider": provider.name,
        "task": model.task,
        "abilities": sorted(model.abilities) if model.task == "chat" else [],
        "dimensions": list(model.dimensions),
        "max_inputs": model.max_inputs,
        "context": model.context,
        "max_output": model.max_output,
        "limits": limits_of(model, provider.quotas, own),
        "status": model.status,
        "state": state,
        "why": why,
        "intelligence_rank": model.intelligence_rank,
        "speed_rank": model.speed_rank,
        "note": model.note,
    }


def _can(row: dict[str, Any]) -> str:
    if row["task"] == "embeddings":
        return f"embeddings of {', '.join(map(str, row['dimensions']))}"
    return ", ".join(ability for ability in row["abilities"] if ability != "system")


def _show(rows: list[dict[str, Any]]) -> None:
    printing.table(
        ["", "model", "provider", "can", "context", "limits", "status", "state", "why"],
        [
            (
                row["place"],
                row["model"],
                row["provider"],
                _can(row),
                None if row["context"] is None else f"{row['context']:,}",
                ", ".join(row["limits"]),
                row["status"],
                row["state"],
                row["why"],
            )
            for row in rows
        ],
        long=["can", "limits", "why"],
    )
