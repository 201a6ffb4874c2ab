"""Asking services for their lists, over real sockets; what is found out outlives the process."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from freellm import Answer, Catalogue, Key, ListedModel, OpenAICompatible, Secret, hookimpl
from freellm.errors import VaultError
from freellm.health import Health
from freellm.keyring import ProviderKey
from freellm.providers import Provider
from freellm.settings import load_settings
from freellm.signed_catalogue import sign
from freellm.store import Store
from freellm.sync import ListReport, Lists, LiveCatalogue, current, sync_lists
from freellm.types import Kind
from freellm.upstream import UpstreamClient
from small_world import START, HandClock, World, model, provider

HOUR, DAY = 3600.0, 86_400.0
TOKEN = "sk-the-secret-of-the-lab"


class Priced(OpenAICompatible):
    """Reads from a service's list what a model costs."""

    def __init__(self, lab: Provider) -> None:
        super().__init__(info=lab.info, catalogue=Catalogue(models=lab.models))

    @hookimpl
    def read_models(self, answer: Answer) -> list[ListedModel]:
        """Call a model paid that has a price, and free that has the price nought."""
        prices = {"1": False, "0": True}
        return [
            ListedModel(id=row["id"], free=prices.get(row.get("price", ""))) for row in answer.body["data"]
        ]


