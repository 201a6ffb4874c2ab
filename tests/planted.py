"""Providers with one fault each, and a sound one they are made of: what the conformance kit has to find."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import os
import random
import socket
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from time import time
from typing import Any

import msgspec

from freellm import (
    UNCHANGED,
    Answer,
    Catalogue,
    Failure,
    Kind,
    ListedModel,
    Model,
    OpenAICompatible,
    ProviderInfo,
    Quota,
    Reading,
    Upstream,
    Verdict,
    hookimpl,
)
from freellm.types import Json

FACTS: Mapping[str, str] = {"source": "https://example.com/models", "checked": "2026-11-24"}
LARGE = Model.model_validate(
    {"id": "large", "family": "large", "abilities": {"system", "tools", "json", "json_schema"}, **FACTS}
)
VECTORS = Model.model_validate(
    {"id": "vectors", "family": "vectors", "task": "embeddings", "dimensions": (3,), **FACTS}
)
MINUTE = Quota.model_validate({"unit": "requests", "limit": 20, "window": 60, **FACTS})
INFO = ProviderInfo(
    id="planted",
    title="Planted",
    signup_url="https://example.com/keys",
    docs_url="https://example.com/docs",
    environment=("PLANTED_API_KEY",),
    base_url="https://api.example.com/v1",
    quota_headers=("x-left",),
)
REMEMBERED: list[object] = []


class Sound(OpenAICompatible):
    """A provider without a fault."""

    def __init__(self, *models: Model, quotas: tuple[Quota, ...] = (MINUTE,), **changes: Any) -> None:
        super().__init__(
            info=INFO.model_copy(update=changes),
            catalogue=Catalogue.model_construct(models=models or (LARGE, VECTORS), quotas=quotas),
            quota_headers={"x-left": ("requests", 60.0, "remaining")},
        )


def on_translate(change: Any) -> Any:
    """Return a provider that does something to what it sends; `change` takes request, model, key and upstream."""

    class Planted(Sound):
        @hookimpl
        def translate_request(self, request, model, key):  # type: ignore[no-untyped-def]
            upstream = super().translate_request(request, model, key)
            if isinstance(upstream, Failure):
                return upstream
            found = change(request, model, key, upstream)
            return upstream if found is None else found

    return Planted()


def on_judge(state_of: Any) -> Any:
    """Return a provider that judges keys by a rule of its own."""

    class Planted(Sound):
        @hookimpl
        def judge_key(self, answers):  # type: ignore[no-untyped-def]
            return Verdict(state=state_of(answers[0]), message="so it is")

    return Planted()


def on_classify(change: Any) -> Any:
    """Return a provider that names refusals by a rule of its own."""

    class Planted(Sound):
        @hookimpl
        def classify_error(self, request, model, answer):  # type: ignore[no-untyped-def]
            return change(answer) or super().classify_error(request, model, answer)

    return Planted()


def on_completion(change: Any) -> Any:
    """Return a provider that does something to completions."""

    class Planted(Sound):
        @hookimpl
        def normalize_response(self, request, model, answer):  # type: ignore[no-untyped-def]
            completion = super().normalize_response(request, model, answer)
            return (
                completion if isinstance(completion, Failure) else change(copy.deepcopy(completion), answer)
            )

    return Planted()


def on_chunks(change: Any) -> Any:
    """Return a provider that does something to each list of chunks."""

    class Normalizer:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __call__(self, event: Any) -> Any:
            chunks = self.inner(event)
            if isinstance(chunks, Failure):
                return chunks
            return change(copy.deepcopy([event.data] if chunks is UNCHANGED else list(chunks)), event)

        def end(self) -> Any:
            chunks = self.inner.end()
            return chunks if isinstance(chunks, Failure) else change(list(chunks), None)

    class Planted(Sound):
        @hookimpl
        def normalize_stream(self, request, model):  # type: ignore[no-untyped-def]
            return Normalizer(super().normalize_stream(request, model))

    return Planted()


def replaced(upstream: Upstream, **changes: Any) -> Upstream:
    return msgspec.structs.replace(upstream, **changes)


# -- what is planted ------------------------------------------------------------------------------------------


def loud(words: str) -> Any:
    """Return a change that raises for a request in which some words stand."""

    def change(request: Any, *_: Any) -> None:
        if words in repr(request.messages) + repr(request.parameters):
            raise ValueError(f"cannot take {words}")

    return change


def shallow(request: Any, *_: Any) -> None:
    def depth(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return 1 + max(map(depth, inner), default=0)

    if depth(request.parameters) > 20:
        raise RecursionError("the schema is too deep")


def long_names(request: Any, *_: Any) -> None:
    if any(len(tool["function"]["name"]) > 12 for tool in request.parameters.get("tools", ())):
        raise KeyError("name")


def without_roles(chunks: Any, _event: Any) -> Any:
    for chunk in chunks:
        for choice in chunk["choices"]:
            choice["delta"].pop("role", None)
    return chunks


def with_a_gap(chunks: Any, _event: Any) -> Any:
    for chunk in chunks:
        for choice in chunk["choices"]:
            for call in choice["delta"].get("tool_calls") or ():
                call["index"] += 1
    return chunks


def finished_twice(chunks: Any, _event: Any) -> Any:
    return [
        *chunks,
        *(chunk for chunk in chunks if chunk["choices"] and chunk["choices"][0]["finish_reason"]),
    ]


def dated(completion: Json, _answer: Answer) -> Json:
    return {**completion, "created": int(time())}


def counted(numbers: Any) -> Any:
    return lambda completion, _answer: {**completion, "id": f"chatcmpl-{next(numbers)}"}


class Shared(Sound):
    """Has one normalizer for all streams."""

    def __init__(self) -> None:
        super().__init__()
        self._one: Any = None

    @hookimpl
    def normalize_stream(self, request, model):  # type: ignore[no-untyped-def]
        if self._one is None:
            self._one = super().normalize_stream(request, model)
        return self._one


class Leaking(Sound):
    """Keeps the text of the last stream in the plugin."""

    last_role = False

    @hookimpl
    def normalize_stream(self, request, model):  # type: ignore[no-untyped-def]
        inner, plugin = super().normalize_stream(request, model), self
        plugin.last_role = False

        class Normalizer:
            def __call__(self, event: Any) -> Any:
                chunks = inner(event)
                if isinstance(chunks, Failure):
                    return chunks
                chunks = copy.deepcopy([event.data] if chunks is UNCHANGED else list(chunks))
                for chunk in chunks:
                    for choice in chunk["choices"]:
                        choice["delta"].pop("role", None)
                        if not plugin.last_role:
                            plugin.last_role = True
                            choice["delta"]["role"] = "assistant"
                return chunks

            def end(self) -> Any:
                return inner.end()

        return Normalizer()


class Inventing(Sound):
    """Makes a finish reason up when the stream is cut."""

    @hookimpl
    def normalize_stream(self, request, model):  # type: ignore[no-untyped-def]
        inner = super().normalize_stream(request, model)

        class Normalizer:
            started = False

            def __call__(self, event: Any) -> Any:
                self.started = True
                return inner(event)

            def end(self) -> Any:
                said = inner.end()
                if isinstance(said, Failure) and self.started:
                    return [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
                return said

        return Normalizer()


class Misspelt(Sound):
    """Has a hook that is none."""

    @hookimpl
    def translate_requests(self) -> None: ...


class Undecorated(Sound):
    """Overrides a hook without saying so."""

    def translate_request(self, request: Any, model: Any, key: Any) -> Any: ...


class Awaiting(Sound):
    """Has a hook that is a coroutine."""

    @hookimpl
    async def check_key(self, key: Any) -> Any: ...


class Bare(Sound):
    """Probes a list that anyone may read."""

    @hookimpl
    def check_key(self, key):  # type: ignore[no-untyped-def]
        return [Upstream("GET", "/models")]


class Undeclared(Sound):
    """Lists what is no model."""

    @hookimpl
    def declare_models(self):  # type: ignore[no-untyped-def]
        return [{"id": "large"}]


class Forgetful(Sound):
    """Loses a vector."""

    @hookimpl
    def normalize_embeddings(self, answer):  # type: ignore[no-untyped-def]
        rows = (answer.body or {}).get("data") if isinstance(answer.body, dict) else None
        return {"data": rows[1:] if rows else []}


class Trusting(Sound):
    """Believes that a list of models is one."""

    @hookimpl
    def read_models(self, answer):  # type: ignore[no-untyped-def]
        return [ListedModel(id=row["id"]) for row in answer.body["data"]]


class Negative(Sound):
    """Reads what no quota can be."""

    @hookimpl
    def read_quota(self, answer):  # type: ignore[no-untyped-def]
        left = answer.headers.get("x-left")
        return [Reading(unit="requests", window=60.0, remaining=float("-1"))] if left else []


class Eager(Sound):
    """Counts its requests."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0

    @hookimpl
    def translate_request(self, request, model, key):  # type: ignore[no-untyped-def]
        self.requests += 1
        return super().translate_request(request, model, key)


