"""Who may answer: names, profiles and what requests say about models and providers, each refusal with its reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.catalogue import Choice
from freellm.declarations import DataPolicy
from freellm.errors import RequestError
from freellm.orders import Order, Orders
from freellm.preferences import Filter, Preferences
from freellm.profiles import Profile
from freellm.routing import PassedOver
from freellm.selection import chat_order
from freellm.types import Kind
from small_world import FACTS, START, World, key, model, provider

PROVIDERS = ("one", "two", "six", "ten")
POLICIES = {
    "one": DataPolicy(trains=True, **FACTS),
    "two": DataPolicy(trains=False, **FACTS),
    "six": DataPolicy(trains=None, **FACTS),
    "ten": None,
}


def world(**profiles: Profile) -> World:
    """Return four providers that all have the model `big` and one of their own; the second calls tools."""
    return World(
        *(
            provider(
                name,
                [
                    model("big", family="big", intelligence_rank=rank + 1, speed_rank=10 - rank),
                    model(
                        f"{name}-own",
                        intelligence_rank=10 + rank,
                        abilities=["tools"] if name == "two" else ["system"],
                    ),
                ],
                data_policy=POLICIES[name],
            )
            for rank, name in enumerate(PROVIDERS)
        ),
        profiles=profiles,
    )


def said(**fields: Any) -> Preferences:
    """Return what a request says; the filter's fields may be given directly."""
    filter_ = {name: fields.pop(name) for name in ("only", "ignore", "private") if name in fields}
    return Preferences(allowed=Filter("provider", **filter_), **fields)


def found(orders: Orders, name: str, preferences: Preferences | None = None) -> list[str]:
    return [entry.name for entry in chat_order(orders, name, preferences).at(START)]


@pytest.mark.parametrize(
    ("name", "preferences", "first"),
    [
        ("big", said(only=("six",)), ["six/big"]),
        ("big", said(ignore=("ten", "six")), ["one/big", "two/big"]),
        ("big", said(private=True), ["two/big"]),
        ("big", said(order=("six", "two")), ["six/big", "two/big", "one/big", "ten/big"]),
        ("big", said(order=("six", "two"), fallbacks=False), ["six/big", "two/big"]),
        ("big", said(order=("six",), only=("one", "six")), ["six/big", "one/big"]),
        ("big", said(strategy="latency"), ["ten/big", "six/big", "two/big", "one/big"]),
        ("big", said(strategy="latency", order=("two",)), ["two/big", "ten/big", "six/big", "one/big"]),
        ("six-own", said(models=("big",), ignore=("one",)), ["six/six-own", "two/big", "six/big", "ten/big"]),
        ("auto", said(models=("six-own", "two/big")), ["six/six-own", "two/big"]),
        ("auto", said(models=("big", "auto:fast"), only=("two",)), ["two/big", "two/two-own"]),
        ("big", said(models=("big", "two/big"), only=("two",)), ["two/big"]),
        ("big", said(models=("one-own",), order=("six",), only=("six", "one")), ["six/big", "one/big", "one/one-own"]),
    ],
)  # fmt: skip
def test_what_a_request_says(name: str, preferences: Preferences, first: list[str]) -> None:
    assert found(world().orders, name, preferences) == first


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (
            Profile(models=("six-own", "big"), ignore=("one",)),
            ["six/six-own", "two/big", "six/big", "ten/big"],
        ),
        (Profile(models=("big",), strategy="fast"), ["ten/big", "six/big", "two/big", "one/big"]),
        (Profile(abilities=("tools",)), ["two/two-own"]),
        (Profile(data_collection="deny"), ["two/big", "two/two-own"]),
        (
            Profile(only=("two", "six"), strategy="latency"),
            ["six/big", "two/big", "two/two-own", "six/six-own"],
        ),
        (Profile(models=("gone", "one-own")), ["one/one-own"]),
    ],
)
def test_what_a_profile_says(profile: Profile, expected: list[str]) -> None:
    assert found(world(mine=profile).orders, "auto:mine") == expected


def test_a_profile_and_a_request_have_to_agree() -> None:
    orders = world(mine=Profile(only=("two", "six"))).orders
    assert found(orders, "auto:mine", said(ignore=("six",))) == ["two/big", "two/two-own"]
    assert found(orders, "one-own", said(models=("auto:mine",), private=True)) == ["two/big", "two/two-own"]


def refusal(orders: Orders, name: str, preferences: Preferences | None = None) -> RequestError:
    with pytest.raises(RequestError) as caught:
        chat_order(orders, name, preferences)
    return caught.value


