"""The router: whatever the state of pools and standings, open routes come in order, and none is forgotten."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freellm.catalogue import ABILITY_BITS, Choice, Entry, Route, mask_of
from freellm.ceilings import GENEROUS
from freellm.guessing import BREAKER_KINDS, RETESTS
from freellm.handoff import siblings
from freellm.ledger import Demand
from freellm.routing import Needs, PassedOver
from freellm.types import Kind, Reading
from small_world import FAR, START, World, key, model, provider, quota

TOOLS, VISION = ABILITY_BITS["tools"], ABILITY_BITS["vision"]


def names(candidates: Iterator[tuple[Route, Demand]]) -> list[str]:
    return [route.name for route, _ in candidates]


def three() -> World:
    """Return a world of three models in order a, b, c, with one key each."""
    return World(
        provider("one", [model("a", intelligence_rank=1)]),
        provider("two", [model("b", intelligence_rank=2)]),
        provider("six", [model("c", intelligence_rank=3)]),
    )


class TestOrders:
    def test_a_penalty_sinks_a_model_and_time_brings_it_back(self) -> None:
        world = three()
        world.health.penalize(world.entry("one/a").standing, START)
        order = world.order
        assert [entry.name for entry in order.at(START)] == ["two/b", "six/c", "one/a"]
        assert [entry.name for entry in order.at(START + 180)] == ["two/b", "one/a", "six/c"]
        assert [entry.name for entry in order.at(START + 360)] == ["one/a", "two/b", "six/c"]

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 400)), max_size=6), st.floats(0, 700))
    def test_are_always_sorted_by_place_and_penalty(
        self, refusals: list[tuple[str, float]], later: float
    ) -> None:
        world = three()
        now = START
        for id_, seconds in refusals:
            now += seconds
            (entry,) = world.catalogue.named(id_)
            world.health.penalize(entry.standing, now)
            world.order.at(now)
        now += later
        # sorted every five seconds while there are penalties, and the second time round the list is that old at most
        world.order.at(now)
        keys = [entry.place + entry.standing.penalty(now) for entry in world.order.at(now)]
        stale = 5.0 / 120.0
        assert all(before <= after + stale for before, after in pairwise(keys))
        assert len(keys) == 3

    def test_follow_the_strategy(self) -> None:
        world = World(
            provider(
                "one",
                [
                    model("clever", intelligence_rank=1, speed_rank=3),
                    model("quick", intelligence_rank=3, speed_rank=1),
                    model("quick-too", intelligence_rank=2, speed_rank=1),
                    model("unranked"),
                ],
            )
        )
        now = world.clock()
        assert [entry.model.id for entry in world.orders.auto("fast").at(now)] == [
            "quick-too",
            "quick",
            "clever",
            "unranked",
        ]
        assert world.orders.auto("priority").at(now)[0].model.id == "clever"

    def test_of_a_person_are_the_priority(self) -> None:
        world = World(
            provider("one", [model("a", intelligence_rank=1), model("b", intelligence_rank=2)]),
            choices={("one", "b"): Choice(position=0)},
        )
        assert [entry.name for entry in world.orders.auto().at(START)] == ["one/b", "one/a"]
        assert [entry.name for entry in world.orders.auto("fast").at(START)] == ["one/a", "one/b"]

    def test_by_an_unknown_strategy_are_a_key_error(self) -> None:
        with pytest.raises(KeyError):
            three().orders.auto("cheap")

    def test_of_auto_never_hold_a_classifier(self) -> None:
        world = World(provider("one", [model("a"), model("guard", classifier=True)]))
        assert [entry.name for entry in world.order.at(START)] == ["one/a"]
        assert world.orders.auto("fast").route("one/guard#k1") is None

    def test_of_a_name_hold_what_it_stands_for_classifiers_too(self) -> None:
        world = World(provider("one", [model("guard", classifier=True), model("off", status="retired")]))
        pinned = world.orders.pinned("guard")
        assert pinned is not None
        assert [entry.name for entry in pinned.at(START)] == ["one/guard"]
        assert pinned.route("one/guard#k1") is world.route("one/guard#k1")
        assert world.orders.pinned("off") is None
        assert world.orders.pinned("nobody") is None

    def test_are_made_once_and_not_kept_without_bound(self) -> None:
        world = World(provider("one", [model("a")]))
        first = world.orders.pinned("one/a")
        assert world.orders.pinned("one/a") is first
        assert world.orders.auto() is world.orders.auto()
        for number in range(world.orders.MOST):
            assert world.orders.pinned(f"a{':free' * (number % 50)}") is not None
            assert world.orders.pinned(f"name of a client {number}") is None


class TestCandidates:
    def test_come_in_order_with_all_keys_of_a_model_before_the_next(self) -> None:
        world = World(
            provider("one", [model("a", intelligence_rank=1), model("b", intelligence_rank=2)]),
            keys=[key("one", "k1"), key("one", "k2")],
        )
        found = names(world.router.candidates(world.order, world.needs(), world.clock))
        assert [name.split("#")[0] for name in found] == ["one/a", "one/a", "one/b", "one/b"]
        assert len(set(found)) == 4

    def test_begin_with_the_next_key_each_time(self) -> None:
        world = World(provider("one", [model("a")]), keys=[key("one", f"k{number}") for number in "123"])
        firsts = [
            next(world.router.candidates(world.order, world.needs(), world.clock))[0].key.id for _ in range(6)
        ]
        assert firsts[:3] == firsts[3:]
        assert sorted(firsts[:3]) == ["k1", "k2", "k3"]

    def test_of_a_look_are_those_that_come_next_and_take_no_turn(self) -> None:
        world = World(provider("one", [model("a")]), keys=[key("one", f"k{number}") for number in "123"])
        for _ in range(4):
            looks = [
                names(world.router.candidates(world.order, world.needs(), world.clock, dry=True))
                for _ in range(2)
            ]
            assert looks[0] == looks[1]
            assert names(world.router.candidates(world.order, world.needs(), world.clock)) == looks[0]

    def test_begin_with_the_sticky_route_and_its_other_keys(self) -> None:
        world = World(
            provider("one", [model("a", intelligence_rank=1), model("b", intelligence_rank=2)]),
            keys=[key("one", "k1"), key("one", "k2")],
        )
        sticky = world.route("one/b#k2")
        found = names(world.router.candidates(world.order, world.needs(), world.clock, sticky=sticky))
        assert found[:2] == ["one/b#k2", "one/b#k1"]
        assert sorted(found[2:]) == ["one/a#k1", "one/a#k2"]

    def test_pass_a_sticky_route_over_that_is_closed(self) -> None:
        world = three()
        sticky = world.route("six/c#k1")
        sticky.standing.close(START + 9, Kind.RATE_LIMITED, stated=True)
        notes: list[PassedOver] = []
        found = world.router.candidates(
            world.order, world.needs(), world.clock, sticky=sticky, passed_over=notes
        )
        assert names(found) == ["two/b#k1", "one/a#k1"]
        assert [note.name for note in notes] == ["six/c"]

    def test_leave_avoided_providers_for_last(self) -> None:
        world = three()
        found = world.router.candidates(world.order, world.needs(), world.clock, avoided={"one", "two"})
        assert names(found) == ["six/c#k1", "one/a#k1", "two/b#k1"]

    def test_leave_a_provider_as_soon_as_it_is_avoided_and_come_back_to_it(self) -> None:
        world = World(
            provider("one", [model("a", intelligence_rank=1), model("c", intelligence_rank=3)]),
            provider("two", [model("b", intelligence_rank=2)]),
            keys=[key("one", "k1"), key("one", "k2"), key("two")],
        )
        avoided: set[str] = set()
        tried: set[Route] = set()
        found = []
        for route, _ in world.router.candidates(
            world.order, world.needs(), world.clock, avoided=avoided, tried=tried
        ):
            found.append(route.name.split("#")[0])
            tried.add(route)
            avoided.add("one")
        assert found == ["one/a", "two/b", "one/a", "one/c", "one/c"]

    def test_leave_the_slow_for_last_when_the_client_waits_less(self) -> None:
        world = World(
            provider("one", [model("a", intelligence_rank=1)], first_byte_timeout=100.0),
            provider("two", [model("b", intelligence_rank=2)], first_byte_timeout=10.0),
        )
        patient, hasty = (world.needs(deadline=START + seconds) for seconds in (100, 99))
        assert names(world.router.candidates(world.order, patient, world.clock)) == ["one/a#k1", "two/b#k1"]
        assert names(world.router.candidates(world.order, hasty, world.clock)) == ["two/b#k1", "one/a#k1"]

    def test_lack_no_ability_that_is_needed(self) -> None:
        world = World(
            provider(
                "one",
                [
                    model("plain", intelligence_rank=1),
                    model("tools", intelligence_rank=2, abilities=["tools"]),
                    model("both", intelligence_rank=3, abilities=["tools", "vision"], images="url"),
                ],
            )
        )
        notes: list[PassedOver] = []
        needs = world.needs(mask=TOOLS | VISION)
        assert names(world.router.candidates(world.order, needs, world.clock, passed_over=notes)) == [
            "one/both#k1"
        ]
        assert [(note.name, note.cause, note.detail, note.opens_at) for note in notes] == [
            ("one/plain", "ability", "it lacks tools, vision", math.inf),
            ("one/tools", "ability", "it lacks vision", math.inf),
        ]

    @pytest.mark.parametrize(
        ("tokens", "stated", "fits"),
        [
            (999, None, True),
            (1_000, None, False),
            (900, 100, True),
            (900, 101, False),
            (750, 100_000, True),
            (751, 100_000, False),
        ],
    )
    def test_hold_the_input_and_what_is_stated_up_to_a_quarter_of_the_window(
        self, tokens: int, stated: int | None, fits: bool
    ) -> None:
        world = World(provider("one", [model("a", context=1_000)]))
        needs = world.needs(tokens=tokens, stated=stated)
        notes: list[PassedOver] = []
        found = names(world.router.candidates(world.order, needs, world.clock, passed_over=notes))
        assert bool(found) is fits
        assert [note.cause for note in notes] == ([] if fits else ["context"])

    def test_have_a_larger_window_than_the_ones_that_were_too_small(self) -> None:
        world = World(
            provider(
                "one",
                [
                    model("a", context=8_000, intelligence_rank=1),
                    model("b", context=8_000, intelligence_rank=2),
                    model("c", context=9_000, intelligence_rank=3),
                    model("d", intelligence_rank=4),
                ],
            )
        )
        refused: list[int] = []
        found = []
        for route, _ in world.router.candidates(
            world.order, world.needs(), world.clock, largest_refused=refused
        ):
            found.append(route.model.id)
            refused.append(8_000)
        assert found == ["a", "c", "d"]

    def test_are_not_closed_for_a_stated_or_a_guessed_reason(self) -> None:
        world = three()
        world.route("one/a#k1").key_standing.close(START + 5, Kind.BAD_KEY, stated=True)
        world.entry("two/b").standing.close(START + 7, Kind.OVERLOADED, stated=False)
        notes: list[PassedOver] = []
        found = world.router.candidates(world.order, world.needs(), world.clock, passed_over=notes)
        assert names(found) == ["six/c#k1", "two/b#k1"], "a guess is put to the test at last"
        assert [(note.cause, note.kind, note.detail, note.opens_at) for note in notes] == [
            ("cooldown", Kind.BAD_KEY, "key one#k1 is closed: bad_key (stated)", START + 5),
            ("cooldown", Kind.OVERLOADED, "model two/b is closed: overloaded (guessed)", START + 7),
        ]

    def test_have_not_refused_as_many_tokens_lately(self) -> None:
        world = three()
        world.health.refused_size(world.route("one/a#k1").standing, 700, START)
        notes: list[PassedOver] = []
        found = world.router.candidates(
            world.order, world.needs(tokens=600, stated=100), world.clock, passed_over=notes
        )
        assert names(found)[0] == "two/b#k1"
        assert (notes[0].cause, notes[0].opens_at) == ("too_large", START + 3_600)
        smaller = world.router.candidates(world.order, world.needs(tokens=600, stated=99), world.clock)
        assert names(smaller)[0] == "one/a#k1"

    def test_have_quota_left_and_the_others_say_when_they_will(self) -> None:
        world = World(provider("one", [model("a")], [quota(1)]))
        needs, notes = world.needs(), list[PassedOver]()
        route, demand = next(world.router.candidates(world.order, needs, world.clock))
        assert world.ledger.reserve(route.shares, demand, START)
        assert not names(world.router.candidates(world.order, needs, world.clock, passed_over=notes))
        ((cause, detail, opens_at),) = [(note.cause, note.detail, note.opens_at) for note in notes]
        assert (cause, detail) == ("quota", "1 of 1 requests per minute are used")
        assert START + 60 <= opens_at <= START + 60.5
        world.clock.time = opens_at
        assert names(world.router.candidates(world.order, needs, world.clock)) == ["one/a#k1"]

    def test_are_not_larger_than_a_whole_quota(self) -> None:
        world = World(provider("one", [model("a")], [quota(1_000, "tokens")]))
        notes: list[PassedOver] = []
        needs = world.needs(tokens=2_000)
        assert not names(world.router.candidates(world.order, needs, world.clock, passed_over=notes))
        ((cause, detail, opens_at),) = [(note.cause, note.detail, note.opens_at) for note in notes]
        assert (cause, opens_at) == ("too_large", math.inf)
        assert detail == "the request is larger than 1000 tokens per minute"

    def test_that_open_while_others_are_tried_are_tried_too(self) -> None:
        world = three()
        world.route("one/a#k1").standing.close(START + 5, Kind.RATE_LIMITED, stated=True)
        world.entry("two/b").standing.close(START + 60, Kind.RATE_LIMITED, stated=True)
        found = []
        for route, _ in world.router.candidates(world.order, world.needs(), world.clock):
            found.append(route.name)
            world.clock.time += 30
        assert found == ["six/c#k1", "one/a#k1", "two/b#k1"]

    def test_that_open_again_after_they_were_tried_are_not_tried_twice(self) -> None:
        world = three()
        found = []
        for route, _ in world.router.candidates(world.order, world.needs(), world.clock):
            found.append(route.name)
            route.standing.close(world.clock() + 1, Kind.RATE_LIMITED, stated=True)
            world.clock.time += 30
        assert found == ["one/a#k1", "two/b#k1", "six/c#k1"]


EVERYBODY = ("a", "b", "c", "d", "e")


class TestGuesses:
    def closed(self, *ids: str, kind: Kind = Kind.OVERLOADED, stated: bool = False) -> World:
        models = [model(id_, context=1_000, intelligence_rank=place + 1) for place, id_ in enumerate("abcde")]
        world = World(provider("one", models, [quota(5, members=("a",))]))
        for place, id_ in enumerate("abcde"):
            if id_ in ids:
                world.entry(f"one/{id_}").standing.close(START + 90 - place, kind, stated=stated, at=START)
        world.clock.time += 1
        return world

    def found(
        self, world: World, needs: Needs | None = None, tried: AbstractSet[Route] = frozenset()
    ) -> list[str]:
        candidates = world.router.candidates(world.order, needs or world.needs(), world.clock, tried=tried)
        return [route.model.id for route, _ in candidates]

    def test_are_tested_after_everything_that_is_open(self) -> None:
        assert self.found(self.closed("a", "b", "c", "d")) == ["e", "d", "c", "b", "a"]

    def test_are_all_tested_the_next_to_open_first(self) -> None:
        assert self.found(self.closed(*EVERYBODY)) == ["e", "d", "c", "b", "a"]

    @pytest.mark.parametrize("kind", list(Kind))
    @pytest.mark.parametrize("stated", [False, True])
    def test_are_tested_whatever_the_kind_and_statements_never(self, kind: Kind, stated: bool) -> None:
        world = self.closed(*EVERYBODY, kind=kind, stated=stated)
        assert self.found(world) == ([] if stated else ["e", "d", "c", "b", "a"])

    @pytest.mark.parametrize("kind", list(Kind))
    def test_are_tested_once_and_breakers_again_but_three_at_most(self, kind: Kind) -> None:
        world = self.closed(*EVERYBODY, kind=kind)
        for id_ in "abcd":
            standing = world.entry(f"one/{id_}").standing
            standing.close(standing.closed_until + 1, kind, stated=False, at=world.clock())
        world.clock.time += 1
        assert self.found(world) == ["e", "d", "c", "b"][: 1 + RETESTS * (kind in BREAKER_KINDS)]

    def test_start_over_once_they_have_run_out(self) -> None:
        world = self.closed("a")
        standing = world.entry("one/a").standing
        world.clock.time = standing.closed_until + 1
        standing.close(world.clock() + 30, Kind.RATE_LIMITED, stated=False, at=world.clock())
        assert not standing.tested

    def test_of_this_very_request_are_believed(self) -> None:
        world = self.closed("c", "d", "e")
        provider_standing, found = world.route("one/a#k1").provider_standing, []
        for route, _ in world.router.candidates(world.order, world.needs(), world.clock):
            found.append(route.model.id)
            provider_standing.close(world.clock() + 15, Kind.RATE_LIMITED, stated=False, at=world.clock())
        assert found == ["a"]

    def test_beside_a_statement_are_not_put_to_the_test(self) -> None:
        world = self.closed(*EVERYBODY)
        world.route("one/e#k1").key_standing.close(START + 90, Kind.BAD_KEY, stated=True)
        assert self.found(world) == []

    def test_are_not_tested_by_what_cannot_take_the_request(self) -> None:
        world = self.closed(*EVERYBODY)
        assert self.found(world, world.needs(mask=TOOLS)) == []
        assert self.found(world, world.needs(tokens=1_500)) == []

    def test_are_not_tested_where_the_size_was_refused(self) -> None:
        world = self.closed(*EVERYBODY)
        world.health.refused_size(world.route("one/d#k1").standing, 10, START)
        assert self.found(world) == ["e", "c", "b", "a"]

    def test_what_was_tried_is_not_tried_again(self) -> None:
        world = self.closed(*EVERYBODY)
        assert self.found(world, tried={world.route("one/e#k1")}) == ["d", "c", "b", "a"]


class TestCautiousBooks:
    def spent(self, known: bool) -> World:
        """One model, all of whose quota is booked, by requests that are known to have been answered or by lost ones."""
        world = World(provider("one", [model("a")], [quota(2)]))
        route = world.route()
        for _ in range(2):
            lease = world.ledger.reserve(route.shares, Demand(1, 1, 1), START)
            assert lease
            world.ledger.settle(lease, START, *((1, 1) if known else (None, None)))
        world.clock.time += 1
        return world

    def test_what_was_surely_spent_is_spent(self) -> None:
        world = self.spent(known=True)
        assert not list(world.router.candidates(world.order, world.needs(), world.clock))

    def test_what_may_never_have_been_counted_is_put_to_the_test(self) -> None:
        world = self.spent(known=False)
        ((route, demand),) = world.router.candidates(world.order, world.needs(), world.clock)
        assert demand.daring
        assert world.ledger.reserve(route.shares, demand, world.clock())
        assert route.shares[0].pool.view(world.clock()).used == 3

    def test_requests_under_way_are_spent(self) -> None:
        world = World(provider("one", [model("a")], [quota(2)]))
        for _ in range(2):
            assert world.ledger.reserve(world.route().shares, Demand(1, 1, 1), START)
        assert not list(world.router.candidates(world.order, world.needs(), world.clock))

    def test_what_the_service_says_it_has_counted_is_spent(self) -> None:
        world = self.spent(known=False)
        stated = Reading(unit="requests", window=60.0, limit=2, remaining=0)
        world.ledger.read(world.route().shares, [stated], world.clock())
        assert not list(world.router.candidates(world.order, world.needs(), world.clock))

    def test_what_the_service_calls_exhausted_is_spent(self) -> None:
        world = self.spent(known=False)
        world.ledger.close(
            world.route().shares, world.clock(), until=FAR, unit="requests", window=60.0, limit=None
        )
        assert not list(world.router.candidates(world.order, world.needs(), world.clock))

    def test_until_a_refusal_says_that_it_was_counted(self) -> None:
        world = self.spent(known=False)
        ((route, demand),) = world.router.candidates(world.order, world.needs(), world.clock)
        lease = world.ledger.reserve(route.shares, demand, world.clock())
        assert lease
        world.ledger.refuse(lease, world.clock())
        world.ledger.believe(route.shares, world.clock(), unit="requests", window=60.0, scope="route")
        assert not list(world.router.candidates(world.order, world.needs(), world.clock))

    def test_the_usual_error_of_an_estimate_is_taken_off_before_a_request_is_refused(self) -> None:
        world = World(provider("one", [model("a"), model("b", intelligence_rank=9)], [quota(140, "tokens")]))
        for actual in (80, 120) * 20:
            world.corrections.observe("one/a", 100, actual, 10)
        full = world.router.demand(world.entry("one/a"), world.needs(100, stated=50))
        assert full.input > 110
        found = dict(world.router.candidates(world.order, world.needs(100, stated=50), world.clock))
        tried = {route.entry.name: (demand.input, demand.daring) for route, demand in found.items()}
        assert tried.keys() == {"one/b", "one/a"}
        assert tried["one/a"] == (pytest.approx(80, abs=2), False)

    def test_only_with_room_for_what_is_sure(self) -> None:
        world = World(provider("one", [model("a")], [quota(300, "tokens", 86_400.0, charge="actual")]))
        assert [
            demand.daring for _, demand in world.router.candidates(world.order, world.needs(), world.clock)
        ] == [True]
        world = World(provider("one", [model("a")], [quota(300, "tokens", 86_400.0, charge="input+max")]))
        assert not list(world.router.candidates(world.order, world.needs(), world.clock))


class TestDemands:
    @pytest.mark.parametrize(
        ("stated", "max_output", "demand"),
        [
            (None, None, (512, 512)),
            (None, 300, (300, 300)),
            (100, None, (100, 100)),
            (2_000, None, (512, 2_000)),
            (2_000, 1_500, (512, 1_500)),
        ],
    )
    def test_are_the_usual_output_and_the_ceiling_that_is_sent(
        self, stated: int | None, max_output: int | None, demand: tuple[int, int]
    ) -> None:
        world = World(provider("one", [model("a", max_output=max_output)]))
        found = world.router.demand(world.entry("one/a"), world.needs(tokens=100, stated=stated))
        assert (found.input, found.output, found.ceiling) == (100, *demand)

    def test_learn_from_what_models_really_use(self) -> None:
        world = World(provider("one", [model("a")]))
        for _ in range(100):
            world.corrections.observe("one/a", 1_000, 2_000, 50)
        found = world.router.demand(world.entry("one/a"), world.needs(tokens=1_000))
        assert found.output == found.ceiling == 50
        assert 1_990 <= found.input <= 2_010

    def offer(self, limit: float | None, tokens: int = 100, **fields: object) -> Demand:
        charge = fields.pop("charge", "input+max")
        needs = {"tokens": tokens, "stated": fields.pop("stated", None)}
        world = World(provider("one", [model("a", **fields)], [quota(limit, "tokens", charge=charge)]))
        route, demand = next(world.router.candidates(world.order, world.needs(**needs), world.clock))  # type: ignore[arg-type]
        assert world.ledger.reserve(route.shares, demand, START), "what is offered can be reserved"
        return demand

    def test_use_a_quarter_of_the_spare_quota_where_the_ceiling_is_charged(self) -> None:
        assert self.offer(8_000).ceiling == 2_000
        assert self.offer(8_000).output == 512

    def test_never_use_more_than_4096_nor_than_the_model_puts_out(self) -> None:
        assert self.offer(1_000_000).ceiling == GENEROUS == 4_096
        assert self.offer(None).ceiling == GENEROUS
        assert self.offer(1_000_000, max_output=1_024).ceiling == 1_024

    def test_are_the_usual_output_when_quota_is_scarce(self) -> None:
        assert self.offer(2_000).ceiling == 512

    def test_leave_room_for_the_input(self) -> None:
        assert self.offer(8_000, tokens=7_000).ceiling == 1_000

    def test_are_what_the_client_states(self) -> None:
        assert self.offer(8_000, stated=50).ceiling == 50

    @pytest.mark.parametrize("charge", ["actual", "input"])
    def test_are_the_usual_output_where_the_ceiling_costs_nothing(self, charge: str) -> None:
        assert self.offer(8_000, charge=charge).ceiling == 512


# -- any state of pools and standings --------------------------------------------------------------------------------

MODELS = [
    model("m0", intelligence_rank=1, context=2_000, abilities=["tools"]),
    model("m1", intelligence_rank=2, abilities=["tools", "vision"], images="url"),
    model("m2", intelligence_rank=3, context=900, max_output=100),
]
QUOTAS = [
    quota(3, members=("m0",)),
    quota(1_500, "tokens", charge="input+max", members=("m0", "m1")),
    quota(4, window=86_400.0, clock="utc-midnight", scope="account"),
    quota(1, "concurrent", None, scope="account", members=("m2",)),
]
NAMES = ("p0", "p1")
KINDS = sorted(BREAKER_KINDS | {Kind.RATE_LIMITED, Kind.BAD_KEY})

Step = tuple[str, int, float, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["route", "model", "key", "provider", "penalty", "size", "spend", "wait"]),
        st.integers(0, 11),
        st.sampled_from([1.0, 20.0, 90.0, 4_000.0]),
        st.integers(0, len(KINDS) * 2 - 1),
    ),
    max_size=25,
)
NEEDS = st.builds(
    Needs,
    st.sampled_from([0, TOOLS, VISION, TOOLS | VISION, mask_of(["json"])]),
    st.sampled_from([10, 700, 1_000, 1_400, 1_990]),
    st.sampled_from([None, 1, 90, 400]),
    st.sampled_from([START + 5, START + 1_000_000]),
)


def any_world(steps: list[Step]) -> World:
    keys = [
        key(name, f"{name}k{number}", account=f"{name}a{number // 2}")
        for name in NAMES
        for number in range(3)
    ]
    world = World(*(provider(name, MODELS, QUOTAS) for name in NAMES), keys=keys)
    for what, which, amount, kind in steps:
        route, now = world.routes[which], world.clock()
        closable = {
            "route": route.standing,
            "model": route.entry.standing,
            "key": route.key_standing,
            "provider": route.provider_standing,
        }
        if what in closable:
            closable[what].close(now + amount, KINDS[kind // 2], stated=bool(kind % 2))
        elif what == "penalty":
            world.health.penalize(route.entry.standing, now)
        elif what == "size":
            world.health.refused_size(route.standing, int(amount) * 20, now)
        elif what == "spend":
            world.ledger.reserve(route.shares, Demand(int(amount), int(amount), int(amount)), now)
        else:
            world.clock.time += amount
    return world


def is_able(world: World, route: Route, needs: Needs, refused: list[int]) -> bool:
    context = route.model.context
    if needs.mask & ~mask_of(route.model.abilities):
        return False
    if context is None:
        return True
    return needs.tokens + min(needs.stated or 1, context // 4) <= context and all(
        size < context for size in refused
    )


def is_open(world: World, route: Route, needs: Needs) -> bool:
    now, demand = world.clock(), world.router.demand(route.entry, needs)
    closed = any(standing.closed_until > now for standing in route.standings())
    too_large = route.standing.refuses(demand.input + demand.ceiling, now)
    return not closed and not too_large and world.ledger.fits(route.shares, demand, now)


def only_guesses(world: World, route: Route, needs: Needs) -> bool:
    now, demand = world.clock(), world.router.demand(route.entry, needs)
    if route.standing.refuses(demand.input + demand.ceiling, now):
        return False
    fits = world.ledger.fits(route.shares, demand, now) or world.ledger.may_fit(route.shares, demand, now)
    return fits and not any(s.stated for s in route.standings() if s.closed_until > now)


def place(world: World, needs: Needs, sticky: Route | None) -> Callable[[Route], float]:
    entries: Iterable[Entry] = world.order.at(world.clock())
    if sticky is not None:
        entries = siblings(sticky.entry, tuple(entries), world.order.step, needs.mask, world.clock)
    places = {entry: index for index, entry in enumerate(entries)}
    return lambda route: places[route.entry]


@given(STEPS, NEEDS, st.sets(st.sampled_from(NAMES)), st.sets(st.integers(0, 11)), st.integers(-1, 11))
@settings(max_examples=150)
def test_exactly_the_open_routes_are_offered_once_in_order_and_the_others_are_noted(
    steps: list[Step], needs: Needs, avoided: set[str], tried_before: set[int], sticky_index: int
) -> None:
    world = any_world(steps)
    tried = {world.routes[index] for index in tried_before}
    sticky = world.routes[sticky_index] if sticky_index >= 0 else None
    notes: list[PassedOver] = []
    offered: list[Route] = []
    for route, demand in world.router.candidates(
        world.order, needs, world.clock, sticky=sticky, tried=tried, avoided=avoided, passed_over=notes
    ):
        offered.append(route)
        lease = world.ledger.reserve(route.shares, demand, world.clock())
        assert lease is not None, "what is offered can be reserved"
        world.ledger.cancel(lease, world.clock())

    able = {route for route in world.routes if is_able(world, route, needs, [])}
    eligible = {route for route in able - tried if is_open(world, route, needs)}
    assert len(set(offered)) == len(offered)
    assert not tried & set(offered)
    offered, guessed = offered[: len(eligible)], offered[len(eligible) :]
    assert set(offered) == eligible
    assert set(guessed) == {route for route in able - tried - eligible if only_guesses(world, route, needs)}

    if eligible:
        where = place(world, needs, sticky)
        is_late = {
            route: route.provider.name in avoided
            or route.entry.first_byte_timeout > needs.deadline - world.clock()
            for route in offered
        }
        ranks = [(is_late[route], where(route)) for route in offered]
        assert ranks == sorted(ranks)
        if sticky is not None and sticky in eligible and not is_late[sticky]:
            assert offered[0] is sticky

    named = [note.name for note in notes]
    for entry in world.catalogue.chain:
        unable = [route for route in entry.routes if route not in able]
        closed = [route for route in entry.routes if route in able - tried - eligible]
        assert named.count(entry.name) == (1 if unable else len(closed))
    assert all(note.detail and (note.opens_at > world.clock()) for note in notes)


@given(STEPS, NEEDS, st.data())
@settings(max_examples=150)
def test_nothing_is_exhausted_while_an_open_route_is_untried(
    steps: list[Step], needs: Needs, data: st.DataObject
) -> None:
    world = any_world(steps)
    tried: set[Route] = set()
    avoided: set[str] = set()
    refused: list[int] = []
    for route, _ in world.router.candidates(
        world.order, needs, world.clock, tried=tried, avoided=avoided, largest_refused=refused
    ):
        assert route not in tried
        tried.add(route)
        event = data.draw(st.sampled_from(["close", "avoid", "window", "penalty", "slow", "nothing"]))
        if event == "close":
            route.entry.standing.close(world.clock() + 40, Kind.RATE_LIMITED, stated=True)
        elif event == "avoid":
            avoided.add(route.provider.name)
        elif event == "window":
            refused.append(route.model.context or 0)
        elif event == "penalty":
            world.health.penalize(route.entry.standing, world.clock())
        elif event == "slow":
            world.clock.time += 25
    left = {route for route in world.routes if route not in tried and is_able(world, route, needs, refused)}
    assert not [route.name for route in left if is_open(world, route, needs)]


class TestReasons:
    def test_say_what_was_so_when_the_route_was_passed_over(self) -> None:
        world = World(provider("one", [model("a")], [quota(2), quota(9, window=3600.0)]))
        demand = Demand(10, 10, 10)
        for _ in range(2):
            assert world.ledger.reserve(world.route().shares, demand, START)
        note = world.router.closed(world.route(), demand, START)
        world.ledger.reserve(world.route().shares, demand, START + 120)
        assert note is not None
        assert note.detail == "2 of 2 requests per minute are used"
        assert (note.cause, note.key) == ("quota", "k1")
