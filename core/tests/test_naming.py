"""Which vector space a name stands for, and what a client is told that asks a model for what it does not do."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from freellm.auto_family import AutoFamily
from freellm.catalogue import Choice
from freellm.errors import RequestError
from freellm.naming import vector_space
from freellm.orders import Space
from freellm.selection import chat_order
from freellm.store import Store
from small_world import World, key, model, provider, quota


def maker(id_: str, *dimensions: int, **fields: Any) -> Any:
    return model(id_, task="embeddings", abilities=[], dimensions=dimensions, **fields)


MODELS = {
    "lab": [
        maker("lab/m3", 1024, family="m3", max_inputs=100),
        maker("long", 3072, 768, 256),
        model("talk", intelligence_rank=1),
    ],
    "alp": [
        maker("alp/m3", 1024, family="m3", max_inputs=64),
        maker("m3-cut", 512, family="m3"),
        maker("other", 1024),
        maker("gone", 1024, status="retired", replaced_by="other"),
    ],
}


def world(**fields: Any) -> World:
    return World(*(provider(name, rows) for name, rows in MODELS.items()), **fields)


def space(name: str, dimensions: int | None = None, **fields: Any) -> Space:
    return vector_space(world(**fields).orders, name, dimensions)


def members(found: Space) -> list[str]:
    return [entry.name for entry in found.order.at(0.0)]


def refused(name: str, dimensions: int | None = None, **fields: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        space(name, dimensions, **fields)
    return caught.value


@pytest.mark.parametrize(
    ("name", "dimensions", "stands_for"),
    [
        ("m3", None, ["alp/alp/m3", "lab/lab/m3"]),
        ("m3", 1024, ["alp/alp/m3", "lab/lab/m3"]),
        ("m3", 512, ["alp/m3-cut"]),
        ("lab/m3", None, ["lab/lab/m3", "alp/alp/m3"]),
        ("lab/lab/m3", None, ["lab/lab/m3"]),
        ("m3-cut", None, ["alp/m3-cut"]),
        ("m3-cut", 1024, ["alp/alp/m3", "lab/lab/m3"]),
        ("long", None, ["lab/long"]),
        ("long", 256, ["lab/long"]),
    ],
)
def test_a_name_stands_for_those_of_its_family_that_make_the_length(
    name: str, dimensions: int | None, stands_for: list[str]
) -> None:
    assert members(space(name, dimensions)) == stands_for


def test_no_space_holds_two_families_or_makes_another_length() -> None:
    made = world()
    names = {e.name for e in made.catalogue.embedders} | {e.model.family for e in made.catalogue.embedders}
    for name, dimensions in itertools.product(names, (256, 512, 768, 1024, 3072)):
        found = made.orders.space(name, dimensions)
        if found is not None:
            entries = found.order.at(0.0)
            assert {entry.model.family for entry in entries} == {found.family}
            assert all(found.dimensions in entry.model.dimensions for entry in entries)
            assert not {entry.model.task for entry in entries} - {"embeddings"}


def test_an_order_is_found_again_and_no_chat_order_is_taken_for_one() -> None:
    orders = world().orders
    one, two = orders.space("m3", 1024), orders.space("m3", 1024)
    assert one is not None
    assert two is not None
    assert one.order is two.order
    assert orders.pinned("m3") is None
    assert orders.pinned("1024 m3") is None


def test_parts_fit_everyone_in_the_space() -> None:
    assert space("m3").max_inputs == 64
    assert space("lab/lab/m3").max_inputs == 100
    assert space("other").max_inputs is None


def test_parts_fit_the_quota_where_each_input_counts() -> None:
    rows = [maker("each", 8, max_inputs=100, counts_inputs=True)]
    small = World(provider("lab", rows, [quota(30), quota(5000, window=86_400.0)]))
    assert vector_space(small.orders, "each", None).max_inputs == 30
    large = World(provider("lab", rows, [quota(30)]), keys=[key("lab", unlimited=True)])
    assert vector_space(large.orders, "each", None).max_inputs == 100


def test_the_usual_length_stays_when_who_declares_it_first_is_switched_off() -> None:
    first = provider("alp", [maker("v", 768, 1024, family="v")])
    second = provider("lab", [maker("v", 1024, 768, family="v")])
    assert vector_space(World(first, second).orders, "v", None).dimensions == 768
    off = {("alp", "v"): Choice(enabled=False)}
    assert vector_space(World(first, second, choices=off).orders, "v", None).dimensions == 768


def test_a_length_that_nobody_makes_is_refused_with_those_that_are_made() -> None:
    error = refused("long", 100)
    assert (error.status, error.param, error.code) == (400, "dimensions", "unsupported_value")
    assert "3072, 768, 256" in error.message
    assert "Leave dimensions out for 3072" in error.message


def test_a_model_that_chats_makes_no_embeddings_and_the_other_way_round() -> None:
    error = refused("talk")
    assert (error.status, error.code, error.param) == (404, "model_not_found", "model")
    assert "chats and makes no embeddings; send it to /v1/chat/completions" in error.message
    assert set(error.suggestions) & {"long", "other", "m3-cut", "alp/m3", "lab/m3"}
    assert "talk" not in error.suggestions
    with pytest.raises(RequestError) as caught:
        chat_order(world().orders, "m3")
    assert "makes embeddings and does not chat; send it to /v1/embeddings" in caught.value.message
    assert caught.value.suggestions == ("talk", "lab/talk", "auto")


def test_unknown_names_have_near_ones_of_the_right_kind() -> None:
    error = refused("lonk")
    assert error.status == 404
    assert error.suggestions[0] == "long"
    assert "talk" not in error.message


def test_a_model_that_is_off_says_why() -> None:
    error = refused("gone")
    assert "retired it; other took its place" in error.message
    assert "has no usable key" in refused("m3", keys=[key("x")]).message


def test_without_any_key_the_cure_is_a_key() -> None:
    with pytest.raises(RequestError) as caught:
        vector_space(World(provider("lab", [])).orders, "m3", None)
    assert caught.value.code == "no_providers_configured"


class TestAuto:
    @pytest.fixture
    def store(self, tmp_path: Path) -> Any:
        with Store(tmp_path) as opened:
            yield opened

    def test_is_the_first_family_and_stays_it_over_restarts_keys_and_ranks(self, store: Store) -> None:
        assert AutoFamily(store, None).choose(world().catalogue) == "m3"
        better = World(provider("aaa", [maker("best", 1024, intelligence_rank=1)]))
        assert better.catalogue.embedders[0].model.family == "best"
        assert AutoFamily(store, None).choose(better.catalogue) == "m3"

    def test_is_what_the_settings_say(self, store: Store) -> None:
        assert AutoFamily(store, "long").choose(world().catalogue) == "long"
        assert AutoFamily(store, None).choose(world().catalogue) == "m3"

    def test_is_not_chosen_while_nobody_can_answer(self, store: Store) -> None:
        chatting = World(provider("lab", MODELS["lab"]), provider("alp", [model("x")]), keys=[key("alp")])
        with pytest.raises(RequestError, match="freellm keys add lab"):
            AutoFamily(store, None).choose(chatting.catalogue)
        assert AutoFamily(store, None).choose(world().catalogue) == "m3"
