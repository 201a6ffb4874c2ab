"""Plugins that are one Python file in the data folder: found, checked for who may write them, and run."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from freellm.errors import PluginError
from freellm.plugins import PLUGINS, PROVIDERS, PluginRecord

FOLDER: Final = "plugins"
"""The folder's name in the data folder."""

_EXPORTS: Final = {"provider": PROVIDERS, "plugin": PLUGINS}
"""What a file may export, and which kind of plugin that is."""

_OTHERS_WRITE: Final = 0o022


def load_files(data_dir: Path, only: Sequence[str] | None = None) -> list[PluginRecord]:
    """Run every plugin file of a data folder.

    A file exports `provider`, `plugin`, or both. The provider's id is the one it describes itself with, the plugin's
    is the file's name without `.py`. Files whose names begin with `_` or `.` are left alone.

    :param only: names to load, the file's with or without `.py`; None is all of them
    :return: one record per thing exported, or one for a file that exports nothing that can be had
    """
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return []
    records = []
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith(("_", ".")):
            continue
        if only is not None and not {path.name, path.stem} & set(only):
            records.append(_record(path, reason="not named in FREELLM_LOAD_PLUGINS", status="disabled"))
        else:
            records += _load(path)
    return records


def _record(path: Path, **fields: Any) -> PluginRecord:
    made = {"id": path.stem, "group": PROVIDERS, "distribution": str(path), "version": "", "status": "loaded"}
    return PluginRecord(**{**made, **fields})


def _load(path: Path) -> list[PluginRecord]:
    try:
        module = _run(path, _source(path))
        found = {group: plugin for name, group in _EXPORTS.items() if (plugin := getattr(module, name, None))}
        if not found:
            raise PluginError(f"{path} exports nothing; call the object in it provider, or plugin")
    except PluginError as error:
        return [_record(path, status="refused", reason=f"plugin {path.stem!r} is refused: {error}")]
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's module may raise anything at import
        reason = f"import failed: {type(error).__name__}: {error}; mend it, or remove it: rm {path}"
        return [_record(path, status="quarantined", reason=reason)]
    described = _described_id(found.get(PROVIDERS)) or path.stem
    return [
        _record(path, id=described if group == PROVIDERS else path.stem, group=group, plugin=plugin)
        for group, plugin in found.items()
    ]


def _source(path: Path) -> bytes:
    """Read a file that nobody but its owner could have written: the very bytes that were checked are run.

    :raises PluginError: when others may write it, or its folder; the text has the cure
    """
    with path.open("rb") as file:
        if os.name == "posix":
            _refuse_writable(path.parent, path.parent.stat())
            _refuse_writable(path, os.fstat(file.fileno()))
        return file.read()


def _refuse_writable(path: Path, stat: os.stat_result) -> None:
    if stat.st_uid not in (os.geteuid(), 0):
        raise PluginError(
            f"{path} belongs to another user, who could run code here; chown it, or remove it: rm {path}"
        )
    if stat.st_mode & _OTHERS_WRITE:
        raise PluginError(f"others than its owner may write {path}, and so run code here: chmod go-w {path}")


def _run(path: Path, source: bytes) -> ModuleType:
    """Run a file as a module. No compiled copy is kept, so none can be planted beside it."""
    module = ModuleType(f"freellm_plugin_file_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and pickle look modules up there
    try:
        exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 - running it is what it is for
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def _described_id(provider: Any) -> str | None:
    """Return the id a provider describes itself with; what is wrong with it is found out when it is loaded."""
    try:
        return str(provider.describe_provider().id)
    except Exception:  # noqa: BLE001 - a stranger's hook may raise anything
        return None
