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

    :param local: whether the key's base URL was set by hand, so that it may be on this machine
    :return: the verdict, with the base URL that took the key when it is not the key's own; no secret is in its message
    """
    verdict = await _checked_at(provider, key, client, local=local)
    if verdict.state != "invalid" or key.base_url not in _hosts(provider):
        return verdict
    for base_url in _hosts(provider):
        if base_url == key.base_url:
            continue
        moved = msgspec.structs.replace(key, base_url=base_url)
        elsewhere = await _checked_at(provider, moved, client, local=local)
        if elsewhere.state == "valid":
            return msgspec.structs.replace(elsewhere, base_url=elsewhere.base_url or base_url)
    return verdict


def _hosts(provider: Provider) -> tuple[str, ...]:
    return (provider.info.base_url, *provider.info.alternative_base_urls)


async def _checked_at(provider: Provider, key: Key, client: UpstreamClient, *, local: bool) -> Verdict:
    probes = provider.check_key(key)
    if not probes:
        return Verdict(state="inconclusive", message=f"{provider.info.title} has no way to check a key")
    answers = [await client.probe(probe, key.base_url, local) for probe in probes]
    verdict = provider.judge_key(key, answers)
    return msgspec.structs.replace(verdict, message=redact(verdict.message, key.fields.values()))
