"""Limits that the settings put in place of declared ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_LIMIT_NAMES: Mapping[str, str] = {
    "rpm": "requests/60s",
    "rpd": "requests/86400s",
    "tpm": "tokens/60s",
    "tpd": "tokens/86400s",
}


def overrides(limits: Mapping[str, Mapping[str, float]], model_id: str) -> dict[str, float]:
    """Return a provider's limits from the settings by `Quota.name`, as far as they touch a model.

    :param limits: by model id (`rpm`, `rpd`, `tpm`, `tpd`) or by a quota's name (`limit`)
    """
    own = limits.get(model_id, {})
    found = {f"{name}:{model_id}": own[limit] for limit, name in _LIMIT_NAMES.items() if limit in own}
    return found | {name: row["limit"] for name, row in limits.items() if "limit" in row}
