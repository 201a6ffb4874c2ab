"""Asking a provider for its own list of models, and a model whether it is there."""

from __future__ import annotations

import msgspec

from freellm.declarations import Model
from freellm.errors import UpstreamError
from freellm.providers import Provider
from freellm.redaction import redact
from freellm.types import (
    Answer,
    ChatRequest,
    EmbeddingRequest,
    Failure,
    Key,
    Kind,
    ListedModel,
    Upstream,
)
from freellm.upstream import UpstreamClient

WORDS = 16
"""Tokens of output that a model is asked for at most when it shall only show that it answers."""

_GREETING = ChatRequest(messages=[{"role": "user", "content": "Hello"}], parameters={"max_tokens": WORDS})


class Asked(msgspec.Struct, frozen=True):
    """Whom to ask, and how.

    :param provider: the provider with the models and quotas that count
    :param key: its key, decrypted
    :param client: sends the requests
    :param local: whether the key's base URL may be on this machine
    """

    provider: Provider
    key: Key
    client: UpstreamClient
    local: bool

    async def list(self) -> list[ListedModel]:
        """Ask for the provider's own list of models; several answers are one list.

        :raises UpstreamError: when the list cannot be had; the text says why and holds no secret
        """
        upstreams = self.provider.list_models(self.key)
        if not upstreams:
            raise UpstreamError(Kind.BAD_ANSWER, "its plugin does not say how to ask for a list of models")
        listed: list[ListedModel] = []
        for upstream in upstreams:
            answer = await self._send(upstream)
            if problem := _problem(answer):
                raise UpstreamError(Kind.BAD_ANSWER, redact(problem, self.key.fields.values()))
            listed += self.provider.read_models(answer)
        return listed

    async def whether_it_answers(self, model: Model) -> str:
        """Ask a model for a few words, which spends one request of its quota.

        :return: why it does not answer, in words; empty when it does
        """
        request = EmbeddingRequest(inputs=["Hello"]) if model.task == "embeddings" else _GREETING
        upstream = self._translated(request, model)
        if isinstance(upstream, Failure):
            return upstream.message or upstream.kind
        answer = await self._send(upstream)
        if answer.status == 0:
            return answer.text
        said = self._judged(request, model, answer)
        if not isinstance(said, Failure):
            return ""
        return redact(f"{said.kind}: {said.message}".removesuffix(": "), self.key.fields.values())

    def _translated(self, request: ChatRequest | EmbeddingRequest, model: Model) -> Upstream | Failure:
        if isinstance(request, EmbeddingRequest):
            return self.provider.translate_embeddings(request, model, self.key)
        return self.provider.translate_request(request, model, self.key)

    def _judged(
        self, request: ChatRequest | EmbeddingRequest, model: Model, answer: Answer
    ) -> object | Failure:
        if not 200 <= answer.status < 300:
            return self.provider.classify_error(_GREETING, model, answer)
        if isinstance(request, EmbeddingRequest):
            return self.provider.normalize_embeddings(request, model, answer)
        return self.provider.normalize_response(request, model, answer)

    async def _send(self, upstream: Upstream) -> Answer:
        return await self.client.probe(upstream, self.key.base_url, self.local)


def _problem(answer: Answer) -> str:
    if answer.status == 0:
        return answer.text
    if not 200 <= answer.status < 300:
        return f"it answered with status {answer.status}"
    return "" if answer.body is not None else "what it sent is not JSON"
