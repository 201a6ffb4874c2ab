"""Taking the provider keys of a `.env` file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from freellm.administration.folder import DataFolder
from freellm.administration.masking import masked
from freellm.administration.probing import ask, new_key
from freellm.administration.words import state_of
from freellm.errors import FreeLLMError
from freellm.keyring import FoundKey, find_key
from freellm.providers import Provider
from freellm.types import Verdict


class Taken(msgspec.Struct, kw_only=True):
    """What becomes of one key of the file.

    :param provider: whose key it is
    :param variable: the variable, or the variables joined by `+`
    :param outcome: `take` (a dry run), `stored`, `known` (stored before), `refused` or `wrong`
    :param masked: as much of the key as tells it from others
    :param reason: why, in words for a person
    :param id: the stored key's id
    :param state: what the check found
    """

    provider: str
    variable: str
    outcome: str
    masked: str = ""
    reason: str = ""
    id: str | None = None
    state: str | None = None


async def import_keys(
    folder: DataFolder, variables: Mapping[str, str], *, preview: bool, check: bool = True
) -> tuple[list[Taken], list[str]]:
    """Check the keys in variables and store those that are not refused.

    :param variables: the variables of the file
    :param preview: say what would be taken, ask nobody and store nothing
    :param check: False stores the keys without asking the providers
    :return: what becomes of each key, and the names of the variables that are left alone
    """
    found = [
        (provider, key)
        for provider in folder.providers.values()
        if (key := find_key(provider.info, variables)) is not None
    ]
    rows = _sorted_out(folder, found)
    if not preview:
        wanted = [(row, *key) for row, key in zip(rows, found, strict=True) if row.outcome == "take"]
        await _store(folder, wanted, check=check)
    taken = {name for _, key in found for name in key.name.split("+")}
    return rows, sorted(variables.keys() - taken)


def _sorted_out(folder: DataFolder, found: Sequence[tuple[Provider, FoundKey]]) -> list[Taken]:
    stored = {(key.provider, key.fingerprint) for key in folder.keyring.all() if key.source == "stored"}
    rows = []
    for provider, key in found:
        row = Taken(
            provider=provider.name,
            variable=key.name,
            outcome="take",
            masked=masked(provider.info, key.fields),
        )
        if key.problem:
            row.outcome, row.reason = "wrong", key.problem
        elif (provider.name, folder.vault.fingerprint(provider.name, _texts(key))) in stored:
            row.outcome, row.reason = "known", "it is stored already"
        rows.append(row)
    return rows


async def _store(
    folder: DataFolder, wanted: Sequence[tuple[Taken, Provider, FoundKey]], *, check: bool
) -> None:
    verdicts: Sequence[Verdict | None] = [None] * len(wanted)
    if check:
        verdicts = await ask(folder, [(p, new_key(folder, p, _texts(found))) for _, p, found in wanted])
    for (row, provider, found), verdict in zip(wanted, verdicts, strict=True):
        if verdict is not None and verdict.state == "invalid":
            row.outcome, row.state, row.reason = "refused", "invalid", verdict.message
            continue
        try:
            _add(folder, row, provider, found, verdict)
        except FreeLLMError as error:
            row.outcome, row.reason = "wrong", str(error)


def _add(
    folder: DataFolder, row: Taken, provider: Provider, found: FoundKey, verdict: Verdict | None
) -> None:
    key = folder.keyring.add(provider.name, _texts(found), now=folder.now(), label=found.name)
    if verdict is not None:
        key = folder.keyring.record(key, verdict, folder.now())
    row.outcome, row.id, row.state, row.reason = "stored", key.id, state_of(key), key.reason


def _texts(found: FoundKey) -> dict[str, str]:
    return {name: secret.reveal() for name, secret in found.fields.items()}
