"""What providers' own lists of models say, and what follows from it. Pure; `now` is given.

A model is gone only after two independent signs: two lists without it an hour apart, or one such list and a request
that was refused because there is no such model, or two such refusals with other keys or ten minutes apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import combinations
from typing import Final, Literal, TypeAlias, get_args

import msgspec
from pydantic import ValidationError

from freellm.declarations import Ability, Model
from freellm.health import GONE_APART, GONE_CONFIRMED
from freellm.types import ListedModel

LIST: Final = "list"
"""What a sign is by that is no refusal."""

LISTS_APART: Final = 3600.0
"""Seconds between two lists that are independent of each other."""

OWN_LIST: Final = "the provider's own list of models"

ChangeKind: TypeAlias = Literal["new", "vanished", "retired", "changed", "back"]


class Sign(msgspec.Struct, frozen=True, array_like=True):
    """One sign that a model is gone.

    :param at: Unix time
    :param by: `LIST`, or the id of the key with which a request for it was refused
    """

    at: float
    by: str

    def confirms(self, other: Sign) -> bool:
        """Tell whether two signs are independent of each other."""
        if LIST in (self.by, other.by):
            return self.by != other.by or abs(self.at - other.at) >= LISTS_APART
        return self.by != other.by or abs(self.at - other.at) >= GONE_APART


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one model from its provider's lists and refusals.

    :param facts: what the last list that had it says
    :param first_seen: Unix time of the first list that had it; None when none ever had
    :param last_seen: Unix time of the last list that had it
    :param signs: the signs that it is gone, two at most
    """

    facts: ListedModel
    first_seen: float | None = None
    last_seen: float | None = None
    signs: tuple[Sign, ...] = ()

    @property
    def retired(self) -> bool:
        """Whether it is gone: two of the signs are independent."""
        return any(one.confirms(other) for one, other in combinations(self.signs, 2))

    @property
    def is_missing(self) -> bool:
        """Whether the last list did not have it."""
        return any(sign.by == LIST for sign in self.signs)

    def without(self, *, refusals: bool) -> Listing:
        """Return it without the lists' signs that it is gone, and if wanted without the refusals'."""
        kept = () if refusals else tuple(sign for sign in self.signs if sign.by != LIST)
        return msgspec.structs.replace(self, signs=kept)

    def with_sign(self, sign: Sign) -> Listing:
        """Return it with one more sign that it is gone; one that confirms nothing new is left out.

        A refusal that nothing has confirmed counts for a week.
        """
        if self.retired:
            return self
        kept = [s for s in self.signs if s.by == LIST or sign.at - s.at < GONE_CONFIRMED]
        if not kept or any(sign.confirms(other) for other in kept):
            kept.append(sign)
        return msgspec.structs.replace(self, signs=tuple(kept))


class Change(msgspec.Struct, frozen=True):
    """One difference between a list and what was known.

    :param kind: `vanished` is missing for the first time, `retired` is confirmed
    :param detail: for people
    """

    kind: ChangeKind
    model: str
    detail: str = ""


class Comparison(msgspec.Struct, frozen=True):
    """What a list changes.

    :param listings: what is known from now on of each model that the list has or lacks, by model id
    :param changes: the differences
    :param returning: retired models that the list has again; they are back once they answer
    :param doubt: why nobody is retired by this list, in words; empty when nothing is odd about it
    """

    listings: Mapping[str, Listing]
    changes: Sequence[Change]
    returning: Sequence[str]
    doubt: str = ""


def compare(
    declared: Iterable[Model], known: Mapping[str, Listing], listed: Iterable[ListedModel], now: float
) -> Comparison:
    """Compare a provider's list with what is known of its models.

    A list that lacks more than half of the models that should be there is not believed about any of them.

    :param declared: the models that the package or the catalogue file states
    :param known: what is known from earlier lists and refusals, by model id
    """
    stated = {model.id: model for model in declared}
    rows: dict[str, ListedModel] = {}
    for row in listed:
        rows.setdefault(row.id, row)
    listings, changes, returning = {}, [], []
    for id_, row in rows.items():
        if id_ not in stated and not is_model(row):
            continue
        before = known.get(id_)
        changes += _differences(stated.get(id_), before, row)
        listings[id_] = _seen(before, row, now)
        if before is not None and before.retired:
            returning.append(id_)
    expected = _expected(stated.values(), known)
    lacking = [id_ for id_ in expected if id_ not in rows]
    doubt = _doubt(rows, _counted(expected, stated, known))
    if not doubt:
        for id_ in lacking:
            before = known.get(id_) or Listing(facts=ListedModel(id=id_))
            listings[id_] = after = before.with_sign(Sign(now, LIST))
            changes += _lacks(id_, before, after)
    return Comparison(listings, changes, returning, doubt)


def replaced(known: Mapping[str, Listing], listed: Iterable[ListedModel], now: float) -> Comparison:
    """Compare the list of a service that a user added with what is known of its models: it is believed as it is.

    What such a service lists is what it serves at the moment, so there is nothing to doubt or to confirm.

    :param known: what is known from earlier lists and refusals, by model id
    """
    rows = {row.id: row for row in listed}
    listings, changes = {}, []
    for id_, row in rows.items():
        before = known.get(id_)
        changes += _differences(None, before, row)
        first = now if before is None or before.first_seen is None else before.first_seen
        listings[id_] = Listing(facts=row, first_seen=first, last_seen=now)
    gone = [id_ for id_, listing in known.items() if id_ not in rows and listing.last_seen is not None]
    changes += [Change("vanished", id_, "its server does not list it any more") for id_ in gone]
    return Comparison(listings, changes, ())


