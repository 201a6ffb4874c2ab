"""Switching models on and off."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from freellm.administration.chain import Chain, ref_of
from freellm.administration.folder import DataFolder
from freellm.catalogue import Entry
from freellm.errors import SettingsError
from freellm.store import ModelRef


def switch(folder: DataFolder, names: Sequence[str], on: bool) -> tuple[Collection[ModelRef], list[Entry]]:
    """Switch models on or off; all of them, or none when one of the names will not do.

    :param names: models' ids, families or `provider/model`
    :return: the models that were meant, and those of a family that stay off because they cannot answer
    :raises SettingsError: when there is no such model, or none is left to switch on
    """
    chain = Chain(folder)
    both = [_meant(chain, name, on) for name in names]
    meant = {ref_of(entry): entry for entries, _ in both for entry in entries}
    with folder.store.transaction():
        for ref, entry in meant.items():
            # What is on anyway needs no decision: should its provider retire it, it goes off by itself.
            decision = None if on and entry.model.enabled_by_default else on
            folder.store.models.enable(*ref, decision)
    return meant.keys(), [entry for _, left in both for entry in left if ref_of(entry) not in meant]


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
