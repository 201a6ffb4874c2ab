"""Golden cases: what goes into a provider's hooks, and what comes out, one JSON file each.

A file holds any of these groups; `model` is a declared model's id:

    about, model    one sentence; the model asked, for a plugin made for instances as an object of its fields
    request         messages, parameters, stream, kept, hints: goes into every hook that takes a request
    upstream        what `translate_request` returns: method, path, headers, body, stream
    answer          status, headers, body or text: what the service answers
    completion      what `normalize_response` makes of a 2xx answer
    failure         what the answer means (`normalize_response` if 2xx, else `classify_error`); without an answer, what
                    `translate_request` returns. Only the fields that differ from their defaults
    readings        what `read_quota` reads from the answer's headers
    embedding_request, embedding_list
                    inputs, dimensions, parameters: goes into the hooks of embeddings in place of a chat request; with
                    `upstream`, `answer` and `failure` as above, and what `normalize_embeddings` makes of the answer
    listed          what `read_models` reads from the answer. Only the fields that differ from their defaults
    events, chunks  a stream: what each event becomes, and `end()`, in one flat list; `"UNCHANGED"` where the hook said
                    so; a failure stands as `{"failure": {…}}` and ends the stream

In cases every declared key field has the value `KEY-<field>`, the account is `acct`, and the base URL is the provider's.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec

from freellm.declarations import Model
from freellm.hookspecs import ProviderSpec
from freellm.openai_compatible.refusals import RefusalRow, RefusalTable
from freellm.plugins import relay
from freellm.secret import Secret
from freellm.testing.breach import require
from freellm.types import (
    UNCHANGED,
    Answer,
    ChatRequest,
    EmbeddingRequest,
    Event,
    Failure,
    Json,
    Key,
    Reading,
    Upstream,
)

_GROUPS = frozenset(
    (
        "about",
        "model",
        "request",
        "upstream",
        "answer",
        "completion",
        "failure",
        "readings",
        "embedding_request",
        "embedding_list",
        "listed",
        "events",
        "chunks",
    )
)


class Case(msgspec.Struct, frozen=True):
    """One golden case.

    :param path: the file
    :param content: what it holds
    """

    path: Path
    content: Json

    def __str__(self) -> str:
        return self.path.stem

    def model(self, declared: Sequence[Model]) -> Model:
        """Return the model that is asked.

        :param declared: the provider's models
        :raises AssertionError: when it is none of them
        """
        said = self.content["model"]
        if isinstance(said, dict):
            return Model.model_validate(
                {"family": said["id"], "source": "a case", "checked": "a case", **said}
            )
        models = {model.id: model for model in declared}
        require(said in models, f"{self.path}: no such model: {said}")
        return models[said]

    def request(self) -> ChatRequest | EmbeddingRequest:
        """Return the request that goes into the hooks."""
        if "embedding_request" in self.content:
            return EmbeddingRequest(**self.content["embedding_request"])
        fields = dict(self.content.get("request", {"messages": []}))
        if "hints" in fields:
            fields["hints"] = frozenset(fields["hints"])
        return ChatRequest(**fields)

    def answer(self) -> Answer:
        """Return what the service answers."""
        return Answer(**{"status": 200, "headers": {}, **self.content["answer"]})

    def events(self) -> list[Event]:
        """Return the events of the service's stream."""
        return [Event(data.get("name", "message"), data["data"]) for data in self.content["events"]]


def load_cases(folder: Path) -> list[Case]:
    """Read every case of a folder, in the order of the names.

    :raises ValueError: when a file is no JSON object, holds an unknown group, or checks nothing; the text names it
    """
    return [_load(path) for path in sorted(folder.glob("*.json"))]


def check_case(plugin: object, case: Case) -> None:
    """Check that a plugin object answers a case as the file says, and changes none of the hooks' arguments.

    :raises AssertionError: with the difference
    """
    check = _Check(plugin, case)
    content = case.content
    if "upstream" in content or ("failure" in content and not content.keys() & {"answer", "events"}):
        check.translation()
    if content.keys() & {"completion", "embedding_list"} or ("failure" in content and "answer" in content):
        check.answer()
    if "listed" in content:
        check.listing()
    if "readings" in content:
        check.readings()
    if "events" in content:
        check.stream()


def check_refusals(rows: Sequence[RefusalRow], cases: Sequence[Case]) -> None:
    """Check that each row of `OpenAICompatible(refusals=…)` has a case whose answer it names, before all later rows.

    :raises AssertionError: naming the rows that no case shows: one is missing, or an earlier row takes their answers
    """
    table = RefusalTable(rows)
    shown = {table.place(case.answer()) for case in cases if case.content.keys() >= {"answer", "failure"}}
    missing = [f"{row!r}" for place, row in enumerate(rows) if place not in shown]
    require(not missing, "no case shows what these rows are for:\n" + "\n".join(missing))


