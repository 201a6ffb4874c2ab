"""Asking a running proxy for what it knows, one JSON answer at a time."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from freellm.cli.target import find_target
from freellm.errors import FreeLLMError

_SECONDS: Final = 30.0
_CONNECTIONS: Final[Mapping[str, type[http.client.HTTPConnection]]] = {
    "http": http.client.HTTPConnection,
    "https": http.client.HTTPSConnection,
}


class NoProxyError(FreeLLMError):
    """There is no proxy at the address."""


class RefusedError(FreeLLMError):
    """The proxy does not answer as it was asked. The text is its own."""


class RunningProxy:
    """A proxy that answers, or does not.

    :param url: its root
    :param api_key: the unified key; empty for a proxy that asks for none
    """

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def get(self, path: str) -> Any:
        """Return the answer to a GET.

        :param path: what follows the root
        :raises NoProxyError: when nobody answers
        :raises RefusedError: when the answer is an error
        """
        return self._ask("GET", path, None)

    def post(self, path: str, body: bytes) -> Any:
        """Return the answer to a POST of JSON; raises as `get` does."""
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        parts = urlsplit(self.url)
        connection = _CONNECTIONS[parts.scheme](parts.netloc, timeout=_SECONDS)
        try:
            connection.request(method, f"{parts.path}{path}", body, self._headers)
            answer = connection.getresponse()
            status, told = answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            raise NoProxyError(
                f"no freellm answers at {self.url}; start it with freellm serve, or name another one with --url"
            ) from None
        finally:
            connection.close()
        return self._read(status, told)

    def _read(self, status: int, told: bytes) -> Any:
        try:
            document = orjson.loads(told)
        except orjson.JSONDecodeError:
            document = None
        if status == 200 and isinstance(document, dict):
            return document
        error = document.get("error") if isinstance(document, dict) else None
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            raise RefusedError(error["message"])
        raise RefusedError(f"what answers at {self.url} is no freellm; name its address with --url")


def running(url: str | None, api_key_env: str, data_dir: Path | None) -> RunningProxy:
    """Return the proxy that a command asks; see `freellm.cli.target.find_target`."""
    return RunningProxy(*find_target(url, api_key_env, data_dir))
