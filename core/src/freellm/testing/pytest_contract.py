"""The contract as pytest items: one for each check, so that `-k` and `-x` do what they do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freellm.errors import FreeLLMError, PluginError
from freellm.testing import contract
from freellm.testing.finding import cases_of, find
from freellm.testing.subject import EXAMPLES, Subject


class BrokenContractError(Exception):
    """A check failed; its text is for the author of the provider."""


class Contracts:
    """Adds the contracts of the providers that the command line names.

    :param config: pytest's configuration
    """

    def __init__(self, config: pytest.Config) -> None:
        self._names: list[str] = list(dict.fromkeys(config.getoption("--freellm-provider")))
        self._cases: str | None = config.getoption("--freellm-cases")
        stated: int | None = config.getoption("--freellm-examples")
        self._examples = EXAMPLES if stated is None else stated

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Put the checks behind the tests that were found."""
        try:
            for name in self._names:
                items += self._items(session, name)
        except FreeLLMError as error:
            raise pytest.UsageError(str(error)) from error

    def _items(self, session: pytest.Session, name: str) -> Iterator[pytest.Item]:
        checks, record = contract.checks(), find(name)
        subject: Subject | PluginError = PluginError(record.reason)
        if record.status == "loaded":
            folder = self._folder(session.config) if self._cases else None
            subject = Subject.of(name, record.plugin, cases=cases_of(record, folder), examples=self._examples)
        collector = _Provider.from_parent(session, name=f"freellm-{name}", nodeid=f"freellm-{name}")
        for check in list(checks)[:1] if isinstance(subject, PluginError) else checks:
            yield _Item.from_parent(collector, name=check, subject=subject, check=checks[check])

    def _folder(self, config: pytest.Config) -> Path:
        """Return the folder of the cases, which addopts name relative to the root folder."""
        here = Path(str(self._cases))
        return here if here.is_dir() else config.rootpath / here


class _Provider(pytest.Collector):
    """A provider's contract."""

    def collect(self) -> list[pytest.Item]:
        """Return nothing: the items are made with the collector."""
        return []


class _Item(pytest.Item):
    """One check."""

    def __init__(self, *, subject: Subject | PluginError, check: contract.Check, **options: Any) -> None:
        super().__init__(**options)
        self._subject, self._check = subject, check

    def runtest(self) -> None:
        """Run the check."""
        result = contract.result_of(self._subject, self.name, self._check)
        if result.status == "skipped":
            pytest.skip(result.what)
        if result.status == "failed":
            raise BrokenContractError("\n".join(result.lines()))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> Any:
        """Return what an author has to know, without the kit's own frames."""
        if isinstance(excinfo.value, BrokenContractError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Say where the check is, for the summary."""
        return self.path, None, f"{self.parent.name if self.parent else ''} {self.name}"
