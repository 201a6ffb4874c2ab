"""Whether a hook's answer has what core itself reads of it."""

from __future__ import annotations

from freellm.types import Json


def is_completion(body: Json) -> bool:
    """Tell whether a completion has what core itself reads of it."""
    try:
        message, usage = body["choices"][0]["message"], body.get("usage")
    except (LookupError, TypeError):
        return False
    return isinstance(message, dict) and (usage is None or isinstance(usage, dict))


def is_embedding_list(body: Json, inputs: int) -> bool:
    """Tell whether an embedding list has what core itself reads of it: a vector for each input, in order."""
    try:
        return [row["index"] for row in body["data"]] == list(range(inputs)) and all(
            isinstance(row["embedding"], list) for row in body["data"]
        )
    except (LookupError, TypeError):
        return False
