import sys

# In its importlib mode pytest has just put an empty namespace package of this folder's name in the package's place.
if getattr(sys.modules.get("freellm_provider_custom"), "__file__", None) is None:
    sys.modules.pop("freellm_provider_custom", None)

import freellm_provider_custom  # noqa: F401 - from here on the name means the package
