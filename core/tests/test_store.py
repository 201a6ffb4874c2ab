import hashlib
import math
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freellm.catalogue import Choice
from freellm.errors import StoreError
from freellm.ledger import PoolState
from freellm.listings import LIST, Listing, Sign
from freellm.measurements import TrackState
from freellm.profiles import Profile
from freellm.routing import PassedOver
from freellm.store import (
    AlreadyRunningError,
    AttemptRecord,
    LoggedRequest,
    RequestRecord,
    ServerLock,
    Store,
    StoredKey,
)
from freellm.store.migrations import APPLICATION_ID, MIGRATIONS, migrate
from freellm.types import Kind, ListedModel

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "data") as opened:
        yield opened


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def key(number: int = 1, **changes: object) -> StoredKey:
    plain = StoredKey(
        uuid=f"uuid-{number}",
        provider="acme",
        label="mine",
        account="account",
        base_url=None,
        sealed=bytes(range(256)),
        fingerprint=f"fingerprint-{number}",
        created_at=float(number),
    )
    return msgspec.structs.replace(plain, **changes)


def pool(
    identity: str = "acme requests/60s:* abc", window: float | None = 60.0, changed: float = 1.0
) -> PoolState:
    return PoolState(
        identity=identity, unit="requests", window=window, clock="rolling", payload=b"\x00{}", changed=changed
    )


def track(name: str = "lab/m", at: float = 1.0) -> TrackState:
    return TrackState(name, at, 3.0, 2.0, 2.0, 0.5, 100.0, 4.0)


def request(id_: str = "r1", created: float = 100.0, status: int = 200) -> RequestRecord:
    return RequestRecord(
        id=id_,
        created=created,
        surface="openai",
        requested="auto",
        status=status,
        stream=True,
        duration_ms=12.5,
    )


def attempt(request: str = "r1", number: int = 1, started: float = 100.0, message: str = "") -> AttemptRecord:
    return AttemptRecord(
        request=request, number=number, provider="acme", model="m", key="k", started=started, message=message
    )


# Files


def test_all_files_are_private_under_an_open_umask(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    before = os.umask(0)
    try:
        with ServerLock(data), Store(data) as store:
            store.keys.add(key())
            store.save([request()], now=1.0)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("freellm.db", "freellm.db-wal", "freellm.db-shm", "server.lock"), 0o600)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE(data.parent.stat().st_mode) == 0o700


def test_a_database_that_others_can_read_is_made_private(tmp_path: Path) -> None:
    Store(tmp_path).close()
    (tmp_path / "freellm.db").chmod(0o644)
    Store(tmp_path).close()
    assert stat.S_IMODE((tmp_path / "freellm.db").stat().st_mode) == 0o600


def test_both_connections_are_guarded(store: Store) -> None:
    asked = ("journal_mode", "foreign_keys", "secure_delete", "trusted_schema", "busy_timeout", "synchronous")
    for connection, synchronous in ((store._durable, 2), (store._quick, 1)):
        found = [connection.raw.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]
        assert found == ["wal", 1, 1, 0, 5000, synchronous]


def test_a_second_server_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with ServerLock(tmp_path):
        with pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}"):
            ServerLock(tmp_path)
        Store(tmp_path).close()
    ServerLock(tmp_path).close()


# Schema


