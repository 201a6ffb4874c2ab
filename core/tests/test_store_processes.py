"""The database between processes: killed ones, concurrent ones, and ones whose disk is full."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from freellm.settings import Settings
from freellm.store import Store
from freellm.vault import open_vault, unified_key

COMMON = """
import asyncio, json, os, random, resource, select, signal, sys, time
from pathlib import Path
from freellm.declarations import ProviderInfo
from freellm.errors import StoreError
from freellm.journal import Journal, RequestRecord
from freellm.keyring import Keyring
from freellm.settings import Settings
from freellm.store import Store
from freellm.vault import open_vault, unified_key

folder = Path(sys.argv[1])
settings = Settings(data_dir=folder, config_dir=folder / "config")
acme = ProviderInfo(id="acme", title="Acme", signup_url="https://x", docs_url="https://x", base_url="https://x")

def keyring_of(store):
    return Keyring([acme], store, open_vault(store, settings), {})

def tell(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
"""

KILLED = """
def work(write_end):
    with Store(folder) as store:
        keyring = keyring_of(store)
        kept = []
        while True:
            key = keyring.add("acme", {"token": os.urandom(8).hex()}, now=time.time())
            os.write(write_end, f"+{key.id}\\n".encode())
            kept.append(key.id)
            if len(kept) > 3:
                gone = kept.pop(0)
                os.write(write_end, f"?{gone}\\n".encode())
                store.keys.remove(gone)
                os.write(write_end, f"-{gone}\\n".encode())

random.seed(int(sys.argv[2]))
for _ in range(20):
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.close(read_end)
        work(write_end)
    os.close(write_end)
    os.set_blocking(read_end, True)
    said = os.read(read_end, 65536)
    time.sleep(random.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(read_end, 65536):
        said += more
    os.write(1, said[: said.rindex(b"\\n") + 1])
"""

ADDING = """
with Store(folder) as store:
    keyring = keyring_of(store)
    for number in range(40):
        keyring.add("acme", {"token": f"{sys.argv[2]}-{number}"}, now=time.time())
        store.save([RequestRecord(id=f"{sys.argv[2]}-{number}", created=1.0, surface="s", requested="m", status=200, duration_ms=1.0)], now=1.0)
    tell(unified_key(store, open_vault(store, settings)).reveal())
"""

DISK = """
async def main():
    with Store(folder) as store:
        keyring = keyring_of(store)
        keyring.add("acme", {"token": "before"}, now=1.0)
        journal = Journal(store, lambda: 1.0)
        written = store.file.with_name("freellm.db-wal").stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (written + 8192, hard))
        for number in range(400):
            journal.request(RequestRecord(id=str(number), created=1.0, surface="s", requested="m", status=200, duration_ms=1.0))
        tell("flushed", await journal.flush())
        try:
            for number in range(100):
                keyring.add("acme", {"token": f"full-{number}"}, now=1.0)
        except StoreError as error:
            tell("refused", error)
        tell("check", store.quick_check())
        kept = len(keyring.all())
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        tell("flushed", await journal.flush())
        tell("kept", kept == len(keyring.all()), all(keyring.open(key) for key in keyring.all()))
        tell("logged", sum(store.request(str(number)) is not None for number in range(400)))
asyncio.run(main())
"""


def start(script: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", COMMON + script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def output(process: "subprocess.Popen[str]") -> list[str]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.splitlines()


def test_no_acknowledged_key_is_lost_and_no_removed_one_returns_when_the_writer_is_killed(
    tmp_path: Path,
) -> None:
    said = output(start(KILLED, tmp_path, 1))
    ids = {sign: {line[1:] for line in said if line[0] == sign} for sign in "+?-"}
    assert len(ids["+"]) > 20
    with Store(tmp_path) as store:
        vault = open_vault(store, Settings(data_dir=tmp_path, config_dir=tmp_path / "config"))
        left = {key.uuid for key in store.keys.all()}
        assert store.quick_check() == []
    assert vault.source == str(tmp_path / "config" / "master.key")
    assert ids["+"] - ids["?"] <= left
    assert ids["-"] & left == set()


def test_processes_that_start_and_write_at_once_lose_nothing_and_agree_on_the_keys(tmp_path: Path) -> None:
    processes = [start(ADDING, tmp_path, name) for name in range(3)]
    told = {line for process in processes for line in output(process)}
    settings = Settings(data_dir=tmp_path, config_dir=tmp_path / "config")
    with Store(tmp_path) as store:
        assert len(store.keys.all()) == 120
        assert all(store.request(f"{name}-{number}") for name in range(3) for number in range(40))
        assert told == {unified_key(store, open_vault(store, settings)).reveal()}


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are a POSIX matter")
def test_a_disk_that_fills_up_costs_no_record_and_no_key(tmp_path: Path) -> None:
    said = output(start(DISK, tmp_path))
    assert said[0] == "flushed False"
    assert said[1].startswith(f"refused {tmp_path}/freellm.db: ")
    assert said[2:] == ["check []", "flushed True", "kept True True", "logged 400"]
    with Store(tmp_path) as store:
        assert json.dumps(store.quick_check()) == "[]"
