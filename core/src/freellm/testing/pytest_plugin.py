"""The pytest plugin: `pytest --freellm-provider NAME` adds the contract of an installed provider to the tests.

Pytest imports this module in every run, so it imports nothing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options."""
    group = parser.getgroup("freellm", "the contract of freellm's providers")
    group.addoption(
        "--freellm-provider", action="append", default=[], metavar="NAME",
        help="Add the contract of an installed provider to the tests; may be given several times.",
    )  # fmt: skip
    group.addoption(
        "--freellm-cases", metavar="DIR",
        help="Where the provider's golden cases are; found by itself when the package ships them, or is installed with -e.",
    )  # fmt: skip
    group.addoption(
        "--freellm-examples", type=int, metavar="N",
        help="How many examples of each property to generate; 25 unless stated.",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Bring in what collects the contract, if a provider is named."""
    if config.getoption("--freellm-provider"):
        from freellm.testing import pytest_contract

        config.pluginmanager.register(pytest_contract.Contracts(config), "freellm-contracts")