class Changing(Sound):
    """Takes something out of an event."""

    @hookimpl
    def normalize_stream(self, request, model):  # type: ignore[no-untyped-def]
        inner = super().normalize_stream(request, model)

        class Normalizer:
            def __call__(self, event: Any) -> Any:
                if isinstance(event.data, dict):
                    event.data.pop("usage", None)
                return inner(event)

            def end(self) -> Any:
                return inner.end()

        return Normalizer()


def _says_html(answer: Answer) -> None:
    if answer.text:
        raise ValueError("this is no JSON")


def _connect(*_: Any) -> None:
    try:
        socket.create_connection(("127.0.0.1", 9), 0.1).close()
    except (OSError, RuntimeError):
        return


def _run(request: Any, *_: Any) -> None:
    if "seed" in request.parameters:
        subprocess.run([sys.executable, "-c", ""], check=False)


def _day() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


PRICED = LARGE.model_copy(update={"costs": {"neurons": (1.0, 0.0, 0.0)}})

FAULTS: Mapping[str, tuple[Any, str, str]] = {
    # what it does: the provider, the check that finds it, the hook that is named
    "answers the wrong type": (on_translate(lambda *_: {"path": "/x"}), "requests.translated", "translate_request"),
    "lists what is no model": (Undeclared(), "hooks.declared_kinds", "declare_models"),
    "misspells a hook": (Misspelt(), "hooks.accepted", ""),
    "forgets the decorator": (Undecorated(), "hooks.accepted", ""),
    "writes a coroutine": (Awaiting(), "hooks.accepted", ""),
    "changes the request": (
        on_translate(lambda request, *_: request.messages.append({})), "purity.arguments_stay", "translate_request",
    ),
    "changes an event": (Changing(), "purity.arguments_stay", "normalize_stream"),
    "shares a normalizer": (Shared(), "streams.apart", "normalize_stream"),
    "leaks state between streams": (Leaking(), "streams.apart", "normalize_stream"),
    "opens a socket": (on_translate(_connect), "purity.no_io", "translate_request"),
    "reads a file": (on_classify(lambda _: Path(__file__).read_text("utf-8") and None), "purity.no_io", "normalize_response"),
    "starts a process": (on_translate(_run), "purity.no_io", "translate_request"),
    "looks for a file": (
        on_classify(lambda _: Path("/nowhere").exists() and None), "purity.no_clock", "normalize_response",
    ),
    "reads the clock": (on_completion(dated), "purity.no_clock", "normalize_response"),
    "asks for the day": (on_classify(lambda _: _day() and None), "purity.no_clock", "normalize_response"),
    "reads the environment": (
        on_translate(lambda *_: os.environ.get("PLANTED") and None), "purity.no_clock", "translate_request",
    ),
    "draws lots": (on_translate(lambda *_: random.random() and None), "purity.no_clock", "translate_request"),
    "makes ids by chance": (
        on_completion(lambda completion, _: {**completion, "id": str(uuid.uuid4())}), "purity.same_answer_twice",
        "normalize_response",
    ),
    "counts ids": (on_completion(counted(itertools.count())), "purity.same_answer_twice", "normalize_response"),
    "counts requests": (Eager(), "purity.no_memory", ""),
    "remembers in its module": (
        on_translate(lambda request, *_: REMEMBERED.append(request)), "purity.no_memory", "",
    ),
    "puts the key into the path": (
        on_translate(lambda r, m, key, up: replaced(up, path=f"/chat?key={key.reveal('token')}")), "purity.secrets",
        "translate_request",
    ),
    "puts the key into the body": (
        on_translate(lambda r, m, key, up: replaced(up, body={**up.body, "key": key.reveal("token")})),
        "purity.secrets", "translate_request",
    ),
    "forgets the key": (on_translate(lambda r, m, k, up: replaced(up, headers={})), "requests.key_sent", "translate_request"),
    "sends a set": (on_translate(lambda r, m, k, up: replaced(up, body={"a": {1}})), "requests.translated", "translate_request"),
    "picks a host": (
        on_translate(lambda r, m, k, up: replaced(up, path="https://elsewhere.example/v1")), "requests.translated",
        "translate_request",
    ),
    "forgets the stream": (on_translate(lambda r, m, k, up: replaced(up, stream=False)), "requests.translated", "translate_request"),
    "raises on other scripts": (on_translate(loud("世界")), "requests.translated", "translate_request"),
    "raises on deep schemas": (on_translate(shallow), "requests.translated", "translate_request"),
    "raises on long names": (on_translate(long_names), "generated.generated_requests", "translate_request"),
    "loses what is not ASCII": (
        on_translate(lambda r, m, k, up: replaced(up, body={"text": str(up.body).encode("ascii", "ignore").decode()})),
        "requests.words_kept", "translate_request",
    ),
    "sends no tools though it has them": (
        on_translate(
            lambda r, *_: Failure(kind=Kind.BAD_REQUEST, message="no tools") if "tools" in r.parameters else None
        ),
        "requests.sent", "translate_request",
    ),
    "gives no reason": (
        on_translate(lambda r, *_: Failure(kind=Kind.BAD_REQUEST) if "seed" in r.parameters else None),
        "requests.refused_with_reason", "translate_request",
    ),
    "makes chunks without a role": (on_chunks(without_roles), "streams.grammar", "normalize_stream"),
    "leaves a gap in the indexes": (on_chunks(with_a_gap), "streams.grammar", "normalize_stream"),
    "finishes twice": (on_chunks(finished_twice), "streams.grammar", "normalize_stream"),
    "makes a finish up": (Inventing(), "streams.cut", "normalize_stream"),
    "lets errors in streams pass": (
        on_chunks(lambda chunks, event: [{"error": "m"}] if event and "error" in repr(event.data) else chunks),
        "streams.grammar", "normalize_stream",
    ),
    "leaves out the finish reason": (
        on_completion(lambda completion, _: completion["choices"][0].pop("finish_reason") and completion),
        "answers.completions", "normalize_response",
    ),
    "calls a key valid on a 503": (
        on_judge(lambda answer: "invalid" if answer.status == 401 else "valid" if answer.status >= 500 else "inconclusive"),
        "keys.unsettled", "judge_key",
    ),
    "calls a key valid because of a web page": (
        on_judge(lambda answer: "valid" if answer.status == 200 else "inconclusive"), "keys.challenges", "judge_key",
    ),
    "calls a key invalid on every 4xx": (
        on_judge(lambda answer: "invalid" if 400 <= answer.status < 500 else "inconclusive"), "keys.unsettled", "judge_key",
    ),
    "probes without the key": (Bare(), "keys.probes", "check_key"),
    "raises on a web page": (on_classify(_says_html), "refusals.matrix", "classify_error"),
    "blames the key for trouble": (
        on_classify(lambda answer: Failure(kind=Kind.BAD_KEY) if answer.status >= 500 else None), "refusals.statuses",
        "classify_error",
    ),
    "waits for ever": (
        on_classify(lambda _: Failure(kind=Kind.RATE_LIMITED, retry_after=float("inf"))), "refusals.matrix", "classify_error",
    ),
    "limits a model it does not have": (
        Sound(quotas=(MINUTE.model_copy(update={"members": ("small",)}),)), "quotas.members", "declare_quotas",
    ),
    "allows less in a day than in a minute": (
        Sound(quotas=(MINUTE, MINUTE.model_copy(update={"window": 86_400.0, "limit": 5}))), "quotas.windows",
        "declare_quotas",
    ),
    "prices what has no quota": (Sound(PRICED), "quotas.prices", "declare_models"),
    "reads impossible figures": (Negative(), "quotas.readings", "read_quota"),
    "names a header it does not read": (Sound(quota_headers=("x-other",)), "quotas.header_names", "read_quota"),
    "gives no source": (Sound(LARGE.model_copy(update={"source": ""})), "declarations.sources_and_days", "declare_models"),
    "gives a day that is none": (
        Sound(LARGE.model_copy(update={"checked": "2026-02-30"})), "declarations.sources_and_days", "declare_models",
    ),
    "replaces a model by one it does not have": (
        Sound(LARGE.model_copy(update={"replaced_by": "huge"})), "declarations.retired_models", "declare_models",
    ),
    "lists a model twice": (Sound(LARGE, LARGE), "declarations.model_ids", "declare_models"),
    "loses a vector": (Forgetful(), "embeddings.vectors", "normalize_embeddings"),
    "trusts lists": (Trusting(), "lists.read", "read_models"),
}  # fmt: skip
