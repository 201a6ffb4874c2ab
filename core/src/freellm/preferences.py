"""What requests and profiles say about who may answer: fallback models, and filters with a reason for each refusal. Pure."""

from __future__ import annotations

import msgspec

from freellm.catalogue import ABILITY_BITS, Entry


class Filter(msgspec.Struct, frozen=True):
    """Which entries may answer.

    :param source: what the filter is a part of, such as `provider`: the reasons say so
    :param only: the providers that may answer; empty is all
    :param ignore: the providers that may not
    :param private: whether providers are left out unless it is known that they do not train on prompts
    :param mask: the abilities a model must have, as bits
    """

    source: str
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    private: bool = False
    mask: int = 0

    def refusal(self, entry: Entry) -> str | None:
        """Return why an entry may not answer; None when it may."""
        name = entry.provider.name
        if self.only and name not in self.only:
            return f"{self.source}.only does not name {name}"
        if name in self.ignore:
            return f"{self.source}.ignore names {name}"
        if self.private:
            policy = entry.provider.info.data_policy
            trains = policy.trains if policy else None
            if trains is not False:
                does = "may train on prompts" if trains else "does not say whether it trains on prompts"
                return f"{name} {does}, and {self.source}.data_collection is deny"
        if missing := self.mask & ~entry.mask:
            lacking = ", ".join(ability for ability, bit in ABILITY_BITS.items() if missing & bit)
            return f"it lacks {lacking}, which {self.source}.abilities wants"
        return None


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says about who may answer it, besides its `model`.

    :param models: the models to fall back to, in order
    :param order: the providers that are asked first, in order
    :param allowed: which providers may answer
    :param strategy: the strategy to sort by; None leaves it to the model's name
    :param all_parameters: whether only models are asked whose provider takes every parameter of the request
    :param fallbacks: whether providers other than the first, or than those of `order`, may answer
    """

    models: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    allowed: Filter = Filter("provider")
    strategy: str | None = None
    all_parameters: bool = False
    fallbacks: bool = True
