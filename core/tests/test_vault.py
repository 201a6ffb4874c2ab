import hashlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import SecretStr

from freellm.errors import VaultError, WrongMasterKeyError
from freellm.settings import Settings
from freellm.store import Store
from freellm.vault import (
    MASTER_KEY_FILE,
    Vault,
    associated_data,
    find_master_key,
    open_vault,
    rotate_unified_key,
    unified_key,
)

MASTER = "canary-master-0123456789abcdef-0123456789"
OTHER = "canary-other--0123456789abcdef-0123456789"
GOLDEN = Path(__file__).parent / "golden" / "database-v1.sql"


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", config_dir=tmp_path / "config")


@pytest.fixture
def store(config: Settings) -> Iterator[Store]:
    with Store(config.data_dir) as opened:
        yield opened


def plain_vault() -> Vault:
    return Vault(b"\x01\x02\x03\x04", bytes(range(32)), master_id="00", source="nowhere")


def with_key(config: Settings, text: str) -> Settings:
    return config.model_copy(update={"master_key": SecretStr(text)})


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "freellm.db").read_bytes()).hexdigest()


# Sealing


@given(st.binary(max_size=300), st.lists(st.text(max_size=20), max_size=5))
def test_what_was_sealed_opens_in_its_place(plain: bytes, place: list[str]) -> None:
    vault = plain_vault()
    sealed = vault.seal(plain, associated_data(*place))
    assert vault.open(sealed, associated_data(*place)) == plain
    assert plain not in sealed or len(plain) < 4


@examples(max_examples=400)
@given(st.data())
def test_a_changed_byte_is_always_noticed(data: st.DataObject) -> None:
    vault = plain_vault()
    sealed = vault.seal(b"secret", b"place")
    change = data.draw(st.sampled_from(["flip", "cut", "extend", "drop first", "swap halves"]))
    position = data.draw(st.integers(0, len(sealed) - 1))
    mutants = {
        "flip": bytearray(sealed),
        "cut": sealed[:position],
        "extend": sealed + data.draw(st.binary(min_size=1, max_size=20)),
        "drop first": sealed[position + 1 :],
        "swap halves": sealed[position:] + sealed[:position] if position else b"",
    }
    flipped = mutants["flip"]
    assert isinstance(flipped, bytearray)
    flipped[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(VaultError):
        vault.open(bytes(mutants[change]), b"place")


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_different_places_are_never_the_same_bytes(one: list[str], other: list[str]) -> None:
    assert (associated_data(*one) == associated_data(*other)) == (one == other)


def test_a_secret_does_not_open_in_another_place_or_with_another_key() -> None:
    vault = plain_vault()
    sealed = vault.seal(b"secret", associated_data("keys", "1"))
    with pytest.raises(VaultError, match="changed or moved"):
        vault.open(sealed, associated_data("keys", "2"))
    with pytest.raises(VaultError, match="another key"):
        Vault(b"\x09\x02\x03\x04", bytes(range(32)), master_id="", source="").open(sealed, b"")


def test_equal_secrets_are_sealed_differently() -> None:
    vault = plain_vault()
    assert len({vault.seal(b"same", b"") for _ in range(100)}) == 100


def test_fingerprints_tell_keys_apart_and_stay() -> None:
    vault, again = plain_vault(), plain_vault()
    one = vault.fingerprint("acme", {"token": "a", "account": "b"})
    assert one == again.fingerprint("acme", {"account": "b", "token": "a"})
    assert len(one) == 16
    others = [
        vault.fingerprint("acme", {"token": "a", "account": "c"}),
        vault.fingerprint("other", {"token": "a", "account": "b"}),
        vault.fingerprint("acme", {"token": "b", "account": "a"}),
        Vault(b"\x01\x02\x03\x04", bytes(32), master_id="", source="").fingerprint(
            "acme", {"token": "a", "account": "b"}
        ),
    ]
    assert len({one, *others}) == 5


# The master key


def test_a_new_database_gets_a_key_file_of_its_own_and_opens_again(store: Store, config: Settings) -> None:
    before = os.umask(0)
    try:
        vault = open_vault(store, config)
    finally:
        os.umask(before)
    file = config.config_dir / MASTER_KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.config_dir.stat().st_mode) == 0o700
    assert vault.source == str(file)
    sealed = vault.seal(b"x", b"y")
    assert open_vault(store, config).open(sealed, b"y") == b"x"
    assert file.read_text().strip() not in f"{vault!r} {vault}"


def test_a_second_database_shares_the_key_file(store: Store, config: Settings, tmp_path: Path) -> None:
    first = open_vault(store, config)
    file = (config.config_dir / MASTER_KEY_FILE).read_bytes()
    with Store(tmp_path / "second") as other:
        second = open_vault(other, config)
    assert second.master_id == first.master_id
    assert (config.config_dir / MASTER_KEY_FILE).read_bytes() == file
    with pytest.raises(VaultError):
        second.open(first.seal(b"x", b""), b"")


