from pathlib import Path

import pytest

from freellm.testing import Case, check_case, load_cases
from freellm_provider_custom import provider

CASES = load_cases(Path(__file__).parent / "cases")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_provider_answers_as_the_case_says(case: Case) -> None:
    check_case(provider, case)
