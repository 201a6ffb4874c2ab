"""curl as the client: the wire as it is, without an SDK that smooths it."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from struct import unpack
from typing import Any

import pytest

from freellm.testing import check_completion, check_error, check_stream
from processes import freellm_demo

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")

HELLO = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def demo() -> Iterator[dict[str, Any]]:
    with freellm_demo() as facts:
        yield facts


def curl(*arguments: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Run curl with a body on its standard input; return the last status, the headers by lower-case name and the body."""
    ran = subprocess.run(
        [str(CURL), "--silent", "--show-error", "--include", "--max-time", "30", *arguments],
        input=body,
        capture_output=True,
        check=True,
    )
    rest = ran.stdout
    while True:
        head, _, rest = rest.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        if status != 100:
            lines = head.decode().split("\r\n")[1:]
            return (
                status,
                {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)},
                rest,
            )


def chat(demo: dict[str, Any], body: object, *arguments: str) -> tuple[int, dict[str, str], bytes]:
    url, key = f"{demo['openai_base_url']}/chat/completions", f"Authorization: Bearer {demo['api_key']}"
    return curl(url, "-H", key, "--data-binary", "@-", *arguments, body=json.dumps(body).encode())


def test_the_line_of_the_first_screen_answers(demo: dict[str, Any]) -> None:
    """Without a JSON content type, as people type it."""
    status, headers, body = chat(demo, HELLO)
    answer = json.loads(body)
    check_completion(answer)
    assert status == 200
    assert headers["x-routed-via"] == f"{answer['_routed_via']['platform']}/{answer['model']}"
    assert headers["x-fallback-attempts"] == "0"
    assert headers["x-request-id"] == answer["x_freellm"]["request_id"]
    assert "x-fallback-trail" not in headers


def test_a_stream_is_well_formed_to_the_byte(demo: dict[str, Any]) -> None:
    body = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}
    status, headers, raw = chat(demo, body, "--no-buffer")
    report = check_stream(raw, include_usage=True)
    assert status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-cache, no-transform"
    assert "content-length" not in headers
    assert report.finish_reason == "stop"
    assert "simulated" in report.text


def test_parameters_that_the_provider_does_not_take_are_named(demo: dict[str, Any]) -> None:
    body = {**HELLO, "logit_bias": {"50256": -100}, "temperature": 0.1, "bad name\r\nX-Evil: 1": 1}
    for model in ("groq/openai/gpt-oss-120b", "google/gemini-3.5-flash"):
        status, headers, _ = chat(demo, {**body, "model": model})
        assert status == 200
        assert headers["x-freellm-dropped-params"] == "logit_bias"
        assert "x-evil" not in headers


def test_embeddings_are_openais_whole_and_packed(demo: dict[str, Any]) -> None:
    url, key = f"{demo['openai_base_url']}/embeddings", f"Authorization: Bearer {demo['api_key']}"
    found = {}
    for encoding in ("float", "base64"):
        body = json.dumps({"model": "bge-m3", "input": ["a", "b"], "encoding_format": encoding}).encode()
        status, headers, raw = curl(url, "-H", key, "--data-binary", "@-", body=body)
        answer = found[encoding] = json.loads(raw)
        assert status == 200
        assert headers["content-type"] == "application/json"
        assert headers["x-routed-via"] == f"{answer['_routed_via']['platform']}/{answer['model']}"
    packed = [b64decode(row["embedding"]) for row in found["base64"]["data"]]
    assert [list(unpack("<1024f", raw)) for raw in packed] == [
        pytest.approx(row["embedding"], abs=1e-7) for row in found["float"]["data"]
    ]
    status, headers, raw = curl(url, "-H", key, "--data-binary", "@-", body=b'{"input": [1, 2]}')
    check_error(json.loads(raw))
    assert (status, headers["x-should-retry"]) == (400, "false")


def test_a_request_id_of_the_clients_own_comes_back(demo: dict[str, Any]) -> None:
    _, headers, _ = chat(demo, HELLO, "-H", "X-Request-Id: my-own-1")
    assert headers["x-request-id"] == "my-own-1"
    _, headers, _ = chat(demo, HELLO, "-H", "X-Request-Id: not sane!")
    assert headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("header", ["x-api-key", "api-key"])
def test_other_carriers_of_the_key_work(demo: dict[str, Any], header: str) -> None:
    status, _, _ = curl(f"{demo['openai_base_url']}/models", "-H", f"{header}: {demo['api_key']}")
    assert status == 200


def test_two_different_keys_at_once_are_refused(demo: dict[str, Any]) -> None:
    status, _, body = chat(demo, HELLO, "-H", "x-api-key: another")
    check_error(json.loads(body))
    assert status == 401


@pytest.mark.parametrize("path", ["/", "/v1", "/livez", "/readyz"])
def test_what_needs_no_key_answers_json(demo: dict[str, Any], path: str) -> None:
    status, headers, body = curl(demo["url"] + path)
    assert status == 200
    assert headers["content-type"].startswith("application/json")
    assert json.loads(body)
    status, _, body = curl("--head", demo["url"] + path)
    assert (status, body) == (200, b"")


def test_a_large_body_is_announced_and_taken(demo: dict[str, Any]) -> None:
    """curl asks with `Expect: 100-continue` before it sends a megabyte."""
    text = "The quick brown fox. " * 60_000
    status, _, body = chat(demo, {**HELLO, "messages": [{"role": "user", "content": text}]})
    assert status in (200, 400, 429), body
    assert status == 200 or json.loads(body)["error"]["code"] in (
        "context_length_exceeded",
        "all_routes_exhausted",
    )


def test_a_path_cannot_be_dressed_up_to_pass_the_guard(demo: dict[str, Any]) -> None:
    for path in ("/v1/models", "//v1/models", "/v1/%6dodels", "/livez/../v1/models", "/v1/models/"):
        status, _, body = curl("--path-as-is", demo["url"] + path)
        assert status in (401, 404), path
        check_error(json.loads(body))
