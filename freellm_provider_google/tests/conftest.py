import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from freellm import ChatRequest, Key, Model, Secret, Upstream

# In its importlib mode pytest has just put an empty namespace package of this folder's name in the package's place.
if getattr(sys.modules.get("freellm_provider_google"), "__file__", None) is None:
    sys.modules.pop("freellm_provider_google", None)

from freellm_provider_google import INFO, provider

MODELS = {model.id: model for model in provider.declare_models()}


@pytest.fixture(scope="session")
def models() -> dict[str, Model]:
    return MODELS


@pytest.fixture(scope="session")
def key() -> Key:
    return Key(id="k", account="acct", fields={"token": Secret("KEY-token")}, base_url=INFO.base_url)


@pytest.fixture(scope="session")
def body_of(key: Key) -> Callable[..., dict[str, Any]]:
    """Return a function that translates messages for a model and gives the body."""

    def translate(model_id: str, messages: Sequence[dict[str, Any]], **fields: Any) -> dict[str, Any]:
        request = ChatRequest(messages=messages, **fields)
        upstream = provider.translate_request(request, MODELS[model_id], key)
        assert isinstance(upstream, Upstream)
        assert upstream.body is not None
        return upstream.body

    return translate
