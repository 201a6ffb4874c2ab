"""The learner against a service that states nothing: it finds the limit, follows it, and never touches the books."""

from __future__ import annotations

import math
import random
from collections import deque
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from freellm import Failure, Kind
from freellm.declarations import Quota
from freellm.gateway.consequences import Consequences
from freellm.ledger import Demand, Lease, Ledger, Pool
from freellm.ledger.guesses import GUESSES_HOLD
from freellm.types import Reading
from small_world import FACTS, START, World, model, provider, quota

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


class Service:
    """A service that counts by itself, and says no more than that there were too many.

    :param limit: what a window really holds
    :param aligned: whether everything is forgotten at once, when a window is over
    """

    def __init__(self, limit: float, window: float, *, aligned: bool = False) -> None:
        self.limit, self.window, self.aligned = limit, window, aligned
        self.counted: deque[tuple[float, float]] = deque()
        self.used = 0.0

    def admits(self, amount: float, now: float) -> bool:
        since = now // self.window * self.window if self.aligned else now - self.window
        while self.counted and self.counted[0][0] < since + (0.0 if self.aligned else 1e-9):
            self.used -= self.counted.popleft()[1]
        if self.used + amount > self.limit:
            return False
        self.counted.append((now, amount))
        self.used += amount
        return True


class Client:
    """A key of one model, asked as often as its books allow."""

    def __init__(self, declared: Quota, service: Service) -> None:
        self.world = World(provider("lab", [model("m")], [declared]))
        self.route = self.world.route()
        self.pool: Pool = self.route.shares[0].pool
        self.service = service
        self.consequences = Consequences(self.world.ledger, self.world.health)
        self.now = START
        self.refusals: list[float] = []
        self.answers = 0

    @property
    def ledger(self) -> Ledger:
        return self.world.ledger

    def reserve(self, amount: int) -> Lease | None:
        if self.route.closed_by(self.now):
            return None
        demand = Demand(amount, 0, 0)
        if self.ledger.opening(self.route.shares, demand, self.now) > self.now:
            return None
        return self.ledger.reserve(self.route.shares, demand, self.now)

    def ask(self, amount: int = 1) -> None:
        """Ask once if the books allow it."""
        if lease := self.reserve(amount):
            self.answer(lease, amount)

    def answer(self, lease: Lease, amount: int) -> None:
        before = self.pool.view(self.now).used
        if self.service.admits(amount if self.pool.quota.unit == "tokens" else 1, self.now):
            self.ledger.settle(lease, self.now, amount, 0)
            assert self.pool.view(self.now).used == before
            self.world.health.succeeded(self.route.entry.standing, self.route.standings(), self.now)
            self.answers += 1
            return
        self.ledger.refuse(lease, self.now)
        used = self.pool.view(self.now).used
        self.consequences.draw(self.route, Failure(kind=Kind.RATE_LIMITED), lease.demand, self.now, lease.at)
        assert self.pool.view(self.now).used == used, "what is learned never touches what was used"
        self.refusals.append(self.now)

    def live(self, dice: random.Random, seconds: float, per_window: float, amount: int = 1) -> None:
        """Let requests of at most so many tokens arrive for a time: single ones, and bursts that are under way at once."""
        end = self.now + seconds
        while self.now < end:
            self.now += dice.expovariate(per_window / self.service.window / 2.0)
            burst = dice.choice([1, 1, 1, 5])
            sent = [(self.reserve(size), size) for size in (dice.randint(1, amount) for _ in range(burst))]
            for lease, size in sent:
                if lease is not None:
                    self.answer(lease, size)


def after(client: Client, moment: float) -> int:
    return sum(at > moment for at in client.refusals)


def error(client: Client) -> float:
    """Return how far off the limit is; two requests are never too far: they may be what is being tried."""
    off = abs(client.pool.limit - client.service.limit)
    return 0.0 if off <= 2 else off / client.service.limit


@given(
    limit=st.integers(10, 80),
    declared=st.sampled_from([None, 1.3, 3.0, 20.0]),
    aligned=st.booleans(),
    seed=st.integers(0, 1_000),
)
@example(limit=68, declared=3.0, aligned=True, seed=876)  # each burst said one or two requests less
@settings(max_examples=15, deadline=None)
def test_a_limit_of_requests_is_found_within_a_handful_of_refusals(
    limit: int, declared: float | None, aligned: bool, seed: int
) -> None:
    client = Client(quota(declared and math.ceil(limit * declared)), Service(limit, MINUTE, aligned=aligned))
    dice = random.Random(seed)
    client.live(dice, 20 * MINUTE, limit * 3)
    bursts = len(set(client.refusals))
    assert bursts <= 10
    # A service that forgets all at once admits more around that moment than we, who reckon with a sliding window.
    allowed = 0.3 if aligned else 0.1
    assert error(client) <= allowed
    client.live(dice, HOUR, limit * 2)
    assert error(client) <= allowed
    assert client.answers >= 0.65 * limit * 80


