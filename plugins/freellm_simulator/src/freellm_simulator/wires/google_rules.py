"""What Gemini refuses: turns out of order, keywords its schema subset lacks, thought signatures it did not give."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from freellm_simulator.exchange import Json, RefusedError
from freellm_simulator.wires.google_names import SCHEMA
from freellm_simulator.worlds import Facts

_PLACEHOLDERS = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})
"""Documented stand-ins for calls that another model made. Source: ai.google.dev/gemini-api/docs/thought-signatures."""


def check_contents(contents: Any) -> list[Json]:
    """Return the contents of a request.

    :raises RefusedError: when they are missing or their turns are out of order
    """
    if not contents or not isinstance(contents, list):
        _refuse("* GenerateContentRequest.contents: contents is not specified")
    before: Json | None = None
    for at, content in enumerate(contents):
        if content.get("role", "user") not in ("user", "model"):
            _refuse("Please use a valid role: user, model.")
        if not content.get("parts"):
            _refuse(f"* GenerateContentRequest.contents[{at}].parts: contents.parts must not be empty.")
        if any(part.get("text") == "" and len(part) == 1 for part in content["parts"]):
            _refuse(f"* GenerateContentRequest.contents[{at}].parts: a text part must not be empty.")
        _check_order(before, content)
        before = content
    return list(contents)


def _check_order(before: Json | None, content: Json) -> None:
    calls, answers = _having(before, "functionCall"), _having(content, "functionResponse")
    if len(calls) != len(answers):
        _refuse(
            "Please ensure that the number of function response parts is equal to the number of function call parts"
            " of the function call turn."
        )
    if _having(content, "functionCall") and (before is None or before.get("role") == "model"):
        _refuse(
            "Please ensure that function call turn comes immediately after a user turn or after a function response"
            " turn."
        )


def _having(content: Json | None, member: str) -> list[Json]:
    return [part for part in (content or {}).get("parts", ()) if member in part]


def check_schema(schema: Any, where: str) -> None:
    """Check a schema against the subset that `parameters` and `responseSchema` take.

    :raises RefusedError: at the first keyword or form outside of it
    """
    for name, value in schema.items():
        if name not in SCHEMA:
            _refuse(
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field."
            )
        if name == "type" and isinstance(value, list):
            _refuse(
                f"Invalid JSON payload received. Unknown name \"type\" at '{where}': Proto field is not repeating,"
                " cannot start list."
            )
        if name == "enum" and not all(isinstance(option, str) and option for option in value):
            _refuse(f"* GenerateContentRequest.{where}.enum: only non-empty strings are allowed")
    kind = str(schema.get("type", "")).upper()
    if kind == "ARRAY" and "items" not in schema:
        _refuse(f"* GenerateContentRequest.{where}.items: missing field.")
    for name in schema.get("required", ()):
        if name not in schema.get("properties", {}):
            _refuse(f"* GenerateContentRequest.{where}.required: property is not defined: {name}")
    for name, part in schema.get("properties", {}).items():
        check_schema(part, f"{where}.properties[{name}]")
    for at, part in enumerate(schema.get("anyOf", ())):
        check_schema(part, f"{where}.any_of[{at}]")
    if "items" in schema:
        check_schema(schema["items"], f"{where}.items")


def signature(model: str, seed: int, token: str) -> str:
    """Return the thought signature of a call, which only the same model of the same simulation accepts."""
    made = f"{token}.{_seal(model, seed, token)}"
    return base64.b64encode(made.encode()).decode()


def _seal(model: str, seed: int, token: str) -> str:
    return hmac.new(str(seed).encode(), f"{model} {token}".encode(), hashlib.sha256).hexdigest()[:24]


def check_signatures(contents: Sequence[Json], facts: Facts, seed: int) -> None:
    """Check the signatures of the function calls since the user last spoke.

    Each step's first call must have one; the placeholders do; a signature of another model does not.

    :raises RefusedError: at the first one that is missing or wrong
    """
    if "signatures" not in facts.quirks:
        return
    for content in _current_turn(contents):
        for place, part in enumerate(_having(content, "functionCall")):
            stated = part.get("thoughtSignature")
            name = part["functionCall"]["name"]
            if stated is None and place == 0:
                _refuse(
                    "Function call is missing a thought_signature in functionCall parts. This is required for tools to"
                    f" work correctly. Function call `default_api:{name}`, position {place + 1}."
                )
            if stated is not None and stated not in _PLACEHOLDERS and not _genuine(stated, facts.id, seed):
                _refuse("Thought signature is not valid")


def _current_turn(contents: Sequence[Json]) -> Sequence[Json]:
    spoken = [
        at
        for at, content in enumerate(contents)
        if content.get("role", "user") == "user" and not _having(content, "functionResponse")
    ]
    return contents[spoken[-1] + 1 :] if spoken else contents


def _genuine(stated: str, model: str, seed: int) -> bool:
    try:
        token, _, seal = base64.b64decode(stated, validate=True).decode().rpartition(".")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return hmac.compare_digest(seal, _seal(model, seed, token))


def _refuse(message: str) -> None:
    raise RefusedError("bad_request", message)
