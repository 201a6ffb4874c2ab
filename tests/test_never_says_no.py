"""Whatever the books, the standings and the faults: if one route of the order would answer, the client gets an answer."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, example, given, settings
from hypothesis import strategies as st

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.errors import RequestError
from freellm.gateway import Served, attempts
from freellm.ledger import Learned, Pool
from freellm.ledger.guesses import Guess
from freellm.providers import Provider, load_providers
from freellm.types import Kind
from freellm.upstream import UpstreamClient
from freellm_simulator import Simulation
from freellm_simulator.clock import VirtualClock
from freellm_simulator.testing import NOON_UTC, WEATHER
from freellm_simulator.worlds import load_worlds
from worlds_at_random import RandomWorld

WORLDS = load_worlds()
PROVIDERS = {provider.name: provider for provider in load_providers(list(WORLDS))[0]}
MODELS = [
    (provider.name, model.id)
    for provider in PROVIDERS.values()
    for model in provider.models
    if model.enabled_by_default
    and model.task == "chat"
    and any(
        facts.id == model.id and "licence" not in facts.quirks
        for facts in WORLDS[provider.name].served(False)
    )
]
PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
FAULTS = [
    "server_error",
    "overloaded",
    "html",
    "empty",
    "garbage",
    "cut",
    "error_in_200",
    "model_gone",
]
GUESSED = [
    Kind.RATE_LIMITED,
    Kind.OVERLOADED,
    Kind.TIMEOUT,
    Kind.NETWORK,
    Kind.BAD_ANSWER,
    Kind.MODEL_GONE,
    Kind.CONCURRENCY,
]
BOOKS = ["agree", "agree", "optimistic", "lost", "low guess"]

NEEDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "text": st.sampled_from(["Hello", "你好世界", "word " * 2_000, "word " * 20_000]),
        "image": st.sampled_from([False, False, False, True]),
    },
    optional={
        "tools": st.just([{"type": "function", "function": WEATHER}]),
        "response_format": st.sampled_from(
            [{"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}]
        ),
        "max_tokens": st.integers(20, 2_000),
        "stream": st.booleans(),
    },
)  # fmt: skip
SPENDINGS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 9), st.sampled_from([0.5, 1.0]), st.sampled_from(BOOKS)),
    max_size=8,
)
STANDINGS = st.lists(
    st.tuples(
        st.integers(0, 20), st.sampled_from(["route", "model", "key", "provider"]),
        st.sampled_from(GUESSED), st.sampled_from([False, False, False, True]),
    ),
    max_size=6,
)  # fmt: skip
STATES = st.fixed_dictionaries(
    {
        "models": st.lists(st.sampled_from(MODELS), min_size=1, max_size=5, unique=True),
        "two_keys": st.booleans(),
        "needs": NEEDS,
        "pinned": st.sampled_from([False, False, True]),
        "everywhere": st.sampled_from([None, None, "lost", "low guess", "cooldown"]),
        "spendings": SPENDINGS,
        "standings": STANDINGS,
        "penalties": st.lists(st.integers(0, 20), max_size=4),
        "faults": st.lists(st.tuples(st.integers(0, 4), st.sampled_from(FAULTS), st.sampled_from([1, 2, None])), max_size=3),
    }
)  # fmt: skip


@dataclass
class Services:
    """What all examples share: the services, the sockets and the time."""

    loop: asyncio.Runner
    simulation: Simulation
    client: UpstreamClient
    clock: Clock
    accounts: dict[tuple[str, int], str]


def key_lines(name: str) -> list[str]:
    line = WORLDS[name].key
    return [line, f"{line}2"]


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with asyncio.Runner() as loop:
        clock = Clock(wall=lambda: NOON_UTC)
        simulation = Simulation(speed=0, clock=VirtualClock(wall=clock.now))
        loop.run(simulation.start())

        async def made() -> UpstreamClient:
            return UpstreamClient()

        client = loop.run(made())
        shared = Services(loop, simulation, client, clock, {})
        loop.run(find_accounts(shared))
        yield shared
        loop.run(client.close())
        loop.run(simulation.stop())


async def find_accounts(services: Services) -> None:
    """Learn under which accounts the services keep the keys, by asking each once."""
    with tempfile.TemporaryDirectory() as folder:
        for place in (0, 1):
            for name in {name for name, _ in MODELS}:
                services.simulation.reset()
                names = [(one, model) for one, model in MODELS if one == name][:1]
                keys = {name: [key_lines(name)[place]]}
                world = world_of(services, names, keys, Path(folder))
                await world.serve(
                    world.call({"model": "auto", "messages": [{"role": "user", "content": "Hi"}]})
                )
                world.close()
                rows = services.simulation.state()["quotas"]
                services.accounts[name, place] = rows[0]["account"] if rows else ""


def world_of(
    services: Services, names: list[tuple[str, str]], keys: dict[str, list[str]], folder: Path
) -> RandomWorld:
    providers: list[Provider] = [PROVIDERS[name] for name in dict.fromkeys(name for name, _ in names)]
    return RandomWorld(services.simulation, services.client, services.clock, providers, names, keys, folder)


def books(pool: Pool, how: str, used: float, now: float) -> None:
    """Let a pool's books show what a service has counted, nothing of it, or what it has never counted."""
    pool.advance(now)
    if how == "low guess":
        guess = Guess(
            count=1, figures=(1.0,), since=now - 700, refused=0.0, floor=0.0, pause=600.0, raise_at=now - 100
        )
        pool.learned = Learned(0.5, "a refusal long ago", now + 1e6, guess)
    elif how != "optimistic" and pool.quota.window is not None:
        pool.counter.book(now - 0.01, used)
        if how == "lost":
            pool.doubt(now - 0.01, used, now)
    pool.refresh()