@given(limit=st.integers(5_000, 20_000), known=st.booleans(), seed=st.integers(0, 1_000))
@settings(max_examples=10, deadline=None)
def test_a_limit_of_tokens_is_found_too(limit: int, known: bool, seed: int) -> None:
    client = Client(quota(limit * 2 if known else None, "tokens"), Service(limit, MINUTE))
    dice = random.Random(seed)
    client.live(dice, HOUR, 30, amount=1_000)
    assert error(client) <= 0.15
    assert len(client.refusals) <= 15


@pytest.mark.parametrize("seed", range(2))
def test_once_found_a_limit_costs_few_refusals_a_day(seed: int) -> None:
    client = Client(quota(None), Service(10, MINUTE))
    dice = random.Random(seed)
    client.live(dice, DAY, 15)
    first = len(set(client.refusals))
    client.live(dice, DAY, 15)
    client.live(dice, DAY, 15)
    assert first <= 10
    assert len(client.refusals) - first <= 4


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("rise", [1.2, 2.0, 10.0])
def test_a_limit_that_rises_is_followed(seed: int, rise: float) -> None:
    client = Client(quota(None), Service(10, MINUTE))
    dice = random.Random(seed)
    client.live(dice, HOUR, 20)
    client.service.limit = 10 * rise
    client.live(dice, 3 * HOUR, 10 * rise * 1.5)
    assert error(client) <= 0.1


@pytest.mark.parametrize("seed", range(2))
def test_a_limit_that_falls_is_followed(seed: int) -> None:
    client = Client(quota(None), Service(100, MINUTE))
    dice = random.Random(seed)
    client.live(dice, HOUR, 200)
    client.service.limit = 20
    before = client.now
    client.live(dice, HOUR, 200)
    assert error(client) <= 0.1
    assert len({at for at in client.refusals if at > before}) <= 8


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("declared", [None, 30.0])
def test_what_others_spend_is_not_believed_for_ever(seed: int, declared: float | None) -> None:
    """Another program takes most of a key's minutes for an hour, and then leaves."""
    client = Client(quota(declared), Service(30, MINUTE))
    dice = random.Random(seed)
    for _ in range(60):
        for _ in range(22):
            client.service.admits(1, client.now)
        client.live(dice, MINUTE, 60)
    assert client.pool.limit < 25
    assert len(client.refusals) <= 40
    client.live(dice, 9 * HOUR, 45)
    assert error(client) <= 0.1


def test_others_that_use_up_everything_teach_no_limit_of_nothing() -> None:
    client = Client(quota(None), Service(0, MINUTE))
    for _ in range(50):
        client.now += 20
        client.ask()
    assert client.pool.limit >= 1


class TestWhatIsShown:
    def test_is_evidence_in_words(self) -> None:
        client = Client(quota(None), Service(18, MINUTE))
        for _ in range(19):
            client.ask()
        day = datetime.fromtimestamp(START, UTC).date()
        assert client.pool.learned is not None
        assert client.pool.learned.evidence == f"1 refusal at 18 requests a minute, {day}"
        client.now += 4 * MINUTE
        client.service.limit = 17
        for _ in range(18):
            client.ask()
        assert client.pool.learned.evidence == f"2 refusals at 18 and 17 requests a minute, {day}"
        assert client.pool.view(client.now).limit == 17

    def test_is_a_raise_that_is_being_tried(self) -> None:
        client = Client(quota(None), Service(18, MINUTE))
        for _ in range(25):
            client.ask()
        client.now += 3 * MINUTE
        client.service.limit = 30
        for _ in range(25):
            client.ask()
        assert client.pool.learned is not None
        assert "none since, so 19 are tried" in client.pool.learned.evidence

    def test_a_burst_counts_as_one(self) -> None:
        client = Client(quota(None), Service(18, MINUTE))
        leases = [client.reserve(1) for _ in range(25)]
        for lease in leases:
            assert lease
            client.answer(lease, 1)
        assert client.pool.learned is not None
        assert client.pool.learned.evidence.startswith("1 refusal at 18 requests a minute")


