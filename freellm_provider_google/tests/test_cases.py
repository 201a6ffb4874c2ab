from pathlib import Path

import pytest

from freellm.testing.cases import Case, check_case, load_cases
from freellm_provider_google import provider

CASES = load_cases(Path(__file__).parent / "cases")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    check_case(provider, case)
