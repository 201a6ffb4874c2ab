"""Every provider against its simulated service, without the proxy between them: keys, lists of models, embeddings."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from freellm import EmbeddingRequest, Key, Kind, Secret
from freellm.checking import check_key
from freellm.keyring import parse_key
from freellm.providers import Provider, load_providers
from freellm.types import Failure, Upstream
from freellm.upstream import UpstreamClient
from freellm_simulator import Simulation
from freellm_simulator.worlds import load_worlds

WORLDS = load_worlds()
PROVIDERS = {provider.name: provider for provider in load_providers(list(WORLDS))[0]}
OPEN = {"llm7"}
"""Services that let anybody in: a good key makes no difference, so nothing proves it."""

RETIRED = {
    name
    for name, provider in PROVIDERS.items()
    if all(model.status == "retired" for model in provider.models)
}
"""Services that are gone: they prove no key and list no model."""

LIVE = sorted(PROVIDERS.keys() - RETIRED)
LISTING = [name for name in LIVE if PROVIDERS[name].lists_models]
EMBEDDING = [
    pytest.param(name, model, id=f"{name}/{model.id}")
    for name, provider in sorted(PROVIDERS.items())
    for model in provider.models
    if model.task == "embeddings" and model.enabled_by_default
]


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with Simulation(speed=0) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    made = UpstreamClient()
    yield made
    await made.close()


def key_of(provider: Provider, simulation: Simulation, *, bad: bool = False) -> Key:
    line = WORLDS[provider.name].key
    if bad:
        account, colon, _ = line.rpartition(":")
        line = f"{account}{colon}bad-key"
    fields = {field: Secret(value) for field, value in parse_key(provider.info, line).items()}
    return Key(id="k", account="a", fields=fields, base_url=simulation.base_urls[provider.name])


@pytest.mark.parametrize("name", LIVE)
async def test_a_key_that_works_is_told_from_one_that_does_not_and_from_an_outage(
    simulation: Simulation, client: UpstreamClient, name: str
) -> None:
    provider = PROVIDERS[name]
    good, bad = key_of(provider, simulation), key_of(provider, simulation, bad=True)
    proved = "inconclusive" if name in OPEN else "valid"
    assert (await check_key(provider, good, client, local=True)).state == proved
    assert (await check_key(provider, bad, client, local=True)).state == "invalid"
    for fault in ("overloaded", "html"):
        simulation.fail(name, fault, on="all", times=None)
        assert (await check_key(provider, good, client, local=True)).state == "inconclusive"
        simulation.faults.clear()
    assert not [spent for spent in simulation.state()["quotas"] if spent["used"]]


@pytest.mark.parametrize("name", LISTING)
async def test_the_list_of_models_is_read(simulation: Simulation, client: UpstreamClient, name: str) -> None:
    provider = PROVIDERS[name]
    key = key_of(provider, simulation)
    listed = set()
    for upstream in provider.list_models(key):
        answer = await client.probe(upstream, key.base_url, local=True)
        listed |= {found.id for found in provider.read_models(answer)}
    served = {facts.id for facts in WORLDS[name].served(include_retired=False)}
    assert listed >= served


@pytest.mark.parametrize(("name", "model"), EMBEDDING)
async def test_vectors_of_each_length_are_made_and_a_refusal_is_named(
    simulation: Simulation, client: UpstreamClient, name: str, model: object
) -> None:
    provider = PROVIDERS[name]
    declared = next(found for found in provider.models if found is model)
    key = key_of(provider, simulation)
    for dimensions in declared.dimensions:
        request = EmbeddingRequest(inputs=["Hello", "World"], dimensions=dimensions)
        upstream = provider.translate_embeddings(request, declared, key)
        assert isinstance(upstream, Upstream)
        answer = await client.probe(upstream, key.base_url, local=True)
        made = provider.normalize_embeddings(request, declared, answer)
        assert not isinstance(made, Failure), made.message
        assert [len(row["embedding"]) for row in made["data"]] == [dimensions] * 2
        simulation.clock.advance(60)
    simulation.fail(name, "rate_limit_minute", on="all")
    refused = await client.probe(upstream, key.base_url, local=True)
    assert provider.classify_error(None, declared, refused).kind in (Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED)  # type: ignore[arg-type] - core asks with an empty chat