def is_model(row: ListedModel) -> bool:
    """Tell whether what a list has can be a model here at all."""
    return row.task == "embeddings" or discovered(Listing(facts=row)) is not None


def discovered(listing: Listing) -> Model | None:
    """Return a model that only the provider's list states; None for what cannot be asked.

    It is on by itself only when the list says that it is free. What the list does not say it cannot do.
    """
    return _discovered(listing.facts, day(listing.last_seen))


@lru_cache(maxsize=4096)  # some lists have hundreds of models, and each snapshot needs them all
def _discovered(facts: ListedModel, checked: str) -> Model | None:
    if facts.task in ("embeddings", "other"):
        return None  # vectors of unknown length, or nothing that freellm asks for
    abilities = {"system"} if facts.abilities is None else facts.abilities & set(get_args(Ability))
    try:
        return Model(
            id=facts.id,
            family=facts.id,
            title=(facts.title or "")[:200],
            context=facts.context or None,
            max_output=facts.max_output or None,
            abilities=frozenset(abilities),
            images="inline" if "vision" in abilities else "none",
            status={True: "listed", False: "paid-only", None: "unverified"}[facts.free],
            note="" if facts.free is not None else "The provider lists it and does not say that it is free.",
            source=OWN_LIST,
            checked=checked,
        )
    except ValidationError:  # an id that no model can have
        return None


def day(at: float | None) -> str:
    """Return the UTC day of a Unix time as an ISO date."""
    return datetime.fromtimestamp(at or 0.0, UTC).date().isoformat()


def _seen(before: Listing | None, row: ListedModel, now: float) -> Listing:
    if before is None:
        return Listing(facts=row, first_seen=now, last_seen=now)
    kept = before if before.retired else before.without(refusals=False)
    first = now if before.first_seen is None else before.first_seen
    return msgspec.structs.replace(kept, facts=row, first_seen=first, last_seen=now)


def _expected(stated: Iterable[Model], known: Mapping[str, Listing]) -> Collection[str]:
    """Return the models that a list should have: those that are on or were listed, less those that are gone."""
    ids = dict.fromkeys(model.id for model in stated if model.enabled_by_default)
    ids |= dict.fromkeys(id_ for id_, listing in known.items() if listing.last_seen is not None)
    return [id_ for id_ in ids if id_ not in known or not known[id_].retired]


def _counted(expected: Collection[str], stated: Collection[str], known: Mapping[str, Listing]) -> list[str]:
    """Return the expected models by which a list is judged.

    Not those that it lacked before, and, if there are others, not those that only earlier lists state and that are off.
    """
    there = [id_ for id_ in expected if id_ not in known or not known[id_].is_missing]
    return [id_ for id_ in there if id_ in stated or known[id_].facts.free] or there


def _doubt(listed: Collection[str], counted: Collection[str]) -> str:
    lacking = sum(id_ not in listed for id_ in counted)
    if not listed:
        return "its list is empty, so nobody is retired"
    if lacking * 2 > len(counted):
        return f"its list lacks {lacking} of {len(counted)} models at once, so nobody is retired"
    return ""


def _lacks(id_: str, before: Listing, after: Listing) -> list[Change]:
    if after.retired:
        return [Change("retired", id_, "confirmed: " + reason(after))]
    if before.is_missing:
        return []
    return [Change("vanished", id_, "retired once a list an hour later or a refused request confirms it")]


def reason(listing: Listing) -> str:
    """Say why a model is taken to be gone."""
    since = day(listing.signs[0].at)
    lists = sum(sign.by == LIST for sign in listing.signs)
    by = {0: "its provider refused requests for it as unknown", 2: "its provider's list lacks it"}
    return f"{by.get(lists, 'its provider neither lists nor answers for it')} since {since}"


def _differences(stated: Model | None, before: Listing | None, row: ListedModel) -> list[Change]:
    if before is not None and before.last_seen is not None:
        old = before.facts
    elif stated is not None:
        old = ListedModel(id=row.id, context=stated.context, max_output=stated.max_output)
    else:
        return [Change("new", row.id, _introduced(row))]
    was_free = stated is not None and stated.enabled_by_default if old.free is None else old.free
    changed = [
        f"{name} {was:,} → {is_:,}"
        for name, was, is_ in (
            ("context", old.context, row.context),
            ("output", old.max_output, row.max_output),
        )
        if was and is_ and was != is_
    ]
    if row.free is False and was_free:
        changed.append("free → paid")
    if row.free is True and old.free is False:
        changed.append("paid → free")
    changes = [Change("changed", row.id, ", ".join(changed))] if changed else []
    if before is not None and before.is_missing and not before.retired:
        changes.append(Change("back", row.id, "listed again"))
    return changes


def _introduced(row: ListedModel) -> str:
    if row.task == "embeddings":
        return "off: it makes embeddings of a length that the list does not state"
    if row.task == "other":
        return "left out: it is for nothing that freellm asks for"
    if not is_model(row):
        return "left out: its id has a character that no model's may have here, or is longer than 200"
    return {
        True: "on: the list says that it is free",
        False: "off: it is paid",
        None: "off: the list does not say that it is free",
    }[row.free]
