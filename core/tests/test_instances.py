"""What an instance is made of: the plugin's hooks, what its user says, and what its own list says."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from freellm.declarations import Model
from freellm.instances import ASSUMED, Instance, families_of, made
from freellm.listings import Listing, replaced
from freellm.providers import Provider
from freellm.types import ListedModel
from small_world import model, provider

URL = "http://127.0.0.1:8080/v1"
DAY = 1_800_000_000.0


def plugin() -> Provider:
    return provider("server", instances=True)


def listed(*rows: ListedModel) -> dict[str, Listing]:
    return {row.id: Listing(facts=row, first_seen=DAY, last_seen=DAY) for row in rows}


def lab(listing: dict[str, Listing] | None = None, **said: Any) -> Provider:
    instance = Instance.model_validate({"base_url": URL, **said})
    known = families_of([provider("known", [model("org/large", family="large")])])
    return made(plugin(), "lab", instance, listing or {}, known, local=True)


def only(made_: Provider) -> Model:
    (found,) = made_.models
    return found


def test_it_has_the_plugins_hooks_under_its_own_name() -> None:
    made_ = lab()
    assert (made_.name, made_.info.id, made_.info.title) == ("lab", "lab", "lab")
    assert (made_.info.base_url, made_.info.instances, made_.local) == (URL, False, True)
    assert made_.hooks == plugin().hooks


def test_a_listed_model_is_on_and_free_of_limits_and_assumed_to_chat_with_tools() -> None:
    made_ = lab(listed(ListedModel(id="tiny", context=4096, max_output=512, title="Tiny")))
    found = only(made_)
    assert (found.id, found.title, found.context, found.max_output) == ("tiny", "Tiny", 4096, 512)
    assert (found.status, found.enabled_by_default, found.abilities) == ("active", True, ASSUMED)
    assert (found.source, found.checked) == ("its own list of models", "2027-01-15")
    assert made_.quotas == ()


def test_its_family_is_its_own_unless_the_id_is_known() -> None:
    rows = listed(ListedModel(id="tiny"), ListedModel(id="large"), ListedModel(id="org/large"))
    families = {found.id: found.family for found in lab(rows).models}
    assert families == {"tiny": "lab/tiny", "large": "large", "org/large": "large"}
    assert only(lab(models={"tiny": {"family": "large"}})).family == "large"


def test_what_the_list_says_it_can_is_added_to_what_is_assumed() -> None:
    found = only(lab(listed(ListedModel(id="eye", abilities=frozenset({"vision", "telepathy"})))))
    assert found.abilities == ASSUMED | {"vision"}
    assert found.images == "inline"


def test_what_the_user_says_wins_over_the_list() -> None:
    rows = listed(ListedModel(id="tiny", context=4096, abilities=frozenset({"vision"}), title="Tiny"))
    said = {"tiny": {"context": 32_768, "abilities": ["system"], "intelligence_rank": 3, "title": "Mine"}}
    found = only(lab(rows, models=said))
    assert (found.context, found.abilities, found.intelligence_rank) == (32_768, {"system"}, 3)
    assert (found.title, found.images) == ("Mine", "none")


def test_a_model_that_only_the_user_names_is_one_too() -> None:
    found = only(lab(models={"tiny": {"context": 2048}}))
    assert (found.id, found.context, found.source) == ("tiny", 2048, "config.toml")


def test_without_discovery_the_list_counts_for_facts_and_not_for_more_models() -> None:
    rows = listed(ListedModel(id="tiny", context=4096), ListedModel(id="other"))
    found = only(lab(rows, discover=False, models={"tiny": {}}))
    assert (found.id, found.context) == ("tiny", 4096)


@pytest.mark.parametrize("task", ["embeddings", "other"])
def test_what_does_not_chat_is_left_out(task: Any) -> None:
    assert lab(listed(ListedModel(id="vectors", task=task))).models == ()


def test_embeddings_need_their_dimensions() -> None:
    said = {"vectors": {"task": "embeddings", "dimensions": [768]}}
    found = only(lab(listed(ListedModel(id="vectors", task="embeddings")), models=said))
    assert (found.task, found.dimensions) == ("embeddings", (768,))
    with pytest.raises(ValidationError, match="dimensions"):
        Instance.model_validate({"models": {"vectors": {"task": "embeddings"}}})


def test_an_id_that_no_model_can_have_is_left_out() -> None:
    assert lab(listed(ListedModel(id="two words"), ListedModel(id="x" * 201))).models == ()


def test_limits_are_the_services_whatever_the_key() -> None:
    made_ = lab(concurrent=4, models={"tiny": {"limits": {"rpm": 10, "tpd": 1000}}})
    quotas = {(quota.unit, quota.window, quota.limit, quota.scope, quota.members) for quota in made_.quotas}
    assert quotas == {
        ("requests", 60.0, 10, "ip", ("tiny",)),
        ("tokens", 86_400.0, 1000, "ip", ("tiny",)),
        ("concurrent", None, 4, "ip", ()),
    }


def test_it_needs_a_key_only_when_a_variable_is_named() -> None:
    assert (lab().info.keyless, lab().info.environment) == (True, ())
    assert (lab(key="LAB_KEY").info.keyless, lab(key="LAB_KEY").info.environment) == (False, ("LAB_KEY",))


@pytest.mark.parametrize("key", ["sk-0123456789", "lab_key", "LAB KEY"])
def test_a_key_in_place_of_a_variables_name_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Instance.model_validate({"key": key})
    (error,) = caught.value.errors(include_input=False, include_url=False)
    assert "name of an environment variable" in error["msg"]
    assert key not in error["msg"]


def test_what_is_stated_wins_over_what_is_stored() -> None:
    stored = Instance(plugin="server", base_url=URL, local=True, concurrent=2)
    stated = Instance.model_validate({"concurrent": 8})
    assert stated.over(stored) == Instance(plugin="server", base_url=URL, local=True, concurrent=8)
    moved = Instance.model_validate({"base_url": "https://lab.example/v1"}).over(stored)
    assert (moved.base_url, moved.local, moved.concurrent) == ("https://lab.example/v1", None, 2)


def test_a_new_list_takes_the_place_of_the_old_one() -> None:
    known = listed(ListedModel(id="tiny", context=2), ListedModel(id="gone"))
    later = DAY + 60
    rows = [ListedModel(id="tiny", context=1), ListedModel(id="new", free=True)]
    found = replaced(known, rows, later)
    assert {id_: (row.first_seen, row.last_seen) for id_, row in found.listings.items()} == {
        "tiny": (DAY, later),
        "new": (later, later),
    }
    kinds = {(change.kind, change.model) for change in found.changes}
    assert kinds == {("changed", "tiny"), ("new", "new"), ("vanished", "gone")}
    assert (found.returning, found.doubt) == ((), "")


def test_what_only_refusals_speak_of_is_no_model() -> None:
    refused = {"ghost": Listing(facts=ListedModel(id="ghost"))}
    assert lab(refused).models == ()
    assert replaced(refused, [], DAY).changes == []
