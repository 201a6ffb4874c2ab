"""The conformance kit for plugin authors: golden cases, and the check that a provider keeps to them.

A provider's whole test module:

    CASES = load_cases(Path(__file__).parent / "cases")

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_case(case):
        check_case(provider, case)
"""

from freellm.testing.cases import Case, check_case, load_cases

__all__ = ["Case", "check_case", "load_cases"]
