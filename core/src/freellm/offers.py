"""What a provider offers: what its package declares, laid over by a catalogue file and by its own lists. Pure.

Data flows one way: declared, then filed, then listed. The outcome is a provider like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freellm.catalogue_file import read_catalogue
from freellm.declarations import Model, Quota
from freellm.listings import OWN_LIST, Listing, day, discovered, reason
from freellm.providers import Provider


def offered(
    provider: Provider, filed: Mapping[str, Any] | None = None, listings: Mapping[str, Listing] | None = None
) -> Provider:
    """Return a provider with the models and quotas that count.

    :param provider: as its package declares it
    :param filed: the provider's table of a catalogue file
    :param listings: what its own lists and its refusals say, by model id
    :raises ValueError: when the table is wrong; the text names the field
    """
    stated = filed_over(provider, filed) if filed else provider
    if not listings:
        return stated
    ids = {model.id for model in stated.models}
    models = [_listed_over(m, listings[m.id]) if m.id in listings else m for m in stated.models]
    found = (
        _listed_over(model, listing)
        for id_, listing in sorted(listings.items())
        if id_ not in ids and (model := discovered(listing)) is not None
    )
    return stated.offering((*models, *found), stated.quotas)


def filed_over(provider: Provider, filed: Mapping[str, Any]) -> Provider:
    """Lay a catalogue file's table over what a package declares.

    A row of a model that is declared changes the fields it states, or the table's `[defaults]` do; if it states
    limits, they take the place of the model's own. Any other row is one more model. A quota takes the place of the
    one of the same name, or is one more.

    :raises ValueError: when the table is wrong; the text names the field
    """
    declared = {model.id: model for model in provider.models}
    rows = [_completed(row, declared, filed.get("defaults", {})) for row in filed.get("models", [])]
    read = read_catalogue({**filed, "models": rows})
    limited = {row["id"] for row in rows if "limits" in row}
    quotas = {q.name: q for q in provider.quotas if not (len(q.members) == 1 and q.members[0] in limited)}
    before = {quota.name: quota for quota in provider.quotas}
    quotas |= {q.name: q if "limits" in filed else _ruled(q, before.get(q.name)) for q in read.quotas}
    models = declared | {model.id: model for model in read.models}
    for quota in quotas.values():
        if strangers := [member for member in quota.members if member not in models]:
            raise ValueError(f"the quota {quota.name!r} names {strangers[0]!r}, which is no model of it")
    return provider.offering(tuple(models.values()), tuple(quotas.values()))


def _completed(
    row: Mapping[str, Any], declared: Mapping[str, Model], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    model = declared.get(str(row.get("id")))
    return dict(row) if model is None else {**model.model_dump(), **defaults, **row}


def _ruled(quota: Quota, declared: Quota | None) -> Quota:
    """Keep how a declared quota is counted when the file states its size alone."""
    if declared is None or len(quota.members) != 1:
        return quota
    return declared.model_copy(
        update={"limit": quota.limit, "source": quota.source, "checked": quota.checked}
    )


def _listed_over(model: Model, listing: Listing) -> Model:
    """Lay what a provider's own list says over a model.

    A window is the smaller one of the two: lists tend to state the model's, packages the free tier's.
    """
    facts = listing.facts
    update: dict[str, Any] = {
        "context": _smaller(model.context, facts.context),
        "max_output": _smaller(model.max_output, facts.max_output),
    }
    if listing.retired:
        since = day(listing.signs[0].at)
        update |= {"status": "retired", "retired": since[:7], "note": f"Gone: {reason(listing)}."}
    elif facts.free is False and model.enabled_by_default:
        said = f"Its provider's list calls it paid since {day(listing.last_seen)}."
        update |= {"status": "paid-only", "note": said, "source": OWN_LIST}
    changed = {name: value for name, value in update.items() if value != getattr(model, name)}
    return model.model_copy(update=changed) if changed else model


def _smaller(stated: int | None, listed: int | None) -> int | None:
    return min((figure for figure in (stated, listed) if figure), default=None)
