"""What refusals and headers teach the ledger, and what they never do."""

from __future__ import annotations

from typing import Any

import pytest

from freellm.declarations import Model, Quota
from freellm.ledger import Demand, Ledger, Share
from freellm.types import Reading

FACTS = {"source": "test", "checked": "2026-11-24"}
MODEL = Model(id="a", family="a", **FACTS)
MINUTE, DAY, NOW = 60.0, 86_400.0, 1_800_000_000.0
DEMAND = Demand(100, 50, 50)

QUOTAS = {
    "minute": Quota(unit="requests", limit=30, window=MINUTE, members=("a",), **FACTS),
    "day": Quota(unit="requests", limit=1_000, window=DAY, members=("a",), **FACTS),
    "shared day": Quota(unit="requests", limit=2_000, window=DAY, **FACTS),
    "tokens": Quota(unit="tokens", limit=6_000, window=MINUTE, members=("a", "b"), **FACTS),
    "token day": Quota(unit="tokens", limit=None, window=DAY, members=("a",), clock="utc-midnight", **FACTS),
    "at once": Quota(unit="concurrent", limit=5, members=("a",), **FACTS),
}


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def route(ledger: Ledger) -> tuple[Share, ...]:
    return ledger.shares("p", MODEL, list(QUOTAS.values()), key="key", account="account")


def pool_of(route: tuple[Share, ...], name: str) -> Any:
    return next(share.pool for share in route if share.pool.quota == QUOTAS[name])


def reading(name: str, **facts: Any) -> Reading:
    return Reading(unit=QUOTAS[name].unit, window=QUOTAS[name].window, **facts)


@pytest.mark.parametrize(
    ("unit", "window", "scope", "closed"),
    [
        ("requests", MINUTE, "route", ["minute"]),
        ("requests", DAY, "route", ["day"]),
        ("requests", DAY, "model", ["day"]),
        ("requests", DAY, "account", ["shared day"]),
        ("requests", None, "route", ["day"]),
        ("tokens", None, "route", ["token day"]),
        ("tokens", MINUTE, "key", ["tokens"]),
        (None, MINUTE, "route", ["minute"]),
        (None, None, "key", ["shared day"]),
        (None, None, "route", ["day", "token day"]),
        ("concurrent", None, "route", ["at once"]),
        # A pool of one model cannot be what a statement about the whole key means.
        ("requests", MINUTE, "key", []),
        ("pollen", None, "route", []),
        ("requests", 3_600.0, "route", []),
    ],
)
def test_a_refusal_closes_the_pools_it_speaks_of(
    ledger: Ledger,
    route: tuple[Share, ...],
    unit: str | None,
    window: float | None,
    scope: Any,
    closed: list[str],
) -> None:
    pools = ledger.close(route, NOW, until=NOW + 500, unit=unit, window=window, limit=None, scope=scope)
    assert pools == [pool_of(route, name) for name in closed]
    assert [pool for pool in ledger.pools() if pool.closed_until] == pools
    assert ledger.opening(route, DEMAND, NOW) == (NOW + 500 if closed else NOW)
    assert ledger.opening(route, DEMAND, NOW + 500) == NOW + 500


def test_a_closed_pool_stays_closed_for_the_longest_time_stated_and_can_be_reopened(
    ledger: Ledger, route: tuple[Share, ...]
) -> None:
    for until in (NOW + 500, NOW + 100, NOW - 5):
        ledger.close(route, NOW, until=until, unit="requests", window=MINUTE, limit=None)
    assert ledger.opening(route, DEMAND, NOW) == NOW + 500
    assert ledger.reopen(pool_of(route, "minute").identity, NOW)
    assert ledger.opening(route, DEMAND, NOW) == NOW
    assert not ledger.reopen("nobody", NOW)


