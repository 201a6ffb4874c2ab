"""The gateway: takes the router's next route, reserves, asks, settles or classifies, again. The only one that retries."""

from freellm.gateway.activity import Activity
from freellm.gateway.attempts import Gateway
from freellm.gateway.calls import Call, Served, Tried
from freellm.gateway.embedding import Embedded, Embedder, EmbeddingsCall, needs_of

__all__ = [
    "Activity",
    "Call",
    "Embedded",
    "Embedder",
    "EmbeddingsCall",
    "Gateway",
    "Served",
    "Tried",
    "needs_of",
]
