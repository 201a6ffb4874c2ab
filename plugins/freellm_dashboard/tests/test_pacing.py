"""Pages are told at once while little happens, now and then while much does, and always of the last thing."""

from __future__ import annotations

from freellm_dashboard.pacing import MOST_IDS, Pacing
from freellm_dashboard.shapes.system import Kind, Notice


def told(pacing: Pacing, kind: Kind, now: float, *, busy: bool) -> list[tuple[str, float]]:
    """Note something at a moment; return what is told then."""
    pacing.add(Notice(kind=kind, at=now))
    return [(notice.kind, notice.at) for notice in pacing.ready(now, busy=busy)]


def test_while_little_happens_everything_is_told_at_once() -> None:
    pacing = Pacing()
    for look in range(10):
        assert told(pacing, "quotas", look * 0.4, busy=False) == [("quotas", look * 0.4)]


def test_while_much_happens_the_first_is_told_at_once_and_then_one_every_three_seconds() -> None:
    pacing = Pacing()
    moments = [at for look in range(100) for _, at in told(pacing, "quotas", float(look), busy=True)]
    assert moments == [float(at) for at in range(0, 100, 3)]


def test_how_many_are_under_way_is_told_every_second() -> None:
    pacing = Pacing()
    looks = [look * 0.25 for look in range(40)]
    moments = [at for look in looks for _, at in told(pacing, "activity", look, busy=True)]
    assert moments == [float(at) for at in range(10)]


def test_the_last_is_told_as_soon_as_it_is_quiet() -> None:
    pacing = Pacing()
    assert told(pacing, "quotas", 1.0, busy=True) == [("quotas", 1.0)]
    assert told(pacing, "quotas", 1.4, busy=True) == []
    assert [notice.at for notice in pacing.ready(1.8, busy=False)] == [1.4]
    assert pacing.ready(2.2, busy=False) == []


def test_kinds_do_not_wait_for_each_other() -> None:
    pacing = Pacing()
    assert told(pacing, "quotas", 1.0, busy=True) == [("quotas", 1.0)]
    assert told(pacing, "keys", 1.4, busy=True) == [("keys", 1.4)]


def test_what_waits_keeps_its_ids_the_last_of_them() -> None:
    pacing = Pacing()
    pacing.ready(0.0, busy=True)
    pacing.add(Notice(kind="request", at=0.0, ids=["first"]))
    pacing.ready(0.0, busy=True)
    for number in range(MOST_IDS + 10):
        pacing.add(Notice(kind="request", at=1.0, ids=[f"a{number}", f"b{number}"]))
        assert pacing.ready(1.0, busy=True) == []
    (notice,) = pacing.ready(3.0, busy=True)
    assert len(notice.ids) == MOST_IDS
    assert notice.ids[-2:] == [f"a{MOST_IDS + 9}", f"b{MOST_IDS + 9}"]
