"""Which embeddings `auto` stands for: one family, from its first use until a person changes it.

Vectors of two families cannot be compared, and nothing in their numbers says so. So `auto` follows neither quotas nor
keys nor ranks from one family to another: the first choice is kept in the database.
"""

from __future__ import annotations

from typing import Final

from freellm.catalogue import Catalogue
from freellm.errors import RequestError
from freellm.naming import no_keys
from freellm.store import Store

_NAME: Final = "auto_embeddings_family"


class AutoFamily:
    """Remember the choice.

    :param store: the database
    :param setting: the model or family that the settings name; it overrules what was chosen before
    """

    def __init__(self, store: Store, setting: str | None) -> None:
        self._store = store
        self._chosen = setting or _text(store.meta.get(_NAME))

    def choose(self, catalogue: Catalogue) -> str:
        """Return the name that `auto` stands for. The first time, that is the first family in the fallback order.

        The choice is on the disk before it is used: a request waits for that once in the life of a data folder.

        :raises RequestError: when nothing was chosen yet and no model that makes embeddings has a key
        """
        if self._chosen is None:
            if not catalogue.embedders:
                raise _nobody(catalogue)
            family = catalogue.embedders[0].model.family
            self._store.meta.set(_NAME, family)
            self._chosen = family
        return self._chosen


def stays(name: str, error: RequestError) -> RequestError:
    """Return the refusal of `auto` when what it stands for cannot answer."""
    return RequestError(
        f"'auto' stands for {name!r} and stays with it, because vectors of different models cannot be compared: "
        f"{error.message}. To let it stand for another model, set FREELLM_EMBEDDINGS_MODEL and make all vectors anew",
        status=error.status,
        type_=error.type,
        code=error.code,
        param=error.param,
        suggestions=error.suggestions,
    )


def _nobody(catalogue: Catalogue) -> RequestError:
    makers = {entry.provider.name: None for entry in catalogue.entries if entry.model.task == "embeddings"}
    if not catalogue.chain or not makers:
        return no_keys()
    return RequestError(
        f"no provider that makes embeddings has a key yet; add one: freellm keys add {' or '.join(makers)}",
        status=503,
        type_="service_unavailable",
        code="no_providers_configured",
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
