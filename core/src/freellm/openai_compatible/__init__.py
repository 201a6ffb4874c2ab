"""The plain answers of a service that speaks OpenAI's chat completions, as a plugin object configured by data."""

from freellm.openai_compatible.plugin import OpenAICompatible

__all__ = ["OpenAICompatible"]
