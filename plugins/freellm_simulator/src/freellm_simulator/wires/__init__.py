"""One module per provider's wire, and the contract they keep."""

from freellm_simulator.wires.cloudflare import Cloudflare
from freellm_simulator.wires.contract import Wire
from freellm_simulator.wires.google import Google
from freellm_simulator.wires.groq import Groq

__all__ = ["WIRES", "Wire"]

WIRES: tuple[Wire, ...] = (Groq(), Google(), Cloudflare())