class Service:
    """An OpenAI-speaking service whose list, and whose models, a test changes.

    :ivar rows: what its list has
    :ivar list_answer: what answers instead of the list
    :ivar gone: models that requests are refused for
    :ivar asked: the models that were asked for an answer
    """

    def __init__(self, *ids: str) -> None:
        self.rows: list[dict[str, Any]] = [{"id": id_} for id_ in ids]
        self.list_answer: web.Response | None = None
        self.gone: set[str] = set()
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.refused_tokens: set[str] = set()
        self.url = ""

    def lists(self, *ids: str, **facts: object) -> None:
        """Let the list have these models."""
        self.rows = [{"id": id_, **facts} for id_ in ids]

    async def models(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.tokens.append(token)
        if token in self.refused_tokens:
            return web.json_response({"error": {"message": f"bad key {token}"}}, status=401)
        return self.list_answer or web.json_response({"object": "list", "data": self.rows})

    async def chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body["model"])
        if body["model"] in self.gone:
            error = {"message": "no such model", "code": "model_not_found"}
            return web.json_response({"error": error}, status=404)
        message = {"role": "assistant", "content": "Hi"}
        return web.json_response({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    running = Service("a", "b", "c")
    app = web.Application()
    app.router.add_get("/v1/models", running.models)
    app.router.add_post("/v1/chat/completions", running.chat)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield running
    await runner.cleanup()


class Lab:
    """One provider at the service, with a data folder and a clock set by hand."""

    def __init__(self, folder: Path, service: Service, lab: Provider, tokens: tuple[str, ...]) -> None:
        self.folder = folder
        self.service = service
        self.provider = lab
        self.clock = HandClock()
        self.store = Store(folder)
        self.client = UpstreamClient()
        self.keys = [
            ProviderKey(
                id=f"k{number}", provider="lab", label="", fingerprint=f"f{number}", account="a",
                source="environment", base_url=service.url, fields={"token": Secret(token)},
            )
            for number, token in enumerate(tokens)
        ]  # fmt: skip

    def open(self, key: ProviderKey) -> Key:
        if key.id == "sealed":
            raise VaultError("it does not decrypt")
        return Key(id=key.id, account=key.account, fields=key.fields, base_url=key.base_url)

    @property
    def lists(self) -> Lists:
        return Lists(self.store, self.client, self.open, lambda _: True, self.clock.now)

    async def sync(self, after: float = 0.0) -> ListReport:
        self.clock.time += after
        return await self.lists.sync(self.provider, self.keys)

    def restart(self) -> None:
        """Do what a new process does: read everything from the disk."""
        self.store.close()
        self.store = Store(self.folder)

    @property
    def on(self) -> list[str]:
        """The models that are on."""
        (offer,) = current([self.provider], self.store, load_settings({}, {"data_dir": self.folder}))
        return [m.id for m in offer.models if m.enabled_by_default]


@asynccontextmanager
async def working(
    folder: Path, service: Service, *ids: str, tokens: tuple[str, ...] = (TOKEN,), lab: Provider | None = None
) -> AsyncIterator[Lab]:
    made = lab or provider("lab", [model(id_) for id_ in ids or "abc"], base_url=service.url)
    working = Lab(folder, service, made, tokens)
    try:
        yield working
    finally:
        await working.client.close()
        working.store.close()


def told(report: ListReport) -> list[tuple[str, str]]:
    return [(change.kind, change.model) for change in report.changes]


async def test_a_list_that_says_what_is_known_changes_nothing(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service) as lab:
        report = await lab.sync()
        assert (report.listed, report.changes, report.problem) == (3, [], "")
        assert lab.store.listings.lists()["lab"].asked == START
        assert lab.on == ["a", "b", "c"]


async def test_what_a_list_changes_is_told_stored_and_counts(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service) as lab:
        service.lists("a", "b", "x", context_length=4096)
        report = await lab.sync()
        assert told(report) == [("new", "x"), ("vanished", "c")]
        lab.restart()
        assert lab.store.listings.of("lab")["x"].facts.context == 4096
        assert lab.on == ["a", "b", "c"], "what is new and not said to be free is off"


async def test_two_lists_an_hour_apart_retire_and_a_restart_does_not_forget(
    tmp_path: Path, service: Service
) -> None:
    async with working(tmp_path, service) as lab:
        service.lists("a", "b")
        await lab.sync()
        lab.restart()
        assert told(await lab.sync(after=HOUR - 1)) == []
        lab.restart()
        assert told(await lab.sync(after=1.0)) == [("retired", "c")]
        lab.restart()
        assert lab.on == ["a", "b"]


async def test_a_retired_model_that_is_listed_again_is_asked_before_it_is_back(
    tmp_path: Path, service: Service
) -> None:
    async with working(tmp_path, service) as lab:
        service.lists("a", "b")
        await lab.sync()
        await lab.sync(after=HOUR)
        await lab.sync(after=7 * DAY)
        assert service.asked == [], "a model that is not listed costs nothing"
        service.lists("a", "b", "c")
        service.gone = {"c"}
        report = await lab.sync(after=7 * DAY)
        assert [c.detail for c in report.changes] == [
            "listed again, but it does not answer: model_gone: no such model"
        ]
        assert lab.on == ["a", "b"]
        service.gone = set()
        assert told(await lab.sync(after=7 * DAY)) == [("back", "c")]
        lab.restart()
        assert lab.on == ["a", "b", "c"]
        assert service.asked == ["c", "c"]
        assert told(await lab.sync(after=7 * DAY)) == []


@pytest.mark.parametrize(
    ("price", "asked", "detail"),
    [("1", [], "listed again, and off"), ("", [], "listed again, and off"), ("0", ["x"], "it answers again")],
)
async def test_a_retired_model_is_only_asked_if_that_is_free(
    tmp_path: Path, service: Service, price: str, asked: list[str], detail: str
) -> None:
    with_prices = Provider(
        "lab", Priced(provider("lab", [model(id_) for id_ in "abc"], base_url=service.url))
    )
    async with working(tmp_path, service, lab=with_prices) as lab:
        for extra in ([{"id": "x", "price": price}], [], []):
            service.rows = [{"id": id_} for id_ in "abc"] + extra
            await lab.sync(after=HOUR)
        assert lab.store.listings.of("lab")["x"].retired
        service.rows.append({"id": "x", "price": price})
        report = await lab.sync(after=DAY)
        assert [(c.kind, c.detail) for c in report.changes] == [("back", detail)]
        assert service.asked == asked
        assert ("x" in lab.on) is bool(asked)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda: web.json_response({"error": {"message": TOKEN}}, status=403), "it answered with status 403"),
        (lambda: web.Response(text="<html>challenge</html>", content_type="text/html"), "what it sent is not JSON"),
        (lambda: web.json_response({"data": []}), "its list is empty, so nobody is retired"),
        (lambda: web.json_response({"data": [{"id": "z"}]}), "its list lacks 3 of 3 models at once"),
        (lambda: web.json_response({"error": "in a 200"}), "its list is empty, so nobody is retired"),
    ],
)  # fmt: skip
async def test_a_list_that_cannot_be_had_or_believed_retires_nobody(
    tmp_path: Path, service: Service, answer: Any, problem: str
) -> None:
    async with working(tmp_path, service) as lab:
        for _ in "123":
            service.list_answer = answer()
            report = await lab.sync(after=DAY)
            assert report.problem.startswith(problem[:24])
            assert TOKEN not in report.problem
        assert lab.store.listings.lists()["lab"].problem == report.problem
        assert lab.on == ["a", "b", "c"]


