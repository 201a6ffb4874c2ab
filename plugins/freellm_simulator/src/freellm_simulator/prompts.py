"""What a prompt offers to an answer that only has to look plausible: its script, topic, names, numbers and length."""

from __future__ import annotations

import re

from freellm_simulator.scalars import Hints

_WORDS = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NAMES = re.compile(r"(?<![\w'])[A-Z][\w'\u2019-]+(?:\s+[A-Z][\w'\u2019-]+)*")
_AFTER = re.compile(r"\b(?:in|for|at|near|of|about|between)\s+([^?.!\n]+)", re.IGNORECASE)
_SEVERAL = re.compile(r"\s*(?:,|&|/|;|\band\b|\bor\b|\bvs\.?\b)\s*", re.IGNORECASE)
_NUMBERS = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\d)")
_LENGTH = re.compile(r"(\d[\d,]{0,6})[\s-]*(?:words?\b|\u5b57|\ub2e8\uc5b4|\u8a9e)", re.IGNORECASE)
_LONG = re.compile(
    r"\b(?:long|story|essay|article|chapter|in detail|detailed)\b|\u8be6\u7ec6|\u6545\u4e8b|\u7269\u8a9e|\uc774\uc57c\uae30",
    re.IGNORECASE,
)
_SCRIPTS = (
    ("kana", re.compile("[\u3040-\u30ff]")),
    ("hangul", re.compile("[\uac00-\ud7af]")),
    ("han", re.compile("[\u4e00-\u9fff]")),
)
_RUN = re.compile("[\u30a0-\u30ff\u4e00-\u9fff\uac00-\ud7af]{2,}")

LONG_ANSWER = 400
"""Words of an answer that is asked to be long without a number."""

# Words that carry no topic. The others begin sentences without being a name.
_STOP_TEXT = """
about after all also and any are because been before being both but can could did does doing each else for from had
has have having her here him his how into its just like make more most much not now only other our out over please
same she should some such tell than that the their them then there these they this those through too under until use
using very was were what when where which while who whom why will with would you your give get set call find show
list write compare explain describe check look fetch one two three word words exactly simple terms short long today
tomorrow
"""
_OPENER_TEXT = "a i is it in on at do if no yes hi hello hey ok let my we an as so"
STOP_WORDS = frozenset(_STOP_TEXT.split())
_OPENERS = STOP_WORDS | frozenset(_OPENER_TEXT.split())


def script(text: str) -> str:
    """Name the script of a text: `latin`, `han`, `kana` or `hangul`."""
    return next((name for name, pattern in _SCRIPTS if pattern.search(text)), "latin")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case; runs of ideographs and syllables as their pairs."""
    found = [word.lower() for word in _WORDS.findall(text) if not _RUN.search(word)]
    for run in _RUN.findall(text):
        found += [run[at : at + 2] for at in range(len(run) - 1)]
    return found


def topic(text: str) -> str:
    """Return the word that says most about a text."""
    runs: list[str] = _RUN.findall(text)
    if runs:
        return max(runs, key=len)[:8]
    candidates: list[str] = [
        word for word in _WORDS.findall(text) if len(word) > 2 and word.lower() not in STOP_WORDS
    ]
    return max(candidates, key=len, default="it")


def wanted_words(text: str) -> int | None:
    """Return how many words an answer shall have, when the prompt says so."""
    if match := _LENGTH.search(text):
        return max(1, int(match[1].replace(",", "")))
    return LONG_ANSWER if _LONG.search(text) else None


def hints(text: str) -> Hints:
    """Return what a text offers to fill arguments with."""
    return Hints(
        text=text.strip(), subjects=_subjects(text), numbers=tuple(map(float, _NUMBERS.findall(text)))
    )


def _subjects(text: str) -> tuple[str, ...]:
    names = [stripped for name in _NAMES.findall(text) if (stripped := _without_openers(name))]
    if not names and (match := _AFTER.search(text)):
        names = [_without_openers(part) for part in _SEVERAL.split(match[1]) if len(part.split()) <= 4]
    return tuple(dict.fromkeys(name for name in names if name))


def _without_openers(name: str) -> str:
    kept = [word for word in name.split() if word.lower().split("'")[0].split("\u2019")[0] not in _OPENERS]
    return " ".join(kept).strip(" '\u2019-")


def asks_for_several(text: str) -> bool:
    """Say whether a text asks for more than one thing."""
    return bool(
        re.search(r"\band\b|\bboth\b|\beach\b|&|\u548c|\u4e0e|\u3068|\uadf8\ub9ac\uace0", text, re.IGNORECASE)
    )
