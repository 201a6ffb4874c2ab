"""Taking secrets out of text that came from outside, before anyone sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from freellm.secret import Secret

MOST = 300
"""Characters of a provider's message that are passed on."""

_PATTERNS = re.compile(
    r"""(?xi)
    \b(?:bearer|basic)\s+[\w.~+/=\-]{6,}
    | \b(?:sk|pk|gsk|csk|hf|xai|nvapi|fl|ghp|github_pat)[-_][\w\-]{6,}
    | \bAIza[\w\-]{20,}
    | \beyJ[\w\-]+\.[\w\-]+(?:\.[\w\-]*)?
    | (?<=[?&]key=)[^&\s"']+
    """
)


def without_keys(text: str) -> str:
    """Return a text without anything that looks like a key."""
    return _PATTERNS.sub("***", text)


def redact(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Return a text without the given secrets and without anything that looks like a key, on one line, shortened.

    :param text: what a provider said
    :param secrets: the secrets that were sent to it
    """
    values = [value for secret in secrets if len(value := secret.reveal()) >= 4]
    for value in sorted(values, key=len, reverse=True):  # a short one may be a part of a long one
        text = text.replace(value, "***")
    text = without_keys(" ".join(text[: 4 * MOST].split()))
    return text if len(text) <= MOST else text[: MOST - 1] + "…"
