"""The catalogue as the command line sees it: every model, its place in the order, and why it is not in it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from freellm.administration.folder import DataFolder
from freellm.catalogue import Catalogue, Entry, build
from freellm.errors import SettingsError
from freellm.health import Health
from freellm.ledger import Ledger
from freellm.store import ModelRef

_WHY_OFF = {
    "retired": "retired by the provider",
    "paid-only": "not in the free tier",
    "unverified": "nobody has verified it",
}


class Chain:
    """All models of a data folder.

    :param folder: the data folder
    :param catalogue: of a running server; None makes one of what is in the folder
    """

    def __init__(self, folder: DataFolder, catalogue: Catalogue | None = None) -> None:
        if catalogue is None:
            choices = folder.store.models.overrides()
            usable = [key for key in folder.keyring.all() if key.usable]
            catalogue = build(list(folder.offers.values()), usable, choices, Ledger(), Health(), {})
        self.catalogue = catalogue

    @property
    def tried(self) -> Sequence[Entry]:
        """What `auto` tries, in order: models that are on, have a usable key and chat."""
        return [entry for entry in self.catalogue.chain if not entry.model.classifier]

    def places(self) -> Mapping[str, int]:
        """Return the places in the order by entry name, the first one being 1."""
        return {entry.name: place for place, entry in enumerate(self.tried, 1)}

    def state(self, entry: Entry) -> tuple[str, str]:
        """Say in one word whether a model is used, and why not."""
        if not entry.enabled:
            by_hand = "switched off" if entry.choice.enabled is False else ""
            why = by_hand or self.why_off(entry)
            instead = f"; {entry.model.replaced_by} took its place" if entry.model.replaced_by else ""
            note = f" ({entry.model.note.rstrip('.')})" if entry.model.note and not by_hand else ""
            return "off", f"{why}{instead}{note}"
        if not entry.routes:
            anyway = " --no-check" if entry.provider.retired else ""
            return "no key", f"freellm keys add {entry.provider.name}{anyway}"
        if entry.model.classifier:
            return "on", "a classifier: only when it is asked for by name"
        if entry.model.task == "embeddings":
            return "on", "makes embeddings, at /v1/embeddings"
        return "on", "switched on by hand" if entry.choice.enabled else ""

    @staticmethod
    def why_off(entry: Entry) -> str:
        """Say why a model is off unless somebody switches it on."""
        return _WHY_OFF.get(entry.model.status, "off unless it is switched on")

    def named(self, name: str) -> Sequence[Entry]:
        """Return the models of a name: `provider/model id`, a family, or a model id.

        :raises SettingsError: when there is none; names the three nearest
        """
        ways = [(entry.name, entry.model.family, entry.model.id) for entry in self.catalogue.entries]
        for way in range(3):
            if found := [
                entry for entry, names in zip(self.catalogue.entries, ways, strict=True) if names[way] == name
            ]:
                return found
        raise SettingsError(f"there is no model {name!r}; {self._near(name)}")

    def _near(self, name: str) -> str:
        if not self.catalogue.entries:
            return "no provider is installed; freellm plugins shows what is wrong"
        known: dict[str, None] = {}
        for entry in self.catalogue.entries:
            known |= dict.fromkeys((entry.model.id, entry.name, entry.model.family))
        folded = {text.lower(): text for text in known}
        near = difflib.get_close_matches(name.lower(), folded, 3, cutoff=0.0)
        return f"near it are {', '.join(folded[text] for text in near)}"


def ref_of(entry: Entry) -> ModelRef:
    """Return what the database calls a model."""
    return entry.provider.name, entry.model.id
