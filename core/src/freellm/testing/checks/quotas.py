"""Quotas: pools of models that exist, windows that fit their clocks, and headers that are read as declared."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from freellm.declarations import DAY, Quota
from freellm.testing import answers
from freellm.testing.breach import BreachError, NotApplicableError
from freellm.testing.subject import Subject
from freellm.types import Answer, Reading

_COUNTED: Final = frozenset({"requests", "tokens", "concurrent"})
"""Units that core counts by itself; all others are priced by `Model.costs`."""

_VALUES: Final = ("7", "0", "", "soon", "1m3s", "-1", "nan", "1e400", "2026-11-24T00:00:00Z", "7, 7;w=60")


def members(subject: Subject) -> None:
    """Every member of a quota is a model that `declare_models` lists, and no two quotas are the same pool."""
    ids = {model.id for model in subject.models}
    for quota in subject.quotas:
        if unknown := sorted(set(quota.members) - ids):
            raise BreachError(
                f"names {unknown[0]!r} as a member of {quota.name!r}, which declare_models does not list",
                hook="declare_quotas", cure="correct the id",
            )  # fmt: skip
    names = [quota.name for quota in subject.quotas]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BreachError(
            f"declares {twice[0]!r} twice", hook="declare_quotas", cure="keep the one that binds"
        )


def windows(subject: Subject) -> None:
    """Calendar clocks have their calendar's window, and of two windows of a pool the longer holds as much or more."""
    for quota in subject.quotas:
        if problem := _misfit(quota):
            raise BreachError(
                f"{problem} in {quota.name!r}", hook="declare_quotas",
                cure="seconds: 86400 for a day's clock, 28 to 31 days for a month's",
            )  # fmt: skip
    pools: dict[object, list[Quota]] = {}
    for quota in subject.quotas:
        if quota.window is not None and quota.limit is not None:
            pools.setdefault((quota.unit, quota.members, quota.scope, quota.charge), []).append(quota)
    for pool in pools.values():
        pool.sort(key=lambda quota: quota.window or 0.0)
        for shorter, longer in pairwise(pool):
            if (shorter.limit or 0) > (longer.limit or 0):
                raise BreachError(
                    f"allows {shorter.limit:g} in {shorter.name!r} and only {longer.limit:g} in {longer.name!r}",
                    hook="declare_quotas", cure="look the figures up again; one of them is wrong or of another unit",
                )  # fmt: skip


def _misfit(quota: Quota) -> str | None:
    if quota.clock.endswith("-midnight") and quota.window != DAY:
        return f"has the clock {quota.clock} and a window of {quota.window:g} s"
    if quota.clock == "month" and not 28 * DAY <= (quota.window or 0.0) <= 31 * DAY:
        return f"has the clock month and a window of {quota.window or 0:g} s"
    if quota.charge != "actual" and quota.unit != "tokens":
        return f"has charge {quota.charge!r}, which is for tokens,"
    return None


def prices(subject: Subject) -> None:
    """A unit of the provider's own has a quota, and every model in such a quota has a price in the unit."""
    priced = {unit for model in subject.models for unit in model.costs}
    limited = {quota.unit for quota in subject.quotas} - _COUNTED
    if odd := sorted(priced ^ limited):
        told = "prices models in" if odd[0] in priced else "declares a quota of"
        raise BreachError(
            f"{told} {odd[0]!r}, but not the other way round", hook="declare_models",
            cure="state both: costs in the models, a quota of the unit (limit None if it is unknown)",
        )  # fmt: skip
    for quota in subject.quotas:
        for model in subject.models:
            held = quota.unit in limited and quota.touches(model)
            if held and model.enabled_by_default and quota.unit not in model.costs:
                raise BreachError(
                    f"gives {model.id!r} no price in {quota.unit!r}, though it draws on {quota.name!r}",
                    hook="declare_models", cure="add the unit to the model's costs",
                )  # fmt: skip


def readings(subject: Subject) -> None:
    """`read_quota` answers a list of sane `Reading` for the declared headers, whatever their values, else nothing."""
    subject.need("read_quota")
    if not subject.models:
        raise NotApplicableError("the provider declares no model")
    for headers in (*answers.HEADERS, *_named_headers(subject)):
        answer = Answer(200, headers)
        found = subject.ask("read_quota", (list, tuple), model=subject.models[0], answer=answer)
        strange = [reading for reading in found if not _is_sane(reading)]
        if strange:
            raise BreachError(
                f"reads {strange[0]!r}", hook="read_quota", example=headers,
                cure="leave out what cannot be read; figures are finite and not negative, windows are seconds",
            )  # fmt: skip
        if found and not headers.keys() & set(subject.info.quota_headers):
            raise BreachError(
                "reads headers that ProviderInfo.quota_headers does not name", hook="read_quota", example=headers,
                cure="name them there, in lower case; without them core does not ask",
            )  # fmt: skip


def _named_headers(subject: Subject) -> list[dict[str, str]]:
    names = subject.info.quota_headers
    return [dict.fromkeys(names, value) for value in _VALUES] + [{name: "7"} for name in names]


def _is_sane(reading: object) -> bool:
    if not isinstance(reading, Reading) or (reading.window is not None and not reading.window > 0):
        return False
    figures = (reading.limit, reading.remaining, reading.resets_in)
    return all(figure is None or 0 <= figure < float("inf") for figure in figures)


def header_names(subject: Subject) -> None:
    """Quota headers are named in lower case, and a provider that names some reads them."""
    for name in subject.info.quota_headers:
        if name != name.lower():
            raise BreachError(
                f"names the header {name!r}", hook="describe_provider", cure="write it in lower case"
            )
    if subject.info.quota_headers and "read_quota" not in subject.hooks:
        raise BreachError(
            "names quota headers, but there is no read_quota", hook="describe_provider",
            cure="write the hook, or name no headers",
        )  # fmt: skip
    if subject.info.quota_headers and subject.models:
        headers = dict.fromkeys(subject.info.quota_headers, "7")
        if not subject.ask("read_quota", model=subject.models[0], answer=Answer(200, headers)):
            raise BreachError(
                "reads nothing from the headers that the provider names", hook="read_quota", example=headers,
                cure="read them, or take them out of quota_headers",
            )  # fmt: skip


CHECKS = (members, windows, prices, readings, header_names)
