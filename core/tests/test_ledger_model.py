"""The ledger against a list of bookings: whatever happens in whatever order, it never frees quota too early."""

from __future__ import annotations

import math
import random
import tempfile
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from freellm.declarations import Model, Quota
from freellm.fingerprints import route_hash
from freellm.leases import LeaseFile
from freellm.ledger import Demand, Lease, Ledger, Obstacle, PoolState, Share
from freellm.types import Reading

FACTS = {"source": "test", "checked": "2026-11-24"}
MODELS = [Model(id=id_, family=id_, costs={"neurons": (0.0, 0.013, 0.17)}, **FACTS) for id_ in ("a", "b")]
QUOTAS = [
    Quota(unit="requests", limit=6, window=60, members=("a",), **FACTS),
    Quota(unit="requests", limit=15, window=86_400, clock="utc-midnight", scope="ip", **FACTS),
    Quota(unit="requests", limit=60, window=2_592_000, clock="month", scope="account", **FACTS),
    Quota(unit="requests", limit=20, window=18_000, clock="unknown", scope="account", **FACTS),
    Quota(unit="tokens", limit=6_000, window=60, charge="input+max", **FACTS),
    Quota(unit="tokens", limit=40_000, window=86_400, clock="pacific-midnight", scope="account", **FACTS),
    Quota(unit="tokens", limit=3_000, window=7, charge="input", members=("b",), **FACTS),
    Quota(unit="neurons", limit=900, window=100, members=("a", "b"), **FACTS),
    Quota(unit="concurrent", limit=4, **FACTS),
]
ROUTES = [(model, key) for model in MODELS for key in ("key1", "key2")]
START = datetime(2026, 10, 30, 22, 0, tzinfo=UTC).timestamp()  # two days before Pacific time falls back
SLACK = 1e-6


class Booking(msgspec.Struct, eq=False):
    """`until` is when it truly stops to count; `if_lost` the same if the process dies before the next save."""

    pool: str
    amount: float
    until: float
    if_lost: float
    survives: bool
    saved: bool = False


def period_end(clock: str, now: float) -> float:
    if clock == "month":
        day = datetime.fromtimestamp(now, UTC).date()
        return datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC).timestamp()
    zone = UTC if clock == "utc-midnight" else ZoneInfo("America/Los_Angeles")
    tomorrow = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).timestamp()


def expected_amount(quota: Quota, tokens_in: int, tokens_out: int, ceiling: int) -> float:
    if quota.unit == "neurons":
        return 0.013 * tokens_in + 0.17 * tokens_out
    if quota.unit == "tokens":
        return tokens_in + {"actual": tokens_out, "input": 0, "input+max": ceiling}[quota.charge]
    return 1


