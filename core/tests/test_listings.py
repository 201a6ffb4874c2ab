"""What lists of models say about who is gone, back, new or paid: decisions with the time given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm import ListedModel
from freellm.health import GONE_APART, GONE_CONFIRMED
from freellm.listings import LIST, LISTS_APART, Comparison, Listing, Sign, compare, discovered, replaced
from small_world import START, model

HOUR, DAY = 3600.0, 86_400.0


def listed(*ids: str, **facts: object) -> list[ListedModel]:
    return [ListedModel(id=id_, **facts) for id_ in ids]  # type: ignore[arg-type]


def kinds(comparison: Comparison) -> list[tuple[str, str]]:
    return [(change.kind, change.model) for change in comparison.changes]


class World:
    """One provider whose list is read again and again; what was known is carried on."""

    def __init__(self, *declared: str, **fields: object) -> None:
        self.declared = [model(id_, **fields) for id_ in declared]
        self.known: dict[str, Listing] = {}
        self.now = START

    def sync(self, *rows: ListedModel, after: float = 0.0) -> Comparison:
        self.now += after
        comparison = compare(self.declared, self.known, rows, self.now)
        self.known |= comparison.listings
        return comparison

    def refused(self, id_: str, by: str = "key", after: float = 0.0) -> None:
        self.now += after
        known = self.known.get(id_, Listing(facts=ListedModel(id=id_)))
        self.known[id_] = known.with_sign(Sign(self.now, by))

    @property
    def retired(self) -> set[str]:
        return {id_ for id_, listing in self.known.items() if listing.retired}


@pytest.mark.parametrize(
    ("first", "second", "apart", "retired"),
    [
        (LIST, LIST, LISTS_APART - 1, False),
        (LIST, LIST, LISTS_APART, True),
        (LIST, "k1", 0.0, True),
        ("k1", LIST, 0.0, True),
        ("k1", "k1", GONE_APART - 1, False),
        ("k1", "k1", GONE_APART, True),
        ("k1", "k2", 0.0, True),
        ("k1", "k1", GONE_CONFIRMED, False),  # the first one is forgotten by then
        (LIST, "k1", GONE_CONFIRMED * 9, True),
    ],
)
def test_two_independent_signs_retire(first: str, second: str, apart: float, retired: bool) -> None:
    listing = Listing(facts=ListedModel(id="m")).with_sign(Sign(START, first))
    assert not listing.retired
    assert listing.with_sign(Sign(START + apart, second)).retired is retired


@given(st.lists(st.tuples(st.floats(0.0, 2 * DAY), st.sampled_from([LIST, "k1", "k2"])), max_size=12))
def test_signs_are_few_and_never_retire_without_two_that_are_independent(
    steps: list[tuple[float, str]],
) -> None:
    listing, all_signs, now = Listing(facts=ListedModel(id="m")), [], START
    for wait, by in steps:
        now += wait
        all_signs.append(Sign(now, by))
        before, listing = listing, listing.with_sign(all_signs[-1])
        assert not before.retired or listing == before
    assert len(listing.signs) <= 2
    independent = any(one.confirms(other) for one in all_signs for other in all_signs if one is not other)
    assert not listing.retired or independent


def test_a_model_that_two_lists_an_hour_apart_lack_is_retired() -> None:
    world = World("a", "b", "c")
    assert kinds(world.sync(*listed("a", "b"))) == [("vanished", "c")]
    assert kinds(world.sync(*listed("a", "b"), after=HOUR - 1)) == []
    assert not world.retired
    assert kinds(world.sync(*listed("a", "b"), after=1.0)) == [("retired", "c")]
    assert world.retired == {"c"}
    assert kinds(world.sync(*listed("a", "b"), after=7 * DAY)) == []


def test_a_list_and_a_refused_request_retire_whichever_comes_first() -> None:
    world = World("a", "b", "c", "d", "e")
    world.refused("a")
    world.sync(*listed("b", "c", "d"))
    assert world.retired == {"a"}
    world.refused("e", after=60.0)
    assert world.retired == {"a", "e"}


def test_a_model_that_is_listed_again_in_time_is_not_retired() -> None:
    world = World("a", "b", "c")
    world.sync(*listed("a", "b"))
    assert kinds(world.sync(*listed("a", "b", "c"), after=HOUR)) == [("back", "c")]
    assert kinds(world.sync(*listed("a", "b"), after=HOUR)) == [("vanished", "c")]
    assert not world.retired


def test_a_refusal_is_not_taken_back_by_a_list_that_has_the_model() -> None:
    world = World("a", "b", "c")
    world.refused("c")
    world.sync(*listed("a", "b", "c"))
    world.refused("c", by="another")
    assert world.retired == {"c"}


def test_a_retired_model_that_is_listed_again_has_to_answer_first() -> None:
    world = World("a", "b", "c")
    world.sync(*listed("a", "b"))
    world.sync(*listed("a", "b"), after=HOUR)
    comparison = world.sync(*listed("a", "b", "c"), after=7 * DAY)
    assert comparison.returning == ["c"]
    assert world.retired == {"c"}
    assert not world.known["c"].without(refusals=True).retired


@pytest.mark.parametrize(
    ("rows", "doubt"),
    [
        ([], "its list is empty"),
        (["a"], "its list lacks 3 of 4 models"),
        (["x", "y", "z", "u", "v"], "its list lacks 4 of 4 models"),
        (["a", "b"], ""),
    ],
)
def test_a_list_that_lacks_most_models_at_once_is_not_believed(rows: list[str], doubt: str) -> None:
    world = World("a", "b", "c", "d")
    for _ in "123":
        comparison = world.sync(*listed(*rows), after=HOUR)
    assert comparison.doubt.startswith(doubt)
    assert bool(comparison.doubt) is bool(doubt)
    assert world.retired == (set() if doubt else {"c", "d"})


def test_models_that_are_off_are_not_missed() -> None:
    world = World("a", "b", status="retired")
    assert world.sync(*listed("x", free=True)).changes[0].model == "x"
    assert not world.known.keys() & {"a", "b"}


@pytest.mark.parametrize(
    ("facts", "status", "detail"),
    [
        ({"free": True}, "listed", "on: the list says that it is free"),
        ({"free": False}, "paid-only", "off: it is paid"),
        ({}, "unverified", "off: the list does not say that it is free"),
        ({"free": True, "task": "chat"}, "listed", "on: the list says that it is free"),
    ],
)
def test_a_new_model_is_on_only_when_it_is_said_to_be_free(
    facts: dict[str, object], status: str, detail: str
) -> None:
    world = World("a")
    (change,) = world.sync(*listed("a"), *listed("x", **facts)).changes
    assert (change.kind, change.model, change.detail) == ("new", "x", detail)
    found = discovered(world.known["x"])
    assert found is not None
    assert (found.status, found.enabled_by_default) == (status, status == "listed")
    assert found.intelligence_rank is None
    assert found.abilities == {"system"}
    assert found.checked == "2027-01-15"
    assert world.sync(*listed("a"), *listed("x", **facts), after=HOUR).changes == []


def test_a_new_model_can_what_the_list_says_and_nothing_else() -> None:
    abilities = frozenset({"tools", "vision", "telepathy"})
    (row,) = listed("x", context=8192, max_output=0, title="X", abilities=abilities)
    found = discovered(Listing(facts=row))
    assert found is not None
    assert (found.abilities, found.images) == ({"tools", "vision"}, "inline")
    assert (found.title, found.context, found.max_output) == ("X", 8192, None)


@pytest.mark.parametrize(
    "row",
    [ListedModel(id="picture-1", task="other"), ListedModel(id="no id\n"), ListedModel(id="x" * 201)],
)
def test_what_cannot_be_asked_is_no_model(row: ListedModel) -> None:
    world = World("a")
    assert world.sync(*listed("a"), row).changes == []
    assert row.id not in world.known


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (ListedModel(id="a b", free=True), "left out: its id"),
        (ListedModel(id="x" * 201, free=True), "left out: its id"),
        (ListedModel(id="picture-1", task="other", free=True), "left out: it is for nothing"),
    ],
)
def test_what_cannot_be_asked_of_a_server_of_ones_own_is_told(row: ListedModel, why: str) -> None:
    (change,) = replaced({}, [row], START).changes
    assert change.detail.startswith(why)


def test_a_new_model_of_embeddings_is_told_and_cannot_be_used() -> None:
    world = World("a")
    (change,) = world.sync(*listed("a"), *listed("e", task="embeddings", free=True)).changes
    assert change.detail.startswith("off: it makes embeddings")
    assert discovered(world.known["e"]) is None


def test_changes_are_told_once() -> None:
    world = World("a", context=8192, max_output=4096)
    first = world.sync(*listed("a", context=4096, max_output=4096))
    assert [change.detail for change in first.changes] == ["context 8,192 → 4,096"]
    paid = listed("a", context=4096, max_output=2048, free=False)
    changes = world.sync(*paid, after=HOUR).changes
    assert [change.detail for change in changes] == ["output 4,096 → 2,048, free → paid"]
    assert world.sync(*paid, after=HOUR).changes == []
    changes = world.sync(*listed("a", free=True), after=HOUR).changes
    assert [change.detail for change in changes] == ["paid → free"]


def test_a_list_that_has_a_model_twice_has_it_once() -> None:
    world = World("a")
    comparison = world.sync(*listed("x", free=False), *listed("x", free=True), *listed("a"))
    assert kinds(comparison) == [("new", "x")]
    assert world.known["x"].facts.free is False


ids = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(st.sets(ids), st.floats(0.0, 2 * HOUR)), max_size=12))
def test_nobody_is_retired_but_by_two_believed_lists_in_a_row_an_hour_apart(
    steps: list[tuple[set[str], float]],
) -> None:
    world = World(*"abcdefgh")
    lacked: dict[str, float] = {}
    for rows, wait in steps:
        retired_before = world.retired
        comparison = world.sync(*listed(*sorted(rows)), after=wait)
        for id_ in rows:
            lacked.pop(id_, None)
        if not comparison.doubt:
            for id_ in set("abcdefgh") - rows:
                lacked.setdefault(id_, world.now)
        due = {id_ for id_, since in lacked.items() if world.now - since >= LISTS_APART}
        assert world.retired - retired_before <= due
