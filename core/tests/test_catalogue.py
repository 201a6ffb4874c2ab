"""The catalogue: who there is, in which order, and by which names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.catalogue import ABILITY_BITS, Choice, build, mask_of
from freellm.fingerprints import route_hash
from freellm.health import Health
from freellm.ledger import Ledger
from freellm.limits import overrides
from freellm.naming import nearest
from small_world import World, key, model, provider, quota


def names(*entries: object) -> list[str]:
    return [entry.name for entry in entries]  # type: ignore[attr-defined]


class TestOrder:
    def test_is_by_intelligence_then_speed_then_name_and_the_unranked_last(self) -> None:
        world = World(
            provider(
                "lab",
                [
                    model("unranked"),
                    model("slow", intelligence_rank=2, speed_rank=9),
                    model("quick", intelligence_rank=2, speed_rank=1),
                    model("best", intelligence_rank=1, speed_rank=11),
                ],
            ),
            provider("alp", [model("best", intelligence_rank=1, speed_rank=11), model("unranked")]),
        )
        assert names(*world.catalogue.chain) == [
            "alp/best",
            "lab/best",
            "lab/quick",
            "lab/slow",
            "alp/unranked",
            "lab/unranked",
        ]
        assert [entry.place for entry in world.catalogue.chain] == list(range(6))

    def test_is_what_a_person_said_before_everything_else(self) -> None:
        world = World(
            provider("lab", [model("a", intelligence_rank=1), model("b", intelligence_rank=2), model("c")]),
            choices={("lab", "c"): Choice(position=0), ("lab", "b"): Choice(position=1)},
        )
        assert names(*world.catalogue.chain) == ["lab/c", "lab/b", "lab/a"]


class TestWhatIsOn:
    @pytest.mark.parametrize("status", ["active", "listed", "unverified", "paid-only", "retired"])
    @pytest.mark.parametrize("choice", [None, True, False])
    def test_is_what_a_person_said_else_what_is_free(self, status: str, choice: bool | None) -> None:
        world = World(
            provider("lab", [model("m", status=status)]), choices={("lab", "m"): Choice(enabled=choice)}
        )
        on = status in ("active", "listed") if choice is None else choice
        assert bool(world.catalogue.chain) is on
        assert len(world.catalogue.entries) == 1
        assert world.catalogue.entries[0].enabled is on

    def test_needs_a_key(self) -> None:
        world = World(provider("lab", [model("m")]), provider("alp", [model("n")]), keys=[key("alp")])
        assert names(*world.catalogue.chain) == ["alp/n"]
        assert names(*world.catalogue.entries) == ["alp/n", "lab/m"]

    def test_has_one_route_for_each_key_of_its_provider(self) -> None:
        keys = [key("lab", "k1"), key("lab", "k2"), key("alp", "k3")]
        world = World(provider("lab", [model("m")]), provider("alp", [model("m")]), keys=keys)
        assert sorted(world.catalogue.routes) == ["alp/m#k3", "lab/m#k1", "lab/m#k2"]


FAMILIES = World(
    provider(
        "lab",
        [
            model("vendor/big-1", family="big", intelligence_rank=2),
            model("vendor/small-1", family="small", intelligence_rank=5),
            model("old", family="big", status="retired"),
        ],
    ),
    provider(
        "alp", [model("big-one", family="big", intelligence_rank=1), model("vendor/big-1", family="big")]
    ),
).catalogue


class TestNames:
    @pytest.mark.parametrize(
        ("name", "stands_for"),
        [
            ("lab/vendor/big-1", ["lab/vendor/big-1"]),
            ("vendor/big-1", ["lab/vendor/big-1", "alp/vendor/big-1", "alp/big-one", "lab/old"]),
            ("big-one", ["alp/big-one", "lab/vendor/big-1", "alp/vendor/big-1", "lab/old"]),
            ("big", ["alp/big-one", "lab/vendor/big-1", "alp/vendor/big-1", "lab/old"]),
            ("small", ["lab/vendor/small-1"]),
            ("lab/old", ["lab/old"]),
            ("vendor/small-1:free", ["lab/vendor/small-1"]),
            ("lab/vendor/small-1:free", ["lab/vendor/small-1"]),
            ("big:free", ["alp/big-one", "lab/vendor/big-1", "alp/vendor/big-1", "lab/old"]),
            ("vendor", []),
            ("lab", []),
            ("BIG", []),
            ("", []),
            (":free", []),
        ],
    )
    def test_stand_for_one_entry_or_for_a_family_the_best_first(
        self, name: str, stands_for: list[str]
    ) -> None:
        assert names(*FAMILIES.named(name)) == stands_for

    @given(st.text(max_size=200))
    def test_of_any_kind_are_answered(self, name: str) -> None:
        assert len(nearest(FAMILIES, name)) == 3
        assert isinstance(FAMILIES.named(name), tuple)

    @pytest.mark.parametrize(
        ("name", "near"),
        [
            ("big-ome", "big-one"),
            ("VENDOR/BIG-1", "vendor/big-1"),
            ("lab/vendor/smal-1", "lab/vendor/small-1"),
        ],
    )
    def test_that_are_mistyped_have_near_ones(self, name: str, near: str) -> None:
        assert nearest(FAMILIES, name)[0] == near

    def test_near_others_are_of_models_that_can_answer_while_there_are_any(self) -> None:
        assert "old" not in nearest(FAMILIES, "old")
        nobody = World(provider("lab", [model("old", status="retired")])).catalogue
        assert nearest(nobody, "olt") == ("old", "lab/old")

    def test_that_are_a_family_and_an_id_too_are_the_family_in_its_order(self) -> None:
        both = World(
            provider("lab", [model("big", family="big", intelligence_rank=2), model("y", family="z")]),
            provider("alp", [model("vendor/big", family="big", intelligence_rank=1)]),
        )
        assert names(*both.catalogue.named("big")) == ["alp/vendor/big", "lab/big"]

    def test_of_two_families_with_one_id_keep_their_order(self) -> None:
        twins = World(
            provider("lab", [model("twin", family="f1", intelligence_rank=1), model("x", family="f1")]),
            provider("alp", [model("twin", family="f2", intelligence_rank=2), model("y", family="f2")]),
        )
        assert names(*twins.catalogue.named("twin")) == ["lab/twin", "alp/twin", "lab/x", "alp/y"]


@given(st.sets(st.sampled_from(sorted(ABILITY_BITS))), st.sets(st.sampled_from(sorted(ABILITY_BITS))))
def test_masks_say_what_is_missing(wanted: set[str], offered: set[str]) -> None:
    missing = mask_of(wanted) & ~mask_of(offered)  # type: ignore[arg-type]
    assert {name for name, bit in ABILITY_BITS.items() if missing & bit} == wanted - offered


class TestHashes:
    def test_are_the_same_in_every_process(self) -> None:
        assert route_hash("groq", "openai/gpt-oss-120b", "abc") == 10_790_435_256_097_661_643

    @given(st.lists(st.text("ab/#|", max_size=4), min_size=3, max_size=3), st.data())
    def test_differ_when_any_part_differs(self, parts: list[str], data: st.DataObject) -> None:
        others = data.draw(st.lists(st.text("ab/#|", max_size=4), min_size=3, max_size=3))
        assert (route_hash(*parts) == route_hash(*others)) == (parts == others)

    def test_find_routes_and_do_not_depend_on_the_keys_row(self) -> None:
        lab = provider("lab", [model("m")])
        before = World(lab, keys=[key("lab", "k1", fingerprint="print")]).route()
        after = World(lab, keys=[key("lab", "k2", fingerprint="print")]).catalogue
        assert after.by_route_hash[before.hash].name == "lab/m#k2"


class TestRebuilding:
    def test_keeps_pools_and_standings(self) -> None:
        lab = provider("lab", [model("m")], [quota(30, members=("m",))])
        ledger, health = Ledger(), Health()
        first, second = (build([lab], [key("lab")], {}, ledger, health, {}).routes["lab/m#k1"] for _ in "12")
        assert first is not second
        assert first.shares[0].pool is second.shares[0].pool
        assert first.standings() == second.standings()

    def test_keys_of_one_account_share_its_pools_and_others_do_not(self) -> None:
        lab = provider("lab", [model("m")], [quota(30, scope="account"), quota(5, scope="key", window=1.0)])
        keys = [key("lab", "k1", account="a"), key("lab", "k2", account="a"), key("lab", "k3", account="b")]
        one, two, three = (route.shares for route in World(lab, keys=keys).routes)
        assert one[0].pool is two[0].pool
        assert one[0].pool is not three[0].pool
        assert one[1].pool is not two[1].pool

    def test_routes_know_what_closes_them_the_narrowest_first(self) -> None:
        route = World(provider("lab", [model("m")])).route()
        assert [standing.name for standing in route.standings()] == [
            "route lab/m#k1",
            "model lab/m",
            "key lab#k1",
            "provider lab",
        ]

    def test_a_route_is_named_in_headers_in_ascii(self) -> None:
        route = World(provider("lab", [model("@cf/größe:1")])).route()
        assert route.header == "lab/@cf/gr%C3%B6%C3%9Fe:1"
        assert route.via == {"platform": "lab", "model": "@cf/größe:1"}

    def test_patience_is_the_models_else_the_providers(self) -> None:
        world = World(
            provider("lab", [model("a"), model("b", first_byte_timeout=7.0)], first_byte_timeout=20.0)
        )
        assert [world.entry(f"lab/{id_}").first_byte_timeout for id_ in "ab"] == [20.0, 7.0]


class TestLimitsFromTheSettings:
    def test_reach_quotas_by_model_and_by_name(self) -> None:
        limits = {"m": {"rpm": 5.0, "tpd": 9_000.0}, "neurons/86400s:*": {"limit": 7.0}, "n": {"rpm": 1.0}}
        assert overrides(limits, "m") == {
            "requests/60s:m": 5.0,
            "tokens/86400s:m": 9_000.0,
            "neurons/86400s:*": 7.0,
        }
        assert overrides({}, "m") == {}

    def test_replace_what_is_declared(self) -> None:
        lab = provider("lab", [model("m")], [quota(30, members=("m",))])
        built = build([lab], [key("lab")], {}, Ledger(), Health(), {"lab": {"m": {"rpm": 5.0}}})
        assert built.routes["lab/m#k1"].shares[0].pool.limit == 5.0

    def test_do_not_count_for_a_key_without_limits(self) -> None:
        lab = provider("lab", [model("m")], [quota(1, members=("m",))])
        route = World(lab, keys=[key("lab", unlimited=True)]).route()
        assert route.shares[0].unlimited
