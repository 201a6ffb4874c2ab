"""Cohere's trial keys: chat through the OpenAI-speaking endpoints, embeddings through Cohere's own.

The models and their limits are in `catalogue.toml`. Facts without a source of their own are of the catalogue's day,
2026-11-23.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from freellm import (
    Answer,
    ChatRequest,
    ChatWire,
    EmbeddingRequest,
    EmbeddingsWire,
    Failure,
    Json,
    Key,
    KeyField,
    Kind,
    ListedModel,
    Model,
    OpenAICompatible,
    ProviderInfo,
    Upstream,
    Verdict,
    hookimpl,
    load_catalogue,
    replace,
)

_MINUTE, _MONTH = 60.0, 2_592_000.0

# What the page of the compatible endpoints lists. It names parallel_tool_calls, logit_bias, top_logprobs and n among
# those that are not supported.
_FORWARD = frozenset(
    {
        "frequency_penalty",
        "presence_penalty",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
    }
)

# Models that reason do so unless they are told not to.
_EFFORTS = {"none": "none", "high": "high"}

# A format cannot be asked for beside tools. The request goes to another provider rather than losing either.
_EXCLUDES = {"json_object": frozenset({"tools"}), "json_schema": frozenset({"tools"})}

_TOOL_NAME = re.compile(r"[A-Za-z0-9_]+")

_REFUSED_KEYWORDS = frozenset({"$schema", "additionalProperties"})
"""Keywords of JSON Schema that a tool's parameters may not have."""

# Features of Cohere's list as abilities. Its vision is left out: the compatible endpoints take no images.
_FEATURES = {
    "tools": "tools",
    "json_mode": "json",
    "json_schema": "json_schema",
    "reasoning": "reasoning",
}

_REFUSALS = (
    # "You are using a Trial key, which is limited to 1000 API calls / month": one allowance for the whole account.
    (
        429,
        None,
        r"/ month|per month|monthly",
        Failure(kind=Kind.QUOTA_EXHAUSTED, scope="account", unit="requests", window=_MONTH),
    ),
    (
        429,
        None,
        r"API calls / minute",
        Failure(kind=Kind.RATE_LIMITED, unit="requests", window=_MINUTE, retry_after=_MINUTE),
    ),
    (429, None, r"trial token rate limit", Failure(kind=Kind.RATE_LIMITED, retry_after=_MINUTE)),
    (402, None, None, Failure(kind=Kind.PAYMENT_REQUIRED, scope="account")),
    (403, None, r"key|token|permission", Failure(kind=Kind.BAD_KEY, scope="key")),
    # Cohere's table of errors calls 498 a prompt against the usage guidelines, its SDK an invalid token: the words tell.
    (498, None, r"token|api key|unauthori[sz]ed", Failure(kind=Kind.BAD_KEY, scope="key")),
    (498, None, None, Kind.CONTENT_FILTERED),
    (None, None, r"too many tokens", Kind.CONTEXT_EXCEEDED),
    (501, None, None, Kind.BAD_REQUEST),
)


class Cohere(OpenAICompatible):
    """Cleans tool schemas, and speaks Cohere's own dialect for embeddings and lists of models."""

    @hookimpl
    def translate_request(self, request: ChatRequest, model: Model, key: Key) -> Upstream | Failure:
        """Send the request with tools whose schemas Cohere takes."""
        upstream = super().translate_request(request, model, key)
        if isinstance(upstream, Failure) or upstream.body is None or not upstream.body.get("tools"):
            return upstream
        functions = [tool["function"] for tool in upstream.body["tools"]]
        for function in functions:
            if not _TOOL_NAME.fullmatch(function["name"]):
                return Failure(
                    kind=Kind.BAD_REQUEST,
                    message=f"tool names are letters, digits and underscores here, not {function['name']!r}",
                    param="tools",
                )
        return replace(upstream, body={**upstream.body, "tools": [_tool(function) for function in functions]})

    @hookimpl
    def translate_embeddings(self, request: EmbeddingRequest, model: Model, key: Key) -> Upstream | Failure:
        """Ask Cohere's own endpoint, which takes the length and the purpose of the vectors."""
        upstream = super().translate_embeddings(request, model, key)
        if isinstance(upstream, Failure) or upstream.body is None:
            return upstream
        body = {name: value for name, value in upstream.body.items() if name != "encoding_format"}
        # A vector of half a text looks like any other, so nothing is cut off unless the client says so.
        usual = {"input_type": "search_document", "truncate": "NONE"}
        return replace(upstream, body={**usual, **body, "embedding_types": ["float"]})

    @hookimpl
    def normalize_embeddings(self, request: EmbeddingRequest, model: Model, answer: Answer) -> Json | Failure:
        """Say Cohere's answer in OpenAI's words."""
        body = answer.body if isinstance(answer.body, dict) else {}
        embeddings = body.get("embeddings")
        vectors = embeddings.get("float") if isinstance(embeddings, dict) else None
        rows = [{"index": index, "embedding": vector} for index, vector in enumerate(vectors or ())]
        spent = _input_tokens(body.get("meta"))
        usage = {} if spent is None else {"usage": {"prompt_tokens": spent, "total_tokens": spent}}
        return super().normalize_embeddings(request, model, replace(answer, body={"data": rows, **usage}))

    @hookimpl
    def read_models(self, answer: Answer) -> Sequence[ListedModel]:
        """Read the list with what each model can do."""
        rows = answer.body.get("models") if isinstance(answer.body, dict) else None
        return [
            _listed(row) for row in rows or () if isinstance(row, dict) and isinstance(row.get("name"), str)
        ]

    @hookimpl
    def check_key(self, key: Key) -> Sequence[Upstream]:
        """Ask the endpoint that is there for it, which counts as no call."""
        return [Upstream("POST", "/v1/check-api-key", self._headers(key))]

    @hookimpl
    def judge_key(self, key: Key, answers: Sequence[Answer]) -> Verdict:
        """Judge a key by that endpoint's word, and learn its account: the calls of a month are an organization's."""
        body = answers[0].body
        said = body.get("valid") if answers[0].status == 200 and isinstance(body, dict) else None
        if said is True:
            organization = body.get("organization_id")
            account = organization if isinstance(organization, str) and organization else None
            return Verdict(state="valid", message="Cohere knows the key", account=account)
        if said is False:
            return Verdict(state="invalid", message="Cohere does not know the key")
        return super().judge_key(key, answers)


