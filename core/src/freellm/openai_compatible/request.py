"""Requests as an OpenAI-speaking service takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from freellm.declarations import Model
from freellm.openai_compatible.messages import MESSAGE_FIELDS, fit_messages
from freellm.types import ChatRequest, Failure, Json, Kind

COMMON_PARAMETERS: Final = frozenset(
    {
        "frequency_penalty",
        "parallel_tool_calls",
        "presence_penalty",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
        "user",
    }
)
"""What most OpenAI-speaking services take; each provider states its own set."""

_SAID_OTHERWISE: Final = frozenset({"max_tokens", "prompt_cache_key"})
"""Parameters that go by the service's name for them, or that core itself has used."""

ALL_CHOICES: Final = frozenset({"auto", "none", "required", "function"})
"""What `tool_choice` can say; `function` stands for the object that names one."""

_TOOLS: Final = frozenset({"tools", "tool_choice", "parallel_tool_calls"})

_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""OpenAI's words for how long a model thinks, from not at all to the longest."""

_LARGEST_DEFAULT: Final = 8_192


class ChatWire(msgspec.Struct, frozen=True):
    """How a service's chat requests differ from OpenAI's.

    :param path: where completions are made, relative to the base URL
    :param forward: the parameters it takes, by OpenAI's names; all others are dropped. `max_tokens`,
        `reasoning_effort` and `stream` are none of them: the next fields rule these
    :param limit_field: what it calls `max_tokens`
    :param always_limit: whether `max_tokens` is sent when the client states none, because the service's own default
        is too small to be of use
    :param efforts: for each model that takes `reasoning_effort`, its words for those of OpenAI's that it knows. Any
        other becomes the nearest of them; of two as near, the one that thinks longer
    :param constants: for each model, members of the body that are always sent
    :param excludes: for each type of `response_format`, what the service cannot combine it with: `stream`, `tools`
    :param null_content: what stands for a null content; None leaves the member out
    :param renames: the service's names for parameters that it takes
    :param bounds: for each numeric parameter, the least and the greatest value that the service takes; others are moved
        to the nearer one
    :param tool_choices: the choices that the service keeps to: `auto`, `none`, `required`, and `function` for a named one.
        `none` is kept by offering no tools, a named one by offering it alone where `required` is kept; otherwise the
        request is refused before it is sent
    :param ask_usage: whether a stream has its usage only if `stream_options` asks for it
    :param call_extras: whether members of earlier tool calls that OpenAI does not know are sent
    :param message_fields: the members of a message that it takes
    """

    path: str = "/chat/completions"
    forward: frozenset[str] = COMMON_PARAMETERS
    limit_field: str = "max_tokens"
    always_limit: bool = False
    efforts: Mapping[str, Mapping[str, str]] = {}
    constants: Mapping[str, Json] = {}
    excludes: Mapping[str, frozenset[str]] = {}
    null_content: str | None = None
    renames: Mapping[str, str] = {}
    bounds: Mapping[str, tuple[float, float]] = {}
    tool_choices: frozenset[str] = ALL_CHOICES
    ask_usage: bool = True
    call_extras: bool = False
    message_fields: frozenset[str] = MESSAGE_FIELDS

    def body(self, request: ChatRequest, model: Model) -> Json | Failure:
        """Return the body to send, or a failure when the model cannot take the request."""
        messages = fit_messages(
            request.messages,
            images=model.images != "none",
            null_content=self.null_content,
            call_extras=self.call_extras,
            fields=self.message_fields,
        )
        if isinstance(messages, Failure):
            return messages
        body: Json = {"model": model.id, "messages": messages}
        parameters = request.parameters
        if parameters:
            forward = self.forward
            for name, value in parameters.items():
                if name in forward:
                    body[name] = value
            if "response_format" in body and (failure := self._format(body, request)):
                return failure
            if "tool_choice" in body and (failure := self._choice(body)):
                return failure
            if "reasoning_effort" in parameters:
                self._effort(body, model.id, parameters["reasoning_effort"])
            self._adjust(body)
        limit = parameters.get("max_tokens")
        if limit is not None or self.always_limit:
            body[self.limit_field] = _limit(limit, model)
        if model.id in self.constants:
            body |= self.constants[model.id]
        if request.stream:
            body["stream"] = True
            if self.ask_usage:
                body["stream_options"] = {"include_usage": True}
        return body

    def dropped(self, request: ChatRequest, body: Json) -> Sequence[str]:
        """Return the parameters that did not get into a body, though they say something."""
        parameters = request.parameters
        missing = [
            name
            for name in parameters
            if name not in body and name not in _SAID_OTHERWISE and self.renames.get(name) not in body
        ]
        if "response_format" in missing and parameters["response_format"].get("type") == "text":
            missing.remove("response_format")
        if "tool_choice" in missing and parameters["tool_choice"] in ("auto", "none"):
            return [name for name in missing if name not in _TOOLS]
        return missing

    def _effort(self, body: Json, model_id: str, effort: str) -> None:
        words = self.efforts.get(model_id)
        if words and (word := words.get(effort) or _nearest(words, effort)):
            body["reasoning_effort"] = word

    def _adjust(self, body: Json) -> None:
        for name, (least, greatest) in self.bounds.items():
            if name in body:
                body[name] = min(max(body[name], least), greatest)
        for name, renamed in self.renames.items():
            if name in body:
                body[renamed] = body.pop(name)

    def _choice(self, body: Json) -> Failure | None:
        choice = body["tool_choice"]
        if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
            choice = _offer_only(choice["allowed_tools"], body)
        kind = choice if isinstance(choice, str) else "function"
        if kind in self.tool_choices:
            return None
        if kind in ("auto", "none"):
            del body["tool_choice"]  # auto is what happens without it
            if kind == "none":  # a model that is offered no tools calls none
                body.pop("tools", None)
                body.pop("parallel_tool_calls", None)
            return None
        if kind == "function" and "required" in self.tool_choices:  # the same, when no other tool is offered
            name = choice["function"]["name"]
            body["tools"] = [tool for tool in body["tools"] if tool["function"]["name"] == name]
            body["tool_choice"] = "required"
            return None
        return Failure(
            kind=Kind.BAD_REQUEST,
            message=f"the service does not keep to tool_choice {kind}: the model might answer without a call",
            param="tool_choice",
        )

    def _format(self, body: Json, request: ChatRequest) -> Failure | None:
        kind = body["response_format"].get("type")
        if kind == "text":  # the default; some services know no such type
            del body["response_format"]
            return None
        excluded = self.excludes.get(kind)
        if excluded is None:
            return None
        clash = "stream" if request.stream else ""
        for name in (clash, "tools"):
            if name in excluded and (name == "stream" or body.get("tools")):
                return Failure(
                    kind=Kind.BAD_REQUEST,
                    message=f"the service cannot combine response_format {kind} with {name}",
                    param="response_format",
                )
        return None


def _offer_only(allowed: Json, body: Json) -> str:
    """Offer only the tools of `allowed_tools`, which few services know; return the choice that is left."""
    names = {tool.get("function", tool).get("name") for tool in allowed.get("tools", ())}
    body["tools"] = [tool for tool in body.get("tools", ()) if tool["function"]["name"] in names]
    body["tool_choice"] = mode = str(allowed.get("mode", "auto"))
    return mode


def _nearest(words: Mapping[str, str], effort: str) -> str | None:
    """Return a service's word for the effort that is nearest to one which it does not know; None for no effort at all."""
    if effort not in _EFFORTS:
        return None
    wanted = _EFFORTS.index(effort)
    places = {_EFFORTS.index(known): word for known, word in words.items()}
    return places[min(places, key=lambda place: (abs(place - wanted), -place))]


def _limit(stated: int | None, model: Model) -> int:
    """Return the limit to send: what the client states, at most the model's own; else one that leaves the prompt room."""
    if stated is not None:
        return stated if model.max_output is None else min(stated, model.max_output)
    bounds = (_LARGEST_DEFAULT, model.max_output, model.context and model.context // 4)
    return min(bound for bound in bounds if bound)
