"""The simulated services without their sockets: the same wires, books and refusals, asked by a call."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from random import Random
from typing import Any, Final, cast
from urllib.parse import parse_qs, urlsplit

import orjson
from aiohttp import web

from freellm_simulator.admission import Admission, admit_chat
from freellm_simulator.delivery import Pace
from freellm_simulator.exchange import Ask, Call, Caller, Exchange, Json, RefusedError, Reply, Usage
from freellm_simulator.server import Desk
from freellm_simulator.tokens import prompt_tokens
from freellm_simulator.wires import WIRES
from freellm_simulator.wires.contract import SEED, Refusal, Wire
from freellm_simulator.worlds import Facts

MEDIAN_OUTPUT, SPREAD_OUTPUT = 160, 0.9
"""Tokens of an answer: the median and the sigma of a log-normal distribution."""

REFUSAL_SECONDS: Final = 0.05
"""Seconds a refusal takes: it is made at the service's door."""

_LENGTHS: Final = 4_096
_OWN: Final = re.compile(r"\{(\w+):([^{}]+)\}")
_NAMED: Final = re.compile(r"\{(\w+)\}")
"""The two kinds of named parts in aiohttp's paths: with a pattern of their own, and without."""


@dataclass(frozen=True, slots=True)
class LocalRequest:
    """As much of an HTTP request as a wire looks at."""

    method: str
    path: str
    headers: Mapping[str, str]
    match_info: Mapping[str, str]
    query: Mapping[str, str]
    app: Mapping[web.AppKey[int], int]
    remote: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a service does about a request.

    :param body: the whole answer, decoded
    :param first_byte: seconds until the headers
    :param seconds: seconds from there to the end of the body
    :param admission: the books to settle when the answer has left; None for a refusal
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    first_byte: float
    seconds: float
    admission: Admission | None = None
    usage: Usage | None = None

    def settle(self) -> None:
        """Put the true figures into the service's books."""
        if self.admission is not None and self.usage is not None:
            self.admission.settle(self.usage.prompt, self.usage.completion)