def _tool(function: Json) -> Json:
    parameters = _cleaned(function.get("parameters") or {"type": "object", "properties": {}})
    known = {name: function[name] for name in ("name", "description") if function.get(name) is not None}
    return {"type": "function", "function": {**known, "parameters": parameters}}


def _cleaned(schema: Any, *, named: bool = False) -> Any:
    """Return a schema without the keywords that Cohere refuses.

    :param named: whether the keys are names of the client's own, as in `properties`
    """
    if isinstance(schema, list):
        return [_cleaned(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _cleaned(part, named=not named and name in ("properties", "$defs", "definitions"))
        for name, part in schema.items()
        if named or name not in _REFUSED_KEYWORDS
    }


def _input_tokens(meta: object) -> int | None:
    for name in ("tokens", "billed_units"):
        counted = meta.get(name) if isinstance(meta, dict) else None
        spent = counted.get("input_tokens") if isinstance(counted, dict) else None
        if isinstance(spent, int | float):
            return int(spent)
    return None


def _listed(row: Mapping[str, Any]) -> ListedModel:
    endpoints, features = row.get("endpoints") or (), row.get("features") or ()
    task: Literal["chat", "embeddings", "other"] = (
        "chat" if "chat" in endpoints else "embeddings" if "embed" in endpoints else "other"
    )
    context = row.get("context_length")
    abilities = {_FEATURES[feature] for feature in features if feature in _FEATURES}
    return ListedModel(
        id=row["name"],
        task=task,
        context=int(context) if isinstance(context, int | float) and context > 0 else None,
        abilities=frozenset({"system", *abilities}) if task == "chat" and features else None,
    )


provider = Cohere(
    info=ProviderInfo(
        id="cohere",
        title="Cohere",
        signup_url="https://dashboard.cohere.com/api-keys",
        docs_url="https://docs.cohere.com",
        key_fields=(
            KeyField(
                name="token", title="API key", help="A trial key, under API keys in Cohere's dashboard."
            ),
        ),
        environment=("COHERE_API_KEY", "CO_API_KEY"),
        # The host of the compatible endpoints; it serves Cohere's own too.
        base_url="https://api.cohere.ai",
    ),
    catalogue=load_catalogue(__package__),
    chat=ChatWire(
        path="/compatibility/v1/chat/completions",
        forward=_FORWARD,
        bounds={
            "temperature": (0.0, 1.0),
            "frequency_penalty": (0.0, 1.0),
            "presence_penalty": (0.0, 1.0),
        },
        efforts={"command-a-plus-05-2026": _EFFORTS, "command-a-reasoning-08-2025": _EFFORTS},
        excludes=_EXCLUDES,
        tool_choices=frozenset({"auto", "none", "required"}),  # a function cannot be named
    ),
    embeddings=EmbeddingsWire(
        path="/v2/embed",
        forward=frozenset({"input_type", "truncate"}),
        renames={"input": "texts", "dimensions": "output_dimension"},
    ),
    models_path="/v1/models?page_size=1000",
    refusals=_REFUSALS,
)
