import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from freellm.declarations import KeyField, ProviderInfo
from freellm.errors import SettingsError, VaultError
from freellm.keyring import (
    Keyring,
    ProviderKey,
    doubts,
    find_key,
    parse_environment_file,
    parse_key,
)
from freellm.settings import Settings
from freellm.store import Store
from freellm.types import Verdict
from freellm.vault import Vault, open_vault

CANARY = "canary-5f1d2c3b4a596877"


def provider(id_: str = "acme", **fields: object) -> ProviderInfo:
    plain = {
        "id": id_,
        "title": id_.title(),
        "signup_url": f"https://{id_}.example/keys",
        "docs_url": f"https://{id_}.example/docs",
        "base_url": f"https://api.{id_}.example/v1",
        "environment": (f"{id_.upper()}_API_KEY", f"{id_.upper()}_TOKEN"),
    }
    return ProviderInfo.model_validate({**plain, **fields})


ACME = provider(key_fields=(KeyField(name="token", title="Key", pattern="^ac-", help="Starts with ac-."),))
CLOUD = provider(
    "cloud",
    key_fields=(
        KeyField(name="account_id", title="Account", secret=False),
        KeyField(name="token", title="Token"),
    ),
    environment=("CLOUD_KEY", "CLOUD_ACCOUNT_ID=account_id", "CLOUD_TOKEN=token", "OLD_CLOUD_TOKEN=token"),
    account_of="account_id",
)
FREE = provider("free", keyless=True)


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", config_dir=tmp_path / "config")


@pytest.fixture
def store(config: Settings) -> Iterator[Store]:
    with Store(config.data_dir) as opened:
        yield opened


@pytest.fixture
def vault(store: Store, config: Settings) -> Vault:
    return open_vault(store, config)


@pytest.fixture
def environ() -> dict[str, str]:
    return {}


@pytest.fixture
def keyring(store: Store, vault: Vault, environ: dict[str, str]) -> Keyring:
    return Keyring([ACME, CLOUD, FREE], store, vault, environ)


def held(keyring: Keyring, name: str = "acme") -> list[ProviderKey]:
    return [key for key in keyring.all() if key.provider == name]


# One-line form


def test_a_plain_key_is_one_field_colons_included() -> None:
    assert parse_key(ACME, " ac-1:2\n") == {"token": "ac-1:2"}


def test_a_key_of_two_fields_is_split_at_the_first_colon() -> None:
    assert parse_key(CLOUD, "me : to:ken ") == {"account_id": "me", "token": "to:ken"}


