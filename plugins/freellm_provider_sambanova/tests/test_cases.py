from pathlib import Path

import pytest

from freellm.testing import Case, check_case, check_refusals, load_cases
from freellm_provider_sambanova import _REFUSALS, provider

CASES = load_cases(Path(__file__).parent / "cases")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_provider_answers_as_the_case_says(case: Case) -> None:
    check_case(provider, case)


def test_every_row_of_the_table_of_refusals_has_a_case() -> None:
    check_refusals(_REFUSALS, CASES)