class TestRefusals:
    def test_say_which_would_do_otherwise(self) -> None:
        error = refusal(world().orders, "big", said(private=True, ignore=("two",)))
        assert (error.status, error.code, error.param) == (404, "no_allowed_provider", "provider")
        assert error.message == (
            "nobody may answer 'big': one may train on prompts, and provider.data_collection is deny; "
            "provider.ignore names two; "
            "six does not say whether it trains on prompts, and provider.data_collection is deny; "
            "ten does not say whether it trains on prompts, and provider.data_collection is deny. "
            "Of those that have a key, these would do otherwise: one, two, six, ten"
        )
        assert [row["route"] for row in error.details["routes"]] == [f"{name}/big" for name in PROVIDERS]

    def test_of_a_profile_name_the_profile(self) -> None:
        error = refusal(world(mine=Profile(only=("one",), abilities=("tools",))).orders, "auto:mine")
        assert (error.status, error.param) == (404, "model")
        assert "it lacks tools, which profile mine.abilities wants" in error.message

    def test_of_names_that_nothing_has_give_the_near_ones(self) -> None:
        orders = world(coding=Profile(only=("one",))).orders
        assert "near it are auto:coding" in refusal(orders, "auto:codin").message
        assert "auto:coding" in refusal(orders, "auto:codin").suggestions
        error = refusal(orders, "big", said(models=("bigg",)))
        assert (error.status, error.code, error.param) == (404, "model_not_found", "models[0]")
        assert refusal(orders, "auto", said(models=("big", "auto:fats"))).param == "models[1]"

    @pytest.mark.parametrize("field", ["order", "only", "ignore"])
    def test_of_a_provider_that_there_is_not_name_the_field(self, field: str) -> None:
        error = refusal(world().orders, "big", said(**{field: ("onne",)}))
        assert (error.status, error.param) == (400, f"provider.{field}")
        assert "near it are one" in error.message

    def test_of_a_profile_whose_strategy_is_gone_say_so(self) -> None:
        error = refusal(world(mine=Profile(strategy="lunar")).orders, "auto:mine")
        assert "which no plugin offers" in error.message

    def test_without_any_key_are_the_usual_ones(self) -> None:
        nobody = World(provider("one", [model("big")]), keys=[])
        assert refusal(nobody.orders, "auto", said(only=("one",))).code == "no_providers_configured"
        error = refusal(nobody.orders, "big", said(only=("one",)))
        assert error.code == "model_not_found"
        assert "add one: freellm keys add one" in error.message


def test_a_model_that_is_off_is_passed_over_with_its_cure() -> None:
    choices = {("one", "one-own"): Choice(enabled=False)}
    lab = World(provider("one", [model("one-own"), model("other")]), keys=[key("one")], choices=choices)
    order = chat_order(lab.orders, "one-own", said(models=("other",)))
    assert [entry.name for entry in order.at(START)] == ["one/other"]
    assert "freellm models enable one/one-own" in dict(order.left_out)["one/one-own"]


def test_an_order_is_made_once_for_the_same_words() -> None:
    orders = world(mine=Profile(only=("two",))).orders
    assert chat_order(orders, "big", said(only=("one",))) is chat_order(orders, "big", said(only=("one",)))
    assert chat_order(orders, "auto:mine") is chat_order(orders, "auto:mine")
    assert chat_order(orders, "auto") is orders.auto()


def test_orders_of_clients_words_are_not_kept_without_bound() -> None:
    orders = world().orders
    for number in range(Orders.MOST + 10):
        chat_order(orders, "big", said(models=("big",) * (number + 1)))
    assert len(orders._orders) <= Orders.MOST


def test_a_session_s_route_is_not_taken_when_it_is_left_out() -> None:
    lab = world()
    order = chat_order(lab.orders, "big", said(only=("two",)))
    assert order.route("one/big#k1") is None
    assert order.route("two/big#k1") is lab.route("two/big#k1")


def passed_over(lab: World, order: Order, mask: int = 0) -> tuple[list[str], list[PassedOver]]:
    notes: list[PassedOver] = []
    routes = lab.router.candidates(order, lab.needs(mask=mask), lab.clock, passed_over=notes)
    return [route.entry.name for route, _ in routes], notes


def test_what_is_left_out_is_told_with_its_reason() -> None:
    lab = world()
    served, notes = passed_over(lab, chat_order(lab.orders, "big", said(only=("two",))))
    assert served == ["two/big"]
    assert [(note.name, note.cause, note.detail) for note in notes] == [
        (f"{name}/big", "filter", f"provider.only does not name {name}") for name in ("one", "six", "ten")
    ]


def test_without_fallbacks_the_first_provider_that_is_able_is_the_only_one() -> None:
    lab = world()
    order = chat_order(lab.orders, "auto", said(fallbacks=False))
    assert passed_over(lab, order)[0] == ["one/big", "one/one-own"]
    served, notes = passed_over(lab, order, mask=1)
    assert served == ["two/two-own"]
    assert "provider.allow_fallbacks is false, and two comes first" in {note.detail for note in notes}
    for name in ("one/big", "one/one-own"):
        lab.entry(name).standing.close(START + 60, Kind.RATE_LIMITED, stated=True)
    assert passed_over(lab, order)[0] == []


NAMES = st.lists(st.sampled_from(PROVIDERS), max_size=4, unique=True).map(tuple)
SAID = st.builds(
    said,
    models=st.lists(st.sampled_from(["big", "one-own", "six/big", "auto:fast", "auto:mine"]), max_size=3).map(tuple),
    order=NAMES,
    only=NAMES,
    ignore=NAMES,
    private=st.booleans(),
    strategy=st.sampled_from([None, "latency", "throughput"]),
    fallbacks=st.booleans(),
)  # fmt: skip


def outcome(name: str, preferences: Preferences) -> Order | RequestError:
    try:
        return chat_order(LAB.orders, name, preferences)
    except RequestError as error:
        return error


LAB = world(mine=Profile(ignore=("one",), strategy="smart"))


@given(st.sampled_from(["auto", "big", "auto:mine", "two-own"]), SAID)
def test_nobody_answers_who_may_not_and_everybody_else_is_told_why(
    name: str, preferences: Preferences
) -> None:
    order = outcome(name, preferences)
    if isinstance(order, RequestError):
        assert (order.status, order.code) == (404, "no_allowed_provider")
        assert order.details["routes"]
        return
    entries = order.at(START)
    assert entries
    assert len(set(entries)) == len(entries)
    left_out = dict(order.left_out)
    assert not {entry.name for entry in entries} & left_out.keys()
    assert all(left_out.values())
    for entry in entries:
        assert preferences.allowed.refusal(entry) is None
        assert order.route(entry.routes[0].name) is entry.routes[0]
        if preferences.order and not preferences.fallbacks:
            assert entry.provider.name in preferences.order
