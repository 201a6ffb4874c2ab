"""Golden cases: what the package's own files say goes in and comes out."""

from __future__ import annotations

from freellm.testing.breach import BreachError, NotApplicableError
from freellm.testing.cases import check_case
from freellm.testing.subject import Subject
from freellm.testing.watching import no_input_or_output


def cases(subject: Subject) -> None:
    """Every golden case comes out as its file says."""
    if not subject.cases:
        raise NotApplicableError("there are no golden cases; name their folder with --cases")
    for case in subject.cases:
        try:
            with no_input_or_output():
                check_case(subject.plugin, case)
        except AssertionError as error:
            raise BreachError(
                f"the case {case} differs:\n{error}",
                cure="correct the provider, or the case if the service has changed",
            ) from error
        except Exception as error:
            raise BreachError(
                f"the case {case} cannot be run: {type(error).__name__}: {error}",
                cure="freellm.testing.cases says what a case may hold",
            ) from error


CHECKS = (cases,)