async def test_a_service_that_is_away_is_told_with_the_reason(tmp_path: Path, service: Service) -> None:
    lab_at_nothing = provider("lab", [model("a")], base_url="http://127.0.0.1:9/v1")
    async with working(tmp_path, service, lab=lab_at_nothing) as lab:
        lab.keys = [ProviderKey(id="k", provider="lab", label="", fingerprint="f", account="a", source="keyless",
                                base_url="http://127.0.0.1:9/v1", fields={"token": Secret("t")})]  # fmt: skip
        report = await lab.sync()
        assert report.listed is None
        assert "127.0.0.1" in report.problem


async def test_the_next_key_is_asked_with_when_one_is_refused(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service, tokens=("refused", TOKEN)) as lab:
        service.refused_tokens = {"refused"}
        assert (await lab.sync()).listed == 3
        assert service.tokens == ["refused", TOKEN]
        lab.keys[1:] = []
        assert (await lab.sync()).problem == "it answered with status 401"


async def test_a_key_that_does_not_open_is_a_reason_too(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service) as lab:
        lab.keys = [
            ProviderKey(id="sealed", provider="lab", label="", fingerprint="f", account="a", source="stored")
        ]
        assert (await lab.sync()).problem == "it does not decrypt"


async def test_a_provider_without_a_key_is_not_asked(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service, tokens=()) as lab:
        (report,) = await sync_lists(lab.lists, [lab.provider], lab.keys)
        assert report.problem == "it has no usable key: freellm keys add lab"
        assert service.tokens == []


# A running server


class Running:
    """The live catalogue of a server that does not serve: what it needs, and a sleep that moves the clock."""

    def __init__(self, lab: Lab, **settings: object) -> None:
        self.lab = lab
        self.health = Health()
        made = load_settings({}, {"data_dir": lab.folder, **settings})
        self.slept = 0
        self.live = LiveCatalogue(
            lambda: [lab.provider], lab.store, made, self.health, lab.client, self, lab.clock, self._sleep  # type: ignore[arg-type]
        )  # fmt: skip
        self.done = asyncio.Event()
        self.until = 0.0

    def keys(self) -> list[ProviderKey]:
        return self.lab.keys

    def open_key(self, key: ProviderKey) -> Key:
        return self.lab.open(key)

    def is_local(self, name: str) -> bool:
        return True

    async def _sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 600.0
        self.slept += 1
        self.lab.clock.time += seconds
        if self.lab.clock.time >= self.until:
            self.done.set()
            await asyncio.Event().wait()

    async def run(self, seconds: float) -> None:
        """Let the server run for so long, by its clock."""
        self.until = self.lab.clock.time + seconds
        self.done.clear()
        self.live.start()
        await self.done.wait()
        await self.live.stop()

    def world(self) -> World:
        """Make the snapshot that the server would make."""
        world = World(*self.live.providers(), keys=[])
        world.health = self.health
        for entry in world.catalogue.entries:
            entry.standing = self.health.standing(entry.standing.name)
        self.live.recall(world.catalogue.entries)
        return world

    def refuse(self, id_: str, key: str = "k0") -> None:
        self.health.missing(self.health.standing(f"model lab/{id_}"), key, self.lab.clock.time)
        self.live.note()


async def test_a_server_asks_soon_after_its_start_and_then_weekly(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service) as lab:
        running = Running(lab)
        await running.run(100.0)
        assert service.tokens == [], "not while it starts"
        await running.run(DAY)
        assert len(service.tokens) == 1
        await running.run(6 * DAY)
        assert len(service.tokens) == 1
        await running.run(2 * DAY)
        assert len(service.tokens) == 2


async def test_a_server_confirms_a_missing_model_after_a_day(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service) as lab:
        service.lists("a", "b")
        await Running(lab).run(2 * DAY)
        assert len(service.tokens) == 2
        assert lab.on == ["a", "b"]


async def test_a_server_that_is_told_never_to_ask_never_does(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service) as lab:
        running = Running(lab, models_sync_days=0)
        running.live.start()
        await running.live.stop()
        assert running.slept == 0


async def test_a_refused_request_and_a_list_retire_over_a_restart(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service) as lab:
        Running(lab).refuse("c")
        lab.restart()
        service.lists("a", "b")
        assert told(await lab.sync()) == [("retired", "c")]