def schema_of(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name")
        return "".join(f"{row[0]};\n" for row in rows)


def golden_schema(version: int = len(MIGRATIONS)) -> str:
    return (GOLDEN / f"schema-v{version}.sql").read_text("utf-8")


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_released_step_is_never_edited(version: int, tmp_path: Path) -> None:
    file = tmp_path / "made.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        migrate(connection, file, MIGRATIONS[:version])
    assert schema_of(file) == golden_schema(version)


def test_a_new_database_has_the_newest_schema(store: Store) -> None:
    assert schema_of(store.file) == golden_schema()


def test_the_structs_of_records_have_the_columns_of_their_tables(store: Store) -> None:
    tables = {"keys": StoredKey, "pools": PoolState, "requests": RequestRecord, "attempts": AttemptRecord}
    for table, struct in tables.items():
        columns = [row[1] for row in store._quick.raw.execute(f"PRAGMA table_info({table})")]
        assert columns == list(struct.__struct_fields__), table


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    Store(tmp_path).close()
    before = digest(tmp_path / "freellm.db")
    Store(tmp_path).close()
    assert digest(tmp_path / "freellm.db") == before


def test_an_older_database_is_copied_and_brought_forward_once(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.keys.add(key())
        newer = (*MIGRATIONS, ("ALTER TABLE keys ADD COLUMN note TEXT", "UPDATE keys SET note = 'x'"))
        migrate(store._durable.raw, store.file, newer)
        migrate(store._durable.raw, store.file, newer)
        assert store._durable.raw.execute("SELECT note FROM keys").fetchall() == [("x",)]
    copy = tmp_path / f"freellm.db.v{len(MIGRATIONS)}.backup"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert schema_of(copy) == golden_schema()


def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        broken = (*MIGRATIONS, ("ALTER TABLE keys ADD COLUMN note TEXT", "UPDATE nothing SET note = 'x'"))
        with pytest.raises(sqlite3.OperationalError):
            migrate(store._durable.raw, store.file, broken)
    assert schema_of(tmp_path / "freellm.db") == golden_schema()
    Store(tmp_path).close()


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    Store(tmp_path).close()
    file = tmp_path / "freellm.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = digest(file)
    with pytest.raises(StoreError, match=r"newer freellm .*upgrade freellm"):
        Store(tmp_path)
    assert digest(file) == before


def _garbage(file: Path) -> None:
    file.write_bytes(os.urandom(20_000))


def _text(file: Path) -> None:
    file.write_text("my notes")


def _foreign(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE other (x)")


def _torn(file: Path) -> None:
    with Store(file.parent) as store:
        store.save([request(str(n)) for n in range(300)], now=1.0)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _overwritten(file: Path) -> None:
    Store(file.parent).close()
    content = bytearray(file.read_bytes())
    content[4096:8192] = os.urandom(4096)
    file.write_bytes(content)


@pytest.mark.parametrize("spoil", [_garbage, _text, _foreign, _torn, _overwritten])
def test_what_is_not_a_sound_database_of_ours_is_refused_untouched(tmp_path: Path, spoil: object) -> None:
    file = tmp_path / "freellm.db"
    assert callable(spoil)
    spoil(file)
    before = digest(file)
    with pytest.raises(StoreError) as caught:
        Store(tmp_path)
    assert str(file) in str(caught.value)
    assert "not changed" in str(caught.value)
    assert digest(file) == before


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of a process that was killed: part of it is in the write-ahead log only."""
    folder = tmp_path_factory.mktemp("sound")
    with Store(folder) as store:
        store.save([request(str(number)) for number in range(300)], now=1.0)
        store._quick.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for number in range(30):
            store.keys.add(key(number))
        copy = tmp_path_factory.mktemp("sound-copy")
        for name in ("freellm.db", "freellm.db-wal"):
            shutil.copy(folder / name, copy)
        return copy


def damaged(content: bytes, kind: str, position: int, noise: int) -> bytes:
    position %= len(content)
    page = position // 4096 * 4096
    if kind == "cut":
        return content[:position]
    if kind == "header":
        page, position = 0, position % 100
    if kind in ("flip", "header"):
        return content[:position] + bytes([content[position] ^ (noise % 255 + 1)]) + content[position + 1 :]
    filling = bytes(4096) if kind == "zeros" else noise.to_bytes(8, "big") * 512
    return content[:page] + filling[: len(content) - page] + content[page + 4096 :]


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["freellm.db", "freellm.db-wal"]),
    kind=st.sampled_from(["cut", "flip", "header", "zeros", "noise"]),
    position=st.integers(0, 2**20),
    noise=st.integers(0, 2**64 - 1),
)
def test_a_damaged_file_is_refused_untouched_or_opens(
    sound: Path, name: str, kind: str, position: int, noise: int
) -> None:
    contents = {file.name: file.read_bytes() for file in sound.iterdir()}
    contents[name] = damaged(contents[name], kind, position, noise)
    with TemporaryDirectory() as folder:
        for file, content in contents.items():
            Path(folder, file).write_bytes(content)
        try:
            Store(Path(folder)).close()
        except StoreError:
            assert Path(folder, "freellm.db").read_bytes() == contents["freellm.db"]


def test_a_schema_that_is_no_text_any_more_is_refused(sound: Path, tmp_path: Path) -> None:
    file = tmp_path / "freellm.db"
    with closing(sqlite3.connect(sound / "freellm.db")) as whole, closing(sqlite3.connect(file)) as copy:
        whole.backup(copy)
    file.write_bytes(file.read_bytes().replace(b"CREATE TABLE settings (", b"CREATE TABLE settings \xc1"))
    with pytest.raises(StoreError, match="cannot be read"):
        Store(tmp_path)


def test_a_folder_in_the_database_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "freellm.db").mkdir()
    with pytest.raises(StoreError, match="is a folder"):
        Store(tmp_path)


def test_a_file_in_the_data_folder_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreError, match="not a folder"):
        Store(tmp_path / "data")


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "freellm.db").touch()
    with Store(tmp_path) as store:
        assert store._quick.raw.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert store.quick_check() == []


# Keys, models, values


def test_a_key_comes_back_as_it_was_added(store: Store) -> None:
    full = key(
        base_url="https://h", unlimited=True, enabled=False, state="valid", reason="ok", checked_at=3.5
    )
    store.keys.add(full)
    store.keys.add(key(2))
    assert store.keys.all() == [full, key(2)]
    assert store.keys.get("uuid-1") == full
    assert store.keys.get("nobody") is None


def test_the_same_key_of_a_provider_is_stored_once(store: Store) -> None:
    store.keys.add(key())
    with pytest.raises(sqlite3.IntegrityError):
        store.keys.add(key(2, fingerprint="fingerprint-1"))
    store.keys.add(key(2, provider="other", fingerprint="fingerprint-1"))


def test_only_what_is_named_is_edited(store: Store) -> None:
    store.keys.add(key())
    assert store.keys.edit("uuid-1", enabled=False)
    assert store.keys.edit("uuid-1", label="work", unlimited=True)
    assert store.keys.record("uuid-1", "invalid", "refused", 9.0)
    assert store.keys.all() == [
        key(label="work", unlimited=True, enabled=False, state="invalid", reason="refused", checked_at=9.0)
    ]
    assert not store.keys.edit("nobody", enabled=False)
    assert not store.keys.remove("nobody")


def test_a_removed_key_leaves_no_trace_in_the_files(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.keys.add(key(sealed=b"canary-in-the-row"))
        assert store.keys.remove("uuid-1")
        assert all(b"canary-in-the-row" not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_model_can_be_switched_and_left_to_the_catalogue_again(store: Store) -> None:
    store.models.enable("acme", "a/b", False)
    store.models.enable("acme", "c", True)
    assert store.models.overrides() == {
        ("acme", "a/b"): Choice(False, None),
        ("acme", "c"): Choice(True, None),
    }
    store.models.enable("acme", "c", None)
    assert list(store.models.overrides()) == [("acme", "a/b")]


def test_a_moved_model_takes_its_place_and_the_others_keep_their_order(store: Store) -> None:
    shown = [("acme", name) for name in "abcd"]
    store.models.enable("acme", "d", False)
    store.models.move(("acme", "c"), 0, shown)
    assert store.models.order() == [("acme", name) for name in "cabd"]
    store.models.move(("acme", "c"), 99, store.models.order())
    assert store.models.order() == [("acme", name) for name in "abdc"]
    store.models.reset_order()
    assert store.models.order() == []
    assert store.models.overrides() == {("acme", "d"): Choice(False, None)}


def test_values_are_kept_by_name(store: Store) -> None:
    assert store.settings.get("x") is None
    store.settings.set("x", b"\x00")
    store.settings.set("x", "text")
    store.meta.set("x", 1.5)
    assert (store.settings.get("x"), store.meta.get("x")) == ("text", 1.5)
    store.settings.remove("x")
    store.settings.remove("x")
    assert store.settings.get("x") is None


def add_twice(store: Store) -> None:
    with store.transaction():
        store.settings.set("x", "y")
        store.keys.add(key())
        store.keys.add(key())


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        add_twice(store)
    assert store.keys.all() == []
    assert store.settings.get("x") is None
    with store.transaction():
        store.keys.add(key())
        store.keys.remove("uuid-1")
        store.keys.add(key(2))
    assert store.keys.all() == [key(2)]


def test_another_process_s_changes_of_keys_settings_and_models_are_noticed(tmp_path: Path) -> None:
    with Store(tmp_path) as server, Store(tmp_path) as command:
        seen = [server.data_version()]
        for change in (
            lambda: command.keys.add(key()),
            lambda: command.keys.edit("uuid-1", enabled=False),
            lambda: command.settings.set("x", "y"),
            lambda: command.settings.set("x", "z"),
            lambda: command.models.enable("acme", "m", False),
            lambda: command.models.move(("acme", "m"), 0, []),
            lambda: command.keys.remove("uuid-1"),
            lambda: command.profiles.set("coding", Profile(strategy="fast")),
            lambda: command.profiles.set("coding", Profile(only=("acme",))),
            lambda: command.profiles.remove("coding"),
            lambda: command.listings.save("acme", {"m": listing()}),
            lambda: command.listings.save("acme", {"m": listing(last_seen=2.0)}),
        ):
            change()
            seen.append(server.data_version())
        assert len(set(seen)) == len(seen)


def test_the_server_s_own_notes_are_no_change(store: Store) -> None:
    before = store.data_version()
    store.save([request()], [attempt()], [pool()], tracks=[track()], sequence=7, now=1.0)
    store.log.prune(1e9)
    store.listings.asked("acme", 1.0)
    assert store.data_version() == before


# What lists of models say


def listing(**changes: object) -> Listing:
    facts = ListedModel(id="m", free=True, context=8192, abilities=frozenset({"tools"}))
    plain = Listing(facts=facts, first_seen=1.0, last_seen=1.5, signs=(Sign(2.0, LIST), Sign(3.0, "k1")))
    return msgspec.structs.replace(plain, **changes)


def test_listings_come_back_and_newer_ones_take_their_place(tmp_path: Path) -> None:
    never = Listing(facts=ListedModel(id="n"))
    with Store(tmp_path) as store:
        assert store.listings.all() == {}
        store.listings.save("acme", {"m": listing(), "n": never})
        store.listings.save("other", {"m": never})
        store.listings.save("acme", {"m": listing(signs=())})
    with Store(tmp_path) as store:
        assert store.listings.all() == {"acme": {"m": listing(signs=()), "n": never}, "other": {"m": never}}
        assert store.listings.of("acme")["n"] == never
        assert store.listings.of("nobody") == {}


def test_when_a_list_was_asked_for_comes_back(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.listings.asked("acme", 5.5, "it sent nothing for 15 s")
        store.listings.asked("other", 6.5)
        store.listings.asked("acme", 7.5, "its list is empty")
    with Store(tmp_path) as store:
        lists = store.listings.lists()
    assert (lists["acme"].asked, lists["acme"].problem) == (7.5, "its list is empty")
    assert (lists["other"].asked, lists["other"].problem) == (6.5, "")


# What the server notes


def test_pools_sequence_and_time_come_back(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        assert (store.pools.load(), store.lease_sequence(), store.last_time()) == ([], 0, 0.0)
        store.save(pools=[pool(), pool("other", None)], sequence=7, now=5.5)
        store.save(pools=[pool(changed=2.0)], now=6.5)
    with Store(tmp_path) as store:
        assert sorted(store.pools.load(), key=lambda p: p.identity) == [
            pool(changed=2.0),
            pool("other", None),
        ]
        assert (store.lease_sequence(), store.last_time()) == (7, 6.5)
        assert store.pools.prune(2.0) == 1
        assert store.pools.load() == [pool(changed=2.0)]


def test_a_request_comes_back_with_its_attempts_in_order(store: Store) -> None:
    store.save([], [attempt(number=2), attempt(message="x" * 501)], now=1.0)
    assert store.request("r1") == LoggedRequest(None, [attempt(message="x" * 500), attempt(number=2)])
    store.save([request(), request("r2")], [], now=1.0)
    logged = store.request("r1")
    assert logged is not None
    assert logged.request == request()
    assert store.request("r2") == LoggedRequest(request("r2"), [])
    assert store.request("r3") is None


def test_reasons_are_put_into_words_when_they_are_written_and_come_back(store: Store) -> None:
    said: list[str] = []

    def say() -> str:
        said.append("said")
        return "x" * 501

    notes = [
        PassedOver("acme/m", "quota", say, 200.0, None, "k1"),
        PassedOver("acme/n", "cooldown", "resting", 300.0, Kind.RATE_LIMITED, "k2"),
        PassedOver("acme/o", "ability", "it lacks tools", math.inf),
    ]
    record = msgspec.structs.replace(request(), passed_over=notes)
    assert not said
    store.save([record], now=1.0)
    assert len(said) == 1
    logged = store.request(record.id)
    assert logged is not None
    assert logged.request is not None
    first, *rest = logged.request.passed_over
    assert (first.name, first.key, first.detail, first.opens_at) == ("acme/m", "k1", "x" * 500, 200.0)
    assert rest == notes[1:]


def test_a_repeated_batch_does_no_harm(store: Store) -> None:
    for status in (200, 502):
        store.save([request(status=status)], [attempt()], now=1.0)
    assert store.request("r1") == LoggedRequest(request(status=502), [attempt()])


def test_old_records_are_pruned(store: Store) -> None:
    store.save(
        [request("old", 10.0), request("new", 20.0)],
        [attempt("old", 1, 10.0), attempt("new", 1, 20.0)],
        now=1.0,
    )
    assert store.log.prune(20.0) == 2
    assert store.log.prune(20.0) == 0
    assert store.request("old") is None
    assert store.request("new") is not None


def test_profiles_are_kept_by_name(store: Store) -> None:
    profile = Profile(models=("a", "b"), abilities=("tools",), data_collection="deny")
    store.profiles.set("coding", Profile(strategy="fast"))
    store.profiles.set("coding", profile)
    assert store.profiles.all() == {"coding": profile}
    assert store.profiles.remove("coding")
    assert not store.profiles.remove("coding")
    assert store.profiles.all() == {}


def test_measurements_are_replaced_by_name_and_pruned(store: Store) -> None:
    store.save(tracks=[track(), track("lab/n", 5.0)], now=1.0)
    store.save(tracks=[track(at=3.0)], now=2.0)
    assert store.measurements.load() == [track(at=3.0), track("lab/n", 5.0)]
    assert store.measurements.prune(4.0) == 1
    assert store.measurements.load() == [track("lab/n", 5.0)]


# What plugins keep


def test_a_plugins_values_are_its_own_and_expire(store: Store) -> None:
    mine, other = store.plugin("mine"), store.plugin("other")
    mine.set("a/1", b"one", expires=10.0)
    mine.set("a/2", b"two")
    mine.set("b/%", b"three")
    other.set("a/1", b"theirs")
    assert mine.get("a/1", 9.9) == b"one"
    assert mine.get("a/1", 10.0) is None
    assert mine.all("a/", 9.9) == {"a/1": b"one", "a/2": b"two"}
    assert mine.all("a/", 10.0) == {"a/2": b"two"}
    assert mine.all("%", 1.0) == {}
    assert mine.sweep(9.9) == 0
    assert mine.sweep(10.0) == 1
    assert mine.clear("a/") == 1
    assert mine.all("", 1.0) == {"b/%": b"three"}
    assert other.get("a/1", 1e12) == b"theirs"


def test_a_value_is_taken_once_and_replaced_only_where_it_is(store: Store) -> None:
    mine = store.plugin("mine")
    mine.set("link", b"x", expires=10.0)
    mine.set("link/2", b"y")
    assert mine.replace("link", b"z", 20.0, 9.0)
    assert mine.take("link", 15.0) == b"z"
    assert mine.take("link", 15.0) is None
    assert not mine.replace("link", b"again", None, 1.0)
    assert mine.get("link", 1.0) is None
    mine.set("old", b"x", expires=10.0)
    assert mine.take("old", 10.0) is None
    assert mine.all("", 1.0) == {"link/2": b"y"}
    assert mine.remove("link/2")
    assert not mine.remove("link/2")


def test_what_plugins_keep_is_no_change_of_keys_or_models(store: Store) -> None:
    before = store.data_version()
    store.plugin("mine").set("a", b"1")
    assert store.data_version() == before
