"""Whom a conversation goes to: its family first, then the nearest that can do what it has used."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from freellm.catalogue import ABILITY_BITS, UNRANKED, Entry
from freellm.handoff import siblings
from small_world import World, model, provider

TOOLS = ABILITY_BITS["tools"]


def world(*rows: tuple[str, str, str, int | None, bool]) -> World:
    """Return a world of (provider, id, family, rank, whether it can call tools)."""
    by_provider: dict[str, list[Any]] = {}
    for name, id_, family, rank, tools in rows:
        abilities = ["system", "tools"] if tools else ["system"]
        made = model(id_, family=family, intelligence_rank=rank, abilities=abilities)
        by_provider.setdefault(name, []).append(made)
    return World(*(provider(name, models) for name, models in by_provider.items()))


def names(scene: World, entry: str, used: int = 0) -> list[str]:
    found = siblings(scene.entry(entry), scene.order.at(scene.clock()), scene.order.step, used, scene.clock)
    return [entry.name for entry in found]


def test_the_family_comes_first_then_the_nearest_rank() -> None:
    scene = world(
        ("one", "best", "best", 1, True),
        ("one", "big", "big", 8, True),
        ("two", "big-turbo", "big", 30, True),
        ("six", "near", "near", 10, True),
        ("six", "worst", "worst", 40, True),
        ("two", "nobody-knows", "nobody-knows", None, True),
    )
    assert names(scene, "one/big") == [
        "one/big",
        "two/big-turbo",
        "six/near",
        "one/best",
        "six/worst",
        "two/nobody-knows",
    ]


def test_what_cannot_do_what_was_used_comes_last() -> None:
    scene = world(("one", "a", "a", 5, True), ("one", "b", "b", 6, False), ("one", "c", "c", 20, True))
    assert names(scene, "one/a", TOOLS) == ["one/a", "one/c", "one/b"]
    assert names(scene, "one/a") == ["one/a", "one/b", "one/c"]


def test_one_that_was_refused_lately_is_further_away() -> None:
    scene = world(("one", "a", "a", 5, True), ("one", "b", "b", 6, True), ("one", "c", "c", 7, True))
    scene.health.penalize(scene.entry("one/b").standing, scene.clock())
    assert names(scene, "one/a") == ["one/a", "one/c", "one/b"]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["one", "two"]),
        st.sampled_from("abcd"),
        st.none() | st.integers(1, 60),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@given(ROWS, st.sampled_from([0, TOOLS]), st.data())
def test_every_entry_comes_once_and_the_nearer_first(
    rows: list[tuple[str, str, int | None, bool]], used: int, data: st.DataObject
) -> None:
    scene = world(
        *((name, f"m{n}", family, rank, tools) for n, (name, family, rank, tools) in enumerate(rows))
    )
    entries = scene.order.at(scene.clock())
    entry = data.draw(st.sampled_from(entries))
    found = list(siblings(entry, entries, scene.order.step, used, scene.clock))
    assert sorted(found, key=entries.index) == list(entries)

    def distance(other: Entry) -> tuple[int, int]:
        if other is entry:
            return 0, 0
        if other.model.family == entry.model.family:
            return 1, entries.index(other)
        if used & ~other.mask:
            return 3, entries.index(other)
        ranks = (one.model.intelligence_rank or UNRANKED for one in (other, entry))
        return 2, abs(next(ranks) - next(ranks))

    assert [distance(other) for other in found] == sorted(map(distance, found))
