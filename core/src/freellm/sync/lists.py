"""One provider's list of models: asked for, compared, stored, told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from freellm.errors import UpstreamError, VaultError
from freellm.keyring import ProviderKey
from freellm.listings import Change, Listing, compare, replaced
from freellm.offers import offered
from freellm.providers import Provider
from freellm.store import Store
from freellm.sync.asking import Asked
from freellm.types import Key, ListedModel
from freellm.upstream import UpstreamClient


class ListReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking one provider for its list.

    :param provider: its name
    :param listed: how many models the list has; None when there is no list
    :param changes: what differs from what was known
    :param problem: why it could not be asked, or why nobody is retired; empty when all is well
    """

    provider: str
    listed: int | None = None
    changes: Sequence[Change] = ()
    problem: str = ""


class Lists:
    """Asks providers for their lists and stores what they say.

    :param store: keeps it
    :param client: sends the requests
    :param open_key: decrypts a key
    :param is_local: tells whether a provider's base URL was set by hand
    :param now: Unix time
    """

    def __init__(
        self,
        store: Store,
        client: UpstreamClient,
        open_key: Callable[[ProviderKey], Key],
        is_local: Callable[[Provider], bool],
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._client = client
        self._open = open_key
        self._is_local = is_local
        self._now = now

    async def sync(self, provider: Provider, keys: Sequence[ProviderKey]) -> ListReport:
        """Ask one provider for its list.

        :param provider: as its package and the catalogue file state it
        :param keys: its usable keys, asked in turn until one gets an answer
        :raises StoreError: when what was learned cannot be stored
        """
        try:
            report = await self._synced(provider, keys)
        except VaultError as error:
            report = ListReport(provider=provider.name, problem=str(error))
        await asyncio.to_thread(self._store.listings.asked, provider.name, self._now(), report.problem)
        return report

    async def _synced(self, provider: Provider, keys: Sequence[ProviderKey]) -> ListReport:
        if not keys:
            cure = f"it has no usable key: freellm keys add {provider.name}"
            return ListReport(provider=provider.name, problem=cure)
        if not provider.lists_models:
            changes = await self._ask_the_retired(provider, keys[0], None)
            problem = "it has no list of models to ask for"
            return ListReport(provider=provider.name, changes=changes, problem=problem)
        key, listed, problem = await self._listed(provider, keys)
        if key is None:
            return ListReport(provider=provider.name, problem=problem)
        known = self._store.listings.of(provider.name)
        if provider.is_instance:
            return await self._replaced(provider, known, listed)
        comparison = compare(provider.models, known, listed, self._now())
        await self._save(provider, comparison.listings)
        back = await self._ask_the_retired(provider, key, comparison.returning)
        return ListReport(
            provider=provider.name,
            listed=len(listed),
            changes=[*comparison.changes, *back],
            problem=comparison.doubt,
        )

    async def _replaced(
        self, provider: Provider, known: Mapping[str, Listing], listed: Sequence[ListedModel]
    ) -> ListReport:
        comparison = replaced(known, listed, self._now())
        await asyncio.to_thread(self._store.listings.replace, provider.name, comparison.listings)
        return ListReport(provider=provider.name, listed=len(listed), changes=comparison.changes)

    async def _listed(
        self, provider: Provider, keys: Sequence[ProviderKey]
    ) -> tuple[ProviderKey | None, list[ListedModel], str]:
        """Return the list and the key that got it, or why none did."""
        problem = ""
        for key in keys:
            try:
                return key, await self._asked(provider, key).list(), ""
            except (UpstreamError, VaultError) as error:
                problem = problem or str(error)
        return None, [], problem

    async def _ask_the_retired(
        self, provider: Provider, key: ProviderKey, ids: Sequence[str] | None
    ) -> list[Change]:
        """Ask retired models whether they answer again; those that do are back.

        One that would be off all the same, such as a paid one, is not asked: it may cost money.

        :param ids: those that are listed again; None is all of them, for a provider without a list
        """
        known = self._store.listings.of(provider.name)
        wanted = [id_ for id_, listing in known.items() if listing.retired] if ids is None else ids
        back = {id_: known[id_].without(refusals=True) for id_ in wanted}
        models = {model.id: model for model in offered(provider, None, back).models}
        asked, changes = self._asked(provider, key), []
        for id_, listing in back.items():
            model, why = models.get(id_), ""
            if model is not None and model.enabled_by_default:
                why = await asked.whether_it_answers(model)
            if why:
                again = "listed again, but" if ids is not None else "asked again;"
                changes.append(Change("retired", id_, f"{again} it does not answer: {why}"))
                continue
            await self._save(provider, {id_: listing})
            is_off = model is None or not model.enabled_by_default
            changes.append(Change("back", id_, "listed again, and off" if is_off else "it answers again"))
        return changes

    def _asked(self, provider: Provider, key: ProviderKey) -> Asked:
        return Asked(provider, self._open(key), self._client, self._is_local(provider))

    async def _save(self, provider: Provider, listings: Mapping[str, Listing]) -> None:
        await asyncio.to_thread(self._store.listings.save, provider.name, listings)


async def sync_lists(
    lists: Lists, providers: Sequence[Provider], keys: Sequence[ProviderKey]
) -> list[ListReport]:
    """Ask several providers for their lists, all at once; one report for each, in their order."""
    return await asyncio.gather(
        *(
            lists.sync(provider, [key for key in keys if key.provider == provider.name and key.usable])
            for provider in providers
        )
    )
