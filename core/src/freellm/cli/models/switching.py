"""`freellm models enable` and `disable`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing

if TYPE_CHECKING:
    from freellm.administration.chain import Chain
    from freellm.catalogue import Entry


@click.command("enable")
@click.argument("model")
@options.data_dir
@options.as_json
def enable(model: str, data_dir: Path | None, as_json: bool) -> None:
    """Switch a model on.

    MODEL is a model id, a family, or provider/model id. Of a family, what its provider has retired or sells stays off:
    its own name switches it on.
    """
    _switch(model, True, data_dir, as_json)


@click.command("disable")
@click.argument("model")
@options.data_dir
@options.as_json
def disable(model: str, data_dir: Path | None, as_json: bool) -> None:
    """Switch a model off.

    MODEL is a model id, a family (all of it), or provider/model id.
    """
    _switch(model, False, data_dir, as_json)


def _switch(name: str, on: bool, data_dir: Path | None, as_json: bool) -> None:
    from freellm.administration.chain import Chain, ref_of
    from freellm.administration.models import switch
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        switched, left = switch(folder, [name], on)
        chain = Chain(folder)
        after = [entry for entry in chain.catalogue.entries if ref_of(entry) in switched]
        if as_json:
            rows = [
                {"provider": entry.provider.name, "model": entry.model.id, "state": chain.state(entry)[0]}
                for entry in after
            ]
            printing.document({"enabled": on, "models": rows})
            return
        for entry in after:
            click.echo(f"{entry.name} is {_now(chain, entry, on)}.")
        for entry in left:
            click.echo(f"{entry.name} stays off: {chain.why_off(entry)}; its own name switches it on.")
        click.echo(f"{options.PICKED_UP[0].upper()}{options.PICKED_UP[1:]}.")


def _now(chain: Chain, entry: Entry, on: bool) -> str:
    state, why = chain.state(entry)
    although = "" if not on or entry.model.enabled_by_default else f", although {chain.why_off(entry)}"
    needs = f", but has no key: {why}" if state == "no key" else ""
    return f"{'on' if on else 'off'}{although}{needs}"
