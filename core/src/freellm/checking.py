"""Finding out whether a provider key is valid, with the probes its provider declares."""

from __future__ import annotations

import msgspec

from freellm.providers import Provider
from freellm.redaction import redact
from freellm.types import Key, Verdict
from freellm.upstream import UpstreamClient


async def check_key(provider: Provider, key: Key, client: UpstreamClient, *, local: bool) -> Verdict:
    """Send a key's probes, and let its provider judge the answers.

    Where the service has several hosts with accounts of their own, a key that one refuses is tried at the next.

    :param local: whether it may be on this machine or in its network, because a person said where it is
    :return: the verdict, with the base URL that took the key when it is not the key's own; no secret is in its message
    """
    verdict = (await probe_key(provider, key, client, local=local))[0]
    if verdict.state != "invalid" or key.base_url not in _hosts(provider):
        return verdict
    for base_url in _hosts(provider):
        if base_url == key.base_url:
            continue
        moved = msgspec.structs.replace(key, base_url=base_url)
        elsewhere = (await probe_key(provider, moved, client, local=local))[0]
        if elsewhere.state == "valid":
            return msgspec.structs.replace(elsewhere, base_url=elsewhere.base_url or base_url)
    return verdict


def _hosts(provider: Provider) -> tuple[str, ...]:
    return (provider.info.base_url, *provider.info.alternative_base_urls)


async def probe_key(
    provider: Provider, key: Key, client: UpstreamClient, *, local: bool
) -> tuple[Verdict, bool]:
    """Send a key's probes to its own base URL alone.

    :param local: see `check_key`
    :return: the verdict, and whether anybody answered there at all
    """
    probes = provider.check_key(key)
    if not probes:
        return Verdict(
            state="inconclusive", message=f"{provider.info.title} has no way to check a key"
        ), False
    answers = [await client.probe(probe, key.base_url, local) for probe in probes]
    verdict = provider.judge_key(key, answers)
    told = msgspec.structs.replace(verdict, message=redact(verdict.message, key.fields.values()))
    return told, any(answer.status for answer in answers)
