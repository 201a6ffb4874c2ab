"""Orders that follow measurements: looked at every few seconds, steps kept, unknown models measured for little."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from freellm.measurements import EXPLORE_AFTER, EXPLORE_EVERY
from freellm.orders import RESCORE, Order
from small_world import START, World, model, provider


def four() -> World:
    """Return a world of four models that are declared alike, but for their intelligence."""
    return World(
        *(provider(name, [model("m", intelligence_rank=rank, speed_rank=5)]) for rank, name in enumerate(("one", "two", "six", "ten"), 1))
    )  # fmt: skip


def names(order: Order, now: float) -> list[str]:
    return [entry.provider.name for entry in order.at(now)]


def measure(world: World, seconds: float = 2.0, *providers: str) -> None:
    """Let models answer, so that all of them are known."""
    for name in providers or ("one", "two", "six", "ten"):
        for _ in range(3):
            world.entry(f"{name}/m").track.answered(seconds, seconds / 2, 100, world.clock())


class TestScores:
    def test_are_looked_at_every_few_seconds(self) -> None:
        world = four()
        measure(world)
        order = world.orders.auto("fast")
        assert names(order, START)[0] == "one"
        for _ in range(9):
            world.entry("one/m").track.answered(30.0, 15.0, 100, START)
        assert names(order, START + RESCORE - 1)[0] == "one"
        assert names(order, START + RESCORE) == ["two", "six", "ten", "one"]

    def test_and_penalties_are_added_up(self) -> None:
        world = four()
        measure(world)
        order = world.orders.auto("reliable")
        assert names(order, START)[0] == "one"
        world.health.penalize(world.entry("one/m").standing, START)
        assert names(order, START) == ["two", "six", "one", "ten"]

    def test_do_not_move_what_the_fallback_order_has_placed(self) -> None:
        world = four()
        measure(world, 30.0, "one")
        assert names(world.orders.auto(), START) == ["one", "two", "six", "ten"]

    @given(
        st.lists(st.tuples(st.sampled_from(["one", "two", "six", "ten"]), st.booleans()), max_size=30),
        st.sampled_from(["smart", "fast", "reliable", "balanced", "latency", "throughput"]),
    )
    def test_sort_the_order(self, attempts: list[tuple[str, bool]], strategy: str) -> None:
        world = four()
        for name, good in attempts:
            track = world.entry(f"{name}/m").track
            track.answered(1.0, 0.5, 50, START) if good else track.failed(START)
        place = world.orders.strategies[strategy]
        order = world.orders.auto(strategy)
        settled = [
            place(entry.provider.name, entry.model) for entry in order.at(START) if not entry.track.wanted
        ]
        assert all(before <= after for before, after in pairwise(settled))
        assert sorted(names(order, START)) == ["one", "six", "ten", "two"]


class TestSteps:
    def test_are_kept_whatever_the_penalties_and_the_scores(self) -> None:
        world = four()
        entries = world.orders.chain()
        steps = {entry: 0 if entry.provider.name in ("six", "ten") else 1 for entry in entries}
        order = Order(entries, world.catalogue.routes, world.health, steps=steps)
        assert names(order, START) == ["six", "ten", "one", "two"]
        for _ in range(4):
            world.health.penalize(world.entry("six/m").standing, START)
        assert names(order, START) == ["ten", "six", "one", "two"]


class TestExploring:
    def explored(self, world: World, order: Order) -> str | None:
        """Return who is in front of its place, if anybody is."""
        first = order.at(world.clock())[0]
        return first.provider.name if first.track.wanted else None

    def world(self) -> World:
        world = four()
        for _ in range(EXPLORE_AFTER):
            measure(world, 2.0, "one")
        return world

    def test_puts_an_unknown_model_in_front_until_it_was_asked(self) -> None:
        world = self.world()
        order = world.orders.auto("smart")
        chosen = self.explored(world, order)
        assert chosen in ("two", "six", "ten")
        assert self.explored(world, order) == chosen, "looking costs nothing"
        order.at(START)[0].track.asked(START)
        assert names(order, START) == ["one", "two", "six", "ten"]

    def test_is_the_same_for_the_same_minute(self) -> None:
        assert (
            len({self.explored(world, world.orders.auto("smart")) for world in (self.world(), self.world())})
            == 1
        )

    def test_reaches_everybody(self) -> None:
        world = self.world()
        order = world.orders.auto("smart")
        seen = set()
        for _ in range(40):
            seen.add(self.explored(world, order))
            world.clock.time += EXPLORE_EVERY
        assert seen >= {"two", "six", "ten"}

    def test_spends_one_request_in_twenty_and_one_a_minute_at_most(self) -> None:
        for pause in (0.1, 1.0, 10.0, 120.0):
            world = self.world()
            order = world.orders.auto("smart")
            other = world.orders.auto("fast")
            spent, requests = 0, 600
            for number in range(requests):
                entry = (order if number % 2 else other).at(world.clock())[0]
                if entry.track.wanted:
                    spent += 1
                    entry.track.asked(world.clock())  # it fails to answer: it stays unknown
                world.entry("one/m").track.answered(1.0, 0.5, 50, world.clock())
                world.clock.time += pause
            assert 0 < spent <= 1 + min(requests / EXPLORE_AFTER, requests * pause / EXPLORE_EVERY)

    def test_leaves_alone_what_is_known_or_closed(self) -> None:
        world = self.world()
        measure(world, 2.0, "two", "six")
        world.entry("ten/m").standing.closed_until = START + 60
        assert self.explored(world, world.orders.auto("smart")) is None

    def test_comes_back_to_what_was_known_long_ago(self) -> None:
        world = self.world()
        measure(world)
        assert self.explored(world, world.orders.auto("smart")) is None
        world.clock.time += 3 * 86_400
        measure(world, 2.0, "one")
        assert self.explored(world, world.orders.auto("smart")) is not None

    def test_does_not_happen_in_the_fallback_order(self) -> None:
        world = self.world()
        assert self.explored(world, world.orders.auto()) is None

    def test_leaves_steps_as_they_are(self) -> None:
        world = self.world()
        entries = world.orders.chain()
        steps = {entry: number for number, entry in enumerate(entries)}
        order = Order(
            entries, world.catalogue.routes, world.health, steps=steps, score=lambda entry: entry.place
        )
        assert self.explored(world, order) is None
