"""The names of Gemini's members: the service takes `snake_case` beside `camelCase`, and its own client mixes them."""

from __future__ import annotations

import re
from typing import Any

REQUEST = frozenset(
    {
        "contents",
        "systemInstruction",
        "tools",
        "toolConfig",
        "generationConfig",
        "safetySettings",
        "cachedContent",
    }
)
EMBEDDING = frozenset({"model", "content", "taskType", "title", "outputDimensionality"})
CONFIG = frozenset(
    {
        "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "candidateCount", "seed",
        "presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs", "responseMimeType", "responseSchema",
        "responseJsonSchema", "responseModalities", "mediaResolution", "thinkingConfig",
    }
)  # fmt: skip
SCHEMA = frozenset(
    {
        "type", "format", "title", "description", "nullable", "enum", "items", "minItems", "maxItems", "minLength",
        "maxLength", "pattern", "minProperties", "maxProperties", "properties", "propertyOrdering", "required",
        "minimum", "maximum", "anyOf", "default", "example",
    }
)  # fmt: skip
_INNER = frozenset(
    {
        "functionDeclarations", "parametersJsonSchema", "responseJsonSchema", "functionCallingConfig",
        "allowedFunctionNames", "thinkingBudget", "thinkingLevel", "includeThoughts", "functionCall",
        "functionResponse", "inlineData", "fileData", "mimeType", "fileUri", "thoughtSignature",
        "generateContentRequest",
    }
)  # fmt: skip
_KNOWN = REQUEST | EMBEDDING | CONFIG | SCHEMA | _INNER
_OPAQUE = frozenset({"args", "response", "parametersJsonSchema", "responseJsonSchema", "default", "example"})
_NAMED_BY_CLIENTS = frozenset({"properties"})


def camel(value: Any, named_by_client: bool = False) -> Any:
    """Return a request with the members Gemini knows in `camelCase`; what clients name themselves stays as it is.

    :param named_by_client: whether the members of `value` itself are names of the client's
    """
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    renamed = {}
    for stated, part in value.items():
        name = stated if named_by_client else _camel_name(stated)
        opaque = name in _OPAQUE and not named_by_client
        renamed[name] = part if opaque else camel(part, name in _NAMED_BY_CLIENTS and not named_by_client)
    return renamed


def _camel_name(name: str) -> str:
    made = re.sub(r"_([a-z])", lambda match: match[1].upper(), name)
    return made if made in _KNOWN else name
