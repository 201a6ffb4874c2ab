"""No secret and no prompt ever leaves by a way it should not: answers, logs, the database, the process list."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from faults.faultup import FaultUp, faultup
from processes import environment, freellm_serving

STORED, FROM_ENVIRONMENT = "gsk_canaryStored0123456789", "gsk_canaryEnvironment0123456789"
OWN = "lab:canaryOwnServer0123456789"
UNIFIED = "fl-canary-unified-0123456789"
PROMPT = "the canary prompt that nobody may keep"
CANARIES = (STORED, FROM_ENVIRONMENT, OWN, UNIFIED, PROMPT)
MODES = [
    "401",
    "403",
    "429",
    "500",
    "err200",
    "err_first",
    "err_mid",
    "html200",
    "rst_mid",
    "eof_mid",
    "badjson_mid",
]


def forms(secret: str) -> set[bytes]:
    """Return the ways a secret could show."""
    return {secret.encode(), base64.b64encode(secret.encode()), secret[:16].encode()}


def leaks(data: bytes) -> set[str]:
    return {canary for canary in CANARIES if any(form in data for form in forms(canary))}


def data_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def chat(session: aiohttp.ClientSession, url: str, body: object, key: str = UNIFIED) -> bytes:
    headers = {"Authorization": f"Bearer {key}"}
    async with session.post(f"{url}/v1/chat/completions", json=body, headers=headers) as response:
        return await response.read()


async def add(variables: Mapping[str, str], key: str, *arguments: str, exit_code: int = 0) -> bytes:
    """Add a key as a process does; return what it said."""
    adding = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "freellm", "keys", "add", *arguments,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(**variables),
    )  # fmt: skip
    said, _ = await adding.communicate(key.encode())
    assert adding.returncode == exit_code, said
    return said


async def talk(url: str, upstream: FaultUp) -> bytes:
    """Send a bit of everything; return all that came back."""
    heard = b""
    async with aiohttp.ClientSession() as session:
        for mode in MODES:
            upstream.script.clear()
            upstream.default = mode
            for stream in (False, True):
                body = {"model": "auto", "stream": stream, "messages": [{"role": "user", "content": PROMPT}]}
                heard += await chat(session, url, body)
        heard += await chat(session, url, {"messages": PROMPT})
        heard += await chat(session, url, {"messages": []}, key="fl-wrong")
        for path in ("/", "/v1/models", "/readyz"):
            async with session.get(url + path, headers={"Authorization": f"Bearer {UNIFIED}"}) as response:
                heard += await response.read()
    return heard


async def test_nothing_secret_is_in_an_answer_a_log_or_the_data_folder(tmp_path: Path) -> None:
    """The upstream echoes the key it was sent in its errors, as real ones do."""
    async with faultup() as upstream:
        variables = {
            "FREELLM_DATA_DIR": str(tmp_path / "data"),
            "FREELLM_CONFIG_DIR": str(tmp_path / "config"),
            "FREELLM_API_KEY": UNIFIED,
            "FREELLM_LOG_LEVEL": "debug",
            "FREELLM_LOAD_PLUGINS": "groq,custom",
            "FREELLM_GROQ_BASE_URL": upstream.url(),
        }
        upstream.default = "ok"
        own = ("custom", "--name", "lab", "--base-url", upstream.url("401"))
        said = await add(variables, STORED, "groq", "--no-check")
        said += await add(variables, OWN, *own, exit_code=1)  # it refuses the key, and echoes it
        said += await add(variables, OWN, *own, "--no-check")
        data = tmp_path / "data"
        (data / "config.toml").write_text("[instances.lab.models.tiny]\nintelligence_rank = 1\n", "utf-8")
        log = tmp_path / "log.txt"
        with log.open("w") as stream:
            context = freellm_serving([], {**variables, "GROQ_API_KEY": FROM_ENVIRONMENT}, stream)
            process, facts = await asyncio.to_thread(context.__enter__)
            try:
                heard = await talk(facts["url"], upstream)
                command_line = Path(f"/proc/{process.pid}/cmdline")
                arguments = command_line.read_bytes() if command_line.exists() else b""
            finally:
                await asyncio.to_thread(context.__exit__, None, None, None)
    sent = {request.headers.get("authorization", "") for request in upstream.requests}
    assert {f"Bearer {key}" for key in (STORED, FROM_ENVIRONMENT, OWN)} <= sent
    assert leaks(heard) <= {PROMPT}  # a refusal may quote the field it refuses
    assert leaks(said) == set()
    assert leaks(str(facts).encode()) == set()
    assert leaks(log.read_bytes()) == set()
    assert leaks(data_of(tmp_path / "data")) == set()
    assert leaks(arguments) == set()


@pytest.mark.skipif(os.name == "nt", reason="modes are a matter of POSIX")
def test_every_file_is_the_owners_alone(tmp_path: Path) -> None:
    variables = {
        "FREELLM_DATA_DIR": str(tmp_path / "data"),
        "FREELLM_CONFIG_DIR": str(tmp_path / "config"),
        "FREELLM_LOAD_PLUGINS": "groq",
    }
    before = os.umask(0)
    try:
        with freellm_serving([], variables):
            paths = [path for name in ("data", "config") for path in (tmp_path / name).rglob("*")]
            modes = {path.name: path.stat().st_mode & 0o777 for path in paths}
            folders = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("data", "config")}
    finally:
        os.umask(before)
    assert {"freellm.db", "leases.bin", "master.key"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    assert set(folders.values()) == {0o700}
