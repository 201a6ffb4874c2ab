"""What is asked of a proxy: one prompt, and its list of models. Pure."""

from __future__ import annotations

from typing import Any, Final

from freellm.errors import FreeLLMError, SettingsError
from freellm.measuring.answers import read_json
from freellm.types import Json

LONGEST: Final = 330.0
"""Seconds for one request: longer than the proxy itself takes before it gives up."""


def question(
    model: str, prompt: str, *, system: str | None = None, max_tokens: int | None = None, stream: bool = False
) -> Json:
    """Return the body of a chat request.

    :param system: the system message; None leaves it out
    :param max_tokens: the longest answer; None leaves it out
    :param stream: whether the answer is streamed, its usage included
    """
    messages = [{"role": "user", "content": prompt}]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    body: Json = {"model": model, "messages": messages}
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def read_models(url: str, status: int, body: bytes) -> list[Json]:
    """Return the rows of an answer to `GET /v1/models`.

    :param url: the proxy's root, for the errors
    :raises SettingsError: when the proxy refuses the key
    :raises FreeLLMError: when it answers anything else than its models
    """
    if status == 401:
        raise SettingsError(
            f"the proxy at {url} refuses the key; put its key (freellm apikey show, on its machine) into "
            "FREELLM_API_KEY"
        )
    listed: Any = read_json(body)
    match listed:
        case {"data": [*rows]}:
            return rows
        case {"error": {"message": str(message)}}:
            raise FreeLLMError(f"the proxy at {url} does not list its models: {message}")
        case _:
            raise FreeLLMError(f"what answers at {url} is no freellm; name the proxy with --url")


def no_proxy(url: str) -> FreeLLMError:
    """Return the error that nobody answers at an address."""
    return FreeLLMError(
        f"no proxy answers at {url}; start one with freellm serve, or name another with --url"
    )
