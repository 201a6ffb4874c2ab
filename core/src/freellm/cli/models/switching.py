"""`freellm models enable` and `disable`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError

if TYPE_CHECKING:
    from freellm.catalogue import Entry
    from freellm.cli.models.chain import Chain


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
    from freellm.cli.folder import open_folder
    from freellm.cli.models.chain import Chain, ref_of

    with open_folder(data_dir) as folder:
        entries, left = _meant(Chain(folder), name, on)
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
            click.echo(f"{entry.name} is {_now(chain, entry, on)}.")
        for entry in left:
            click.echo(f"{entry.name} stays off: {chain.why_off(entry)}; its own name switches it on.")
        click.echo(f"{options.PICKED_UP[0].upper()}{options.PICKED_UP[1:]}.")


def _meant(chain: Chain, name: str, on: bool) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """Return the models that a name switches, and those of a family that it leaves off: they cannot answer.

    :raises SettingsError: when none is left to switch on
    """
    found = chain.named(name)
    if not on or any(entry.name == name or entry.model.family != name for entry in found):
        return found, ()
    left = [entry for entry in found if entry.model.status in ("retired", "paid-only") and not entry.enabled]
    meant = [entry for entry in found if entry not in left] or [e for e in found if e.model.id == name]
    if not meant:
        whose = ", ".join(f"{entry.name} ({chain.why_off(entry)})" for entry in left)
        raise SettingsError(
            f"nobody serves {name!r} for free: {whose}; name one of them to try it all the same"
        )
    return meant, [entry for entry in left if entry not in meant]


def _now(chain: Chain, entry: Entry, on: bool) -> str:
    state, why = chain.state(entry)
    although = "" if not on or entry.model.enabled_by_default else f", although {chain.why_off(entry)}"
    needs = f", but has no key: {why}" if state == "no key" else ""
    return f"{'on' if on else 'off'}{although}{needs}"
