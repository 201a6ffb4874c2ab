"""GitHub Models, retired on 2026-07-30: its models are listed so that whoever asks for one is told.

Nothing here makes the service answer again. No environment variable is read, because `GITHUB_TOKEN` is often set for
other purposes and would be of no use. Refusals other than the retirement's are those of the service's last months.
"""

from collections.abc import Sequence

from freellm import (
    Answer,
    Failure,
    Key,
    KeyField,
    Kind,
    OpenAICompatible,
    ProviderInfo,
    Verdict,
    hookimpl,
    load_catalogue,
)

_RETIRED = "GitHub Models was retired on 2026-07-30, and no key is of use"
_GONE = Failure(kind=Kind.FORBIDDEN, scope="provider", message=_RETIRED)
_REFUSALS = (
    # The code dates from the brownouts before the end and is still sent.
    (None, "github_models_retirement_brownout", None, _GONE),
    (410, None, None, _GONE),
    (None, "unavailable_model", None, Kind.FORBIDDEN),
    (None, "unknown_model", None, Failure(kind=Kind.MODEL_GONE, scope="model")),
    (403, None, r"models:read", Failure(kind=Kind.BAD_KEY, scope="key")),
)


class GitHub(OpenAICompatible):
    """Says of every key that it is of no use."""

    @hookimpl
    def judge_key(self, key: Key, answers: Sequence[Answer]) -> Verdict:
        """Judge no key: the service that could is gone."""
        return Verdict(state="inconclusive", message=_RETIRED)


provider = GitHub(
    info=ProviderInfo(
        id="github",
        title="GitHub Models",
        signup_url="https://github.blog/changelog/2026-07-30-github-models-is-now-retired",
        docs_url="https://docs.github.com/en/github-models",
        key_fields=(KeyField(name="token", title="Token, of no use", help=f"{_RETIRED}: leave this."),),
        base_url="https://models.github.ai/inference",
    ),
    catalogue=load_catalogue(__package__),
    refusals=_REFUSALS,
)