def make_state(services: Services, world: RandomWorld, state: dict[str, Any], now: float) -> None:
    routes = world.routes
    for which, place, share, how in state["spendings"]:
        route = routes[which % len(routes)]
        account = services.accounts[route.provider.name, int(route.key.id[-1])]
        if how in ("agree", "optimistic"):
            world.spend(route, account, place, share)
        if how != "agree":
            pool = route.shares[place % len(route.shares)].pool if route.shares else None
            if pool is not None and pool.counter.used == 0:
                books(pool, how, (pool.quota.limit or 100.0) * share, now)
    agree(services, world, now)
    if state["everywhere"]:
        everywhere(world, state["everywhere"], now)
    for which, scope, kind, stated in state["standings"]:
        route = routes[which % len(routes)]
        standing = {
            "route": route.standing, "model": route.entry.standing,
            "key": route.key_standing, "provider": route.provider_standing,
        }[scope]  # fmt: skip
        standing.close(now + 50, kind, stated=stated, at=now - 10)
    for which in state["penalties"]:
        world.health.penalize(routes[which % len(routes)].entry.standing, now)
    models = state["models"]
    for which, fault, times in state["faults"]:
        provider, model = models[which % len(models)]
        services.simulation.fail(provider, fault, model=model, times=times)


def everywhere(world: RandomWorld, how: str, now: float) -> None:
    """Let guesses close everything there is."""
    for route in world.routes:
        if how == "cooldown":
            route.standing.close(now + 50, Kind.RATE_LIMITED, stated=False, at=now - 10)
        for share in route.shares:
            if how != "cooldown" and share.pool.counter.used == 0:
                books(share.pool, how, share.pool.quota.limit or 100.0, now)


def agree(services: Services, world: RandomWorld, now: float) -> None:
    """Book what the services have counted where nothing else is said of a pool."""
    counted = {
        (row["provider"], row["account"], row["unit"], row["window"], row["model"]): row["used"]
        for row in services.simulation.state()["quotas"]
    }
    for route in world.routes:
        account = services.accounts[route.provider.name, int(route.key.id[-1])]
        for share in route.shares:
            quota, pool = share.pool.quota, share.pool
            members = "*" if not quota.members else ",".join(quota.members)
            used = counted.get((route.provider.name, account, quota.unit, quota.window, members), 0.0)
            if used and quota.window and pool.counter.used == 0 and pool.learned is None:
                books(pool, "agree", used, now)