def test_a_file_wins_over_a_credential_over_a_variable_over_the_generated_file(tmp_path: Path) -> None:
    names = ("named", "credentials/freellm-master-key", "config/master.key")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{name:x<40}\n")
        (tmp_path / name).chmod(0o600)
    config = Settings(
        data_dir=tmp_path,
        config_dir=tmp_path / "config",
        master_key_file=tmp_path / "named",
        credentials_dir=tmp_path / "credentials",
        master_key=SecretStr(MASTER),
    )
    sources = []
    for step in ({}, {"master_key_file": None}, {"credentials_dir": None}, {"master_key": None}):
        config = config.model_copy(update=step)
        found = find_master_key(config)
        assert found is not None
        sources.append(found.source)
    assert sources == [
        str(tmp_path / "named"),
        str(tmp_path / "credentials/freellm-master-key"),
        "FREELLM_MASTER_KEY",
        str(tmp_path / "config/master.key"),
    ]
    (tmp_path / "config/master.key").unlink()
    assert find_master_key(config) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_file_that_others_can_read_is_refused_with_the_cure(
    store: Store, config: Settings, tmp_path: Path, mode: int
) -> None:
    file = tmp_path / "key"
    file.write_text(MASTER)
    file.chmod(mode)
    named = config.model_copy(update={"master_key_file": file})
    with pytest.raises(VaultError, match=f"chmod 600 {file}") as caught:
        open_vault(store, named)
    assert MASTER not in str(caught.value)
    file.chmod(0o600)
    open_vault(store, named)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40])
def test_a_key_file_without_a_key_is_refused(
    store: Store, config: Settings, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "key"
    file.touch(0o600)
    file.write_bytes(content)
    with pytest.raises(VaultError, match=str(file)):
        open_vault(store, config.model_copy(update={"master_key_file": file}))


def test_a_named_key_file_that_is_missing_is_refused_and_none_is_made(store: Store, config: Settings) -> None:
    missing = config.config_dir / "missing"
    with pytest.raises(VaultError, match="No such file"):
        open_vault(store, config.model_copy(update={"master_key_file": missing}))
    assert not config.config_dir.exists()


def spoil(case: str, config: Settings) -> Settings:
    file = config.config_dir / MASTER_KEY_FILE
    if case == "another variable":
        return with_key(config, OTHER)
    if case == "missing file":
        file.unlink()
    elif case == "typing mistake":
        text = file.read_text()
        file.write_text(text.replace(text[5], "A" if text[5] != "A" else "B", 1))
    else:
        file.write_text(file.read_text()[:35])
    return config


@pytest.mark.parametrize("case", ["another variable", "missing file", "typing mistake", "cut off"])
def test_a_wrong_master_key_is_named_and_nothing_is_written(config: Settings, case: str) -> None:
    with Store(config.data_dir) as store:
        right = open_vault(store, config).master_id
        unified_key(store, open_vault(store, config))
    spoiled = spoil(case, config)
    before, files = digest(config.data_dir), sorted(config.config_dir.iterdir())
    with Store(config.data_dir) as store, pytest.raises(WrongMasterKeyError) as caught:
        open_vault(store, spoiled)
    assert right in str(caught.value)
    if wrong := find_master_key(spoiled):
        assert wrong.id.hex() in str(caught.value)
    assert digest(config.data_dir) == before
    assert sorted(config.config_dir.iterdir()) == files


def test_a_database_that_lost_its_data_key_gets_no_new_one(store: Store, config: Settings) -> None:
    unified_key(store, open_vault(store, config))
    store.meta.remove("data_key")
    with pytest.raises(VaultError, match="restore a backup"):
        open_vault(store, config)
    assert store.meta.get("data_key") is None


@examples(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(min_value=0))
def test_a_damaged_data_key_opens_nothing(store: Store, config: Settings, position: int) -> None:
    open_vault(store, config)
    wrapped = store.meta.get("data_key")
    assert isinstance(wrapped, bytes)
    damaged = bytearray(wrapped)
    damaged[position % len(wrapped)] ^= 1
    store.meta.set("data_key", bytes(damaged))
    with pytest.raises(VaultError):
        open_vault(store, config)
    store.meta.set("data_key", wrapped)


# The unified key


def test_the_unified_key_is_generated_once_and_kept(store: Store, config: Settings) -> None:
    key = unified_key(store, open_vault(store, config))
    assert key.reveal().startswith("fl-")
    assert len(key.reveal()) == 46
    assert unified_key(store, open_vault(store, config)) == key
    assert key.reveal() not in repr(key)


def test_a_rotated_unified_key_replaces_the_old_one(store: Store, config: Settings) -> None:
    vault = open_vault(store, config)
    old = unified_key(store, vault)
    version = store.data_version()
    new = rotate_unified_key(store, vault)
    assert new != old
    assert unified_key(store, vault) == new
    assert store.data_version() != version


def test_the_first_release_s_database_still_opens(tmp_path: Path) -> None:
    config = Settings(data_dir=tmp_path, config_dir=tmp_path, master_key=SecretStr(MASTER))
    with closing(sqlite3.connect(tmp_path / "freellm.db")) as connection:
        connection.executescript(GOLDEN.read_text("utf-8"))
    with Store(tmp_path) as store:
        vault = open_vault(store, config)
        (row,) = store.keys.all()
        bound_to = associated_data("keys", row.uuid, "acme", "https://api.example:443")
        assert vault.open(row.sealed, bound_to) == b'{"token":"canary-of-1"}'
        assert vault.fingerprint("acme", {"token": "canary-of-1"}) == row.fingerprint
        assert unified_key(store, vault).reveal() == "fl-8qqQc4e0BaTS7qV-tmuWixYgoPqBY5Jlyg-OH9S1qFc"
