"""The plain answers of a service that speaks OpenAI's chat completions, as a plugin object configured by data."""

from freellm.openai_compatible.embeddings import EmbeddingsWire
from freellm.openai_compatible.plugin import OpenAICompatible
from freellm.openai_compatible.request import ChatWire
from freellm.openai_compatible.response import AnswerShape

__all__ = ["AnswerShape", "ChatWire", "EmbeddingsWire", "OpenAICompatible"]
