"""Declarations: facts with a source and a day, names that exist, fields that fit together."""

from __future__ import annotations

import re
from datetime import date

from freellm.declarations import DataPolicy, Model, Quota
from freellm.testing.breach import BreachError
from freellm.testing.subject import Subject


def sources_and_days(subject: Subject) -> None:
    """Every model, every quota and the data policy say where they are known from, and the day that was read."""
    facts: list[tuple[str, str, Model | Quota | DataPolicy]] = [
        *(("declare_models", f"model {model.id!r}", model) for model in subject.models),
        *(("declare_quotas", f"quota {quota.name!r}", quota) for quota in subject.quotas),
    ]
    if subject.info.data_policy:
        facts.append(("describe_provider", "the data policy", subject.info.data_policy))
    for hook, name, fact in facts:
        if not fact.source.strip():
            raise BreachError(
                f"gives no source for {name}", hook=hook, cure="state in source where it is known from"
            )
        if not _is_day(fact.checked):
            raise BreachError(
                f"gives {fact.checked!r} as the day on which {name} was checked",
                hook=hook,
                cure="state in checked the day its source was read, as YYYY-MM-DD",
            )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def model_ids(subject: Subject) -> None:
    """No id stands twice, and every model has a family."""
    ids = [model.id for model in subject.models]
    if twice := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        raise BreachError(f"lists {', '.join(twice)} twice", hook="declare_models", cure="remove one of them")
    if nameless := [model.id for model in subject.models if not model.family.strip()]:
        raise BreachError(
            f"gives {nameless[0]!r} no family", hook="declare_models",
            cure="name the logical model; its own id if no other provider has it",
        )  # fmt: skip


def retired_models(subject: Subject) -> None:
    """Only a retired model has a month in which it went, `YYYY-MM`; what replaces a model is in the list."""
    ids = {model.id for model in subject.models}
    for model in subject.models:
        problem = cure = ""
        if model.replaced_by is not None and model.replaced_by not in ids - {model.id}:
            problem = f"replaces {model.id!r} by {model.replaced_by!r}, which it does not list"
            cure = "correct replaced_by, or leave it out"
        elif model.retired is not None and model.status != "retired":
            problem = f"says when {model.id!r} went, although it is {model.status}"
            cure = "set status = 'retired', or remove retired"
        elif model.retired is not None and not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", model.retired):
            problem = f"says that {model.id!r} went in {model.retired!r}"
            cure = "write the month as YYYY-MM"
        if problem:
            raise BreachError(problem, hook="declare_models", cure=cure)


def models_that_are_off(subject: Subject) -> None:
    """Some model is on, or each one that is off says why in `note` or `replaced_by`, or is retired."""
    silent = [
        model.id for model in subject.models
        if not (model.enabled_by_default or model.note or model.replaced_by or model.status == "retired")
    ]  # fmt: skip
    if silent and not any(model.enabled_by_default for model in subject.models):
        raise BreachError(
            f"switches no model on, and {silent[0]!r} does not say why", hook="declare_models",
            cure="set status = 'active' for what is free, or say why not in note",
        )  # fmt: skip


def key_fields(subject: Subject) -> None:
    """Key fields differ, their patterns compile, and each variable `NAME=field` names one of them."""
    names = [field.name for field in subject.info.key_fields]
    if len(set(names)) != len(names):
        raise BreachError("names a key field twice", hook="describe_provider", cure="name each field once")
    for variable in subject.info.environment:
        name, _, field = variable.partition("=")
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name) or (field and field not in names):
            raise BreachError(
                f"names the environment variable {variable!r}", hook="describe_provider",
                cure="write NAME in capitals, or NAME=field with a field of key_fields",
            )  # fmt: skip
    for declared in subject.info.key_fields:
        try:
            re.compile(declared.pattern or "")
        except re.error as error:
            raise BreachError(
                f"gives the key field {declared.name!r} a pattern that is no regular expression: {error}",
                hook="describe_provider", cure="correct the pattern",
            ) from error  # fmt: skip


def links(subject: Subject) -> None:
    """The links for people are web addresses, and base URLs have neither a question mark nor a slash at the end."""
    info = subject.info
    for name, link in (("signup_url", info.signup_url), ("docs_url", info.docs_url)):
        if (link or not info.instances) and not re.match(r"https?://\S+$", link):
            raise BreachError(
                f"gives {link!r} as {name}", hook="describe_provider", cure="give the page's whole address"
            )
    for url in (info.base_url, *info.alternative_base_urls):
        if (url or not info.instances) and not re.match(r"https?://[^\s?#]*[^\s?#/]$", url):
            raise BreachError(
                f"gives {url!r} as a base URL", hook="describe_provider",
                cure="give origin and path prefix without a slash at the end; paths begin with one",
            )  # fmt: skip


CHECKS = (
    sources_and_days,
    model_ids,
    retired_models,
    models_that_are_off,
    key_fields,
    links,
)
