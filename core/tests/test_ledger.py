"""What the ledger promises the gateway, one call at a time."""

from __future__ import annotations

import math
from typing import Any

import pytest

from freellm.declarations import Model, Quota
from freellm.errors import StoreError
from freellm.ledger import LEASE_AGE, Demand, Lease, Ledger, PoolState, Share
from freellm.types import Reading

FACTS = {"source": "test", "checked": "2026-11-24"}
MODEL = Model(id="a", family="a", costs={"neurons": (5.0, 0.5, 2.0)}, **FACTS)
OTHER = Model(id="b", family="b", **FACTS)
MINUTE, DAY, NOW = 60.0, 86_400.0, 1_800_000_000.0
DEMAND = Demand(100, 50, 400)


def quota(
    unit: str = "requests", limit: float | None = 3, window: float | None = MINUTE, **facts: Any
) -> Quota:
    return Quota(unit=unit, limit=limit, window=window, **FACTS, **facts)


def shares(ledger: Ledger, *quotas: Quota, model: Model = MODEL, **facts: Any) -> tuple[Share, ...]:
    owner = {"key": "key1", "account": "account1", **facts}
    return ledger.shares("p", model, quotas, **owner)


def reserve(ledger: Ledger, route: tuple[Share, ...], now: float = NOW, demand: Demand = DEMAND) -> Lease:
    lease = ledger.reserve(route, demand, now)
    assert lease
    return lease


def used(ledger: Ledger, now: float = NOW) -> list[float]:
    return [view.used for view in ledger.views(now)]


@pytest.mark.parametrize(
    ("declared", "amount"),
    [
        (quota("requests"), 1),
        (quota("tokens"), 150),
        (quota("tokens", charge="input"), 100),
        (quota("tokens", charge="input+max"), 500),
        (quota("neurons"), 5 + 50 + 100),
        (quota("concurrent", window=None), 1),
    ],
)
def test_each_unit_is_charged_by_its_own_rule(declared: Quota, amount: float) -> None:
    (share,) = shares(Ledger(), declared)
    assert share.amount(DEMAND) == amount


def test_a_route_draws_on_the_quotas_of_its_model_and_on_no_others() -> None:
    quotas = (
        quota(members=("a",)),
        quota(members=("b",)),
        quota(window=DAY),
        quota("pollen"),
        quota("neurons"),
    )
    ledger = Ledger()
    names = [[share.pool.quota.name for share in shares(ledger, *quotas, model=m)] for m in (MODEL, OTHER)]
    assert names == [
        ["requests/60s:a", "requests/86400s:*", "neurons/60s:*"],
        ["requests/60s:b", "requests/86400s:*"],
    ]


@pytest.mark.parametrize(
    ("scope", "same_key", "same_account", "another"),
    [("key", True, False, False), ("account", True, True, False), ("ip", True, True, True)],
)
def test_a_pool_belongs_to_a_key_an_account_or_an_address(
    scope: str, same_key: bool, same_account: bool, another: bool
) -> None:
    ledger = Ledger()
    (first,) = shares(ledger, quota(scope=scope))
    others = [("key1", "account1"), ("key2", "account1"), ("key3", "account2")]
    found = [shares(ledger, quota(scope=scope), key=key, account=account)[0].pool for key, account in others]
    assert [pool is first.pool for pool in found] == [same_key, same_account, another]
    assert (
        ledger.shares("q", MODEL, [quota(scope=scope)], key="key1", account="account1")[0].pool
        is not first.pool
    )


def test_a_rebuilt_catalogue_finds_its_pools_again_and_brings_new_limits() -> None:
    ledger = Ledger()
    before = shares(ledger, quota(limit=1))
    reserve(ledger, before)
    after = shares(ledger, quota(limit=2))
    assert after[0].pool is before[0].pool
    reserve(ledger, after)
    assert ledger.reserve(before, DEMAND, NOW) is None


def test_a_reservation_that_does_not_fit_everywhere_books_nothing_anywhere() -> None:
    ledger = Ledger()
    route = shares(ledger, quota(limit=5), quota("tokens", limit=1_000, charge="input+max"))
    reserve(ledger, route)
    reserve(ledger, route)
    assert ledger.reserve(route, DEMAND, NOW) is None
    assert used(ledger) == [2, 1_000]


def test_a_full_window_opens_when_enough_of_it_has_expired() -> None:
    ledger = Ledger()
    route = shares(ledger, quota("tokens", limit=500))
    for second in range(5):
        reserve(ledger, route, NOW + second, Demand(60, 40, 40))
    full = NOW + 5
    for tokens, first_free in ((100, 0), (101, 1), (300, 2), (500, 4)):
        opens = ledger.opening(route, Demand(tokens, 0, 0), full)
        assert NOW + first_free + 60 <= opens <= NOW + first_free + 60.5
        assert not ledger.fits(route, Demand(tokens, 0, 0), opens - 0.001)
        assert ledger.opening(route, Demand(tokens, 0, 0), full) == opens
    assert ledger.opening(route, Demand(501, 0, 0), full) == math.inf


