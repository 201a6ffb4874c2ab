"""Looking into the proxy over HTTP: why a route serves, what is left of quotas, what is going on."""

from freellm.surfaces.insight.routes import InsightSurface

__all__ = ["InsightSurface"]
