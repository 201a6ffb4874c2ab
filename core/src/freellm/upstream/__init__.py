"""The sockets' edge: requests to providers, their answers, and which addresses may be asked. It knows no dialect."""

from freellm.upstream.client import UpstreamClient
from freellm.upstream.exchange import Exchange

__all__ = ["Exchange", "UpstreamClient"]