def test_an_obstacle_says_what_keeps_a_request_out() -> None:
    ledger = Ledger()
    route = shares(
        ledger,
        quota(limit=1),
        quota(limit=2, window=DAY),
        quota("tokens", 450, DAY),
        quota("concurrent", 1, None),
    )
    assert ledger.obstacle(route, DEMAND, NOW) is None
    lease = reserve(ledger, route)
    minute = ledger.obstacle(route, DEMAND, NOW)
    assert minute
    assert minute.share.pool.identity == "p|requests/60s:*|key1"
    assert (minute.used, minute.limit, minute.cause) == (1, 1, "quota")
    assert minute.opens_at == ledger.opening(route, DEMAND, NOW) == NOW + 60.5
    busy = ledger.obstacle(route, DEMAND, NOW + 61)
    assert busy
    assert (busy.cause, busy.share.concurrent) == ("concurrency", True)
    assert NOW + 61 < busy.opens_at < NOW + 71
    ledger.settle(lease, NOW + 61, 100, 50)
    ledger.close(route, NOW + 61, until=NOW + 900, unit="requests", window=DAY, limit=None)
    closed = ledger.obstacle(route, DEMAND, NOW + 61)
    assert closed
    assert (closed.cause, closed.opens_at) == ("closed", NOW + 900)
    large = ledger.obstacle(route, Demand(400, 51, 51), NOW + 61)
    assert large
    assert (large.cause, large.share.pool.quota.unit, large.opens_at) == ("too_large", "tokens", math.inf)


def test_a_limit_of_nothing_never_opens_and_an_unknown_limit_never_closes() -> None:
    ledger = Ledger()
    assert ledger.opening(shares(ledger, quota(limit=0)), DEMAND, NOW) == math.inf
    unknown = shares(ledger, quota(limit=None, window=DAY))
    for _ in range(1_000):
        reserve(ledger, unknown)
    assert used(ledger)[1] == 1_000


def test_a_paid_key_is_counted_and_refused_only_when_the_service_says_so() -> None:
    ledger = Ledger()
    paid, free = shares(ledger, quota(), unlimited=True), shares(ledger, quota())
    for _ in range(5):
        reserve(ledger, paid)
    assert ledger.opening(paid, DEMAND, NOW) == NOW
    assert ledger.obstacle(paid, DEMAND, NOW) is None
    assert used(ledger) == [5]
    assert not ledger.fits(free, DEMAND, NOW)
    ledger.close(paid, NOW, until=NOW + 30, unit=None, window=None, limit=None)
    assert ledger.opening(paid, DEMAND, NOW) == NOW + 30
    assert ledger.reserve(paid, DEMAND, NOW) is None
    assert ledger.reserve(paid, DEMAND, NOW + 30)


def test_a_limit_from_the_settings_replaces_the_declared_one_and_learning_can_only_lower_it() -> None:
    ledger = Ledger()
    (share,) = route = shares(ledger, quota(), overrides={"requests/60s:*": 10})
    assert share.pool.limit == 10
    for stated, believed in ((20, 10), (5, 5)):
        ledger.read(route, [Reading(unit="requests", window=MINUTE, limit=stated)], NOW)
        assert share.pool.limit == believed


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ((80, 20), [1, 100, 80, 100, 5 + 40 + 40]),
        ((None, 20), [1, 120, 100, 120, 5 + 50 + 40]),
        ((80, None), [1, 130, 80, 480, 5 + 40 + 100]),
        ((None, None), [1, 150, 100, 500, 155]),
        ((200, 900), [1, 1_100, 200, 1_100, 5 + 100 + 1_800]),
    ],
)
def test_settling_books_what_was_used_and_lets_unknown_parts_stand(
    known: tuple[int | None, int | None], expected: list[float]
) -> None:
    ledger = Ledger()
    tokens = [
        quota("tokens", 9_999, MINUTE + i, charge=c) for i, c in enumerate(("actual", "input", "input+max"))
    ]
    route = shares(ledger, quota(), *tokens, quota("neurons", 9_999))
    lease = reserve(ledger, route)
    ledger.settle(lease, NOW + 3, *known)
    assert used(ledger, NOW + 3) == expected


def test_what_was_used_beyond_the_reservation_counts_from_the_end_of_the_answer() -> None:
    ledger = Ledger()
    route = shares(ledger, quota("tokens", 1_000))
    lease = reserve(ledger, route)
    ledger.settle(lease, NOW + 40, 100, 950)
    assert used(ledger, NOW + 99) == [900]
    assert used(ledger, NOW + 101) == [0]


