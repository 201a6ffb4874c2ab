"""The line: who waits for what, in which order they are served, and that nobody waits longer for those behind."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.gateway import Call
from freellm.gateway.waiting import Line
from freellm.ledger import Claims, Demand, Lease, Turn
from freellm.routing import PassedOver
from freellm.types import Kind
from freellm_simulator.days.virtual import run
from small_world import START, World, model, provider, quota


class Limits:
    max_waiting = 3


class Queue:
    """A line before a small world, in virtual time; calls are served as the gateway serves them.

    :ivar served: the names of calls in the order in which they were served, with the moment since the start
    """

    def __init__(self, world: World, max_waiting: int = 100) -> None:
        loop = asyncio.get_running_loop()
        self.world = world
        self.clock = Clock(wall=lambda: START, monotonic=loop.time)
        limits = Limits()
        limits.max_waiting = max_waiting
        self.line = Line(world.router, world.ledger, self.clock, limits)
        self.served: list[tuple[str, float]] = []
        self.leases: dict[str, Lease] = {}

    @property
    def now(self) -> float:
        return self.clock.now() - START

    def call(self, name: str, tokens: int = 1, max_wait: float = 100.0, **fields: Any) -> Call:
        needs = self.world.needs(tokens, stated=1, **fields)
        call = self.world.call(needs, max_wait=max_wait)
        call.id = name
        call.started = self.clock.now()
        return call

    def demand(self, call: Call, route: Route) -> Demand:
        return self.world.router.demand(route.entry, call.needs)

    async def serve(self, call: Call) -> bool:
        """Reserve for a call, waiting as the gateway does; tell whether it was served."""
        try:
            while not self.take(call):
                if not await self.line.wait(call, call.passed_over):
                    return False
            return True
        finally:
            if call.ticket:
                self.line.leave(call)

    def take(self, call: Call) -> bool:
        call.passed_over.clear()
        found = self.world.router.candidates(
            call.order, call.needs, self.clock.now, passed_over=call.passed_over
        )
        for route, demand in found:
            if not self.line.is_empty:
                taken = self.line.take(call, route, demand)
                if isinstance(taken, PassedOver):
                    call.passed_over.append(taken)
                    continue
                demand = taken
            lease = self.world.ledger.reserve(route.shares, demand, self.clock.now())
            assert lease is not None, "whose turn it is can reserve"
            self.leases[call.id] = lease
            self.served.append((call.id, self.now))
            return True
        return False

    def settle(self, name: str) -> None:
        self.world.ledger.settle(self.leases[name], self.clock.now(), None, None)


def virtually(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run(scene())


def world(*quotas: Any, models: int = 1) -> World:
    return World(
        provider(
            "lab", [model(f"m{n}", intelligence_rank=n + 1, max_output=1) for n in range(models)], quotas
        )
    )


PER_MINUTE = quota(2.0, window=60.0, clock="utc-midnight")
"""Two requests a minute of the clock; the worlds begin 0 seconds after a minute has."""


def test_a_request_is_held_until_the_quota_opens_and_not_longer() -> None:
    async def scene() -> None:
        queue = Queue(world(quota(1.0, window=60.0)))
        assert await queue.serve(queue.call("first"))
        second = queue.call("second")
        assert await queue.serve(second)
        ((_, at),) = queue.served[1:]
        assert 60.0 <= at <= 60.0 + 60.0 / 120 + 1e-6
        assert second.waited == pytest.approx(at, abs=1e-3)
        assert queue.line.is_empty
        assert queue.world.ledger.watcher is None

    virtually(scene)


@pytest.mark.parametrize(("max_wait", "deadline"), [(0.0, math.inf), (59.0, math.inf), (100.0, START + 59.0)])
def test_nobody_is_held_who_would_wait_in_vain(max_wait: float, deadline: float) -> None:
    async def scene() -> None:
        queue = Queue(world(quota(1.0, window=60.0)))
        await queue.serve(queue.call("first"))
        call = queue.call("second", max_wait=max_wait, deadline=deadline)
        assert not await queue.serve(call)
        assert queue.now == 0.0
        assert call.waited == 0.0
        assert queue.line.is_empty

    virtually(scene)


def test_what_may_never_open_is_not_waited_for() -> None:
    async def scene() -> None:
        queue = Queue(world(quota(10.0, unit="tokens", window=60.0)))
        assert not await queue.serve(queue.call("large", tokens=50))

    virtually(scene)


def test_who_came_first_is_served_first() -> None:
    async def scene() -> None:
        queue = Queue(world(quota(2.0, window=60.0)))
        names = [f"call {number}" for number in range(8)]
        assert all(await asyncio.gather(*(queue.serve(queue.call(name, max_wait=400)) for name in names)))
        assert [name for name, _ in queue.served] == names
        assert [round(at / 61) for _, at in queue.served] == [0, 0, 1, 1, 2, 2, 3, 3]

    virtually(scene)


def test_the_next_is_refused_when_the_line_is_full() -> None:
    async def scene() -> None:
        queue = Queue(world(quota(1.0, window=60.0)), max_waiting=2)
        await queue.serve(queue.call("now"))
        waiting = [asyncio.create_task(queue.serve(queue.call(name, max_wait=200))) for name in "ab"]
        await asyncio.sleep(1)
        late = queue.call("late", max_wait=200)
        assert not await queue.serve(late)
        assert late.waited == 0.0
        assert all(await asyncio.gather(*waiting))

    virtually(scene)


def test_one_that_leaves_gives_its_place_up_at_once_and_books_nothing() -> None:
    async def scene() -> None:
        queue = Queue(world(quota(1.0, window=60.0)))
        await queue.serve(queue.call("now"))
        tasks = {name: asyncio.create_task(queue.serve(queue.call(name))) for name in "abc"}
        await asyncio.sleep(1)
        tasks["a"].cancel()
        await asyncio.wait({tasks["a"]})
        assert queue.now == 1.0
        assert await tasks["b"]
        tasks["c"].cancel()
        await asyncio.wait({tasks["c"]})
        assert [name for name, _ in queue.served] == ["now", "b"]
        assert queue.line.is_empty

    virtually(scene)


def test_concurrency_opens_when_a_request_ends_and_nobody_looks_before() -> None:
    async def scene() -> None:
        queue = Queue(world(quota(1.0, unit="concurrent", window=None)))
        await queue.serve(queue.call("now"))
        tasks = [asyncio.create_task(queue.serve(queue.call(name))) for name in "ab"]
        looks = counted(queue.line)
        await asyncio.sleep(33.3)
        assert looks() == 0
        queue.settle("now")
        await asyncio.sleep(20)
        assert queue.served[1:] == [("a", pytest.approx(33.3))]
        queue.settle("a")
        assert all(await asyncio.gather(*tasks))
        assert queue.served[2:] == [("b", pytest.approx(53.3))]
        assert looks() < 8

    virtually(scene)


def test_patience_ends_also_where_nobody_knows_when_there_is_room() -> None:
    async def scene() -> None:
        queue = Queue(world(quota(1.0, unit="concurrent", window=None)))
        await queue.serve(queue.call("now"))
        call = queue.call("b", max_wait=15.0)
        assert not await queue.serve(call)
        assert queue.now == pytest.approx(15.0)
        assert call.waited == pytest.approx(15.0)

    virtually(scene)


def counted(line: Line) -> Callable[[], int]:
    """Return what tells how many times the line has looked since."""
    looks, look = [0], line._look

    def counting() -> None:
        looks[0] += 1
        look()

    line._look = counting  # type: ignore[method-assign]
    return lambda: looks[0]


def test_whoever_waits_for_another_to_end_takes_what_opens_before() -> None:
    async def scene() -> None:
        queue = Queue(
            World(
                provider("lab", [model("m", max_output=1)], [quota(1.0, unit="concurrent", window=None)]),
                provider("alp", [model("n", max_output=1)], [quota(1.0, window=60.0)]),
            )
        )
        assert await queue.serve(queue.call("a"))
        assert await queue.serve(queue.call("b"))
        tasks = [asyncio.create_task(queue.serve(queue.call(name, max_wait=200))) for name in "cd"]
        await asyncio.sleep(70)
        assert queue.served[2:] == [("c", pytest.approx(60.5, abs=0.5))]
        queue.settle(min("ab", key=lambda name: queue.leases[name].shares[0].concurrent is False))
        await asyncio.gather(*tasks)
        assert queue.served[3:] == [("d", pytest.approx(70.0))]

    virtually(scene)


def test_only_what_has_changed_is_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty wait, for forty models with a quota each: one that gives back asks nothing of the other thirty-nine."""

    async def scene() -> None:
        names = [f"m{number}" for number in range(40)]
        quotas = [quota(100.0, unit="tokens", window=60.0, members=(name,)) for name in names]
        models = [model(name, max_output=1) for name in names]
        queue = Queue(World(provider("lab", models, quotas)))
        for name in names:
            assert await queue.serve(queue.call(name, tokens=90))
        calls = [queue.call(f"waiting {number}", tokens=30) for number in range(20)]
        tasks = [asyncio.create_task(queue.serve(call)) for call in calls]
        await asyncio.sleep(1)
        examined = examinations(monkeypatch)
        queue.world.ledger.settle(queue.leases["m7"], queue.clock.now(), 50, 1)
        await asyncio.sleep(0.1)
        assert queue.served[40:] == [("waiting 0", pytest.approx(1.0))]
        assert 0 < examined() <= 8 * len(calls), "twice: when it gave back, and when that was taken"
        assert all(await asyncio.gather(*tasks))

    virtually(scene)


