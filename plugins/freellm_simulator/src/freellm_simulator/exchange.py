"""The words that wires, answers and the server share: one request and its answer, in no provider's dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from freellm_simulator.quotas import Exceeded
    from freellm_simulator.worlds import Facts

Json: TypeAlias = dict[str, Any]
"""A decoded JSON object."""

Finish: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in a prompt.

    :param mime: its media type, `unknown` when it came by URL
    :param size: bytes; 0 when it came by URL
    """

    mime: str
    size: int


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call: the tool's name and its arguments."""

    name: str
    arguments: Json


@dataclass(frozen=True, slots=True)
class Turn:
    """One message.

    :param role: who speaks
    :param text: what is said; for `tool`, the result
    :param images: the pictures in it
    :param calls: the tools an assistant called
    :param name: for `tool`, the tool that answers, when the wire tells
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str = ""
    images: tuple[Image, ...] = ()
    calls: tuple[Call, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call; `schema` is the JSON schema of its arguments."""

    name: str
    description: str = ""
    schema: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a client wants.

    :param turns: the conversation, system messages included
    :param tools: the functions that may be called
    :param choice: whether a tool may, must or must not be called
    :param named: with `required`, the tools to choose from; None is all
    :param parallel: whether several calls may be made at once
    :param max_tokens: tokens of output at most
    :param stop: texts before which the answer ends
    :param json_mode: whether the answer is to be JSON
    :param schema: the JSON schema it is to keep to
    :param thinking: whether the model thinks first, and whether the thoughts are shown
    :param stream: whether the answer is wanted in pieces
    :param usage_chunk: whether a streamed answer ends with a chunk for the usage
    :param digest: equal for equal requests, whether streamed or not
    """

    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    choice: Literal["auto", "none", "required"] = "auto"
    named: frozenset[str] | None = None
    parallel: bool = True
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    json_mode: bool = False
    schema: Json | None = None
    thinking: Literal["none", "hidden", "shown", "inline"] = "none"
    stream: bool = False
    usage_chunk: bool = False
    digest: str = ""

    @property
    def question(self) -> str:
        """The text of the last user message."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens spent; `completion` includes `reasoning`."""

    prompt: int
    completion: int
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: thoughts, text and calls, why it ended, and what it cost."""

    text: str
    calls: tuple[Call, ...]
    reasoning: str
    finish: Finish
    usage: Usage


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answer, as a wire needs it to write the answer out.

    :param model: the model that answers
    :param token: letters and digits for ids; equal for equal requests under one seed
    :param created: Unix time
    :param seed: the simulation's seed, which signs opaque state
    """

    ask: Ask
    reply: Reply
    model: Facts
    token: str
    created: int
    seed: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the account whose quotas are spent."""

    account: str


class RefusedError(Exception):
    """A request is refused. The wire puts it into its provider's words.

    :param kind: a row of the wire's table of refusals, such as `bad_key`
    :param message: words that only the place of the refusal knows
    :param exceeded: the quotas that are spent, for the kind `quota`
    :param facts: figures and names for the row's text
    """

    def __init__(
        self, kind: str, message: str = "", *, exceeded: tuple[Exceeded, ...] = (), **facts: object
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.message = message
        self.exceeded = exceeded
        self.facts: Mapping[str, object] = facts


def dice(*parts: object) -> Random:
    """Return dice that fall the same way for the same parts, in every process."""
    return Random("\x1f".join(map(str, parts)))  # noqa: S311 - repeatable on purpose, guards nothing
