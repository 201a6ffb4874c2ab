"""The order in which `auto` tries the models."""

from __future__ import annotations

from collections.abc import Sequence

from freellm.administration.chain import Chain, ref_of
from freellm.administration.folder import DataFolder
from freellm.catalogue import Entry
from freellm.errors import SettingsError
from freellm.strategies import by_speed_rank


def move(folder: DataFolder, chain: Chain, model: str, position: int) -> Entry:
    """Put a model at a place.

    :param model: a model's id, or `provider/model` where several providers have it
    :param position: from 1, as the models that are tried are counted
    :raises SettingsError: when the name stands for none, for several, or for one that does not chat
    """
    entry = _the_one(chain, model)
    _place(folder, _moved(chain, entry, position))
    return entry


def arrange(folder: DataFolder, models: Sequence[str]) -> None:
    """Put models in an order, before all others, which keep theirs.

    :param models: each as for `move`, the first one first
    :raises SettingsError: as `move`, or when a model is named twice; nothing is changed then
    """
    chain = Chain(folder)
    first: dict[str, Entry] = {}
    for model in models:
        entry = _the_one(chain, model)
        if entry.name in first:
            raise SettingsError(f"{entry.name} is named twice")
        first[entry.name] = entry
    _place(folder, [*first.values(), *(e for e in chain.catalogue.entries if e.name not in first)])


def sort(folder: DataFolder, by: str) -> None:
    """Put all models in order at once.

    :param by: `speed`, or `intelligence`, the order of a new installation; `reset` is the same
    """
    if by != "speed":
        folder.store.models.reset_order()
        return
    entries = Chain(folder).catalogue.entries
    _place(
        folder,
        sorted(entries, key=lambda entry: (by_speed_rank(entry.provider.name, entry.model), entry.name)),
    )


def _the_one(chain: Chain, model: str) -> Entry:
    entries = chain.named(model)
    if len(entries) > 1:
        names = ", ".join(entry.name for entry in entries)
        raise SettingsError(f"{model!r} stands for several models; name one of {names}")
    if entries[0].model.task == "embeddings":
        raise SettingsError(
            f"{entries[0].name} makes embeddings, and the order is one of models that chat; what 'auto' stands for "
            "at /v1/embeddings is the setting embeddings_model (FREELLM_EMBEDDINGS_MODEL)"
        )
    return entries[0]


def _moved(chain: Chain, entry: Entry, position: int) -> list[Entry]:
    """Return all models with one put right behind the one that is to be before it, the unused ones where they are."""
    order = [other for other in chain.catalogue.entries if other is not entry]
    before = [other for other in chain.tried if other is not entry][: position - 1]
    index = order.index(before[-1]) + 1 if before else 0
    return [*order[:index], entry, *order[index:]]


def _place(folder: DataFolder, order: Sequence[Entry]) -> None:
    """Store an order. The tail that is as it would be anyway gets no places, so that models to come find theirs."""
    placed = list(order)
    while placed and (len(placed) == len(order) or placed[-1].rank[1:] <= order[len(placed)].rank[1:]):
        placed.pop()
    folder.store.models.set_order([ref_of(entry) for entry in placed])
