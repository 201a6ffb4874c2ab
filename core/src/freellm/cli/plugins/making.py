"""`freellm plugins new`: begin a provider with a package that is installable, tested and documented at once."""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Iterator
from datetime import date
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Final

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError

_NAME: Final = re.compile(r"(?=.{1,60}$)[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SUFFIX: Final = ".template"
_MODULE: Final = "MODULE"
"""Stands for the import package in the names of the templates' folders."""


@click.command("new")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["plain", "override", "dialect"]),
    default="plain",
    show_default=True,
    help="An OpenAI-speaking service described by data, one with a hook overridden, or a dialect of its own.",
)
@click.option(
    "--directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="The folder in which the package's folder is made.",
)
@options.as_json
def new(name: str, kind: str, directory: Path, as_json: bool) -> None:
    """Begin a provider with a package to fill in.

    Its tests pass at once. NAME is the provider's id, such as acme: the part before the slash in acme/large. The package is
    freellm-provider-NAME.
    """
    _refuse(name)
    folder = directory / f"freellm-provider-{name}"
    if folder.exists():
        raise SettingsError(f"{folder} exists already; remove it, or choose another name or --directory")
    files = dict(_rendered(kind, _values(name)))
    _write(folder, files)
    following = [
        f"cd {shlex.quote(str(folder))}",
        "pip install -e '.[test]'",
        "pytest",
        f"freellm plugins check {name}",
    ]
    if as_json:
        printing.document({"folder": str(folder), "kind": kind, "files": sorted(files), "next": following})
        return
    click.echo(f"Made {folder}:")
    click.echo("\n".join(f"    {file}" for file in sorted(files)))
    click.echo("Next:")
    click.echo("\n".join(f"    {command}" for command in following))
    click.echo("What is to be filled in says example.com. docs/write-a-provider.md goes through it.")


def _refuse(name: str) -> None:
    if not _NAME.fullmatch(name):
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
        meant = f", such as {plain}" if _NAME.fullmatch(plain) else ""
        raise SettingsError(
            f"{name[:80]!r} is no id of a provider; write lower-case letters, digits and single hyphens, a letter first, "
            f"60 at most{meant}"
        )
    for point in metadata.entry_points(group="freellm.providers", name=name):
        owner = point.dist.name if point.dist else "another package"
        raise SettingsError(
            f"a provider named {name!r} is installed, by {owner}; choose another name, or pip uninstall {owner} first"
        )


def _values(name: str) -> dict[str, str]:
    words = name.split("-")
    return {
        "id": name,
        "module": f"freellm_provider_{name.replace('-', '_')}",
        "title": " ".join(word.capitalize() for word in words),
        "class_name": "".join(word.capitalize() for word in words),
        "variable": name.replace("-", "_").upper(),
        "today": date.today().isoformat(),  # noqa: DTZ011 - the author's day
    }


def _rendered(kind: str, values: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Iterate over a kind's files: the path in the package, and the text."""
    top = resources.files(__package__) / "templates"
    for folder in ("common", kind):
        for path, template in _walked(top / folder):
            target = path.replace(_MODULE, values["module"]).removesuffix(_SUFFIX)
            yield target, Template(template.read_text("utf-8")).substitute(values)


def _walked(folder: Traversable, path: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walked(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield f"{path}{entry.name}", entry


def _write(folder: Path, files: dict[str, str]) -> None:
    """Write all files or none: the folder gets its name when it is whole.

    :raises SettingsError: when they cannot be written
    """
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            whole = Path(scratch) / folder.name
            for name, text in files.items():
                file = whole / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, "utf-8")
            whole.replace(folder)
    except OSError as error:
        raise SettingsError(f"{folder} cannot be written: {error}") from error
