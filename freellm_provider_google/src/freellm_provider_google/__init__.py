"""The Gemini API as a provider: its own dialect, translated both ways."""

from __future__ import annotations

from collections.abc import Sequence

from freellm import (
    Answer,
    Catalogue,
    ChatRequest,
    DataPolicy,
    EmbeddingRequest,
    Failure,
    Json,
    Key,
    KeyField,
    ListedModel,
    Model,
    ProviderInfo,
    Quota,
    StreamNormalizer,
    Upstream,
    Verdict,
    hookimpl,
    load_catalogue,
)
from freellm_provider_google import listing
from freellm_provider_google.chunks import GeminiChunks
from freellm_provider_google.completions import complete
from freellm_provider_google.embeddings import embedding_list, translate_inputs
from freellm_provider_google.keys import judge, probes
from freellm_provider_google.refusals import classify
from freellm_provider_google.requests import translate

INFO = ProviderInfo(
    id="google",
    title="Google Gemini API",
    signup_url="https://aistudio.google.com/apikey",
    docs_url="https://ai.google.dev/gemini-api/docs",
    key_fields=(
        KeyField(
            name="token",
            title="API key",
            help="Google AI Studio, under 'Get API key'; no billing account is needed",
            pattern=r"^[\w.\-]{20,}$",
        ),
    ),
    environment=("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"),
    base_url="https://generativelanguage.googleapis.com/v1beta",
    first_byte_timeout=60.0,
    data_policy=DataPolicy(
        trains=True,
        note="Free use may be read by people and used to improve Google's products, except from the European "
        "Economic Area, Switzerland and the United Kingdom.",
        source="https://ai.google.dev/gemini-api/terms",
        checked="2026-11-23",
    ),
)


class Google:
    """The provider. Its hooks only say who answers; the modules beside this one do."""

    def __init__(self) -> None:
        self._catalogue: Catalogue = load_catalogue(__name__)

    @hookimpl
    def describe_provider(self) -> ProviderInfo:
        """See `freellm.hookspecs`."""
        return INFO

    @hookimpl
    def declare_models(self) -> Sequence[Model]:
        """See `freellm.hookspecs`."""
        return self._catalogue.models

    @hookimpl
    def declare_quotas(self) -> Sequence[Quota]:
        """See `freellm.hookspecs`."""
        return self._catalogue.quotas

    @hookimpl
    def translate_request(self, request: ChatRequest, model: Model, key: Key) -> Upstream | Failure:
        """See `freellm.hookspecs`."""
        return translate(request, model, key)

    @hookimpl
    def normalize_response(self, request: ChatRequest, model: Model, answer: Answer) -> Json | Failure:
        """See `freellm.hookspecs`."""
        return complete(request, model, answer)

    @hookimpl
    def normalize_stream(self, request: ChatRequest, model: Model) -> StreamNormalizer:
        """See `freellm.hookspecs`."""
        return GeminiChunks(request, model)

    @hookimpl
    def classify_error(self, request: ChatRequest, answer: Answer) -> Failure:
        """See `freellm.hookspecs`."""
        return classify(request, answer)

    @hookimpl
    def translate_embeddings(self, request: EmbeddingRequest, model: Model, key: Key) -> Upstream | Failure:
        """See `freellm.hookspecs`."""
        return translate_inputs(request, model, key)

    @hookimpl
    def normalize_embeddings(self, request: EmbeddingRequest, model: Model, answer: Answer) -> Json | Failure:
        """See `freellm.hookspecs`."""
        return embedding_list(request, model, answer)

    @hookimpl
    def list_models(self, key: Key) -> Sequence[Upstream]:
        """See `freellm.hookspecs`."""
        return listing.request(key)

    @hookimpl
    def read_models(self, answer: Answer) -> Sequence[ListedModel]:
        """See `freellm.hookspecs`."""
        return listing.read(answer)

    @hookimpl
    def check_key(self, key: Key) -> Sequence[Upstream]:
        """See `freellm.hookspecs`."""
        return probes(key)

    @hookimpl
    def judge_key(self, answers: Sequence[Answer]) -> Verdict:
        """See `freellm.hookspecs`."""
        return judge(answers)


provider = Google()
"""What the entry point names."""
