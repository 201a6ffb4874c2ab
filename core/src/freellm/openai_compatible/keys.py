"""What the probe of a key tells."""

from __future__ import annotations

from typing import Final

from freellm.openai_compatible.error_body import shorten
from freellm.types import Answer, Failure, Kind, Verdict

_REFUSED: Final = (Kind.BAD_KEY,)


def judge_listing(answer: Answer, failure: Failure | None) -> Verdict:
    """Judge a key by the answer to the list of models.

    :param failure: what the answer means when it is not 2xx
    :return: `valid` for a list of models, `invalid` for a refused key, `inconclusive` for everything else
    """
    if answer.status == 0:
        return Verdict(
            state="inconclusive", message=f"the service could not be reached: {shorten(answer.text)}"
        )
    if failure is None:
        if is_listing(answer.body):
            return Verdict(state="valid", message="the service listed its models")
        return Verdict(
            state="inconclusive",
            message="the service answered with something that is not a list of models; is the base URL right?",
        )
    if failure.kind in _REFUSED:
        return Verdict(state="invalid", message=f"the service refuses the key: {failure.message}")
    return Verdict(
        state="inconclusive",
        message=f"the service answered with status {answer.status}: {failure.message}",
    )


def is_listing(body: object) -> bool:
    """Tell whether a body is a list of models: a list, or an object with one in `data`."""
    return isinstance(body.get("data") if isinstance(body, dict) else body, list)
