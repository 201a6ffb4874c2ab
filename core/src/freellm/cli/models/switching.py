"""`freellm models enable` and `disable`."""

from __future__ import annotations

from pathlib import Path

import click

from freellm.cli import options, printing


@click.command("enable")
@click.argument("model")
@options.data_dir
@options.as_json
def enable(model: str, data_dir: Path | None, as_json: bool) -> None:
    """Switch a model on.

    MODEL is a model id, a family (all of it), or provider/model id.
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
    from freellm.cli.folder import open_folder
    from freellm.cli.models.chain import Chain, ref_of

    with open_folder(data_dir) as folder:
        entries = Chain(folder).named(name)
        with folder.store.transaction():
            for entry in entries:
                # What is on anyway needs no decision: should its provider retire it, it goes off by itself.
                decision = None if on and entry.model.enabled_by_default else on
                folder.store.models.enable(*ref_of(entry), decision)
        chain = Chain(folder)
        after = [entry for entry in chain.catalogue.entries if ref_of(entry) in set(map(ref_of, entries))]
        if as_json:
            rows = [
                {"provider": entry.provider.name, "model": entry.model.id, "state": chain.state(entry)[0]}
                for entry in after
            ]
            printing.document({"enabled": on, "models": rows})
            return
        for entry in after:
            state, why = chain.state(entry)
            needs = f", but has no key: {why}" if state == "no key" else ""
            click.echo(f"{entry.name} is {'on' if on else 'off'}{needs}.")
        click.echo(f"{options.PICKED_UP[0].upper()}{options.PICKED_UP[1:]}.")
