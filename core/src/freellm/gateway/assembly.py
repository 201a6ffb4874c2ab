"""Putting the gateway together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from freellm.clock import Clock
from freellm.gateway.asking import Asker
from freellm.gateway.attempts import Gateway
from freellm.gateway.calls import Call
from freellm.gateway.consequences import Consequences
from freellm.gateway.conversations import Conversations
from freellm.gateway.hedging import Hedging
from freellm.gateway.kept import Kept
from freellm.gateway.preparing import Preparer
from freellm.gateway.records import Recorder
from freellm.gateway.successes import Successes
from freellm.gateway.waiting import Line
from freellm.health import Health
from freellm.keychain import Keychain
from freellm.leases import LeaseFile
from freellm.ledger import Ledger
from freellm.routing import Order, Router
from freellm.sessions import Sessions
from freellm.tokens import Corrections
from freellm.upstream import UpstreamClient

if TYPE_CHECKING:
    from freellm.settings import Settings


def assemble(
    *,
    settings: Settings,
    clock: Clock,
    ledger: Ledger,
    leases: LeaseFile,
    health: Health,
    corrections: Corrections,
    router: Router,
    client: UpstreamClient,
    keychain: Keychain,
    recorder: Recorder,
    changed: Callable[[], None],
    boot: str,
    renewed: Callable[[Call], Order],
) -> tuple[Gateway, Line]:
    """Make a gateway and the line before it.

    :param changed: called when a quota was found that nobody declares
    :param boot: what tells this start's ids from another's
    :param renewed: returns a call's order as it is now
    """
    kept, consequences = Kept(), Consequences(ledger, health, changed)
    asker = Asker(
        ledger=ledger,
        leases=leases,
        preparer=Preparer(client, kept, clock),
        successes=Successes(corrections, health, kept, consequences, recorder, clock, keychain.works),
        client=client,
        clock=clock,
        open_key=keychain.open,
        is_local=keychain.is_local,
        stall_timeout=settings.stall_timeout,
        boot=boot,
    )
    line = Line(router, ledger, clock, settings)
    gateway = Gateway(
        router=router,
        asker=asker,
        consequences=consequences,
        conversations=Conversations(Sessions(), router, clock),
        line=line,
        hedging=Hedging(router, ledger, recorder, clock),
        recorder=recorder,
        clock=clock,
        limits=settings,
        suspect_key=keychain.suspect,
        renewed=renewed,
    )
    return gateway, line
