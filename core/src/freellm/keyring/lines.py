"""Keys as people write them: one line with colons, or a .env file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from freellm.declarations import ProviderInfo
from freellm.errors import SettingsError

_PRINTABLE: Final = re.compile(r"[!-~]+")
_ASSIGNMENT: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_QUOTED: Final = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)\"""")
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


def parse_key(info: ProviderInfo, text: str) -> dict[str, str]:
    """Split a key in its one-line form, `field:field`, by the fields its provider declares.

    The last field takes the rest, colons included.

    :raises SettingsError: when a field is missing, empty or cannot be sent in a header; says what was expected and
        where to get a key, and never what was given
    """
    names = [field.name for field in info.key_fields]
    parts = [part.strip() for part in text.strip().split(":", len(names) - 1)]
    return check_fields(info, dict(zip(names, parts, strict=False)))


def check_fields(info: ProviderInfo, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a key in the declared order.

    :raises SettingsError: see `parse_key`
    """
    names = [field.name for field in info.key_fields]
    if problem := _problem(fields, names):
        form = ":".join(names)
        raise SettingsError(
            f"this is not a key of {info.title}: {problem}. Expected {form}; get one at {info.signup_url}"
        )
    return {name: fields[name] for name in names}


def _problem(fields: Mapping[str, str], names: list[str]) -> str | None:
    if missing := [name for name in names if not fields.get(name)]:
        return f"{' and '.join(missing)} missing"
    # Anything else would break the header it is sent in, or is a slip of the clipboard.
    if odd := [name for name in names if not _PRINTABLE.fullmatch(fields[name])]:
        return f"{' and '.join(odd)} with a space, a line break or a letter outside ASCII"
    if unknown := len(fields.keys() - set(names)):
        return f"{unknown} fields too many"
    return None


def doubts(info: ProviderInfo, fields: Mapping[str, str]) -> list[str]:
    """Return a sentence for each field that does not look as the provider says; the key may be right all the same."""
    return [
        f"The {field.title} does not look like those of {info.title} ({(field.help or info.signup_url).rstrip('.')})"
        for field in info.key_fields
        if field.pattern and field.name in fields and not re.search(field.pattern, fields[field.name])
    ]


def parse_environment_file(text: str) -> dict[str, str]:
    """Read a .env file: `NAME=value` lines with or without `export`, quotes and comments.

    Single quotes keep their content as it is; double quotes take backslash escapes; nothing is expanded, and a value
    stays on one line.

    :raises SettingsError: naming the first line that is none of these, without its content
    """
    return dict(_assignments(text.removeprefix("\ufeff")))


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(stripped)
        value = _value(match[2]) if match else None
        if match is None or value is None:
            raise SettingsError(f"line {number} is not NAME=value")
        yield match[1], value


def _value(text: str) -> str | None:
    """Return the value that stands right of `=`, None if its quotes do not close or something follows them."""
    if text[:1] not in ("'", '"'):
        return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].rstrip()
    match = _QUOTED.match(text)
    rest = text[match.end() :].strip() if match else ""
    if match is None or (rest and not rest.startswith("#")):
        return None
    if match[1] is not None:
        return match[1]
    return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), match[2])