class Services:
    """Every simulated service, on somebody's clock.

    :param desk: their books
    :ivar accounts: by provider, the account that was last asked for
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._wires = {wire.provider: wire for wire in WIRES}
        self._patterns = {wire.provider: list(_patterns(wire)) for wire in WIRES}
        dice = Random(desk.seed)  # noqa: S311 - repeatable on purpose, guards nothing
        self._lengths = [
            max(4, int(dice.lognormvariate(math.log(MEDIAN_OUTPUT), SPREAD_OUTPUT))) for _ in range(_LENGTHS)
        ]
        self._app = {SEED: desk.seed}
        self.accounts: dict[str, str] = {}

    def ask(self, provider: str, path: str, headers: Mapping[str, str], body: Json) -> Reaction:
        """Ask a service as `POST path` would.

        :param path: behind the provider's prefix, with its query
        """
        wire, caller, model = self._wires[provider], None, ""
        facts: Facts | None = None
        try:
            request = self._received(provider, path, headers)
            caller = wire.caller(request)
            self.accounts[provider] = caller.account
            model = wire.model_id(request, body)
            facts = self.desk.find(provider, model)
            ask = wire.read(request, body, facts)
            admission = admit_chat(self.desk, caller, facts, ask, prompt := prompt_tokens(ask))
        except RefusedError as refused:
            return self._refused(wire, refused, model, caller, facts)
        exchange = self._exchange(ask, facts, prompt)
        pace = Pace(self.desk.worlds[provider], exchange, self.desk.speed)
        self.desk.count(provider, model, 200, "")
        return Reaction(
            200,
            self._headers(self.desk.quota_headers(wire, caller, facts)),
            wire.whole(exchange),
            pace.first_byte,
            pace.of(exchange.reply.usage.completion),
            admission,
            exchange.reply.usage,
        )

    def room(
        self, provider: str, account: str, facts: Facts, prompt: int, output: int, *, at_once: bool = False
    ) -> bool:
        """Tell, without booking anything, whether a model has room for all of a request.

        :param account: whose quotas it would spend
        :param at_once: whether room counts that has only just come about
        """
        spent = {
            "requests": 1.0,
            "concurrent": 1.0,
            "tokens": float(prompt + output),
            **_priced(facts, prompt, output),
        }
        now, (_, latency) = self.desk.clock.now(), self.desk.worlds[provider].first_byte
        return prompt < facts.context and self.desk.quotas.fits(
            provider, account, facts.limits, spent, now, latency=latency, at_once=at_once
        )

    def output(self, draw: int) -> int:
        """Return the length of an answer in tokens."""
        return self._lengths[draw % _LENGTHS]

    def _received(self, provider: str, path: str, headers: Mapping[str, str]) -> web.Request:
        parts = urlsplit(path)
        for pattern in self._patterns[provider]:
            found = pattern.fullmatch(parts.path)
            if found is not None:
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                either = {**headers, **{name.title(): value for name, value in headers.items()}}
                local = LocalRequest("POST", parts.path, either, found.groupdict(), query, self._app)
                return cast(web.Request, local)
        raise RefusedError("unknown_path", path=parts.path)

    def _exchange(self, ask: Ask, facts: Facts, prompt: int) -> Exchange:
        token = hashlib.sha256(f"{self.desk.seed} {facts.label} {ask.digest}".encode()).hexdigest()[:24]
        reply = self._reply(ask, facts, prompt, int(token[:8], 16))
        return Exchange(ask, reply, facts, token, int(self.desk.clock.now()), self.desk.seed)

    def _reply(self, ask: Ask, facts: Facts, prompt: int, draw: int) -> Reply:
        """Return an answer of a length that a request always gets, whichever model answers; its words matter to nobody."""
        most = min(ask.max_tokens or facts.context, facts.max_output or facts.context, facts.context - prompt)
        wanted = self.output(draw)
        written = max(1, min(wanted, most))
        usage = Usage(prompt, written)
        if ask.tools and ask.choice != "none" and draw % 2:
            call = Call(ask.tools[0].name, {"place": "Paris"})
            return Reply("", (call,), "", "tool_calls", usage)
        text = orjson.dumps({"simulated": True}).decode() if ask.json_mode else "simulated"
        return Reply(text, (), "", "stop" if written == wanted else "length", usage)

    def _headers(self, own: Mapping[str, str]) -> Mapping[str, str]:
        """Return a service's headers as freellm finds them, with the date that every web server states."""
        date = formatdate(self.desk.clock.now(), usegmt=True)
        return {"date": date, **{name.lower(): value for name, value in own.items()}}

    def _refused(
        self, wire: Wire, refused: RefusedError, model: str, caller: Caller | None, facts: Facts | None
    ) -> Reaction:
        refusal: Refusal = wire.refuse(refused, model, caller)
        self.desk.count(wire.provider, model, refusal.status, refused.kind)
        headers = dict(refusal.headers)
        if caller and facts:
            headers.update(self.desk.quota_headers(wire, caller, facts))
        return Reaction(refusal.status, self._headers(headers), refusal.body, REFUSAL_SECONDS, 0.0)


def _priced(facts: Facts, prompt: int, output: int) -> dict[str, float]:
    return {
        unit: a_request + (prompt * into + output * out) / 1_000_000
        for unit, (a_request, into, out) in facts.prices.items()
    }


def _patterns(wire: Wire) -> Iterator[re.Pattern[str]]:
    """Yield the paths of a wire's chats as regular expressions."""
    for route in wire.routes:
        if route.task == "chat":
            yield re.compile(_NAMED.sub(r"(?P<\1>[^/]+)", _OWN.sub(r"(?P<\1>\2)", route.path)))
