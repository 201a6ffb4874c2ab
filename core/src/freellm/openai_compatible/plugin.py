"""A provider whose service speaks OpenAI's chat completions, configured by data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from freellm.catalogue_file import Catalogue
from freellm.declarations import Model, ProviderInfo, Quota
from freellm.hookspecs import hookimpl
from freellm.openai_compatible.embeddings import EmbeddingsWire, repaired_embeddings
from freellm.openai_compatible.error_body import hides_error
from freellm.openai_compatible.keys import empty_chat, judge_chats, judge_listing, judge_proof
from freellm.openai_compatible.listing import listed_model, listed_rows
from freellm.openai_compatible.quota_headers import HeaderRow, QuotaHeaders
from freellm.openai_compatible.refusals import RefusalRow, RefusalTable
from freellm.openai_compatible.request import ChatWire
from freellm.openai_compatible.response import AnswerShape, repaired_completion
from freellm.openai_compatible.stream import ChunkNormalizer
from freellm.openai_compatible.verdicts import VerdictGuard, bare_verdict, spoken_text
from freellm.types import (
    Answer,
    ChatRequest,
    EmbeddingRequest,
    Failure,
    Json,
    Key,
    Kind,
    ListedModel,
    Reading,
    StreamNormalizer,
    Upstream,
    Verdict,
    replace,
)


class OpenAICompatible:
    """Answers every directed hook for a service that speaks OpenAI's chat completions.

    A service that differs by data is one call of this class. One that differs by behaviour is a subclass which
    overrides a hook, decorated with `hookimpl`, taking the arguments it takes here.

    :param info: who the provider is
    :param catalogue: its models and quotas
    :param chat: how its chat requests differ from OpenAI's
    :param answers: how its chat answers differ
    :param embeddings: how its embeddings requests differ
    :param models_path: the list of models, relative to the base URL; it proves a key unless it is public
    :param public_models: whether the list of models needs no key. Then a key is proved by a chat of no messages, which
        is refused before it costs anything, sent with the key and without it
    :param key_proof: what proves a key in place of both: an authenticated endpoint that spends nothing, and the member that
        its answer has, true or an object with something in it, when the key is good
    :param free_ids: a regular expression that the ids of free models match, where the service has paid models beside them:
        none but these and the catalogue's is ever asked or listed as free
    :param quota_headers: for each lower-case header name (unit, window in seconds, `limit`, `remaining` or `reset`)
    :param refusals: rows (status, code or type, pattern of words, kind or `Failure`), asked in order, before the
        generic ones; None in a row fits everything
    :param account_pattern: a regular expression whose group is the account that a refusal names
    :param salvage: the error member that holds what the model wrote, and a regular expression for the messages after
        which tool calls are rescued from it
    """

    def __init__(
        self,
        *,
        info: ProviderInfo,
        catalogue: Catalogue,
        chat: ChatWire = ChatWire(),
        answers: AnswerShape = AnswerShape(),
        embeddings: EmbeddingsWire = EmbeddingsWire(),
        models_path: str = "/models",
        public_models: bool = False,
        key_proof: tuple[str, str] | None = None,
        free_ids: str | None = None,
        quota_headers: Mapping[str, HeaderRow] | None = None,
        refusals: Sequence[RefusalRow] = (),
        account_pattern: str | None = None,
        salvage: tuple[str, str] | None = None,
    ) -> None:
        self._info = info
        self._catalogue = catalogue
        self._chat = chat
        self._answers = answers
        self._embeddings = embeddings
        self._models_path = models_path
        self._public_models = public_models
        self._key_proof = key_proof
        self._free_ids = _vouched_for(free_ids, catalogue) if free_ids else None
        self._quota_headers = QuotaHeaders(quota_headers or {})
        self._refusals = RefusalTable(refusals, self._quota_headers, account_pattern, salvage)

    @hookimpl
    def describe_provider(self) -> ProviderInfo:
        """Say who the provider is."""
        return self._info

    @hookimpl
    def declare_models(self) -> Sequence[Model]:
        """List the catalogue's models."""
        return self._catalogue.models

    @hookimpl
    def declare_quotas(self) -> Sequence[Quota]:
        """List the catalogue's quotas."""
        return self._catalogue.quotas

    @hookimpl
    def read_quota(self, model: Model, answer: Answer) -> Sequence[Reading]:
        """Read the headers of the table."""
        return self._quota_headers.read(answer.headers)

    @hookimpl
    def translate_request(self, request: ChatRequest, model: Model, key: Key) -> Upstream | Failure:
        """Send the request with what the service takes."""
        body = self._chat.body(request, model) if self._may_be_free(model.id) else _not_free(model.id)
        if isinstance(body, Failure):
            return body
        dropped = self._chat.dropped(request, body)
        return Upstream("POST", self._chat.path, self._headers(key), body, request.stream, dropped)

    @hookimpl
    def normalize_response(self, request: ChatRequest, model: Model, answer: Answer) -> Json | Failure:
        """Repair a whole answer, or name the error it hides."""
        body = answer.body
        if not isinstance(body, dict):
            found = "JSON that is no object" if body is not None else "no JSON"
            return Failure(kind=Kind.BAD_ANSWER, message=f"the service answered with {found}")
        if hides_error(body):
            return self.classify_error(request, model, answer)
        completion = repaired_completion(body, self._answers)
        if self._answers.verdicts and not isinstance(completion, Failure):
            return bare_verdict(spoken_text(completion), request, self._answers.verdicts) or completion
        return completion

    @hookimpl
    def normalize_stream(self, request: ChatRequest, model: Model) -> StreamNormalizer:
        """Return a normalizer of OpenAI chunks."""
        normalizer = ChunkNormalizer(
            model.id, self._answers, lambda answer: self.classify_error(request, model, answer)
        )
        return (
            VerdictGuard(normalizer, request, self._answers.verdicts)
            if self._answers.verdicts
            else normalizer
        )

    @hookimpl
    def classify_error(self, request: ChatRequest, model: Model, answer: Answer) -> Failure:
        """Name a refusal by the tables."""
        return self._refusals.classify(request, answer)

    @hookimpl
    def translate_embeddings(self, request: EmbeddingRequest, model: Model, key: Key) -> Upstream | Failure:
        """Send the inputs as they are, and ask for floats."""
        body = self._embeddings.body(request, model) if self._may_be_free(model.id) else _not_free(model.id)
        if isinstance(body, Failure):
            return body
        dropped = self._embeddings.dropped(request)
        return Upstream("POST", self._embeddings.path, self._headers(key), body, dropped=dropped)

    @hookimpl
    def normalize_embeddings(self, request: EmbeddingRequest, model: Model, answer: Answer) -> Json | Failure:
        """Put the vectors in order, or name the error the answer hides."""
        body = answer.body
        if isinstance(body, dict) and hides_error(body):
            return self._refusals.classify(ChatRequest(messages=()), answer)
        return repaired_embeddings(body, len(request.inputs))

    @hookimpl
    def list_models(self, key: Key) -> Sequence[Upstream]:
        """Ask for the list of models."""
        return [Upstream("GET", self._models_path, self._headers(key))]

    @hookimpl
    def read_models(self, answer: Answer) -> Sequence[ListedModel]:
        """Read the ids, and what else the service states of each model."""
        listed = [self.read_row(row, listed_model(row)) for row in listed_rows(answer.body)]
        return [model if self._may_be_free(model.id) else replace(model, free=False) for model in listed]

    def read_row(self, row: Json, model: ListedModel) -> ListedModel:
        """Return one model of the list; override it for a service whose rows say more in words of their own.

        :param row: the model in the service's words
        :param model: the model with what is read from every service's rows
        """
        return model

    @hookimpl
    def check_key(self, key: Key) -> Sequence[Upstream]:
        """Ask `key_proof`, list the models, or send a chat of no messages with the key and without it; none spends anything."""
        if self._key_proof:
            return [Upstream("GET", self._key_proof[0], self._headers(key))]
        if not self._public_models:
            return [Upstream("GET", self._models_path, self._headers(key))]
        chat = empty_chat(self._catalogue.models)
        return [Upstream("POST", self._chat.path, headers, chat) for headers in (self._headers(key), {})]

    @hookimpl
    def judge_key(self, key: Key, answers: Sequence[Answer]) -> Verdict:
        """Judge a key by what tells of it, by the list of models, or by what it changed about the chat."""
        keyed, *keyless = [(answer, self._failure_of(answer)) for answer in answers]
        if self._key_proof:
            return judge_proof(keyed, self._key_proof[1])
        return judge_chats(keyed, keyless[0]) if self._public_models else judge_listing(keyed)

    def _failure_of(self, answer: Answer) -> Failure | None:
        """Return what a probe's answer means when it is a refusal."""
        refused = not 200 <= answer.status < 300 and answer.status != 0
        return self._refusals.classify(ChatRequest(messages=()), answer) if refused else None

    def _may_be_free(self, model_id: str) -> bool:
        return self._free_ids is None or self._free_ids.search(model_id) is not None

    def _headers(self, key: Key) -> Mapping[str, str]:
        token = key.fields.get("token")
        return {"authorization": f"Bearer {token.reveal()}"} if token is not None else {}


def _vouched_for(free_ids: str, catalogue: Catalogue) -> re.Pattern[str]:
    """Return a pattern of the free ids and of those that the catalogue names one by one."""
    declared = "|".join(re.escape(model.id) for model in catalogue.models)
    return re.compile(f"{free_ids}|^(?:{declared})$")


def _not_free(model_id: str) -> Failure:
    return Failure(
        kind=Kind.PAYMENT_REQUIRED,
        scope="model",
        message=f"{model_id} is not a free model's id: it is not asked",
    )
