"""Tables of the documentation that are made from what the providers of this repository declare."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from doc_pages import TOP
from doc_reference import span, table
from freellm.declarations import Model, Quota
from freellm.providers import Provider, load_providers

_UNITS = {"requests": "", "tokens": " tokens", "concurrent": " at once"}
_ORDER = ("active", "listed", "unverified", "paid-only", "retired")
_WINDOWS = {1.0: "second", 60.0: "minute", 3_600.0: "hour", 86_400.0: "day", 604_800.0: "week"}


@cache
def providers() -> tuple[Provider, ...]:
    """Return the providers whose packages are in this repository, but for those that answer for users' own servers."""
    files = (*TOP.glob("freellm_provider_*/pyproject.toml"), *TOP.glob("plugins/*/pyproject.toml"))
    ours = [tomllib.loads(file.read_text("utf-8"))["project"]["name"] for file in files]
    found, _ = load_providers(ours)
    return tuple(provider for provider in found if not provider.info.instances)


def summary() -> str:
    """Return one row per provider, with the source of what is said of prompts."""
    return _summary(_trains)


def brief() -> str:
    """Return one row per provider, for those who look only once."""
    return _summary(lambda provider: _trains(provider).partition(" (")[0])


def _summary(trains: Callable[[Provider], str]) -> str:
    return table(
        ("provider", "models that are on", "a free key", "trains on prompts"),
        (
            (
                f"{provider.info.title} (`{provider.name}`)",
                _on(provider),
                _key(provider),
                trains(provider),
            )
            for provider in providers()
        ),
    )


def _key(provider: Provider) -> str:
    if provider.retired:
        return f"of no use: [retired]({provider.info.signup_url})"
    return "not needed" if provider.info.keyless else f"[get one]({provider.info.signup_url})"


def _on(provider: Provider) -> str:
    on = Counter(model.task for model in provider.models if model.enabled_by_default)
    return str(on["chat"]) + (f", and {on['embeddings']} for embeddings" if on["embeddings"] else "")


def _trains(provider: Provider) -> str:
    policy = provider.info.data_policy
    answers = {None: "not said", True: "it may", False: "no"}
    return (
        "unknown"
        if policy is None
        else f"{answers[policy.trains]} ({_link(policy.source)}, checked {policy.checked})"
    )


def _link(source: str) -> str:
    """Return a source as a link, if it begins with an address, and what else it says."""
    address, comma, rest = source.partition(",")
    return f"[source]({address}){comma}{rest}" if address.startswith("http") else source


def details() -> str:
    """Return a section per provider: key, shared quotas, models, sources."""
    return "\n\n".join("\n".join(_section(provider)) for provider in providers())


def _section(provider: Provider) -> Iterator[str]:
    info = provider.info
    form = ":".join(field.name for field in info.key_fields)
    variables = ", ".join(f"`{name.partition('=')[0]}`" for name in info.environment)
    yield f"## {info.title}"
    yield ""
    yield f"- Key: `{form}`, from [its console]({info.signup_url}), by `freellm keys add {provider.name}`"
    yield f"- Variables that hold a key: {variables or 'none'}"
    yield f"- Base URL: `{info.base_url}`. [Its documentation]({info.docs_url})"
    yield f"- First byte expected within {info.first_byte_timeout:g} s"
    if policy := info.data_policy:
        yield f"- Data: {policy.note} ({_link(policy.source)}, checked {policy.checked})"
    for quota in provider.quotas:
        if len(quota.members) != 1:
            yield f"- {_shared(quota)} ({quota.source}, checked {quota.checked})"
    yield ""
    yield from _models(provider)


def _shared(quota: Quota) -> str:
    everyone = f"all {quota.task} models" if quota.task else "all models"
    of = ", ".join(f"`{member}`" for member in quota.members) or everyone
    return f"{of} together, per {quota.scope}: {_limit(quota)}"


def _limit(quota: Quota) -> str:
    figure = "unknown, learned" if quota.limit is None else f"{quota.limit:,.12g}"
    unit = _UNITS.get(quota.unit, f" {quota.unit}")
    if quota.window is None:
        return f"{figure}{unit}"
    if quota.clock == "month":
        return f"{figure}{unit} a month (UTC)"
    clock = "" if quota.clock in ("rolling", "unknown") else f" ({quota.clock})"
    return f"{figure}{unit} a {_WINDOWS.get(quota.window) or span(quota.window)}{clock}"


def _models(provider: Provider) -> Iterator[str]:
    priced = any(model.costs for model in provider.models)
    shown = sorted(
        provider.models,
        key=lambda m: (_ORDER.index(m.status), m.intelligence_rank or 1000, m.speed_rank or 1000),
    )
    chatting = [model for model in shown if model.task == "chat"]
    embedding = [model for model in shown if model.task == "embeddings"]
    sources = list(dict.fromkeys((model.source, model.checked) for model in (*chatting, *embedding)))
    costs = ("per 1,000 tokens in, out",) if priced else ()
    if chatting:
        yield table(
            ("model", "status", "context", "output", "abilities", "limits", *costs, "ranks", "source"),
            (_row(model, provider.quotas, sources, priced) for model in chatting),
        )
        yield ""
    if embedding:
        yield "Embeddings:"
        yield ""
        costs = ("per 1,000 tokens",) if priced else ()
        yield table(
            (
                "model",
                "family",
                "status",
                "window",
                "dimensions",
                "inputs a request",
                "limits",
                *costs,
                "source",
            ),
            (_embedding_row(model, provider.quotas, sources, priced) for model in embedding),
        )
        yield ""
    yield "Sources:"
    yield ""
    for number, (source, checked) in enumerate(sources, 1):
        yield f"{number}. {source}; checked {checked}"


def _embedding_row(
    model: Model, quotas: Iterable[Quota], sources: Sequence[tuple[str, str]], priced: bool
) -> Iterator[str]:
    own = "; ".join(_limit(quota) for quota in quotas if quota.members == (model.id,)) or "—"
    yield f"`{model.id}`"
    yield f"`{model.family}`"
    yield _status(model)
    yield f"{model.context:,}" if model.context else "?"
    yield ", ".join(f"{length:,}" for length in model.dimensions)
    yield f"{model.max_inputs:,}" if model.max_inputs else "?"
    yield f"{own}{', each input counts' if model.counts_inputs else ''}"
    if priced:
        yield "; ".join(f"{unit} {cost[1] * 1000:.4g}" for unit, cost in model.costs.items()) or "—"
    yield f"{sources.index((model.source, model.checked)) + 1}"


def _row(
    model: Model, quotas: Iterable[Quota], sources: Sequence[tuple[str, str]], priced: bool
) -> Iterator[str]:
    own = [_limit(quota) for quota in quotas if quota.members == (model.id,)]
    yield f"`{model.id}`"
    yield _status(model)
    yield f"{model.context:,}" if model.context else "?"
    yield f"{model.max_output:,}" if model.max_output else "?"
    yield ", ".join(sorted(model.abilities)) or "none"
    yield "; ".join(own) or "—"
    if priced:
        yield (
            "; ".join(f"{unit} {c[1] * 1000:.4g}, {c[2] * 1000:.4g}" for unit, c in model.costs.items())
            or "—"
        )
    yield f"{model.intelligence_rank or '—'}, {model.speed_rank or '—'}"
    yield f"{sources.index((model.source, model.checked)) + 1}"


def _status(model: Model) -> str:
    since = f" {model.retired}" if model.retired else ""
    instead = f", instead: `{model.replaced_by}`" if model.replaced_by else ""
    return f"{model.status}{since}{instead}{', classifier' if model.classifier else ''}"