@pytest.mark.parametrize(
    ("counted", "fits"), [(True, [False, True, False, False]), (False, [True, True, True, True])]
)
def test_of_a_request_that_was_counted_only_the_length_of_its_answer_is_in_doubt(
    counted: bool, fits: list[bool]
) -> None:
    again = []
    for declared in (
        quota(limit=1),
        quota("tokens", 250),
        quota("tokens", 199, charge="input"),
        quota("tokens", 999, charge="input+max"),
    ):
        ledger = Ledger()
        route = shares(ledger, declared)
        ledger.settle(reserve(ledger, route), NOW, None, None, counted=counted)
        assert not ledger.fits(route, Demand(100, 51, 500), NOW)
        again.append(ledger.may_fit(route, Demand(100, 51, 500), NOW))
    assert again == fits


def test_an_answer_may_get_shorter_than_expected_and_that_is_relied_on_where_the_limit_is_known() -> None:
    ledger = Ledger()
    (share,) = route = shares(ledger, quota("tokens", 250))
    reserve(ledger, route)
    assert ledger.may_fit(route, Demand(99, 50, 400), NOW)
    assert not ledger.may_fit(route, Demand(100, 50, 400), NOW)
    share.pool.discover(asked=50.0, kept=0.0, dispatched=NOW, now=NOW)
    assert share.pool.limit == 200
    assert not ledger.may_fit(route, Demand(25, 50, 400), NOW)
    assert ledger.may_fit(route, Demand(25, 25, 400), NOW)


def test_a_refused_request_counts_and_its_tokens_do_not() -> None:
    ledger = Ledger()
    route = shares(ledger, quota(), quota("tokens", 999), quota("neurons", 999), quota("concurrent", 3, None))
    ledger.refuse(reserve(ledger, route), NOW + 1)
    assert used(ledger, NOW + 1) == [1, 0, 0, 0]


def test_a_cancelled_request_gives_everything_back() -> None:
    ledger = Ledger()
    route = shares(ledger, quota(), quota("tokens", 999), quota("neurons", 999), quota("concurrent", 3, None))
    ledger.cancel(reserve(ledger, route), NOW + 1)
    assert used(ledger, NOW + 1) == [0, 0, 0, 0]


def test_who_waits_is_told_of_pools_that_have_more_room_and_of_no_others() -> None:
    ledger, told = Ledger(), []
    route = shares(ledger, quota("tokens", 1000), quota(), quota("concurrent", 2, window=None))
    ledger.watcher = lambda pools: told.append([pool.quota.unit for pool in pools])
    ledger.settle(reserve(ledger, route), NOW, 100, 20)
    ledger.settle(reserve(ledger, route), NOW, 100, 90)
    ledger.cancel(reserve(ledger, route), NOW)
    ledger.refuse(reserve(ledger, route), NOW)
    assert told == [
        ["tokens", "concurrent"],
        ["concurrent"],
        ["tokens", "requests", "concurrent"],
        ["tokens", "concurrent"],
    ]
    told.clear()
    ledger.read(route, [Reading(unit="tokens", window=MINUTE, limit=800.0)], NOW)
    ledger.read(route, [Reading(unit="tokens", window=MINUTE, limit=900.0)], NOW)
    assert told == [["tokens"]]


@pytest.mark.parametrize("end", ["settle", "refuse", "cancel", "age"])
def test_a_lease_ends_once_whatever_comes_later(end: str) -> None:
    ledger = Ledger()
    route = shares(ledger, quota(window=DAY), quota("tokens", 999, DAY), quota("concurrent", 3, None))
    lease = reserve(ledger, route)
    match end:
        case "settle":
            ledger.settle(lease, NOW, 1, 1)
        case "age":
            assert ledger.age(NOW + LEASE_AGE - 1) == []
            assert ledger.age(NOW + LEASE_AGE) == [lease]
        case _:
            getattr(ledger, end)(lease, NOW)
    before = used(ledger)
    assert before[2] == 0
    ledger.settle(lease, NOW, 900, 900)
    ledger.refuse(lease, NOW)
    ledger.cancel(lease, NOW)
    ledger.stamp(lease, NOW)
    assert used(ledger) == before


def test_headers_that_come_late_move_the_booking_to_their_arrival() -> None:
    ledger = Ledger()
    route = shares(ledger, quota(limit=1))
    lease = reserve(ledger, route)
    ledger.stamp(lease, NOW + 20)
    assert NOW + 80 <= ledger.opening(route, DEMAND, NOW + 20) <= NOW + 80.5
    ledger.stamp(lease, NOW + 300)
    assert NOW + 360 <= ledger.opening(route, DEMAND, NOW + 300) <= NOW + 360.5


