"""Finding out whether a provider key is valid, with the probes its provider declares."""

from __future__ import annotations

import msgspec

from freellm.providers import Provider
from freellm.redaction import redact
from freellm.types import Key, Verdict
from freellm.upstream import UpstreamClient


async def check_key(provider: Provider, key: Key, client: UpstreamClient, *, local: bool) -> Verdict:
    """Send a key's probes, one after the other, and let its provider judge the answers.

    :param local: whether the key's base URL was set by hand, so that it may be on this machine
    :return: the verdict; no secret is in its message
    """
    probes = provider.check_key(key)
    if not probes:
        return Verdict(state="inconclusive", message=f"{provider.info.title} has no way to check a key")
    answers = [await client.probe(probe, key.base_url, local) for probe in probes]
    verdict = provider.judge_key(key, answers)
    return msgspec.structs.replace(verdict, message=redact(verdict.message, key.fields.values()))
