"""Every installed provider keeps to the contract, as the conformance kit examines it."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

import pytest

from freellm.plugins import PROVIDERS
from freellm.testing import contract
from freellm.testing.finding import cases_of, find
from freellm.testing.subject import Subject

NAMES = sorted({point.name for point in entry_points(group=PROVIDERS)})
CHECKS = contract.checks()


@cache
def subject(name: str) -> Subject:
    record = find(name)
    assert record.status == "loaded", record.reason
    return Subject(name, record.plugin, cases=cases_of(record))


def test_the_reference_providers_are_installed() -> None:
    assert {"groq", "cloudflare", "google"} <= set(NAMES)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", NAMES)
def test_a_provider_keeps_to_the_contract(name: str, check: str) -> None:
    result = contract.result_of(subject(name), check, CHECKS[check])
    if result.status == "skipped":
        pytest.skip(result.what)
    assert result.status == "passed", "\n".join(result.lines())
