"""An OpenAI chat request becomes a generateContent request."""

from __future__ import annotations

from freellm import ChatRequest, Failure, Json, Key, Kind, Model, Upstream
from freellm_provider_google.contents import translate_messages
from freellm_provider_google.dialects import dialect_of
from freellm_provider_google.generation import TAKEN, generation_config
from freellm_provider_google.parts import UntranslatableError
from freellm_provider_google.tools import functions_of, tool_fields, wire_names


def translate(request: ChatRequest, model: Model, key: Key) -> Upstream | Failure:
    """Return what to send, or a `Failure` that names the field this model cannot take."""
    try:
        body = _body(request, model)
    except UntranslatableError as error:
        return Failure(kind=Kind.BAD_REQUEST, message=str(error), scope="model", param=error.param)
    method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
    return Upstream(
        method="POST",
        path=f"/models/{model.id}:{method}",
        headers=key_header(key),
        body=body,
        stream=request.stream,
        dropped=[name for name in request.parameters if name not in TAKEN],
    )


def key_header(key: Key) -> dict[str, str]:
    """Return the header that carries the key; as a query parameter it would end up in logs."""
    return {"x-goog-api-key": key.reveal("token")}


def _body(request: ChatRequest, model: Model) -> Json:
    dialect = dialect_of(model.id)
    tools = "tools" in request.parameters
    if tools and "tools" not in model.abilities and functions_of(request):
        raise UntranslatableError(f"{model.id} takes no functions", "tools")
    names = wire_names(request)
    fold = "system" not in model.abilities or "fold_system" in request.hints
    system, contents = translate_messages(request, dialect, names, model.id, fold_system=fold)
    body: Json = {"contents": contents}
    if system:
        body["systemInstruction"] = system
    if tools:
        body |= tool_fields(request, dialect, names)
    if config := generation_config(request, model, dialect, has_tools="tools" in body):
        body["generationConfig"] = config
    return body
