"""The first page: can I get a reply right now, from whom, how much is left."""

from __future__ import annotations

from typing import Literal

from freellm.capacity import Totals
from freellm.explanations import Cooldown
from freellm_dashboard.shapes.log import RequestRow
from freellm_dashboard.shapes.wire import Answer

ProviderState = Literal["ok", "some", "closed", "no_key", "off", "untested"]


class Readiness(Answer, frozen=True, kw_only=True):
    """Whether a request to `auto` would be answered now.

    :param state: `ready`; `closed`: every route is closed for now; `no_keys`: no model has a key
    :param serves: the route that would be asked first
    :param title: its model's name for people
    :param why: why this one, or why none
    :param opens_at: Unix time at which the next route opens, when all are closed
    """

    state: Literal["ready", "closed", "no_keys"]
    serves: str | None
    title: str | None
    why: str
    opens_at: float | None


class ProviderHealth(Answer, frozen=True, kw_only=True):
    """How one provider is doing.

    :param provider: its id
    :param title: its name for people
    :param state: `ok`; `some`: some of its models are closed; `closed`: all are; `no_key`; `off`: all are retired or off; `untested`: nobody has asked it yet
    :param reason: why, in words
    :param keys: how many keys it has
    :param models: how many of its models are on
    :param open: how many of these take requests now
    :param opens_at: Unix time at which the next closed model opens
    """

    provider: str
    title: str
    state: ProviderState
    reason: str
    keys: int
    models: int
    open: int
    opens_at: float | None


class UnderWay(Answer, frozen=True, kw_only=True):
    """A request that is being served.

    :param id: its id
    :param surface: the wire format that the client speaks
    :param requested: the `model` that was asked for
    :param stream: whether the answer is streamed
    :param since: Unix time
    :param asking: the route that is being asked
    :param failed_attempts: how many attempts failed so far
    """

    id: str
    surface: str
    requested: str
    stream: bool
    since: float
    asking: str | None
    failed_attempts: int


class Fix(Answer, frozen=True, kw_only=True):
    """Something to be done.

    :param severity: how bad it is
    :param title: what is wrong
    :param detail: why
    :param action: what to press
    :param href: the page that does it
    """

    severity: Literal["error", "warning", "info"]
    title: str
    detail: str
    action: str
    href: str


class Step(Answer, frozen=True, kw_only=True):
    """One of the first steps.

    :param id: which
    :param title: what to do
    :param done: whether it is done
    :param command: a command that does it
    :param href: the page that does it
    """

    id: Literal["key", "client", "request"]
    title: str
    done: bool
    command: str
    href: str


class Overview(Answer, frozen=True, kw_only=True):
    """The state of everything.

    :param at: Unix time this is true of
    :param readiness: whether a request would be answered
    :param totals: what is left over all providers
    :param providers: how each is doing
    :param under_way: requests that are being served
    :param last: the last 20 requests, the newest first
    :param closed: what takes no requests for now, the next to open first
    :param fixes: what is to be done, the worst first
    :param steps: the first steps
    :param demo: whether every provider is simulated
    """

    at: float
    readiness: Readiness
    totals: Totals
    providers: list[ProviderHealth]
    under_way: list[UnderWay]
    last: list[RequestRow]
    closed: list[Cooldown]
    fixes: list[Fix]
    steps: list[Step]
    demo: bool