def test_a_calendar_pool_without_a_stated_reset_stays_closed_until_its_period_ends(
    ledger: Ledger, route: tuple[Share, ...]
) -> None:
    ledger.close(route, NOW, until=None, unit="tokens", window=DAY, limit=None)
    assert ledger.opening(route, DEMAND, NOW) == (NOW // DAY + 1) * DAY


def test_a_rolling_pool_without_a_stated_reset_is_tried_again_when_something_of_ours_expires(
    ledger: Ledger, route: tuple[Share, ...]
) -> None:
    lease = ledger.reserve(route, DEMAND, NOW)
    assert lease
    ledger.refuse(lease, NOW)
    ledger.close(route, NOW + 7_200, until=None, unit="requests", window=DAY, limit=None)
    assert NOW + DAY <= ledger.opening(route, DEMAND, NOW + 7_200) <= NOW + DAY + 720


def test_a_rolling_pool_that_others_have_spent_is_tried_again_after_a_small_part_of_its_window(
    ledger: Ledger, route: tuple[Share, ...]
) -> None:
    ledger.close(route, NOW, until=None, unit="requests", window=DAY, limit=None)
    assert ledger.opening(route, DEMAND, NOW) == NOW + 3_600


def test_a_stated_limit_is_believed_for_a_while_and_leaves_the_spending_alone(
    ledger: Ledger, route: tuple[Share, ...]
) -> None:
    pool = pool_of(route, "day")
    ledger.reserve(route, DEMAND, NOW)
    ledger.learn(route, NOW, unit="requests", window=DAY, limit=1, evidence="HTTP 429 said so")
    view = pool.view(NOW)
    assert (view.limit, view.used, view.learned.evidence) == (1, 1, "HTTP 429 said so")
    assert ledger.reserve(route, DEMAND, NOW + 60) is None
    later = pool.view(NOW + DAY)
    assert (later.limit, later.used, later.learned) == (1_000, 1, None)
    assert ledger.reserve(route, DEMAND, NOW + DAY)


def test_the_limit_of_a_closing_refusal_is_learned(ledger: Ledger, route: tuple[Share, ...]) -> None:
    ledger.close(route, NOW, until=NOW + 5, unit="requests", window=DAY, limit=250)
    assert pool_of(route, "day").view(NOW + 6).limit == 250


def test_headers_that_repeat_the_declared_limit_unlearn_another(
    ledger: Ledger, route: tuple[Share, ...]
) -> None:
    pool = pool_of(route, "minute")
    for stated in (10, 60):
        ledger.read(route, [reading("minute", limit=stated)], NOW)
        assert pool.limit == stated
        assert pool.learned.expires == NOW + 7 * DAY
    ledger.read(route, [reading("minute", limit=30)], NOW)
    assert (pool.limit, pool.learned) == (30, None)


def test_a_limit_that_is_stated_again_lasts_longer(ledger: Ledger, route: tuple[Share, ...]) -> None:
    for day in range(20):
        ledger.read(route, [reading("minute", limit=10)], NOW + day * DAY)
    assert pool_of(route, "minute").view(NOW + 25 * DAY).limit == 10


@pytest.mark.parametrize(("resets_in", "free_after"), [(None, 60.0), (20.0, 20.0), (300.0, 60.0)])
def test_what_others_spent_is_booked_until_the_quota_is_full_again(
    ledger: Ledger, route: tuple[Share, ...], resets_in: float | None, free_after: float
) -> None:
    pool = pool_of(route, "minute")
    ledger.reserve(route, DEMAND, NOW)
    ledger.read(route, [reading("minute", limit=30, remaining=5, resets_in=resets_in)], NOW)
    assert pool.view(NOW).used == 25
    assert pool.view(NOW + free_after - 0.1).used >= 24
    assert pool.view(NOW + free_after + 0.6).used <= 1


def test_remaining_never_lowers_what_we_know_to_be_spent(ledger: Ledger, route: tuple[Share, ...]) -> None:
    for _ in range(3):
        ledger.reserve(route, DEMAND, NOW)
    ledger.read(route, [reading("minute", limit=30, remaining=30), reading("tokens", remaining=6_000)], NOW)
    assert pool_of(route, "minute").view(NOW).used == 3
    assert pool_of(route, "tokens").view(NOW).used == 450


def test_what_was_given_back_since_the_dispatch_is_no_spending_elsewhere(
    ledger: Ledger, route: tuple[Share, ...]
) -> None:
    """The service wrote its figures down while another request was still under way."""
    other, own = ledger.reserve(route, DEMAND, NOW), ledger.reserve(route, DEMAND, NOW)
    assert other
    assert own
    seen = {share.pool: share.pool.counter.used for share in route}
    ledger.settle(other, NOW, 10, 10)
    ledger.read(route, [reading("tokens", limit=6_000, remaining=5_700)], NOW, seen)
    assert pool_of(route, "tokens").view(NOW).used == 170
    ledger.read(route, [reading("tokens", limit=6_000, remaining=5_600)], NOW, seen)
    assert pool_of(route, "tokens").view(NOW).used == 270, "beyond that it is"


@pytest.mark.parametrize("charge", ["input+max", "actual"])
@pytest.mark.parametrize("elsewhere", [0, 7, 500])
@pytest.mark.parametrize("wrote", [60, 100, 101, 180])
def test_an_estimate_that_was_too_low_is_no_spending_elsewhere(
    charge: str, elsewhere: int, wrote: int
) -> None:
    """A service that charges ahead shows in its headers what the request really is, and the usage shows it again."""
    ledger = Ledger()
    quota = Quota(unit="tokens", limit=6_000, window=MINUTE, charge=charge, **FACTS)
    (share,) = ledger.shares("p", MODEL, [quota], key="key", account="account")
    other, lease = ledger.reserve([share], DEMAND, NOW), ledger.reserve([share], DEMAND, NOW)
    assert other
    assert lease
    counted = 150 + elsewhere + (wrote + 50 if charge == "input+max" else 0)
    for one in (other, lease):
        ledger.stamp(one, NOW + 1)
    ledger.read([share], [Reading(unit="tokens", window=MINUTE, remaining=6_000 - counted)], NOW + 1)
    ledger.settle(lease, NOW + 3, wrote, 20)
    ledger.settle(other, NOW + 3, 100, 50)
    not_ours = {
        "actual": max(counted - 300, 0),  # neither request's figures are counted yet
        "input+max": max(elsewhere - max(100 - wrote, 0), 0),  # what was reserved too much hides as much
    }[charge]
    assert share.pool.view(NOW + 3).used == 150 + wrote + 20 + not_ours
    assert share.pool.view(NOW + 2 * MINUTE).used == 0


def test_a_reading_from_before_a_request_was_sent_says_nothing_about_it() -> None:
    ledger = Ledger()
    quota = Quota(unit="tokens", limit=6_000, window=MINUTE, charge="input+max", **FACTS)
    (share,) = ledger.shares("p", MODEL, [quota], key="key", account="account")
    ledger.read([share], [Reading(unit="tokens", window=MINUTE, remaining=5_000)], NOW)
    lease = ledger.reserve([share], DEMAND, NOW + 0.1)
    assert lease
    ledger.stamp(lease, NOW + 1)
    ledger.settle(lease, NOW + 2, 130, 50)
    assert share.pool.view(NOW + 2).used == 1_000 + 180


def test_a_reading_may_be_explained_by_a_request_whose_own_headers_come_later() -> None:
    ledger = Ledger()
    quota = Quota(unit="tokens", limit=6_000, window=MINUTE, charge="input+max", **FACTS)
    (share,) = ledger.shares("p", MODEL, [quota], key="key", account="account")
    first, second = (ledger.reserve([share], DEMAND, NOW) for _ in range(2))
    assert first
    assert second
    ledger.stamp(first, NOW + 1)
    ledger.read([share], [Reading(unit="tokens", window=MINUTE, remaining=6_000 - 150 - 250)], NOW + 1)
    ledger.stamp(second, NOW + 2)
    ledger.settle(second, NOW + 3, 200, 50)
    ledger.settle(first, NOW + 4, 100, 50)
    assert share.pool.view(NOW + 4).used == 150 + 250


def test_what_a_service_has_counted_is_beyond_doubt(ledger: Ledger, route: tuple[Share, ...]) -> None:
    lost = ledger.reserve(route, DEMAND, NOW)
    assert lost
    ledger.settle(lost, NOW, None, None)
    pool = pool_of(route, "minute")
    ledger.read(route, [reading("minute", limit=30, remaining=30)], NOW)
    assert pool.doubted(NOW) == 1
    ledger.read(route, [reading("minute", limit=30, remaining=29)], NOW)
    assert pool.doubted(NOW) == 0


def test_a_refusal_settles_doubts_about_the_quotas_it_may_speak_of(
    ledger: Ledger, route: tuple[Share, ...]
) -> None:
    """Two requests are refused at once: the second says nothing of the first one's part in other quotas."""
    first, second = ledger.reserve(route, DEMAND, NOW), ledger.reserve(route, DEMAND, NOW)
    for lease in (first, second):
        assert lease
        ledger.refuse(lease, NOW)
    ledger.believe(route, NOW, unit="requests", window=MINUTE, scope="route")
    assert (pool_of(route, "minute").doubted(NOW), pool_of(route, "day").doubted(NOW)) == (1, 2)
    ledger.believe(route, NOW, unit=None, window=None, scope="route")
    assert pool_of(route, "day").doubted(NOW) == 1


def test_nothing_left_of_an_unknown_limit_closes_the_pool_until_it_resets(
    ledger: Ledger, route: tuple[Share, ...]
) -> None:
    ledger.read(route, [reading("token day", remaining=5)], NOW)
    assert ledger.opening(route, DEMAND, NOW) == NOW
    ledger.read(route, [reading("token day", remaining=0, resets_in=90)], NOW)
    assert ledger.opening(route, DEMAND, NOW) == NOW + 90


def test_a_reading_goes_to_the_pool_of_its_scope(ledger: Ledger, route: tuple[Share, ...]) -> None:
    ledger.read(route, [reading("day", remaining=100)], NOW)
    ledger.read(route, [reading("day", remaining=600, scope="account")], NOW)
    ledger.read(route, [reading("minute", remaining=1, scope="key")], NOW)
    used = {name: pool_of(route, name).view(NOW).used for name in ("minute", "day", "shared day")}
    assert used == {"minute": 0, "day": 900, "shared day": 1_400}


def test_a_reading_of_an_undeclared_quota_changes_nothing(ledger: Ledger, route: tuple[Share, ...]) -> None:
    ledger.read(route, [Reading(unit="requests", window=3_600, limit=1, remaining=0)], NOW)
    assert ledger.opening(route, DEMAND, NOW) == NOW
