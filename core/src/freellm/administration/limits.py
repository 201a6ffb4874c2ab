"""A model's limits in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from freellm.declarations import Model, Quota
from freellm.limits import overrides

SPANS = {1.0: "s", 60.0: "min", 3600.0: "h", 86_400.0: "day", 604_800.0: "week", 2_592_000.0: "month"}
"""Windows by their seconds, as they stand behind a slash."""


def limits_of(
    model: Model, quotas: Sequence[Quota], settings: Mapping[str, Mapping[str, float]]
) -> list[str]:
    """Return the limits that a model's requests count against, such as `30 requests/min`.

    :param quotas: its provider's quotas
    :param settings: the limits that the settings put in their place, by model id or quota name
    """
    replaced = overrides(settings, model.id)
    return [
        _in_words(quota, replaced.get(quota.name, quota.limit), model)
        for quota in quotas
        if quota.touches(model)
    ]


def _in_words(quota: Quota, limit: float | None, model: Model) -> str:
    amount = "an unknown number of" if limit is None else f"{limit:,.10g}"
    if quota.window is None:
        unit, span = "at once", ""
    else:
        unit = quota.unit
        span = "/month" if quota.clock == "month" else f"/{_span(quota.window)}"
    everyone = f" for all {quota.task} models" if quota.task else " for all models"
    shared = "" if quota.members == (model.id,) else " shared" if quota.members else everyone
    return f"{amount} {unit}{span}{shared}"


def _span(seconds: float) -> str:
    """Return a window behind a slash: `day`, or `5 h` if it is several."""
    if seconds in SPANS:
        return SPANS[seconds]
    size = max((size for size in SPANS if seconds % size == 0), default=1.0)
    return f"{seconds / size:g} {SPANS[size]}"
