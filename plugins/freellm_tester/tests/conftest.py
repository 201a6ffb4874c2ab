"""The tester is not among what the workspace installs; its parts that do without Gradio are tested all the same."""

import sys
from importlib.util import find_spec
from pathlib import Path

# In its importlib mode pytest has just put an empty namespace package of this folder's name in the package's place.
if getattr(sys.modules.get("freellm_tester"), "__file__", None) is None:
    sys.modules.pop("freellm_tester", None)
    found = find_spec("freellm_tester")
    if found is None or found.origin is None:
        sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

import freellm_tester  # noqa: F401 - from here on the name means the package