def body_of(state: dict[str, Any], model: str) -> dict[str, Any]:
    needs = dict(state["needs"])
    text, image = needs.pop("text"), needs.pop("image")
    parts = [
        {"type": "text", "text": f"{text} Answer in JSON."},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    content = parts if image else f"{text} Answer in JSON."
    return {"model": model, "messages": [{"role": "user", "content": content}], **needs}


def could_answer(route: Route, world: RandomWorld, mask: int, tokens: int, now: float) -> bool:
    """Tell whether nothing that is certain speaks against a route."""
    if mask & ~route.entry.mask or (route.entry.context and tokens * 1.1 + 3_000 > route.entry.context):
        return False
    return not any(standing.stated and standing.closed_until > now for standing in route.standings())


@given(state=STATES)
@example(
    state={
        "models": [("cerebras", "gpt-oss-120b")],
        "two_keys": False,
        "needs": {"text": "Hello", "image": False},
        "pinned": False,
        "everywhere": "low guess",
        "spendings": [(0, 0, 1.0, "lost")],
        "standings": [(0, "route", Kind.RATE_LIMITED, False)],
        "penalties": [],
        "faults": [],
    }
)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_if_one_route_would_answer_the_client_gets_an_answer(
    services: Services, monkeypatch: pytest.MonkeyPatch, state: dict[str, Any]
) -> None:
    monkeypatch.setattr(attempts, "RETRY_AFTER", (0.0, 0.0))
    services.simulation.reset()
    names = state["models"]
    keys = {name: key_lines(name)[: 1 + state["two_keys"]] for name, _ in names}
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(services, names, keys, Path(folder))
        try:
            services.loop.run(check(services, world, state))
        finally:
            world.close()


async def check(services: Services, world: RandomWorld, state: dict[str, Any]) -> None:
    now = services.clock.now()
    assume(world.routes)
    make_state(services, world, state, now)
    provider, model = state["models"][0]
    call = world.call(body_of(state, f"{provider}/{model}" if state["pinned"] else "auto"))
    able = [
        route
        for entry in call.order.at(now)
        for route in entry.routes
        if could_answer(route, world, call.needs.mask, call.needs.tokens, now)
    ]
    answering = [route.name for route in able if await world.answers(route, call)]
    served = await world.serve(call)
    event(f"{min(len(answering), 3)} routes would answer")
    if answering:
        assert not isinstance(served, RequestError), (answering, str(served))


def test_an_answer_of_no_use_has_been_counted_so_the_next_model_of_its_pool_is_waited_for(
    services: Services, tmp_path: Path
) -> None:
    """The service takes one request a second, and the page that it answers with is one."""
    services.simulation.reset()
    names = [("mistral", "mistral-large-2512"), ("mistral", "mistral-large-latest")]
    world = world_of(services, names, {"mistral": key_lines("mistral")[:1]}, tmp_path)
    services.simulation.fail("mistral", "html", model="mistral-large-2512", times=1)
    call = world.call({"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}, patience=3.0)
    served = services.loop.run(world.serve(call))
    world.close()
    assert not isinstance(served, RequestError)
    assert served.route.name == "mistral/mistral-large-latest#mistral-0"
    assert [tried.kind for tried in call.tried] == [Kind.BAD_ANSWER]


def test_what_was_estimated_a_little_too_low_is_booked_once(services: Services, tmp_path: Path) -> None:
    """The service's headers tell of the true figure before the answer does, and of nobody else's spending."""
    services.simulation.reset()
    names = [("cerebras", "gpt-oss-120b")]
    world = world_of(services, names, {"cerebras": key_lines("cerebras")[:1]}, tmp_path)
    text = "It is the first and the last one of them all. " * 20
    call = world.call({"model": "auto", "messages": [{"role": "user", "content": text}], "max_tokens": 300})
    served = services.loop.run(world.serve(call))
    world.close()
    assert isinstance(served, Served)
    assert served.completion is not None
    usage = served.completion["usage"]
    assert 1.0 < usage["prompt_tokens"] / call.needs.tokens < 1.1
    (route,) = world.routes
    used = {share.pool.counter.used for share in route.shares if share.pool.quota.unit == "tokens"}
    assert used == {usage["total_tokens"]}