def test_fractions_that_add_up_to_the_limit_fit_into_it() -> None:
    ledger = Ledger()
    model = Model(id="a", family="a", costs={"neurons": (0.1, 0, 0)}, **FACTS)
    route = shares(ledger, quota("neurons", 0.3), model=model)
    for _ in range(3):
        reserve(ledger, route)
    assert ledger.reserve(route, DEMAND, NOW) is None


def test_a_window_of_fractions_is_empty_again_when_everything_has_expired() -> None:
    ledger = Ledger()
    model = Model(id="a", family="a", costs={"neurons": (0.1, 0.013, 0.7)}, **FACTS)
    route = shares(ledger, quota("neurons", 10), model=model)
    for step in range(5_000):
        lease = ledger.reserve(route, Demand(step % 7, step % 3, 0), NOW + step / 7)
        if lease and step % 2:
            ledger.settle(lease, NOW + step / 7 + 0.01, step % 5, step % 4)
    assert used(ledger, NOW + 5_000 / 7 + 61)[0] == pytest.approx(0, abs=1e-9)
    reserve(ledger, route, NOW + 5_000 / 7 + 61, Demand(0, 14, 0))


def test_a_pool_that_nobody_asked_for_yet_remembers_what_was_spent() -> None:
    before = Ledger()
    (share,) = route = shares(before, quota(), quota("concurrent", 2, None))[:1]
    before.settle(reserve(before, route), NOW, 1, 1)
    before.close(route, NOW, until=NOW + 40, unit="requests", window=MINUTE, limit=2)
    states = before.dump(NOW)
    assert [(s.identity, s.unit, s.window, s.clock, s.changed) for s in states] == [
        ("p|requests/60s:*|key1", "requests", MINUTE, "rolling", NOW)
    ]
    after = Ledger()
    after.load(states, NOW + 1)
    (again,) = shares(after, quota())
    view = again.pool.view(NOW + 1)
    assert (view.used, view.limit, view.closed_until) == (1, 2, NOW + 40)
    assert view.learned == share.pool.learned
    assert after.dump(NOW + 1) == []


def test_a_damaged_state_is_refused_with_the_cure() -> None:
    ledger = Ledger()
    shares(ledger, quota())
    state = PoolState(
        identity="p|requests/60s:*|key1",
        unit="requests",
        window=60,
        clock="rolling",
        payload=b"{",
        changed=NOW,
    )
    with pytest.raises(StoreError, match="restore a backup"):
        ledger.load([state], NOW)


MAKER = Model(id="v", family="v", task="embeddings", dimensions=(8,), counts_inputs=True, **FACTS)


def test_where_each_input_counts_a_batch_is_as_many_requests_and_one_at_a_time() -> None:
    ledger = Ledger()
    route = shares(ledger, quota(limit=100), quota("concurrent", 2, None), model=MAKER)
    batch = Demand(10, 0, 0, 60)
    lease = reserve(ledger, route, demand=batch)
    assert used(ledger) == [60, 1]
    assert ledger.reserve(route, batch, NOW) is None
    obstacle = ledger.obstacle(route, Demand(10, 0, 0, 101), NOW)
    assert obstacle is not None
    assert obstacle.cause == "too_large"
    ledger.settle(lease, NOW + 1, 8, 0)
    assert used(ledger) == [60, 0]
    ledger.cancel(reserve(ledger, route, demand=Demand(10, 0, 0, 40)), NOW)
    assert used(ledger) == [60, 0]
    ledger.refuse(reserve(ledger, route, demand=Demand(10, 0, 0, 40)), NOW)
    assert used(ledger) == [61, 0]


def test_a_batch_of_an_earlier_process_counts_as_it_did() -> None:
    ledger = Ledger()
    ledger.restore(shares(ledger, quota(limit=100), model=MAKER), 10, 0, NOW, NOW, 0, 60)
    assert used(ledger) == [60]


def test_elsewhere_a_batch_is_one_request() -> None:
    plain = MAKER.model_copy(update={"counts_inputs": False})
    (share,) = shares(Ledger(), quota(), model=plain)
    assert share.amount(Demand(10, 0, 0)) == 1


def test_a_quota_of_a_task_is_shared_by_the_models_that_do_it() -> None:
    ledger = Ledger()
    quotas = (quota(task="chat"), quota(task="embeddings", limit=7), quota(window=DAY))
    names = [[share.pool.quota.name for share in shares(ledger, *quotas, model=m)] for m in (MODEL, MAKER)]
    assert names == [
        ["requests/60s:chat", "requests/86400s:*"],
        ["requests/60s:embeddings", "requests/86400s:*"],
    ]
    with pytest.raises(ValueError, match="members or a task"):
        quota(task="chat", members=("a",))
