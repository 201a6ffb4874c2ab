import json
import re
from pathlib import Path

import pytest

from freellm.testing import Case, check_case, load_cases
from freellm_provider_llm7 import _REFUSALS, provider

CASES = load_cases(Path(__file__).parent / "cases")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_provider_answers_as_the_case_says(case: Case) -> None:
    check_case(provider, case)


@pytest.mark.parametrize("row", _REFUSALS, ids=lambda row: f"{row[0]}-{row[1]}-{row[2]}")
def test_every_row_of_the_table_of_refusals_has_a_case(row: tuple[object, ...]) -> None:
    status, code, words, meaning = row
    kind = getattr(meaning, "kind", meaning)
    assert [
        case
        for case in CASES
        if "answer" in case.content
        and case.content.get("failure", {}).get("kind") == kind
        and (status is None or case.content["answer"].get("status") == status)
        and (code is None or re.search(rf'"(?:code|type)": "?{code}\b', json.dumps(case.content["answer"])))
        and (words is None or re.search(str(words), json.dumps(case.content["answer"]), re.IGNORECASE))
    ]
