"""What counts of a provider's models: its package, then a catalogue file, then its own list."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from freellm import ListedModel, Model
from freellm.catalogue import Choice
from freellm.listings import LIST, Listing, Sign
from freellm.offers import offered
from small_world import START, World, key, model, provider, quota

LAB = provider(
    "lab",
    [
        model("big", context=8192, abilities=["system", "tools"], intelligence_rank=1),
        model("small", max_output=512),
        model("old", status="retired", replaced_by="big"),
    ],
    [
        quota(30, members=("big",), scope="account"),
        quota(1000, window=86_400.0, members=("big",), scope="account", clock="utc-midnight"),
        quota(5, unit="concurrent", window=None),
    ],
)


def filed(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def named(models: object, id_: str) -> Model:
    return next(m for m in models if m.id == id_)  # type: ignore[attr-defined]


def limits(offer: Any) -> dict[str, float | None]:
    return {q.name: q.limit for q in offer.quotas}


def test_nothing_known_leaves_what_is_declared() -> None:
    assert offered(LAB) is LAB
    assert offered(LAB, {}, {}) is LAB


def test_the_hooks_stay_and_the_declaration_is_not_touched() -> None:
    before = LAB.models
    offer = offered(LAB, filed('models = [{id = "big", intelligence_rank = 7}]'))
    assert (offer.name, offer.info, offer.hooks) == (LAB.name, LAB.info, LAB.hooks)
    assert named(offer.models, "big").intelligence_rank == 7
    assert LAB.models is before
    assert named(LAB.models, "big").intelligence_rank == 1


class TestCatalogueFile:
    def test_a_row_changes_the_fields_it_states(self) -> None:
        table = filed(
            """
            defaults = {source = "a notice", checked = "2026-12-01"}
            models = [{id = "small", status = "retired", retired = "2026-12", replaced_by = "big"}]
            """
        )
        small = named(offered(LAB, table).models, "small")
        assert (small.status, small.replaced_by, small.max_output) == ("retired", "big", 512)
        assert (small.source, small.checked) == ("a notice", "2026-12-01")
        assert named(offered(LAB, table).models, "big") == named(LAB.models, "big")

    def test_a_row_adds_a_model_with_its_limits(self) -> None:
        table = filed(
            """
            limits = {scope = "account", day_clock = "pacific-midnight"}
            [[models]]
            id = "new"
            family = "new"
            limits = {rpd = 50}
            source = "s"
            checked = "2026-12-01"
            """
        )
        offer = offered(LAB, table)
        assert [m.id for m in offer.models] == ["big", "small", "old", "new"]
        (daily,) = [q for q in offer.quotas if q.members == ("new",)]
        assert (daily.limit, daily.scope, daily.clock) == (50, "account", "pacific-midnight")

    def test_stated_limits_take_the_place_of_the_models_own(self) -> None:
        offer = offered(LAB, filed('models = [{id = "big", limits = {rpm = 10}}]'))
        assert limits(offer) == {"requests/60s:big": 10, "concurrent:*": 5}
        (own,) = [q for q in offer.quotas if q.members]
        assert own.scope == "account", "how it is counted is not a matter of its size"

    def test_a_row_without_limits_leaves_them(self) -> None:
        assert limits(offered(LAB, filed('models = [{id = "big", speed_rank = 1}]'))) == limits(LAB)

    def test_a_shared_quota_takes_the_place_of_the_one_of_its_name(self) -> None:
        table = filed(
            """
            defaults = {source = "s", checked = "2026-12-01"}
            quotas = [{unit = "concurrent", limit = 2}, {unit = "tokens", window = 60, limit = 9}]
            """
        )
        assert limits(offered(LAB, table)) == {**limits(LAB), "concurrent:*": 2, "tokens/60s:*": 9}

    @pytest.mark.parametrize(
        ("table", "says"),
        [
            ('models = [{id = "big", contxt = 5}]', "contxt"),
            ('models = [{id = "new"}]', "family"),
            ('models = [{id = "big", limits = {rpw = 5}}]', "rpw"),
            ('models = [{id = "big"}, {id = "big"}]', "big"),
            ('modls = [{id = "big"}]', "modls"),
            ('models = [{family = "x"}]', "id"),
            ('defaults = {source = "s", checked = "d"}\nquotas = [{unit = "x", window = 1, members = ["no"]}]', "'no'"),
        ],
    )  # fmt: skip
    def test_a_mistake_is_named(self, table: str, says: str) -> None:
        with pytest.raises(ValueError, match=says):
            offered(LAB, filed(table))


def seen(id_: str, *signs: Sign, **facts: Any) -> dict[str, Listing]:
    listing = Listing(facts=ListedModel(id=id_, **facts), first_seen=START, last_seen=START, signs=signs)
    return {id_: listing}


GONE = (Sign(START, LIST), Sign(START + 3600, LIST))


class TestLists:
    @pytest.mark.parametrize(
        ("declared", "listed", "counts"),
        [(8192, 4096, 4096), (8192, 131_072, 8192), (None, 4096, 4096), (8192, None, 8192)],
    )
    def test_the_smaller_window_counts(
        self, declared: int | None, listed: int | None, counts: int | None
    ) -> None:
        lab = provider("lab", [model("m", context=declared, max_output=declared)])
        offer = offered(lab, None, seen("m", context=listed, max_output=listed))
        assert (offer.models[0].context, offer.models[0].max_output) == (counts, counts)

    def test_a_declared_model_that_is_called_paid_goes_off_and_says_why(self) -> None:
        big = named(offered(LAB, None, seen("big", free=False)).models, "big")
        assert (big.status, big.enabled_by_default) == ("paid-only", False)
        assert big.note == "Its provider's list calls it paid since 2027-01-15."

    def test_a_retired_model_says_why(self) -> None:
        big = named(offered(LAB, None, seen("big", *GONE)).models, "big")
        assert (big.status, big.retired) == ("retired", "2027-01")
        assert big.note == "Gone: its provider's list lacks it since 2027-01-15."

    @pytest.mark.parametrize(
        ("signs", "why"),
        [
            ((Sign(START, "k1"), Sign(START, "k2")), "refused requests for it as unknown"),
            ((Sign(START, "k1"), Sign(START, LIST)), "neither lists nor answers for it"),
        ],
    )
    def test_the_reason_is_that_of_the_signs(self, signs: tuple[Sign, ...], why: str) -> None:
        assert why in named(offered(LAB, None, seen("big", *signs)).models, "big").note

    def test_one_sign_changes_nothing(self) -> None:
        assert offered(LAB, None, seen("big", GONE[0])).models == LAB.models

    def test_a_discovered_model_is_one_more_and_comes_last(self) -> None:
        listings = {**seen("zeta", free=True), **seen("beta"), **seen("alpha", free=False)}
        world = World(offered(LAB, None, listings), keys=[key("lab")])
        assert [entry.model.id for entry in world.catalogue.chain] == ["big", "small", "zeta"]
        assert {e.model.id for e in world.catalogue.entries} == {"big", "small", "old", *listings}

    def test_a_discovered_model_goes_too(self) -> None:
        zeta = named(offered(LAB, None, seen("zeta", *GONE, free=True)).models, "zeta")
        assert zeta.status == "retired"

    def test_a_person_may_switch_it_on_all_the_same(self) -> None:
        choices = {("lab", "beta"): Choice(enabled=True), ("lab", "big"): Choice(enabled=True)}
        lab = offered(LAB, None, {**seen("beta"), **seen("big", *GONE)})
        on = [entry.model.id for entry in World(lab, keys=[key("lab")], choices=choices).catalogue.chain]
        assert on == ["big", "beta", "small"]

    def test_the_list_has_the_last_word(self) -> None:
        table = filed('models = [{id = "big", context = 100000, status = "listed"}]')
        big = named(offered(LAB, table, seen("big", context=1024, free=False)).models, "big")
        assert (big.context, big.status) == (1024, "paid-only")
