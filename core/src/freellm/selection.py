"""Who may answer a request: its model's name, the profile it asks for, and what it says about models and providers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from freellm.catalogue import Entry, mask_of
from freellm.errors import RequestError
from freellm.naming import AUTO, missing, no_keys, unknown_choice, why_off
from freellm.orders import Left, Order, Orders, Score, scored_by
from freellm.preferences import Filter, Preferences
from freellm.profiles import Profile, near
from freellm.strategies import PRIORITY

REASONS_TOLD: Final = 8
"""Reasons that an error names at most."""


def chat_order(orders: Orders, model: str, preferences: Preferences | None = None) -> Order:
    """Return the entries that may answer a chat request for a model, by any of its names.

    :param preferences: what else the request says about who may answer
    :raises RequestError: when there is none; says why and what there is instead
    """
    name, _, choice = model.partition(":")
    if preferences is None and not (name == AUTO and choice in orders.profiles):
        if name == AUTO:
            if choice and choice not in orders.strategies:
                raise unknown_choice(orders, choice, "model")
            return orders.auto(choice)
        order = orders.pinned(model)
        if order is None:
            raise missing(orders.catalogue, model, "chat")
        return order
    found = orders.preferred(model, preferences)
    if found is not None:
        return found
    return orders.keep((model, preferences), _Selection(orders, preferences or Preferences()).order(model))


class _Selection:
    """An order in the making.

    :param orders: the snapshot's orders
    :param preferences: what the request says
    """

    def __init__(self, orders: Orders, preferences: Preferences) -> None:
        self._orders = orders
        self._preferences = preferences
        self._steps: dict[Entry, int] = {}
        self._strategies: dict[Entry, str] = {}
        self._off: dict[str, str] = {}
        self._left_out: dict[Entry, str] = {}

    def order(self, model: str) -> Order:
        """Return the order of a model and those to fall back to.

        :raises RequestError: when nobody may answer, or what the request says names what does not exist
        """
        preferences = self._preferences
        self._check_providers()
        names = [("model", model)] if model != AUTO or not preferences.models else []
        names += [(f"models[{number}]", name) for number, name in enumerate(preferences.models)]
        for param, name in names:
            self._take_name(name, param)
        self._put_providers_in_order()
        if not self._steps:
            raise self._nobody(model)
        several = len(set(self._steps.values())) > 1
        return Order(
            sorted(self._steps, key=self._steps.__getitem__),
            self._orders.catalogue.routes,
            self._orders.health,
            score=self._score(),
            steps=self._steps if several else None,
            left_out=self._all_left_out(),
            first_provider_only=not preferences.fallbacks and not preferences.order,
        )

    def _take_name(self, name: str, param: str) -> None:
        first, _, choice = name.partition(":")
        if first != AUTO:
            if not self._take_model(name, PRIORITY, ()):
                raise missing(self._orders.catalogue, name, "chat", param)
        elif choice in self._orders.profiles:
            self._take_profile(choice, self._orders.profiles[choice], param)
        elif choice and choice not in self._orders.strategies:
            raise unknown_choice(self._orders, choice, param)
        else:
            self._take(self._orders.chain(), choice or self._orders.strategy, ())

    def _take_profile(self, name: str, profile: Profile, param: str) -> None:
        own = Filter(
            f"profile {name}",
            profile.only,
            profile.ignore,
            profile.data_collection == "deny",
            mask_of(profile.abilities),
        )
        strategy = profile.strategy
        if strategy is not None and strategy not in self._orders.strategies:
            raise RequestError(
                f"the profile {name!r} sorts by the strategy {strategy!r}, which no plugin offers"
                f"{near(strategy, self._orders.strategies)}",
                status=404,
                code="model_not_found",
                param=param,
            )
        if not profile.models:
            self._take(self._orders.chain(), strategy or self._orders.strategy, (own,))
        for model in profile.models:
            if not self._take_model(model, strategy or PRIORITY, (own,)):
                self._off[model] = f"profile {name} names it, and there is no such model"

    def _take_model(self, name: str, strategy: str, filters: Sequence[Filter]) -> bool:
        """Take the entries that a model's name stands for; return whether there is such a model."""
        named = self._orders.catalogue.named(name)
        entries = [entry for entry in named if entry.model.task == "chat"]
        usable = self._orders.usable(name, "chat")
        self._off |= {entry.name: why_off(entry) for entry in entries if entry not in usable}
        self._take(usable, strategy, filters)
        return bool(entries)

    def _take(self, entries: Iterable[Entry], strategy: str, filters: Sequence[Filter]) -> None:
        """Take entries as the next step, each once, but for those that a filter refuses."""
        step = max(self._steps.values(), default=-1) + 1
        for entry in entries:
            refusals = (filter_.refusal(entry) for filter_ in (*filters, self._preferences.allowed))
            refusal = next((refusal for refusal in refusals if refusal), None)
            if refusal:
                self._left_out[entry] = refusal
            elif entry not in self._steps:
                self._steps[entry] = step
                self._strategies[entry] = self._preferences.strategy or strategy

    def _put_providers_in_order(self) -> None:
        """Divide each step by `provider.order`; without fallbacks, nobody else may answer."""
        order = self._preferences.order
        if not order:
            return
        if not self._preferences.fallbacks:
            for entry in [entry for entry in self._steps if entry.provider.name not in order]:
                name = entry.provider.name
                self._left_out[entry] = (
                    f"provider.allow_fallbacks is false, and provider.order does not name {name}"
                )
                del self._steps[entry]
        places = {provider: place for place, provider in enumerate(order)}
        self._steps = {
            entry: step * (len(order) + 1) + places.get(entry.provider.name, len(order))
            for entry, step in self._steps.items()
        }

    def _score(self) -> Score | None:
        used = {self._strategies[entry] for entry in self._steps}
        if used == {PRIORITY}:
            return None
        strategies = self._orders.strategies
        if len(used) == 1:
            return scored_by(strategies[used.pop()])
        places = {entry: float(place) for place, entry in enumerate(self._steps)}
        scores = {name: scored_by(strategies[name]) for name in used - {PRIORITY}} | {
            PRIORITY: places.__getitem__
        }
        return lambda entry: scores[self._strategies[entry]](entry)

    def _all_left_out(self) -> Sequence[Left]:
        left = [(entry.name, why) for entry, why in self._left_out.items() if entry not in self._steps]
        return [*left, *self._off.items()]

    def _nobody(self, model: str) -> RequestError:
        left_out = self._all_left_out()
        if not left_out:
            return no_keys()
        reasons = list(dict.fromkeys(why for _, why in left_out))
        more = f" and {len(reasons) - REASONS_TOLD} more reasons" if len(reasons) > REASONS_TOLD else ""
        could = ", ".join(dict.fromkeys(entry.provider.name for entry in self._left_out))
        cure = f". Of those that have a key, these would do otherwise: {could}" if could else ""
        message = f"nobody may answer {model!r}: {'; '.join(reasons[:REASONS_TOLD])}{more}{cure}"
        routes = [
            {"route": name, "reason": "filter", "detail": why, "available_in_ms": None}
            for name, why in left_out
        ]
        details = {"routes": routes}
        if not could:
            return RequestError(message, status=404, code="model_not_found", param="model", details=details)
        param = "model" if self._preferences == Preferences() else "provider"
        return RequestError(message, status=404, code="no_allowed_provider", param=param, details=details)

    def _check_providers(self) -> None:
        known = {entry.provider.name: None for entry in self._orders.catalogue.entries}
        said = self._preferences
        for field, names in (
            ("order", said.order),
            ("only", said.allowed.only),
            ("ignore", said.allowed.ignore),
        ):
            for name in names:
                if name not in known:
                    raise RequestError(
                        f"provider.{field} names {name!r}, and no provider is called so{near(name, known)}",
                        param=f"provider.{field}",
                    )