@pytest.mark.parametrize(
    ("info", "text"),
    [
        (ACME, "  "),
        (ACME, f"{CANARY} {CANARY}"),
        (ACME, f"{CANARY}\nX-Evil: 1"),
        (ACME, f"{CANARY}é"),
        (CLOUD, CANARY),
        (CLOUD, f":{CANARY}"),
        (CLOUD, f"{CANARY}:"),
    ],
)
def test_what_is_not_a_key_is_refused_with_form_and_link_and_never_repeated(
    info: ProviderInfo, text: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_key(info, text)
    said = str(caught.value)
    assert "Expected " + ":".join(field.name for field in info.key_fields) in said
    assert info.signup_url in said
    assert CANARY not in said


def test_an_unusual_key_raises_a_doubt_without_being_repeated() -> None:
    assert doubts(ACME, {"token": "ac-1"}) == []
    (doubt,) = doubts(ACME, {"token": CANARY})
    assert "(Starts with ac-)" in doubt
    assert CANARY not in doubt


# .env files


def test_an_environment_file_may_have_quotes_comments_and_exports() -> None:
    text = """\ufeff# keys
A=plain
export B = spaced out   # comment
C='single # kept \\n'
D="double \\"quoted\\" \\n"  # comment

E=
F=with#hash
G=a=b
H='' # nothing
"""
    assert parse_environment_file(text) == {
        "A": "plain",
        "B": "spaced out",
        "C": "single # kept \\n",
        "D": 'double "quoted" \n',
        "E": "",
        "F": "with#hash",
        "G": "a=b",
        "H": "",
    }


@pytest.mark.parametrize("line", [f"{CANARY}", f"1A={CANARY}", f"A='{CANARY}", f'A="{CANARY}" {CANARY}'])
def test_a_line_of_another_kind_is_refused_by_number(line: str) -> None:
    with pytest.raises(SettingsError, match="line 2 is not NAME=value") as caught:
        parse_environment_file(f"OK=1\n{line}\n")
    assert CANARY not in str(caught.value)


# The environment


def test_the_preferred_variable_is_used(environ: dict[str, str], keyring: Keyring) -> None:
    environ.update(ACME_TOKEN="second", ACME_API_KEY="first")
    (key,) = held(keyring)
    assert (key.id, key.label, key.source, key.state) == (
        "env:ACME_API_KEY",
        "ACME_API_KEY",
        "environment",
        "untested",
    )
    assert keyring.open(key).reveal("token") == "first"


def test_an_empty_variable_is_no_key(environ: dict[str, str], keyring: Keyring) -> None:
    environ.update(ACME_API_KEY=" ", CLOUD_TOKEN="")
    assert held(keyring) == held(keyring, "cloud") == []


def test_variables_of_one_field_each_make_one_key(environ: dict[str, str], keyring: Keyring) -> None:
    environ.update(CLOUD_ACCOUNT_ID="me", OLD_CLOUD_TOKEN="t1", CLOUD_TOKEN="t2")
    (key,) = held(keyring, "cloud")
    assert key.id == "env:CLOUD_ACCOUNT_ID+CLOUD_TOKEN"
    opened = keyring.open(key)
    assert (opened.reveal("account_id"), opened.reveal("token")) == ("me", "t2")


def test_a_half_set_key_is_listed_with_what_is_missing(environ: dict[str, str], keyring: Keyring) -> None:
    environ.update(CLOUD_TOKEN=CANARY)
    (key,) = held(keyring, "cloud")
    assert not key.usable
    assert key.reason == "CLOUD_ACCOUNT_ID must be set too"


def test_a_malformed_variable_is_listed_with_the_reason(environ: dict[str, str], keyring: Keyring) -> None:
    environ.update(CLOUD_KEY=CANARY)
    (key,) = held(keyring, "cloud")
    assert (key.usable, key.state) == (False, "invalid")
    assert "account_id:token" in key.reason
    assert CANARY not in repr(key)


def test_a_file_s_keys_are_found_like_the_environment_s() -> None:
    found = find_key(CLOUD, parse_environment_file("export CLOUD_KEY='me:t'"))
    assert found is not None
    assert {name: secret.reveal() for name, secret in found.fields.items()} == {
        "account_id": "me",
        "token": "t",
    }


# Joined


def test_a_stored_key_opens_to_what_was_added(keyring: Keyring) -> None:
    added = keyring.add("cloud", {"token": "t", "account_id": "me"}, now=5.0, label="work", unlimited=True)
    assert held(keyring, "cloud") == [added]
    assert (added.label, added.unlimited, added.source, added.state) == ("work", True, "stored", "untested")
    opened = keyring.open(added)
    assert (opened.id, opened.account) == (added.id, added.account)
    assert (opened.reveal("account_id"), opened.reveal("token")) == ("me", "t")
    assert opened.base_url == "https://api.cloud.example/v1"


def test_a_key_that_is_stored_and_in_the_environment_is_listed_once(
    environ: dict[str, str], keyring: Keyring
) -> None:
    environ["ACME_API_KEY"] = "same"
    stored = keyring.add("acme", {"token": "same"}, now=1.0)
    assert held(keyring) == [stored]


def test_the_fingerprint_outlives_removal_and_is_that_of_the_environment(
    environ: dict[str, str], keyring: Keyring, store: Store
) -> None:
    first = keyring.add("acme", {"token": "same"}, now=1.0)
    store.keys.remove(first.id)
    environ["ACME_API_KEY"] = "same"
    (from_environment,) = held(keyring)
    assert from_environment.fingerprint == first.fingerprint
    assert keyring.add("acme", {"token": "same"}, now=2.0).fingerprint == first.fingerprint


def test_a_key_is_its_own_account_unless_a_field_names_it(keyring: Keyring) -> None:
    acme = [keyring.add("acme", {"token": token}, now=1.0) for token in ("a", "b")]
    cloud = [keyring.add("cloud", {"account_id": "me", "token": token}, now=1.0) for token in ("a", "b")]
    assert [key.account for key in acme] == [key.fingerprint for key in acme]
    assert cloud[0].account == cloud[1].account
    assert cloud[0].fingerprint != cloud[1].fingerprint


def test_the_same_key_is_not_stored_twice(keyring: Keyring) -> None:
    keyring.add("acme", {"token": CANARY}, now=1.0)
    with pytest.raises(SettingsError, match="stored already") as caught:
        keyring.add("acme", {"token": CANARY}, now=2.0)
    assert CANARY not in str(caught.value)


def test_a_keyless_provider_has_a_route_until_it_has_a_key(environ: dict[str, str], keyring: Keyring) -> None:
    (free,) = held(keyring, "free")
    assert (free.id, free.source, free.usable) == ("keyless:free", "keyless", True)
    assert keyring.open(free).fields == {}
    environ["FREE_API_KEY"] = "key"
    assert [key.source for key in held(keyring, "free")] == ["environment"]


def test_an_environment_key_can_be_on_a_paid_plan(store: Store, vault: Vault) -> None:
    keyring = Keyring([ACME], store, vault, {"ACME_API_KEY": "x"}, unlimited=["acme"])
    stored = keyring.add("acme", {"token": "y"}, now=1.0)
    assert [(key.source, key.unlimited) for key in keyring.all()] == [
        ("stored", False),
        ("environment", True),
    ]
    assert not stored.unlimited


def test_a_base_url_of_the_settings_wins_over_the_key_s_over_the_provider_s(
    store: Store, vault: Vault
) -> None:
    plain = Keyring([ACME], store, vault, {"ACME_API_KEY": "x"})
    plain.add("acme", {"token": "y"}, now=1.0, base_url="https://eu.acme.example/v1/")
    assert {key.source: key.base_url for key in plain.all()} == {
        "stored": "https://eu.acme.example/v1",
        "environment": "https://api.acme.example/v1",
    }
    local = Keyring([ACME], store, vault, {"ACME_API_KEY": "x"}, base_urls={"acme": "http://127.0.0.1:9"})
    assert {local.open(key).base_url for key in local.all()} == {"http://127.0.0.1:9"}


def test_a_key_s_base_url_is_checked(keyring: Keyring) -> None:
    with pytest.raises(SettingsError, match="base URL"):
        keyring.add("acme", {"token": "y"}, now=1.0, base_url="file:///etc/passwd")


def test_a_key_of_a_provider_that_is_not_installed_is_kept_and_not_used(
    keyring: Keyring, store: Store, vault: Vault
) -> None:
    added = keyring.add("acme", {"token": "x"}, now=1.0)
    (key,) = Keyring([], store, vault, {}).all()
    assert (key.id, key.usable) == (added.id, False)
    assert "acme" in key.reason


# What a check found


def test_a_verdict_is_kept_for_a_stored_key(keyring: Keyring) -> None:
    added = keyring.add("acme", {"token": "x"}, now=1.0)
    known = keyring.record(added, Verdict(state="invalid", message="refused"), now=7.0)
    assert held(keyring) == [known]
    assert (known.state, known.reason, known.checked_at, known.usable) == ("invalid", "refused", 7.0, False)


def test_a_learned_account_and_base_url_are_kept_and_the_key_still_opens(keyring: Keyring) -> None:
    added = [keyring.add("acme", {"token": token}, now=1.0) for token in ("x", "y")]
    verdict = Verdict(state="valid", account="org", base_url="https://eu.acme.example/v1")
    known = [keyring.record(key, verdict, now=7.0) for key in added]
    assert held(keyring) == known
    assert known[0].account == known[1].account != added[0].account
    assert keyring.open(known[1]).reveal("token") == "y"
    assert keyring.open(known[1]).base_url == "https://eu.acme.example/v1"


def test_a_verdict_on_an_environment_key_is_returned(environ: dict[str, str], keyring: Keyring) -> None:
    environ["ACME_API_KEY"] = "x"
    (key,) = held(keyring)
    known = keyring.record(key, Verdict(state="valid", account="org"), now=7.0)
    assert (known.state, known.account != key.account) == ("valid", True)
    assert keyring.open(known).reveal("token") == "x"


def test_a_verdict_on_a_removed_key_adds_nothing(keyring: Keyring, store: Store) -> None:
    added = keyring.add("acme", {"token": "x"}, now=1.0)
    store.keys.remove(added.id)
    keyring.record(added, Verdict(state="valid", account="org"), now=7.0)
    assert held(keyring) == []


# Tampering


TAMPERINGS = [
    "UPDATE keys SET base_url = 'https://evil.example/v1' WHERE label = 'own'",
    "UPDATE keys SET base_url = 'http://eu.acme.example/v1' WHERE label = 'eu'",
    "UPDATE keys SET base_url = 'https://eu.acme.example:444/v1' WHERE label = 'eu'",
    "UPDATE keys SET base_url = 'https://eu.acme.example:port/v1' WHERE label = 'eu'",
    "UPDATE keys SET base_url = NULL WHERE label = 'eu'",
    "UPDATE keys SET provider = 'free' WHERE label = 'own'",
    "UPDATE keys SET uuid = 'other' WHERE label = 'own'",
    "UPDATE keys SET sealed = (SELECT sealed FROM keys WHERE label = 'third') WHERE label = 'own'",
    "UPDATE keys SET sealed = X'' WHERE label = 'own'",
]


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_an_edited_row_is_unreadable_and_the_others_work(
    keyring: Keyring, store: Store, tampering: str
) -> None:
    keyring.add("acme", {"token": "1"}, now=1.0, label="own")
    keyring.add("acme", {"token": "2"}, now=1.0, label="eu", base_url="https://eu.acme.example/v1")
    keyring.add("acme", {"token": "3"}, now=1.0, label="third")
    store._durable.raw.execute(tampering)
    store._durable.raw.commit()
    keys = [key for key in keyring.all() if key.source == "stored"]
    (broken,) = [key for key in keys if key.state == "unreadable"]
    assert not broken.usable
    with pytest.raises(VaultError):
        keyring.open(broken)
    assert [keyring.open(key).reveal("token") for key in keys if key is not broken] in (
        ["2", "3"],
        ["1", "3"],
    )


def test_another_path_at_the_same_origin_still_opens(keyring: Keyring, store: Store) -> None:
    keyring.add("acme", {"token": "2"}, now=1.0, base_url="https://eu.acme.example/v1")
    store._durable.raw.execute("UPDATE keys SET base_url = 'https://eu.acme.example:443/v2'")
    store._durable.raw.commit()
    (key,) = held(keyring)
    assert keyring.open(key).reveal("token") == "2"


# Canaries


def test_no_secret_is_in_any_file_text_or_log(
    keyring: Keyring,
    store: Store,
    vault: Vault,
    config: Settings,
    environ: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    environ["ACME_API_KEY"] = f"{CANARY}-env"
    added = keyring.add("cloud", {"account_id": "me", "token": CANARY}, now=1.0)
    keyring.record(added, Verdict(state="valid", base_url="https://eu.cloud.example"), now=2.0)
    keys = keyring.all()
    opened = [keyring.open(key) for key in keys]
    with pytest.raises(VaultError) as caught:
        vault.open(keys[0].sealed, b"elsewhere")
    shown = f"{keys!r} {opened!r} {caught.value!r} {store.keys.all()!r} {keyring!r} {vault!r} {caplog.text}"
    assert CANARY not in shown
    files = [path for folder in (config.data_dir, config.config_dir) for path in folder.iterdir()]
    assert len(files) >= 4
    assert [path.name for path in files if CANARY.encode() in path.read_bytes()] == []
    assert sqlite3.connect(store.file).execute("SELECT count(*) FROM keys").fetchone() == (1,)
