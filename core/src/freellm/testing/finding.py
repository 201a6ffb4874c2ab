"""Finding an installed provider and the golden cases that belong to it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from freellm.errors import SettingsError
from freellm.plugins import PROVIDERS, PluginRecord, discover
from freellm.testing.cases import Case, load_cases


def find(name: str, files: Sequence[PluginRecord] = ()) -> PluginRecord:
    """Import one installed provider.

    :param name: its id, the entry point's name
    :param files: plugins that are files, one of which may be meant
    :return: its record; its status says whether it could be imported
    :raises SettingsError: when there is none of that name
    """
    for record in discover(PROVIDERS, [name], files):
        if record.id == name and record.status != "disabled":
            return record
    installed = {point.name for point in metadata.entry_points(group=PROVIDERS)}
    known = sorted(installed | {file.id for file in files if file.group == PROVIDERS})
    near = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
    raise SettingsError(
        f"no provider named {name!r} is installed; {meant}; a package under development is installed with "
        "pip install -e ."
    )


def cases_of(record: PluginRecord, folder: Path | None = None) -> list[Case]:
    """Return a provider's golden cases.

    :param folder: where they are; None looks in the folder `cases` of its import package, and for a package that is
        installed with pip install -e in `tests/cases` of its project
    :raises SettingsError: when the folder does not exist, holds no case, or a file that is none
    """
    if folder is None:
        folder = next((place for place in _places(record) if any(place.glob("*.json"))), None)
        if folder is None:
            return []
    elif not any(folder.glob("*.json")):
        raise SettingsError(f"{folder} holds no golden case; name the folder of the JSON files")
    try:
        return load_cases(folder)
    except ValueError as error:
        raise SettingsError(f"a golden case is wrong: {error}") from error


def _places(record: PluginRecord) -> list[Path]:
    places = []
    for point in metadata.entry_points(group=PROVIDERS, name=record.id):
        if point.dist is not None and point.dist.name == record.distribution:
            spec = find_spec(point.module.partition(".")[0])
            places += [Path(folder) / "cases" for folder in (spec and spec.submodule_search_locations) or ()]
            places += _project(point.dist)
    return places


def _project(distribution: metadata.Distribution) -> list[Path]:
    """Return the folder of the tests' cases in the project that is installed as it lies on the disk, if it is."""
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if not origin.get("dir_info", {}).get("editable"):
        return []
    return [Path(url2pathname(urlsplit(origin["url"]).path)) / "tests" / "cases"]
