"""The OpenAI surface: chat completions and models, as the OpenAI SDKs expect them."""

from freellm.surfaces.openai.routes import OpenAISurface

__all__ = ["OpenAISurface"]
