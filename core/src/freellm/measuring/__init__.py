"""What a client sees of a proxy's answers, judged and counted. Pure: who sends the requests is somebody else's matter.

`freellm stress`, `freellm compare` and the tester are its users.
"""

from freellm.measuring.asking import LONGEST, no_proxy, question, read_models
from freellm.measuring.comparison import Compared, best_families
from freellm.measuring.phases import Phase, phases
from freellm.measuring.reading import Reading
from freellm.measuring.results import Hop, Passed, Result, figures

__all__ = [
    "LONGEST",
    "Compared",
    "Hop",
    "Passed",
    "Phase",
    "Reading",
    "Result",
    "best_families",
    "figures",
    "no_proxy",
    "phases",
    "question",
    "read_models",
]