class World:
    """A ledger with its lease file and its saved states, and what truly happened.

    `true` is the real time. The ledger's clock shows it less `behind`, which grows when the clock is set back.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "leases"
        self.true, self.behind = START, 0.0
        self.bookings: list[Booking] = []
        self.live: dict[Lease, list[Booking]] = {}
        self.closed: dict[str, float] = {}
        self.saved: tuple[dict[str, PoolState], int, dict[str, float]] = ({}, 0, {})
        self.start(load_first=True)

    @property
    def now(self) -> float:
        return self.true - self.behind

    def start(self, *, load_first: bool) -> None:
        states, sequence, self.closed = *self.saved[:2], dict(self.saved[2])
        self.saved_at = self.now
        self.ledger = Ledger()
        if load_first:
            self.ledger.load(states.values(), self.now)
        self.routes = {route_hash("p", m.id, k): self.shares(m, k) for m, k in ROUTES}
        if not load_first:
            self.ledger.load(states.values(), self.now)
        self.file = LeaseFile(self.path, sequence=sequence, slots=256)
        for record in self.file.records(sequence):
            self.ledger.restore(
                self.routes[record.route],
                record.input,
                record.output,
                record.stamped,
                self.now,
                record.ceiling,
            )

    def shares(self, model: Model, key: str) -> tuple[Share, ...]:
        return self.ledger.shares("p", model, QUOTAS, key=key, account="account")

    def until(self, quota: Quota) -> float:
        if quota.clock in ("rolling", "unknown"):
            return self.true + (quota.window or math.inf)
        return period_end(quota.clock, self.now) + self.behind

    def book(self, share: Share, amount: float, *, survives: bool) -> Booking:
        until = self.until(share.pool.quota)
        self.bookings.append(Booking(share.pool.identity, amount, until, until, survives))
        return self.bookings[-1]

    def used(self, share: Share, at: float, late: bool = False) -> float:
        if share.pool.quota.unit == "concurrent":
            return sum(s.pool is share.pool for lease in self.live for s in lease.shares)
        slack = (
            (share.pool.quota.window or 0) / 120 + 1e-3 if late and share.pool.quota.clock[0] in "ru" else 0
        )
        slack = 0 if share.pool.quota.clock == "utc-midnight" else slack
        mine = share.pool.identity
        return sum(b.amount for b in self.bookings if b.pool == mine and b.until + slack > at)

    def fits(self, shares: tuple[Share, ...], amounts: list[float], at: float, late: bool = False) -> bool:
        return all(
            self.used(share, at, late) + amount <= share.pool.limit + SLACK
            and self.closed.get(share.pool.identity, 0) <= at
            for share, amount in zip(shares, amounts, strict=True)
        )

    def reserve(self, route: int, tokens_in: int, tokens_out: int, spare: int) -> Lease | None:
        shares = list(self.routes.values())[route]
        demand = Demand(tokens_in, tokens_out, tokens_out + spare)
        amounts = [expected_amount(s.pool.quota, tokens_in, tokens_out, tokens_out + spare) for s in shares]
        now, opens = self.now, self.ledger.opening(shares, demand, self.now)
        obstacle, fits = self.ledger.obstacle(shares, demand, now), self.ledger.fits(shares, demand, now)
        lease = self.ledger.reserve(shares, demand, now)
        assert (lease is not None) == (opens <= now) == (obstacle is None) == fits
        if lease is None:
            assert obstacle is not None
            assert obstacle.opens_at == opens
            self.check_refusal(shares, amounts, obstacle)
            return None
        assert self.fits(shares, amounts, self.true), "admits more than a window holds"
        self.live[lease] = [self.book(s, a, survives=True) for s, a in zip(shares, amounts, strict=True)]
        lease.slot = self.file.append(
            list(self.routes)[route], now, tokens_in, tokens_out, tokens_out + spare
        )
        return lease

    def check_refusal(self, shares: tuple[Share, ...], amounts: list[float], obstacle: Obstacle) -> None:
        if obstacle.cause == "too_large":
            assert any(amount > share.pool.limit for share, amount in zip(shares, amounts, strict=True))
            return
        full = any(s.concurrent and self.used(s, self.true) >= s.pool.limit for s in shares)
        if self.behind or full:
            return
        moments = {self.true, *(b.until for b in self.bookings), *self.closed.values()}
        truly = min(
            moment for moment in moments if moment >= self.true and self.fits(shares, amounts, moment)
        )
        quota = obstacle.share.pool.quota
        late = quota.window / 120 if quota.window and quota.clock in ("rolling", "unknown") else 0
        assert truly - SLACK <= obstacle.opens_at <= truly + late + 1e-3
        assert not self.fits(shares, amounts, self.true, late=True)

    def stamp(self, lease: Lease) -> None:
        self.ledger.stamp(lease, self.now)
        self.file.stamp(lease.slot, self.now)
        for share, booking in zip(lease.shares, self.live[lease], strict=True):
            booking.until = booking.if_lost = self.until(share.pool.quota)

    def settle(self, lease: Lease, tokens_in: int | None, tokens_out: int | None) -> None:
        self.ledger.settle(lease, self.now, tokens_in, tokens_out)
        self.file.settle(lease.slot, lease.at, tokens_in, tokens_out)
        charged = lease.demand.ceiling if tokens_out is None else tokens_out
        tokens_in = lease.demand.input if tokens_in is None else tokens_in
        tokens_out = lease.demand.output if tokens_out is None else tokens_out
        for share, booking in zip(lease.shares, self.live.pop(lease), strict=True):
            more = expected_amount(share.pool.quota, tokens_in, tokens_out, charged) - booking.amount
            if more > 0:
                self.book(share, more, survives=True).if_lost = booking.until
            else:
                booking.amount += more

    def refuse(self, lease: Lease) -> None:
        self.ledger.refuse(lease, self.now)
        self.file.settle(lease.slot, lease.at, 0, 0)
        for share, booking in zip(lease.shares, self.live.pop(lease), strict=True):
            booking.amount = float(share.pool.quota.unit == "requests")

    def cancel(self, lease: Lease) -> None:
        self.ledger.cancel(lease, self.now)
        self.file.cancel(lease.slot)
        for booking in self.live.pop(lease):
            booking.amount = 0

    def age(self) -> None:
        for lease in self.ledger.age(self.now):
            assert lease.at <= self.now - 1_800
            self.file.settle(lease.slot, lease.at, None, None)
            del self.live[lease]

    def close(self, route: int, seconds: float) -> None:
        shares = list(self.routes.values())[route]
        until = self.now + seconds
        pools = self.ledger.close(shares, self.now, until=until, unit="requests", window=None, limit=None)
        assert [pool.quota.clock for pool in pools] == ["month"]
        identity = pools[0].identity
        self.closed[identity] = max(self.closed.get(identity, 0), until + self.behind)

    def read(self, route: int, remaining: int) -> None:
        """The first quota of the route, as if someone else had used the key too."""
        shares = list(self.routes.values())[route]
        share = shares[0]
        quota = share.pool.quota
        reading = Reading(unit=quota.unit, window=quota.window, remaining=remaining)
        before = share.pool.view(self.now).used
        self.ledger.read(shares, [reading], self.now)
        after = share.pool.view(self.now).used
        assert after == max(before, share.pool.limit - remaining)
        if after > before:
            self.book(share, after - before, survives=False)

    def discover(self, lease: Lease, long: bool) -> None:
        """A refusal that states nothing: limits may change, and what is booked never does."""
        self.refuse(lease)
        before = {
            share.pool: (view.used, share.pool.limit, view.learned)
            for share in lease.shares
            for view in (share.pool.view(self.now),)
        }
        pool = self.ledger.discover(
            lease.shares,
            lease.demand,
            self.now,
            unit=None,
            window=None,
            wait=None,
            scope="route",
            long=long,
            dispatched=lease.at,
        )
        self.ledger.believe(lease.shares, self.now, unit=None, window=None, scope="route")
        assert pool in before
        for one, (used, limit, known) in before.items():
            assert one.counter.used == used
            if one is not pool:
                assert one.limit == limit
                continue
            least = limit / 2
            if known and known.guess and not known.guess.raised:  # two bursts may agree on less
                least = min(least, known.guess.figures[-1])
            assert least - 1 <= one.limit <= limit

    def save(self) -> None:
        states, sequence, closed = self.saved[0], self.file.sequence, dict(self.closed)
        states = states | {state.identity: state for state in self.ledger.dump(self.saved_at)}
        self.saved, self.saved_at = (states, sequence, closed), self.now
        unsettled = {id(booking) for bookings in self.live.values() for booking in bookings}
        for booking in self.bookings:
            booking.saved = id(booking) not in unsettled
        self.bookings = [booking for booking in self.bookings if booking.until + 1_000 > self.true]

    def restart(self, set_back: float, *, load_first: bool) -> None:
        """Die without saving, and start again with what was saved last."""
        self.file.close()
        self.behind += set_back
        self.live.clear()
        self.bookings = [b for b in self.bookings if b.survives or b.saved]
        for booking in self.bookings:
            if not booking.saved:
                booking.until = booking.if_lost
        self.start(load_first=load_first)

    def check(self) -> None:
        for share in {share.pool: share for shares in self.routes.values() for share in shares}.values():
            used = share.pool.view(self.now).used
            assert used >= self.used(share, self.true) - SLACK, "frees quota too early"
            if not self.behind:
                assert used <= self.used(share, self.true, late=True) + SLACK, "frees quota too late"

    def end(self) -> None:
        """A lease that leaked, or an amount that was booked and never expires, would still be there."""
        for lease in list(self.live):
            self.settle(lease, None, None)
        self.true += 100 * 86_400
        for view in self.ledger.views(self.now):
            assert abs(view.used) < SLACK
        self.file.close()


TOKENS = st.integers(1, 2_500)
BACK = st.sampled_from([0.0] * 6 + [3.0, 3_600.0, 86_400.0, 40 * 86_400.0])
ADVANCE = st.one_of(
    st.floats(0.001, 3),
    st.floats(3, 90),
    st.sampled_from([0.5, 1.0, 60.0, 60.5, 1_801.0, 18_150.0, 86_400.0, 7e5]),
)


class LedgerMachine(RuleBasedStateMachine):
    """Everything that can happen to a ledger, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world: World

    @initialize(true=st.floats(0, 3e8))
    def begin(self, true: float) -> None:
        self.world = World(Path(self.folder.name))
        self.world.true += true

    @rule(
        route=st.integers(0, 3),
        tokens_in=TOKENS,
        tokens_out=TOKENS,
        spare=st.sampled_from([0, 0, 700, 5_000]),
    )
    def reserve(self, route: int, tokens_in: int, tokens_out: int, spare: int) -> None:
        self.world.reserve(route, tokens_in, tokens_out, spare)

    @precondition(lambda self: self.world.live)
    @rule(
        data=st.data(),
        seconds=st.floats(0, 70),
        what=st.sampled_from(["stamp", "settle", "settle", "refuse", "cancel", "discover"]),
    )
    def answer(self, data: st.DataObject, seconds: float, what: str) -> None:
        lease = data.draw(st.sampled_from(list(self.world.live)))
        self.world.true += seconds
        if what == "settle":
            self.world.settle(lease, *data.draw(st.tuples(st.none() | TOKENS, st.none() | TOKENS)))
        elif what == "discover":
            self.world.discover(lease, data.draw(st.booleans()))
        else:
            getattr(self.world, what)(lease)

    @rule(seconds=ADVANCE)
    def advance(self, seconds: float) -> None:
        self.world.true += seconds
        self.world.age()

    @rule(route=st.integers(0, 3), seconds=st.floats(1, 1e5))
    def close(self, route: int, seconds: float) -> None:
        self.world.close(route, seconds)

    @rule(route=st.integers(0, 1), remaining=st.integers(0, 8))
    def read(self, route: int, remaining: int) -> None:
        self.world.read(route, remaining)

    @rule()
    def save(self) -> None:
        self.world.save()

    @rule(set_back=BACK, load_first=st.booleans())
    def restart(self, set_back: float, load_first: bool) -> None:
        self.world.restart(set_back, load_first=load_first)

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        with self.folder:
            if hasattr(self, "world"):
                self.world.end()


LedgerMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
test_any_short_history_agrees_with_the_list_of_bookings = LedgerMachine.TestCase


@pytest.mark.parametrize("seed", range(4))
def test_long_busy_histories_agree_with_the_list_of_bookings(tmp_path: Path, seed: int) -> None:
    dice, world = random.Random(seed), World(tmp_path)
    for step in range(4_000):
        live = list(world.live)
        match dice.choices(
            ["reserve", "answer", "advance", "save", "restart", "other"], [40, 40, 14, 3, 1, 2]
        )[0]:
            case "reserve":
                world.reserve(
                    dice.randrange(4), dice.randint(1, 900), dice.randint(1, 900), dice.choice([0, 400])
                )
            case "answer" if live:
                world.true += dice.expovariate(0.5)
                answer_at_random(world, dice, dice.choice(live))
            case "advance":
                world.true += dice.choice([0.1, 1, 10, 60, 600, 3_600, 20_000]) * dice.random()
                world.age()
            case "save":
                world.save()
            case "restart":
                world.restart(3_600.0 if step > 3_000 else 0.0, load_first=dice.random() < 0.5)
            case "other" if dice.random() < 0.3:
                world.close(dice.randrange(4), dice.uniform(1, 20_000))
            case "other":
                world.read(dice.randrange(2), dice.randint(0, 5))
        world.check()
    world.end()


def answer_at_random(world: World, dice: random.Random, lease: Lease) -> None:
    match dice.choices(["stamp", "settle", "refuse", "cancel", "discover"], [40, 50, 8, 10, 2])[0]:
        case "stamp":
            world.stamp(lease)
        case "settle":
            used = [dice.choice([None, dice.randint(1, 1_500)]) for _ in range(2)]
            world.settle(lease, used[0], used[1])
        case "refuse":
            world.refuse(lease)
        case "cancel":
            world.cancel(lease)
        case "discover":
            world.discover(lease, dice.random() < 0.5)