def test_what_was_found_out_is_forgotten_when_it_is_stale() -> None:
    client = Client(quota(30), Service(18, MINUTE))
    for _ in range(25):
        client.ask()
    assert client.pool.limit == 18
    assert client.pool.view(client.now + GUESSES_HOLD - 1).limit == 18
    assert client.pool.view(client.now + GUESSES_HOLD).limit == 30


def test_a_limit_that_holds_after_all_is_forgotten() -> None:
    client = Client(quota(20), Service(18, MINUTE))
    dice = random.Random(1)
    client.live(dice, 10 * MINUTE, 60)
    assert client.pool.learned
    client.service.limit = 20
    client.live(dice, 4 * HOUR, 60)
    assert client.pool.learned is None


def test_a_limit_that_headers_state_is_not_guessed_at() -> None:
    client = Client(quota(30), Service(18, MINUTE))
    client.ledger.read(client.route.shares, [Reading(unit="requests", window=MINUTE, limit=30)], START)
    for _ in range(25):
        client.ask()
    assert client.refusals
    assert client.pool.limit == 30


def test_what_was_found_out_survives_a_restart() -> None:
    client = Client(quota(None), Service(18, MINUTE))
    for _ in range(25):
        client.ask()
    states = client.ledger.dump(START)
    world = World(provider("lab", [model("m")], [quota(None)]))
    fresh = Ledger()
    fresh.load(states, client.now)
    shares = fresh.shares(
        "lab",
        world.route().model,
        [quota(None)],
        key=world.route().key.fingerprint,
        account=world.route().key.account,
    )
    assert shares[0].pool.learned == client.pool.learned


