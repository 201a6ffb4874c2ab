"""The providers there are: of packages, of the settings and of the database; and why one is left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freellm.errors import SettingsError
from freellm.listings import Listing
from freellm.plugins import PROVIDERS, PluginRecord
from freellm.providers import Provider
from freellm.roster import Roster, stated_base_urls
from freellm.settings import Settings, load_settings
from freellm.store import Store, StoredInstance
from freellm.types import ListedModel
from small_world import model, provider

URL = "http://127.0.0.1:8080/v1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "data") as opened:
        yield opened


def settings(tmp_path: Path, toml: str = "", **environ: str) -> Settings:
    (tmp_path / "config.toml").write_text(toml, "utf-8")
    return load_settings({"FREELLM_DATA_DIR": str(tmp_path), **environ}, {})


def plugin(name: str = "server") -> Provider:
    return provider(name, instances=True)


def record(name: str, status: Any = "loaded", reason: str = "") -> PluginRecord:
    return PluginRecord(
        id=name, group=PROVIDERS, distribution=name, version="1", status=status, reason=reason
    )


def roster(settings: Settings, store: Store, *loaded: Provider, records: Any = None) -> Roster:
    found = [record(one.name) for one in loaded] if records is None else records
    return Roster(loaded, found, settings, store)


def lab(**changes: Any) -> StoredInstance:
    row = {"name": "lab", "plugin": "server", "base_url": URL, "local": True, "created_at": 1.0}
    return StoredInstance(**{**row, **changes})


def test_a_plugin_for_instances_is_no_provider_itself(tmp_path: Path, store: Store) -> None:
    made = roster(settings(tmp_path), store, provider("acme", [model("m")]), plugin())
    assert [one.name for one in made.providers()] == ["acme"]
    assert list(made.plugins) == ["server"]


def test_stored_and_stated_instances_stand_side_by_side(tmp_path: Path, store: Store) -> None:
    store.instances.add(lab(concurrent=2))
    store.listings.replace("lab", {"tiny": Listing(facts=ListedModel(id="tiny"), last_seen=1.0)})
    toml = '[instances.den]\nbase_url = "http://den.lan:9/v1"\n[instances.den.models.big]\ncontext = 9\n'
    lab_, den = sorted(
        roster(settings(tmp_path, toml), store, plugin()).providers(), key=lambda one: one.name, reverse=True
    )
    assert (lab_.name, lab_.info.base_url, [one.id for one in lab_.models]) == ("lab", URL, ["tiny"])
    assert (den.name, den.local, [one.id for one in den.models]) == ("den", True, ["big"])
    assert [quota.limit for quota in lab_.quotas] == [2]


def test_settings_describe_a_stored_instance_further(tmp_path: Path, store: Store) -> None:
    store.instances.add(lab())
    toml = '[instances.lab]\nconcurrent = 3\n[instances.lab.models.tiny]\nabilities = ["system", "vision"]\n'
    (made,) = roster(settings(tmp_path, toml), store, plugin()).providers()
    assert (made.info.base_url, made.quotas[0].limit, made.models[0].images) == (URL, 3, "inline")


def test_an_https_name_is_public_unless_its_user_says_otherwise(tmp_path: Path, store: Store) -> None:
    toml = '[instances.gw]\nbase_url = "https://gw.example/v1"\n[instances.corp]\nbase_url = "https://gw.corp/v1"\nlocal = true\n'
    made = {one.name: one.local for one in roster(settings(tmp_path, toml), store, plugin()).providers()}
    assert made == {"gw": False, "corp": True}


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[instances.lab]\nconcurrent = 1\n", "lab has no base_url"),
        (f'[instances.acme]\nbase_url = "{URL}"\n', "name of an installed provider"),
        (f'[instances.auto]\nbase_url = "{URL}"\n', "name of an installed provider"),
        (f'[instances.server]\nbase_url = "{URL}"\n', "name of an installed provider"),
        (f'[instances.lab]\nplugin = "gone"\nbase_url = "{URL}"\n', "no installed package provides that"),
        (f'[instances.lab]\nplugin = "acme"\nbase_url = "{URL}"\n', "made for one service"),
        ('[instances.lab]\nbase_url = "http://169.254.169.254/v1"\n', "hand out credentials"),
        ('[instances.lab]\nbase_url = "http://1.2.3.4/v1"\n', "write https://"),
        ('[instances.lab]\nbase_url = "http://0.0.0.0:8080/v1"\n', "write 127.0.0.1"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_start_with_the_cure(
    tmp_path: Path, store: Store, toml: str, words: str
) -> None:
    made = roster(settings(tmp_path, toml), store, provider("acme"), plugin())
    with pytest.raises(SettingsError, match=words):
        made.check()
    assert [one.name for one in made.providers()] == ["acme"]


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[instances.Lab]\nbase_url = "http://x"\n', "instances.Lab"),
        ('[instances.lab]\nbase_url = "x:8080"\n', "expected http://HOST"),
        ('[instances.lab]\nbase_uri = "http://x"\n', "did you mean base_url?"),
        ('[instances.lab.models.tiny]\ncontexts = 1\n', "did you mean context?"),
        ('[instances.lab.models.tiny.limits]\nrpms = 1\n', "did you mean rpm?"),
        ('[instances.lab.models.tiny]\nabilities = ["fly"]\n', "abilities"),
        ('[instances.lab]\nkey = "sk-canary"\n', "name of an environment variable"),
        ('[instances.lab]\nconcurrent = 0\n', "concurrent"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_names_the_field_and_repeats_no_secret(
    tmp_path: Path, toml: str, words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, toml)
    assert words in str(caught.value)
    assert "sk-canary" not in str(caught.value)


def test_with_two_plugins_for_instances_one_has_to_be_named(tmp_path: Path, store: Store) -> None:
    toml = f'[instances.lab]\nbase_url = "{URL}"\n'
    made = roster(settings(tmp_path, toml), store, plugin(), plugin("relay"))
    with pytest.raises(SettingsError, match="made for instances are: server, relay"):
        made.check()


def test_a_stored_instance_without_its_plugin_is_left_out_and_stops_nobody(
    tmp_path: Path, store: Store
) -> None:
    store.instances.add(lab())
    made = roster(settings(tmp_path), store, provider("acme"))
    made.check()
    assert [one.name for one in made.providers()] == ["acme"]
    assert "no installed package provides that; what is known of it is kept" in made.problems()["lab"]
    broken = roster(settings(tmp_path), store, records=[record("server", "quarantined", "import failed")])
    assert "import failed" in broken.problems()["lab"]


def test_a_package_that_arrives_later_keeps_its_name(tmp_path: Path, store: Store) -> None:
    store.instances.add(lab())
    made = roster(settings(tmp_path), store, provider("lab", [model("m")]), plugin())
    (found,) = made.providers()
    assert found.models[0].id == "m"
    assert "add it under another name" in made.problems()["lab"]


def test_settings_by_provider_take_instances_and_no_strangers(tmp_path: Path, store: Store) -> None:
    store.instances.add(lab())
    roster(settings(tmp_path, FREELLM_LAB_BASE_URL=URL), store, plugin()).check()
    with pytest.raises(SettingsError, match=r"did you mean lab\?"):
        roster(settings(tmp_path, FREELLM_LAP_BASE_URL=URL), store, plugin()).check()


def test_a_base_url_of_the_environment_wins_over_one_of_the_file(tmp_path: Path) -> None:
    toml = f'[instances.lab]\nbase_url = "{URL}"\n'
    assert stated_base_urls(settings(tmp_path, toml)) == {"lab": URL}
    moved = settings(tmp_path, toml, FREELLM_LAB_BASE_URL="http://127.0.0.1:9/v1")
    assert stated_base_urls(moved) == {"lab": "http://127.0.0.1:9/v1"}
