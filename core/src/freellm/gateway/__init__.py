"""The gateway: takes the router's next route, reserves, asks, settles or classifies, again. The only one that retries."""

from freellm.gateway.attempts import Gateway
from freellm.gateway.calls import Call, Served, Tried

__all__ = ["Call", "Gateway", "Served", "Tried"]