async def test_a_list_and_a_refused_request_retire_over_a_restart(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service) as lab:
        service.lists("a", "b")
        await lab.sync()
        lab.restart()
        running = Running(lab)
        running.world()
        running.refuse("c")
        standing = running.health.standing("model lab/c")
        assert (standing.cause, standing.stated) == (Kind.MODEL_GONE, True), "confirmed, at once"
        assert lab.on == ["a", "b"]


async def test_two_refused_requests_retire_over_a_restart(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service) as lab:
        Running(lab).refuse("c", "k0")
        assert lab.on == ["a", "b", "c"]
        lab.restart()
        Running(lab).refuse("c", "k1")
        assert lab.on == ["a", "b"]


async def test_an_answer_takes_every_sign_back(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service) as lab:
        service.lists("a", "b")
        await lab.sync()
        running = Running(lab)
        running.world()
        running.health.succeeded(running.health.standing("model lab/c"), (), START)
        running.live.note()
        assert lab.store.listings.of("lab")["c"].signs == ()
        assert told(await lab.sync(after=HOUR)) == [("vanished", "c")]


async def test_a_model_that_is_back_is_open_again(tmp_path: Path, service: Service) -> None:
    async with working(tmp_path, service) as lab:
        running = Running(lab)
        running.refuse("c", "k0")
        running.refuse("c", "k1")
        running.world()
        assert running.health.standing("model lab/c").closed_until > START
        assert told(await lab.sync()) == [("back", "c")]
        running.world()
        assert running.health.standing("model lab/c").closed_until == 0.0


async def test_a_provider_without_a_list_is_asked_for_its_retired_models(
    tmp_path: Path, service: Service
) -> None:
    lab_without = provider("lab", [model(id_) for id_ in "abc"], base_url=service.url)
    lab_without.hooks = tuple(hook for hook in lab_without.hooks if hook != "list_models")
    async with working(tmp_path, service, lab=lab_without) as lab:
        running = Running(lab)
        running.refuse("c", "k0")
        running.refuse("c", "k1")
        service.gone = {"c"}
        report = await lab.sync()
        assert report.problem == "it has no list of models to ask for"
        assert [c.detail for c in report.changes] == [
            "asked again; it does not answer: model_gone: no such model"
        ]
        service.gone = set()
        assert told(await lab.sync()) == [("back", "c")]
        assert lab.on == ["a", "b", "c"]


async def test_a_server_does_not_look_at_a_provider_that_has_neither_a_list_nor_retired_models(
    tmp_path: Path, service: Service
) -> None:
    lab_without = provider("lab", [model(id_) for id_ in "abc"], base_url=service.url)
    lab_without.hooks = tuple(hook for hook in lab_without.hooks if hook != "list_models")
    async with working(tmp_path, service, lab=lab_without) as lab:
        running = Running(lab)
        await running.run(8 * DAY)
        assert lab.store.listings.lists() == {}
        running.refuse("c", "k0")
        running.refuse("c", "k1")
        await running.run(DAY)
        assert service.asked == ["c"]
        assert lab.on == ["a", "b", "c"]


async def test_a_server_takes_the_catalogue_file_too(tmp_path: Path, service: Service) -> None:
    author = Ed25519PrivateKey.generate()
    public = b64encode(author.public_key().public_bytes_raw()).decode()
    file = tmp_path / "catalogue.toml"
    stated = {"catalogue": str(file), "catalogue_key": public}
    async with working(tmp_path / "data", service) as lab:
        running = Running(lab, **stated)
        for serial, status, signer in ((2, "paid-only", author), (3, "active", Ed25519PrivateKey.generate())):
            rows = f'models = [{{id = "a", status = "{status}"}}]'
            file.write_text(f"serial = {serial}\n[providers.lab]\n{rows}\n", "utf-8")
            file.with_name("catalogue.toml.sig").write_bytes(sign(file.read_bytes(), signer))
            await running.run(8 * DAY)
            (offer,) = running.live.providers()
            assert [m.status for m in offer.models] == ["paid-only", "active", "active"]
        assert "is not signed with the key" in lab.store.listings.lists()[""].problem


async def test_one_providers_trouble_does_not_end_the_looking(
    tmp_path: Path, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    async with working(tmp_path, service) as lab:
        service.list_answer = web.json_response({}, status=500)
        running = Running(lab)
        await running.run(DAY / 2)
        assert "the list of models of lab: it answered with status 500" in caplog.text
        service.list_answer = None
        await running.run(DAY)
        assert lab.store.listings.lists()["lab"].problem == ""