def test_models_that_open_together_are_examined_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        queue = Queue(world(quota(1.0, window=60.0), models=9))
        assert await queue.serve(queue.call("now"))
        for number, route in enumerate(queue.world.routes):
            route.standing.close(START + 90 - number, Kind.RATE_LIMITED, stated=True)
        examined = examinations(monkeypatch)
        assert await queue.serve(queue.call("next"))
        assert queue.served[1] == ("next", pytest.approx(82.0))
        assert 0 < examined() <= 4

    virtually(scene)


def examinations(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return what tells how many times somebody's turn has been worked out since."""
    examined, turn = [0], Claims.turn

    def counting(self: Claims, *args: Any, **named: Any) -> Turn:
        examined[0] += 1
        return turn(self, *args, **named)

    monkeypatch.setattr(Claims, "turn", counting)
    return lambda: examined[0]


def test_tokens_that_a_request_gives_back_are_somebody_elses_at_once() -> None:
    async def scene() -> None:
        queue = Queue(world(quota(100.0, unit="tokens", window=60.0)))
        await queue.serve(queue.call("now", tokens=90))
        task = asyncio.create_task(queue.serve(queue.call("next", tokens=50)))
        await asyncio.sleep(2)
        queue.world.ledger.settle(queue.leases["now"], queue.clock.now(), 10, 1)
        assert await task
        assert queue.served[1] == ("next", pytest.approx(2.0))

    virtually(scene)


def test_a_small_request_goes_ahead_of_a_large_one_only_where_that_costs_it_nothing() -> None:
    async def scene() -> None:
        queue = Queue(world(quota(100.0, unit="tokens", window=60.0)))
        await queue.serve(queue.call("old", tokens=79))
        await asyncio.sleep(30)
        large = asyncio.create_task(queue.serve(queue.call("large", tokens=69)))
        await asyncio.sleep(0.1)
        assert await queue.serve(queue.call("small", tokens=9, max_wait=0))  # 20 + 80 - 70 leaves 30
        assert not await queue.serve(queue.call("medium", tokens=11, max_wait=0))
        for number in range(20):
            await queue.serve(queue.call(f"greedy {number}", tokens=19, max_wait=0))
            await asyncio.sleep(1)
        assert await large
        assert dict(queue.served)["large"] <= 60.6

    virtually(scene)


def test_other_routes_stay_open_for_those_who_come_later() -> None:
    async def scene() -> None:
        queue = Queue(
            World(
                provider("lab", [model("m", intelligence_rank=1, max_output=1)], [quota(1.0)]),
                provider("alp", [model("n", intelligence_rank=2, max_output=1, context=50)]),
            )
        )
        await queue.serve(queue.call("first"))
        waiting = asyncio.create_task(queue.serve(queue.call("long", tokens=200)))
        await asyncio.sleep(1)
        short = queue.call("short")
        assert await queue.serve(short)
        assert queue.leases["short"].shares == ()
        assert await waiting

    virtually(scene)


def test_a_guess_is_put_to_the_test_while_others_wait() -> None:
    async def scene() -> None:
        scenery = World(
            provider("lab", [model("m", intelligence_rank=1, max_output=1)], [quota(1.0)]),
            provider("alp", [model("n", intelligence_rank=2, max_output=1, context=50)]),
        )
        queue = Queue(scenery)
        await queue.serve(queue.call("first"))
        scenery.entry("alp/n").standing.close(START + 900, Kind.OVERLOADED, stated=False)
        waiting = asyncio.create_task(queue.serve(queue.call("long", tokens=200)))
        await asyncio.sleep(1)
        assert await queue.serve(queue.call("short", max_wait=0))
        assert await waiting

    virtually(scene)


def test_what_only_the_error_of_an_estimate_keeps_out_is_tried_while_others_wait() -> None:
    async def scene() -> None:
        scenery = world(quota(400.0, unit="tokens", window=60.0))
        for actual in (80, 120) * 20:  # so 1.4 times the estimate is reserved, and 0.8 times is the least
            scenery.corrections.observe("lab/m0", 100, actual, 1)
        queue, pool = Queue(scenery), scenery.route().shares[0].pool
        await queue.serve(queue.call("first", tokens=200))
        waiting = asyncio.create_task(queue.serve(queue.call("large", tokens=200)))
        await asyncio.sleep(1)
        last = queue.call("last", tokens=110, max_wait=0)
        assert queue.demand(last, scenery.route()).input > 400 - pool.counter.used > 100
        assert await queue.serve(last)
        assert pool.counter.used <= 400
        assert await waiting

    virtually(scene)


def test_the_route_that_opens_first_is_the_one_waited_for() -> None:
    async def scene() -> None:
        scenery = world(models=3)
        queue = Queue(scenery)
        for route, seconds in zip(scenery.routes, (30, 7, 9), strict=True):
            route.standing.close(START + seconds, Kind.RATE_LIMITED, stated=True)
        assert await queue.serve(queue.call("a"))
        assert queue.served == [("a", pytest.approx(7.0))]

    virtually(scene)


def test_one_whose_hope_is_gone_is_told_so_at_once() -> None:
    async def scene() -> None:
        scenery = world()
        queue = Queue(scenery)
        scenery.route().standing.close(START + 5, Kind.RATE_LIMITED, stated=True)
        task = asyncio.create_task(queue.serve(queue.call("a", max_wait=20)))
        await asyncio.sleep(1)
        scenery.route().standing.close(START + 500, Kind.RATE_LIMITED, stated=True)
        assert not await task
        assert queue.now == pytest.approx(5.0)

    virtually(scene)


def test_a_pool_that_a_person_reopens_wakes_who_waits_for_it() -> None:
    async def scene() -> None:
        scenery = world(quota(5.0, window=60.0))
        queue = Queue(scenery)
        pool = scenery.route().shares[0].pool
        pool.advance(START)
        pool.close(START + 50, START)
        task = asyncio.create_task(queue.serve(queue.call("a")))
        await asyncio.sleep(3)
        scenery.ledger.reopen(pool.identity, queue.clock.now())
        assert await task
        assert queue.now == pytest.approx(3.0)

    virtually(scene)


def test_a_cooldown_that_is_forgotten_wakes_who_waits_for_its_end() -> None:
    async def scene() -> None:
        scenery = world(quota(5.0, window=60.0))
        queue = Queue(scenery)
        scenery.health.watcher = queue.line.wake_all
        standing = scenery.route().key_standing
        standing.close(START + 50, Kind.RATE_LIMITED, stated=True)
        tasks = [asyncio.create_task(queue.serve(queue.call(name))) for name in "ab"]
        await asyncio.sleep(3)
        scenery.health.clear(standing.name)
        standing.close(START + 10, Kind.RATE_LIMITED, stated=True)  # as a probe closes it again
        await asyncio.sleep(3)
        assert not queue.served
        scenery.health.clear(standing.name)
        assert all(await asyncio.gather(*tasks))
        assert queue.served == [("a", pytest.approx(6.0)), ("b", pytest.approx(6.0))]

    virtually(scene)


def test_everybody_looks_again_when_keys_or_models_change_and_keeps_the_order() -> None:
    async def scene() -> None:
        queue = Queue(world(quota(1.0, window=60.0)))
        await queue.serve(queue.call("now"))
        tasks = [asyncio.create_task(queue.serve(queue.call(name, max_wait=300))) for name in "abc"]
        await asyncio.sleep(1)
        queue.line.wake_all()
        assert all(await asyncio.gather(*tasks))
        assert [name for name, _ in queue.served] == ["now", "a", "b", "c"]

    virtually(scene)


ARRIVALS = st.lists(
    st.tuples(st.floats(0.0, 20.0), st.integers(1, 60), st.sampled_from([0.0, 15.0, 90.0, 400.0])),
    min_size=1,
    max_size=14,
)
QUOTAS = st.sampled_from(
    [
        [quota(64.0, unit="tokens", window=60.0)],
        [quota(64.0, unit="tokens", window=60.0), quota(3.0, window=60.0)],
        [quota(64.0, unit="tokens", window=60.0), quota(1.0, unit="concurrent", window=None)],
        [quota(150.0, unit="tokens", window=60.0, clock="utc-midnight"), quota(2.0, window=10.0)],
    ]
)


@given(QUOTAS, ARRIVALS, st.floats(0.5, 20.0))
@settings(max_examples=150, deadline=None)
def test_whoever_comes_later_makes_nobody_wait_longer(
    quotas: list[Any], arrivals: list[tuple[float, int, float]], lasts: float
) -> None:
    """Each request is served when it would have been served without those who came after it.

    So the large are not starved by the small, equals are served as they came, and a line that grows at its end costs those
    in front nothing. Concurrency is the exception that proves nothing here: when it opens depends on who is served.
    """
    moments = served_at(quotas, arrivals, lasts)
    for number in range(len(arrivals)):
        alone = served_at(quotas, arrivals[: number + 1], lasts)
        if not any(one.unit == "concurrent" for one in quotas):
            assert moments[number] <= alone[number] + 1e-6, (number, moments, alone)
    for number, (_, tokens, _) in enumerate(arrivals):
        for later in range(number + 1, len(arrivals)):
            if arrivals[later][1] == tokens and moments[number] < math.inf:
                assert moments[number] <= moments[later] + 1e-6, "equals are served as they came"


def served_at(quotas: list[Any], arrivals: list[tuple[float, int, float]], lasts: float) -> list[float]:
    """Return when each request was served, infinity for never; they come one after the other."""
    moments = [math.inf] * len(arrivals)

    async def scene() -> None:
        queue = Queue(world(*quotas))
        tasks = []

        async def live(number: int, tokens: int, patience: float) -> None:
            if await queue.serve(queue.call(str(number), tokens=tokens, max_wait=patience)):
                moments[number] = queue.now
                await asyncio.sleep(lasts)
                queue.settle(str(number))

        for number, (pause, tokens, patience) in enumerate(arrivals):
            await asyncio.sleep(pause)
            tasks.append(asyncio.create_task(live(number, tokens, patience)))
        await asyncio.gather(*tasks)
        assert queue.line.is_empty
        assert queue.world.ledger.watcher is None

    virtually(scene)
    return moments


def test_what_only_a_doubt_keeps_out_is_tried_while_others_wait_for_something_else() -> None:
    async def scene() -> None:
        scenery = World(
            provider("lab", [model("small", context=50)], [quota(2.0, window=60.0)]),
            provider("six", [model("large")], [quota(1.0, window=60.0)]),
        )
        queue, pool = Queue(scenery), scenery.route("lab/small#k1").shares[0].pool
        for _ in range(2):
            await queue.serve(queue.call("first"))
        await queue.serve(queue.call("second", tokens=100))
        pool.doubt(queue.clock.now(), 1.0, queue.clock.now())
        waiting = asyncio.create_task(queue.serve(queue.call("third", tokens=100)))
        await asyncio.sleep(1)
        assert not queue.line.is_empty
        assert await queue.serve(queue.call("fourth", max_wait=0))
        assert await waiting
        assert [name for name, _ in queue.served] == ["first", "first", "second", "fourth", "third"]

    virtually(scene)


def test_what_somebody_ahead_waits_for_is_not_put_to_the_test() -> None:
    async def scene() -> None:
        scenery = world(quota(2.0, window=60.0))
        queue, pool = Queue(scenery), scenery.route().shares[0].pool
        for _ in range(2):
            await queue.serve(queue.call("first"))
        waiting = asyncio.create_task(queue.serve(queue.call("second")))
        await asyncio.sleep(1)
        pool.doubt(queue.clock.now(), 1.0, queue.clock.now())
        assert not await queue.serve(queue.call("third", max_wait=0))
        assert await waiting
        assert queue.served[-1] == ("second", pytest.approx(60.5))

    virtually(scene)
