"""Reading Gemini's requests as strictly as the service does."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Literal

from freellm_simulator.answers import dumps
from freellm_simulator.exchange import Ask, Call, Image, Json, RefusedError, Tool, Turn
from freellm_simulator.wires.contract import digest
from freellm_simulator.wires.google_names import CONFIG, REQUEST, camel
from freellm_simulator.wires.google_rules import check_contents, check_schema, check_signatures
from freellm_simulator.worlds import Facts

_CHOICES: dict[str, Literal["auto", "none", "required"]] = {
    "AUTO": "auto",
    "VALIDATED": "auto",
    "NONE": "none",
    "ANY": "required",
}
_MOST_STOPS = 5


def read_ask(body: Json, facts: Facts, seed: int, *, stream: bool) -> Ask:
    """Read a generateContent request.

    :raises RefusedError: when the service would refuse it
    """
    try:
        body = camel(body)
        _refuse_unknown(body, REQUEST, "")
        config: Json = body.get("generationConfig") or {}
        _refuse_unknown(config, CONFIG, "generation_config")
        contents = check_contents(body.get("contents"))
        tools = tuple(_tools(body.get("tools") or ()))
        check_signatures(contents, facts, seed)
        _check_config(config, tools, facts)
        calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
        named = calling.get("allowedFunctionNames")
        return Ask(
            turns=tuple(_turns(body.get("systemInstruction"), contents)),
            tools=tools,
            choice=_CHOICES[calling.get("mode", "AUTO")],
            named=frozenset(named) if named else None,
            max_tokens=config.get("maxOutputTokens"),
            stop=tuple(config.get("stopSequences") or ()),
            json_mode=config.get("responseMimeType") == "application/json",
            schema=config.get("responseJsonSchema") or config.get("responseSchema"),
            thinking=_thinking(config, facts),
            stream=stream,
            digest=digest(body),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RefusedError("bad_request", f"Invalid value: {error!r}") from error


def _refuse_unknown(members: Json, known: frozenset[str], where: str) -> None:
    for name in members:
        if name not in known:
            place = f" at '{where}'" if where else ""
            raise RefusedError(
                "bad_request",
                f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.',
            )


def _tools(stated: Sequence[Json]) -> Iterator[Tool]:
    for at, tool in enumerate(stated):
        for number, declared in enumerate(tool.get("functionDeclarations") or ()):
            where = f"tools[{at}].function_declarations[{number}].parameters"
            schema = declared.get("parameters")
            if schema is not None:
                check_schema(schema, where)
                if schema.get("type", "").upper() == "OBJECT" and not schema.get("properties"):
                    raise RefusedError(
                        "bad_request",
                        f"* GenerateContentRequest.{where}.properties: should be non-empty for OBJECT type",
                    )
            yield Tool(
                declared["name"],
                declared.get("description") or "",
                schema or declared.get("parametersJsonSchema") or {},
            )


def _check_config(config: Json, tools: Sequence[Tool], facts: Facts) -> None:
    thinking: Json = config.get("thinkingConfig") or {}
    json_mode = config.get("responseMimeType") == "application/json"
    if config.get("responseSchema") is not None:
        check_schema(config["responseSchema"], "generation_config.response_schema")
    problems = {
        "Multiple candidates is not enabled for this model": config.get("candidateCount", 1) != 1,
        f"stop_sequences: at most {_MOST_STOPS} are allowed": len(config.get("stopSequences") or ())
        > _MOST_STOPS,
        "Function calling with a response mime type: 'application/json' is unsupported": json_mode
        and tools
        and "signatures" not in facts.quirks,
        "Only one of response_schema and response_json_schema may be set": config.get("responseSchema")
        is not None
        and config.get("responseJsonSchema") is not None,
        "You can only set only one of thinking budget and thinking level.": "thinkingBudget" in thinking
        and "thinkingLevel" in thinking,
        "Thinking level is not supported for this model.": "thinkingLevel" in thinking
        and "level" not in facts.efforts,
        "Budget 0 is invalid. This model only works in thinking mode.": thinking.get("thinkingBudget") == 0
        and facts.id == "gemini-2.5-pro",
        "max_output_tokens must be positive.": config.get("maxOutputTokens", 1) < 1,
        f"max_output_tokens must be from 1 to {facts.max_output}.": config.get("maxOutputTokens", 1)
        > (facts.max_output or facts.context),
    }
    for words, wrong in problems.items():
        if wrong:
            raise RefusedError("bad_request", words)


def _thinking(config: Json, facts: Facts) -> Literal["none", "hidden", "shown"]:
    """Say whether the model thinks; the simulator's models think when they are told to."""
    thinking: Json = config.get("thinkingConfig") or {}
    asked = (
        thinking.get("thinkingBudget", 0) != 0
        or "thinkingLevel" in thinking
        or thinking.get("includeThoughts")
    )
    if not facts.efforts or not asked or thinking.get("thinkingBudget") == 0:
        return "none"
    return "shown" if thinking.get("includeThoughts") else "hidden"


def _turns(system: Json | None, contents: Sequence[Json]) -> Iterator[Turn]:
    if system:
        yield Turn("system", _text(system["parts"]))
    for content in contents:
        parts = content["parts"]
        results = [part["functionResponse"] for part in parts if "functionResponse" in part]
        for result in results:
            yield Turn("tool", dumps(result.get("response")), name=result["name"])
        if len(results) < len(parts):
            calls = tuple(
                Call(part["functionCall"]["name"], part["functionCall"].get("args") or {})
                for part in parts
                if "functionCall" in part
            )
            images = tuple(_image(part) for part in parts if "inlineData" in part or "fileData" in part)
            role: Literal["assistant", "user"] = "assistant" if content.get("role") == "model" else "user"
            yield Turn(role, _text(parts), images, calls)


def _text(parts: Sequence[Json]) -> str:
    return "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))


def _image(part: Json) -> Image:
    if inline := part.get("inlineData"):
        return Image(inline["mimeType"], len(base64.b64decode(inline["data"], validate=True)))
    return Image(part["fileData"].get("mimeType", "unknown"), 0)
