"""Whom a conversation goes to when the model it is with cannot answer: the nearest sibling first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from freellm.catalogue import UNRANKED, Entry


def siblings(
    entry: Entry,
    entries: Sequence[Entry],
    step: Callable[[Entry], int],
    used: int,
    now: Callable[[], float],
) -> Iterator[Entry]:
    """Iterate over an order's entries as a conversation with one of them tries them.

    First the model itself, then its family at other providers, in the usual order; then what has every ability that the
    conversation has used, by how far its intelligence rank is away, penalties added; last, in the usual order, the
    rest. What the client has put into steps stays in them. Nothing is sorted while the model itself answers.

    :param entry: the model that the conversation is with
    :param entries: all of them, in the usual order
    :param step: returns the step of an entry: those of a step are tried before those of the next
    :param used: the abilities that the conversation has used, as bits
    :param now: returns Unix time
    """
    yield entry
    family, rank, moment = entry.model.family, _rank(entry), now()

    def distance(other: Entry) -> tuple[int, int, float]:
        if other.model.family == family:
            return step(other), 0, 0.0
        if used & ~other.mask:
            return step(other), 2, 0.0
        return step(other), 1, abs(_rank(other) - rank) + other.standing.penalty(moment)

    yield from sorted((other for other in entries if other is not entry), key=distance)


def _rank(entry: Entry) -> int:
    return entry.model.intelligence_rank or UNRANKED
