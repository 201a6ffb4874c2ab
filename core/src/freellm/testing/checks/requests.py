"""Requests: whatever a client may legally ask becomes something to send, or a `Failure`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from freellm.testing import requests
from freellm.testing.breach import BreachError
from freellm.testing.subject import Subject
from freellm.types import ChatRequest, Failure, Kind, Upstream


def translated(subject: Subject) -> None:
    """Every kind of request becomes an `Upstream` or a `Failure`, for every kind of model; none raises."""
    _ = subject.chat_model
    for sample in requests.SAMPLES.values():
        for model in subject.chat_models:
            translate(subject, sample.request, model)


def sent(subject: Subject) -> None:
    """A plain request is sent to every model, and each kind of request to some model that has the abilities for it."""
    _ = subject.chat_model
    for model in subject.models:
        if model.task == "chat":
            found = translate(subject, requests.PLAIN, model)
            if isinstance(found, Failure):
                raise _unsent(f"refuses a plain request to {model.id!r}", found, requests.PLAIN)
    for name, sample in requests.SAMPLES.items():
        able = [model for model in subject.chat_models if sample.needs <= model.abilities]
        found_all = [translate(subject, sample.request, model) for model in able] if sample.must else []
        if found_all and all(isinstance(found, Failure) for found in found_all):
            raise _unsent(f"sends the request {name!r} to no model at all", found_all[0], sample.request)


def _unsent(what: str, failure: Failure | Upstream, request: ChatRequest) -> BreachError:
    said = f": {failure.message}" if isinstance(failure, Failure) else ""
    return BreachError(
        f"{what}{said}", hook="translate_request", example=request,
        cure="translate it; drop parameters the service does not take, and declare no ability a model has not",
    )  # fmt: skip


def words_kept(subject: Subject) -> None:
    """What the user says gets to the service as it is, in whatever script."""
    request = requests.SAMPLES["unicode"].request
    found = translate(subject, request, subject.chat_model)
    if isinstance(found, Upstream) and not any(requests.UNICODE in text for text in _texts(found.body)):
        raise BreachError(
            "changes the user's text", hook="translate_request", example=request,
            cure="hand texts on as they are; core writes the body as JSON in UTF-8",
        )  # fmt: skip


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def key_sent(subject: Subject) -> None:
    """The key goes along in a header; a keyless provider can do without."""
    found = translate(subject, requests.PLAIN, subject.chat_model)
    if not isinstance(found, Upstream):
        return
    carried = " ".join(found.headers.values())
    missing = [secret.removeprefix("KEY-") for secret in subject.secrets if secret not in carried]
    if missing and not subject.info.keyless:
        raise BreachError(
            f"sends the key field {missing[0]!r} in no header", hook="translate_request",
            cure="put key.reveal(...) into a header; a field that is no secret is declared with secret=False",
        )  # fmt: skip
    if subject.info.keyless:
        bare = subject.key.__class__(id="k", account="ip", fields={}, base_url=subject.info.base_url)
        subject.ask(
            "translate_request",
            (Upstream, Failure),
            request=requests.PLAIN,
            model=subject.chat_model,
            key=bare,
        )


def refused_with_reason(subject: Subject) -> None:
    """A request that a model cannot take is refused as `bad_request`, `context_exceeded` or `too_large`, with a reason."""
    _ = subject.chat_model
    fitting = (
        Kind.BAD_REQUEST,
        Kind.CONTEXT_EXCEEDED,
        Kind.TOO_LARGE,
        Kind.CONTENT_FILTERED,
        Kind.FORBIDDEN,
    )
    for sample in requests.SAMPLES.values():
        for model in subject.chat_models:
            found = translate(subject, sample.request, model)
            if isinstance(found, Failure) and (not found.message or found.kind not in fitting):
                raise BreachError(
                    f"refuses a request as {found.kind} with the reason {found.message!r}", hook="translate_request",
                    example=sample.request, cure="name a kind about the request, and say why in message",
                )  # fmt: skip


def translate(subject: Subject, request: ChatRequest, model: Any) -> Upstream | Failure:
    """Ask for a translation and check that it can be sent."""
    found: Upstream | Failure = subject.ask(
        "translate_request", (Upstream, Failure), request=request, model=model, key=subject.key
    )
    if isinstance(found, Upstream):
        check_sendable(found, "translate_request", request)
        if found.stream != request.stream:
            raise BreachError(
                f"says stream={found.stream} for a request with stream={request.stream}", hook="translate_request",
                cure="hand request.stream on to Upstream", example=request,
            )  # fmt: skip
        if unknown := sorted(set(found.dropped) - request.parameters.keys()):
            raise BreachError(
                f"says it dropped {unknown[0]!r}, which the request does not have", hook="translate_request",
                cure="list names of request.parameters", example=request,
            )  # fmt: skip
    return found


def check_sendable(upstream: Upstream, hook: str, example: object = None) -> None:
    """Check that core can send something.

    :raises BreachError: when it cannot
    """
    if problem := _unsendable(upstream):
        raise BreachError(
            problem, hook=hook, example=example,
            cure="a path relative to the base URL that begins with one slash, lower-case header names with texts, and a "
            "JSON object as body",
        )  # fmt: skip


def _unsendable(upstream: Upstream) -> str | None:
    if upstream.method not in ("GET", "POST"):
        return f"asks for the method {upstream.method!r}"
    path = upstream.path
    if not path.startswith("/") or path.startswith("//") or re.search(r"\s|/\.\.(/|$)|#", path):
        return f"asks for the path {path!r}"
    headers: Mapping[Any, Any] = upstream.headers
    for name, value in headers.items():
        plain = isinstance(name, str) and isinstance(value, str)
        if not plain or name != name.lower() or re.search(r"[\r\n\0]", f"{name}{value}"):
            return f"sends the header {name!r}"
    body: Any = upstream.body
    if body is not None and not isinstance(body, dict):
        return f"sends a {type(body).__name__} as body"
    try:
        orjson.dumps(body)
    except TypeError as error:
        return f"sends a body that is not JSON: {error}"
    return None


CHECKS = (translated, sent, words_kept, key_sent, refused_with_reason)