@given(limit=st.integers(1, 8), seed=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_a_limit_of_requests_at_once_is_found_and_kept(limit: int, seed: int) -> None:
    """Requests end one by one; the service refuses more than its limit, and says so."""
    client = Client(Quota(unit="concurrent", limit=None, window=None, **FACTS), Service(limit, MINUTE))
    dice, running, refused = random.Random(seed), list[Lease](), 0
    for _ in range(2_000):
        client.now += dice.expovariate(2.0)
        if running and dice.random() < 0.4:
            client.ledger.settle(running.pop(), client.now, 1, 1)
        elif lease := client.reserve(1):
            if len(running) < limit:
                running.append(lease)
                continue
            refused += 1
            client.ledger.refuse(lease, client.now)
            client.consequences.draw(
                client.route, Failure(kind=Kind.CONCURRENCY), lease.demand, client.now, lease.at
            )
            assert limit <= client.pool.limit <= limit + 1
    assert refused <= 4


class TestQuotasThatNobodyDeclared:
    @pytest.mark.parametrize(
        ("facts", "name", "scope"),
        [
            ({"kind": Kind.RATE_LIMITED}, "requests/60s:m", "key"),
            ({"kind": Kind.RATE_LIMITED, "scope": "account"}, "requests/60s:*", "account"),
            ({"kind": Kind.RATE_LIMITED, "retry_after": 900.0}, "requests/3600s:m", "key"),
            ({"kind": Kind.RATE_LIMITED, "unit": "tokens", "window": 60.0}, "tokens/60s:m", "key"),
            ({"kind": Kind.QUOTA_EXHAUSTED}, "requests/86400s:m", "key"),
            ({"kind": Kind.QUOTA_EXHAUSTED, "scope": "ip"}, "requests/86400s:*", "ip"),
            ({"kind": Kind.CONCURRENCY, "scope": "account"}, "concurrent:*", "account"),
        ],
    )
    def test_are_counted_from_the_first_refusal(
        self, facts: dict[str, object], name: str, scope: str
    ) -> None:
        found: list[bool] = []
        lab = provider("lab", [model("m"), model("n")])
        world = World(lab)
        consequences = Consequences(world.ledger, world.health, lambda: found.append(True))
        route = world.route("lab/m#k1")
        for _ in range(2):
            consequences.draw(route, Failure(**facts), Demand(1, 1, 1), START)  # type: ignore[arg-type]
        assert found == [True]
        again = world.ledger.shares("lab", route.model, [], key="k", account="a")
        assert [(share.pool.quota.name, share.pool.quota.scope) for share in again] == [(name, scope)]
        other = world.ledger.shares("lab", model("n"), [], key="k", account="a")
        assert len(other) == name.endswith("*")

    def test_have_the_limit_that_is_stated_and_the_clock_of_their_like(self) -> None:
        declared = quota(100, window=DAY, members=("n",), clock="pacific-midnight", scope="account")
        world = World(provider("lab", [model("m"), model("n")], [declared]))
        consequences = Consequences(world.ledger, world.health)
        route = world.route("lab/m#k1")
        refusal = Failure(kind=Kind.QUOTA_EXHAUSTED, unit="requests", window=DAY, limit=20)
        consequences.draw(route, refusal, Demand(1, 1, 1), START)
        (share,) = world.ledger.shares(
            "lab", route.model, [], key=route.key.fingerprint, account=route.key.account
        )
        assert (share.pool.quota.clock, share.pool.quota.scope) == ("pacific-midnight", "account")
        assert share.pool.limit == 20
        midnight = share.pool.closed_until
        assert datetime.fromtimestamp(midnight, ZoneInfo("America/Los_Angeles")).time() == time()
        assert START < midnight <= START + DAY
        shared = world.route("lab/n#k1").shares
        assert [one.pool.limit for one in shared] == [100], "of that model a limit is declared"

    def test_survive_a_restart_once_something_is_known_of_them(self) -> None:
        world = World(provider("lab", [model("m")]))
        consequences = Consequences(world.ledger, world.health)
        route = world.route()
        consequences.draw(route, Failure(kind=Kind.RATE_LIMITED), Demand(1, 1, 1), START)
        (share,) = world.ledger.shares("lab", route.model, [], key="k", account="a")
        for known in (False, True):
            if known:
                for _ in range(4):
                    lease = world.ledger.reserve([share], Demand(1, 1, 1), START)
                    assert lease
                world.ledger.refuse(lease, START)
                world.ledger.discover(
                    [share], Demand(1, 1, 1), START, unit=None, window=None, wait=None, scope="route",
                    long=False, dispatched=START,
                )  # fmt: skip
                assert share.pool.limit == 3
            share.pool.changed = START
            fresh = Ledger()
            fresh.load(world.ledger.dump(START), START)
            found = fresh.shares("lab", route.model, [], key="k", account="a")
            assert [one.pool.limit for one in found] == ([3] if known else [])


class TestLimitsThatAreDeclaredAsUnknown:
    def world(self) -> World:
        declared = [quota(None, members=(name,)) for name in ("m", "n")]
        return World(
            provider("lab", [model("m"), model("n"), model("o")], [*declared, quota(7, members=("o",))])
        )

    def refuse(self, world: World, name: str = "m", limit: int = 10) -> None:
        failure = Failure(kind=Kind.RATE_LIMITED, unit="requests", window=MINUTE, limit=limit)
        route = world.route(f"lab/{name}#k1")
        Consequences(world.ledger, world.health).draw(route, failure, Demand(1, 1, 1), START)

    def pool(self, world: World, name: str) -> Pool:
        return world.route(f"lab/{name}#k1").shares[0].pool

    def test_are_guessed_from_what_is_stated_of_a_like_model(self) -> None:
        world = self.world()
        self.refuse(world)
        learned = self.pool(world, "n").learned
        assert [self.pool(world, name).limit for name in "mno"] == [10, 10, 7]
        assert learned is not None
        assert learned.evidence == "as lab/m, whose limit is not known beforehand either"

    def test_are_not_guessed_anew_once_something_is_known(self) -> None:
        world = self.world()
        self.refuse(world, "n", 30)
        self.refuse(world, "m", 10)
        assert [self.pool(world, name).limit for name in "mn"] == [10, 30]

    def test_are_raised_every_minute_in_which_the_guess_keeps_a_request_out(self) -> None:
        world = self.world()
        self.refuse(world)
        shares, pool = world.route("lab/n#k1").shares, self.pool(world, "n")
        now, least, limits = START, Demand(1, 1, 1), []
        for _ in range(4):
            while world.ledger.opening(shares, least, now) <= now:
                assert world.ledger.reserve(shares, least, now)
            limits.append(pool.limit)
            now += MINUTE + 1.0
        assert limits == [10, 11, 12, 14], "faster and faster"
        assert pool.learned is not None
        assert pool.learned.evidence.endswith("beforehand either, so 14 are tried")

    def test_are_found_out_like_any_other_from_the_first_refusal_on(self) -> None:
        world = self.world()
        self.refuse(world)
        shares, pool, least = world.route("lab/n#k1").shares, self.pool(world, "n"), Demand(1, 1, 1)
        leases = [world.ledger.reserve(shares, least, START) for _ in range(6)]
        assert leases[-1]
        world.ledger.refuse(leases[-1], START)
        refusal = Failure(kind=Kind.RATE_LIMITED)
        Consequences(world.ledger, world.health).draw(world.route("lab/n#k1"), refusal, least, START)
        assert pool.limit == 5
        assert pool.learned is not None
        assert pool.learned.evidence.startswith("1 refusal at 5 requests a minute")