def _load(path: Path) -> Case:
    content = json.loads(path.read_text("utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path}: a case is a JSON object")
    if unknown := content.keys() - _GROUPS:
        raise ValueError(f"{path}: unknown groups: {', '.join(sorted(unknown))}")
    if not content.keys() & {
        "upstream",
        "completion",
        "failure",
        "readings",
        "embedding_list",
        "listed",
        "chunks",
    }:
        raise ValueError(f"{path}: the case expects nothing")
    if ("events" in content) != ("chunks" in content):
        raise ValueError(f"{path}: events and chunks go together")
    return Case(path, content)


class _Check:
    """Asks the hooks, directed as core asks them, and compares."""

    def __init__(self, plugin: object, case: Case) -> None:
        self._hook = relay(ProviderSpec, [(str(case), plugin)]).hook
        self._case = case
        self._content = case.content
        info = self._hook.describe_provider()
        self._model = case.model(self._hook.declare_models())
        self._key = Key(
            id="case",
            account="acct",
            fields={field.name: Secret(f"KEY-{field.name}") for field in info.key_fields},
            base_url=info.base_url,
        )
        self._makes_embeddings = "embedding_request" in case.content
        self._request = case.request()

    def translation(self) -> None:
        """Compare what `translate_request` returns with `upstream` or `failure`."""
        hook = "translate_embeddings" if self._makes_embeddings else "translate_request"
        found = self._ask(hook, request=self._request, model=self._model, key=self._key)
        if "upstream" not in self._content:
            self._same("failure", self._content["failure"], found)
            return
        expected = self._content["upstream"]
        require(expected, f"{self._case.path}: upstream expects nothing")
        plain = _plain(found) if isinstance(found, Upstream) else {"failure": _plain(found)}
        shown = plain if "failure" in plain else {name: plain.get(name) for name in expected}
        self._same("upstream", expected, shown)

    def answer(self) -> None:
        """Compare what a whole answer means with `completion`, `embedding_list` or `failure`."""
        answer = self._case.answer()
        hook, request = "classify_error", self._request
        if 200 <= answer.status < 300:
            hook = "normalize_embeddings" if self._makes_embeddings else "normalize_response"
        elif self._makes_embeddings:
            request = ChatRequest(messages=())  # as core asks about a refused embeddings request
        found = self._ask(hook, request=request, model=self._model, answer=answer)
        (group,) = self._content.keys() & {"completion", "embedding_list", "failure"}
        self._same(group, self._content[group], found)

    def readings(self) -> None:
        """Compare what `read_quota` reads from the headers alone."""
        answer = self._case.answer()
        bare = Answer(status=answer.status, headers=answer.headers)
        found = self._ask("read_quota", model=self._model, answer=bare)
        expected = [_plain(Reading(**reading)) for reading in self._content["readings"]]
        self._same("readings", expected, [_plain(reading) for reading in found])

    def listing(self) -> None:
        """Compare what `read_models` reads."""
        found = self._ask("read_models", answer=self._case.answer())
        self._same("listed", self._content["listed"], [_plain(listed) for listed in found])

    def stream(self) -> None:
        """Compare what a stream's events become."""
        normalize = self._ask("normalize_stream", request=self._request, model=self._model)
        chunks: list[Any] = []
        for event in self._case.events():
            before = deepcopy(event.data)
            chunks += _flat(normalize(event))
            require(event.data == before, f"{self._case.path}: the normalizer changed its argument")
            if chunks and _is_failure(chunks[-1]):
                break
        else:
            chunks += _flat(normalize.end())
        self._same("chunks", self._content["chunks"], chunks)

    def _ask(self, hook: str, **arguments: Any) -> Any:
        before = deepcopy(arguments)
        found = getattr(self._hook, hook)(**arguments)
        require(arguments == before, f"{self._case.path}: {hook} changed an argument")
        return found

    def _same(self, group: str, expected: Any, found: Any) -> None:
        if isinstance(found, Failure) or group == "failure":
            found = _plain(found)
            if group != "failure":
                found = {"failure": found}
        if expected == found:
            return
        lines = difflib.unified_diff(
            _lines(expected), _lines(found), "the case says", "the plugin says", lineterm=""
        )
        raise AssertionError(f"{self._case.path.name}, {group}:\n" + "\n".join(lines))


def _flat(chunks: Any) -> list[Any]:
    if chunks is UNCHANGED:
        return ["UNCHANGED"]
    if isinstance(chunks, Failure):
        return [{"failure": _plain(chunks)}]
    return list(chunks)


def _is_failure(chunk: Any) -> bool:
    return isinstance(chunk, dict) and chunk.keys() == {"failure"}


def _plain(value: Any) -> Any:
    """Return a struct as JSON shows it, without the fields that have their default."""
    if not isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value) if isinstance(value, dict | list) else repr(value)
    shown = {}
    for field in msgspec.structs.fields(value):
        member = getattr(value, field.name)
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if member == default and not isinstance(value, Upstream):
            continue
        if isinstance(member, msgspec.Struct):
            member = _plain(member)
        elif isinstance(member, frozenset):
            member = sorted(member)
        elif isinstance(member, tuple):
            member = list(member)
        shown[field.name] = msgspec.to_builtins(member)
    return shown


def _lines(value: Any) -> list[str]:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, default=repr).splitlines()
