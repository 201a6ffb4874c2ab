"""What a model name stands for, and what to tell a client whose name stands for nothing that can answer. Pure."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping, Sequence

from freellm.catalogue import Catalogue, Entry
from freellm.declarations import Task
from freellm.errors import RequestError
from freellm.orders import Orders, Space
from freellm.profiles import near

AUTO = "auto"
"""The name that stands for freellm's own choice."""

_VERBS: Mapping[Task, tuple[str, str, str]] = {
    "chat": ("makes embeddings and does not chat", "/v1/embeddings", "chat"),
    "embeddings": ("chats and makes no embeddings", "/v1/chat/completions", "make embeddings"),
}
"""For each task that a client wants: what a model of the other task does, where it is asked, and what is wanted."""

_INSTEAD: Mapping[Task, str] = {
    "chat": "'auto' takes the best one open",
    "embeddings": "'auto' takes one that makes embeddings and stays with it",
}


def nearest(catalogue: Catalogue, name: str, task: Task = "chat") -> tuple[str, ...]:
    """Return the three names most like one, of the models that do a task; of those that are on, if there are any."""
    usable = catalogue.chain if task == "chat" else catalogue.embedders
    entries = usable or [entry for entry in catalogue.entries if entry.model.task == task]
    known = {entry.model.id: None for entry in entries} | {entry.name: None for entry in entries}
    folded = {text.lower(): text for text in known}
    matches = difflib.get_close_matches(name.lower(), folded, 3, cutoff=0.0)
    return tuple(folded[match] for match in matches)


def vector_space(orders: Orders, model: str, dimensions: int | None) -> Space:
    """Return the vector space that an embeddings request for a model goes to. What is open at the moment is no matter.

    :param model: any of the model's names but `auto`
    :param dimensions: the length of vector wanted; None is the model's usual one
    :raises RequestError: when nobody makes such vectors; says why and what there is instead
    """
    entries = orders.embedders(model)
    if not entries:
        raise missing(orders.catalogue, model, "embeddings")
    offered = tuple(dict.fromkeys(itertools.chain.from_iterable(entry.model.dimensions for entry in entries)))
    space = orders.space(
        model, _usual(orders.catalogue, model, offered) if dimensions is None else dimensions
    )
    if space is None:
        raise RequestError(
            f"{model!r} makes no vectors of {dimensions} dimensions; it makes {', '.join(map(str, offered))}. "
            f"Leave dimensions out for {_usual(orders.catalogue, model, offered)}",
            param="dimensions",
            code="unsupported_value",
        )
    return space


def _usual(catalogue: Catalogue, model: str, offered: Sequence[int]) -> int:
    """Return the family's usual length of vector.

    It goes by everyone who declares the model, so that switching a provider on or off does not change it.
    """
    declared = itertools.chain.from_iterable(
        entry.model.dimensions for entry in catalogue.named(model) if entry.model.task == "embeddings"
    )
    return next((length for length in declared if length in offered), offered[0])


def unknown_choice(orders: Orders, choice: str, param: str) -> RequestError:
    """Return the refusal of `auto:CHOICE`, where nothing is called so."""
    known = tuple(f"{AUTO}:{name}" for name in (*orders.strategies, *orders.profiles))
    return RequestError(
        f"there is no strategy and no profile {choice!r}{near(f'{AUTO}:{choice}', known)}",
        status=404,
        code="model_not_found",
        param=param,
        suggestions=(AUTO, *known),
    )


def missing(catalogue: Catalogue, model: str, task: Task, param: str = "model") -> RequestError:
    """Return the refusal of a name that stands for no model that can answer; says why and what there is instead."""
    named = catalogue.named(model)
    entries = [entry for entry in named if entry.model.task == task]
    close = nearest(catalogue, model, task)
    if not catalogue.chain and not catalogue.embedders and not named:
        return no_keys()
    if entries:
        reasons = "; ".join(dict.fromkeys(map(why_off, entries)))
        message = f"{model!r} cannot answer: {reasons}. {_INSTEAD[task]}"
    elif named:
        does, where, wanted = _VERBS[task]
        message = f"{model!r} {does}; send it to {where}. Models that {wanted}: {', '.join(close) or 'none'}"
    else:
        message = f"there is no model {model!r}; near it are {', '.join(close) or 'none'}. {_INSTEAD[task]}"
        if task == "embeddings":
            message = (
                f"no model that makes embeddings is called {model!r}; there are {', '.join(close) or 'none'}"
            )
    return RequestError(message, status=404, code="model_not_found", param=param, suggestions=(*close, AUTO))


def no_keys() -> RequestError:
    """Return the refusal of any request while no provider has a key."""
    return RequestError(
        "no provider has a key yet; add one: freellm keys add PROVIDER (freellm plugins lists the providers)",
        status=503,
        type_="service_unavailable",
        code="no_providers_configured",
    )


def why_off(entry: Entry) -> str:
    """Say why a model that there is cannot answer, and the cure."""
    model, provider = entry.model, entry.provider
    if entry.enabled:
        return f"{provider.name} has no usable key; add one: freellm keys add {provider.name}"
    cure = f"freellm models enable {entry.name}"
    if provider.retired:
        return f"{provider.info.title} is retired, with all its models"
    if model.status == "retired":
        since = f" in {model.retired}" if model.retired else ""
        instead = f"; {model.replaced_by} took its place" if model.replaced_by else ""
        return f"{provider.info.title} retired it{since}{instead} (to try it all the same: {cure})"
    if model.status == "paid-only" and entry.choice.enabled is None:
        return f"it is not in the free tier of {provider.info.title} (to use it all the same: {cure})"
    return f"it is switched off at {provider.info.title}; switch it on: {cure}"
