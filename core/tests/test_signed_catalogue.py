"""A catalogue file from elsewhere: taken when it is signed, right and not old; else nothing changes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from freellm.declarations import Model
from freellm.errors import CatalogueError
from freellm.providers import Provider
from freellm.settings import Settings, load_settings
from freellm.signed_catalogue import LIMIT, SignedFile, public_key, read, sign, signature
from freellm.store import Store
from freellm.sync import current, fetch, take
from freellm.upstream import UpstreamClient
from small_world import START, model, provider, quota

AUTHOR, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEY = b64encode(AUTHOR.public_key().public_bytes_raw()).decode()

LAB = provider("lab", [model("big", intelligence_rank=1), model("small")], [quota(30, members=("big",))])


def edition(
    serial: int = 1, rows: str = 'models = [{id = "big", intelligence_rank = 5}]', name: str = "lab"
) -> str:
    return f"serial = {serial}\n[providers.{name}]\n{rows}\n"


def signed(text: str, key: Ed25519PrivateKey = AUTHOR) -> SignedFile:
    return SignedFile("a file", text.encode(), signature(sign(text.encode(), key)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def settings(store: Store, **stated: object) -> Settings:
    return load_settings({}, {"data_dir": store.file.parent, "catalogue_key": KEY, **stated})


def big(store: Store, lab: Provider = LAB, **stated: object) -> Model:
    (offer,) = current([lab], store, settings(store, **stated))
    return next(m for m in offer.models if m.id == "big")


def refused(file: SignedFile, store: Store, *providers: Provider) -> str:
    before = store.catalogue.get()
    with pytest.raises(CatalogueError) as caught:
        take(file, KEY, providers or [LAB], store, START)
    assert store.catalogue.get() == before, "nothing has changed"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_taken_counts_and_outlives_the_process(store: Store, tmp_path: Path) -> None:
    taken = take(signed(edition(7)), KEY, [LAB], store, START)
    assert (taken.serial, taken.is_new, taken.skipped) == (7, True, [])
    assert big(store).intelligence_rank == 5
    with Store(tmp_path) as again:
        assert big(again).intelligence_rank == 5


def test_it_is_noticed_by_other_processes(store: Store) -> None:
    before = store.data_version()
    take(signed(edition()), KEY, [LAB], store, START)
    after = store.data_version()
    assert after != before
    assert not take(signed(edition()), KEY, [LAB], store, START).is_new
    assert store.data_version() == after


def test_a_file_of_a_stranger_is_refused(store: Store) -> None:
    assert "not signed with the key that catalogue_key names" in refused(signed(edition(), STRANGER), store)


@given(st.integers(0, len(edition()) - 1), st.integers(1, 255))
def test_a_file_that_was_changed_by_one_bit_or_more_is_refused(at: int, flip: int) -> None:
    file = signed(edition())
    text = bytearray(file.text)
    text[at] ^= flip
    with pytest.raises(CatalogueError, match="or was changed afterwards"):
        read(SignedFile(file.source, bytes(text), file.signature), public_key(KEY))


@given(st.integers(0, 63), st.integers(1, 255))
def test_a_signature_that_was_changed_is_refused(at: int, flip: int) -> None:
    file = signed(edition())
    other = bytearray(file.signature)
    other[at] ^= flip
    with pytest.raises(CatalogueError, match="or was changed afterwards"):
        read(SignedFile(file.source, file.text, bytes(other)), public_key(KEY))


def test_nothing_is_parsed_before_the_signature_is_right(store: Store) -> None:
    assert "not signed" in refused(signed("this is not TOML", STRANGER), store)


class TestRollback:
    def test_an_older_edition_is_refused_and_the_newer_one_stays(self, store: Store) -> None:
        take(signed(edition(7)), KEY, [LAB], store, START)
        old = signed(edition(6, 'models = [{id = "big", intelligence_rank = 2}]'))
        assert "has serial 6, older than 7, which is in use" in refused(old, store)
        assert big(store).intelligence_rank == 5

    def test_another_file_of_the_same_serial_is_refused(self, store: Store) -> None:
        take(signed(edition(7)), KEY, [LAB], store, START)
        other = signed(edition(7, 'models = [{id = "big", intelligence_rank = 2}]'))
        assert "its author has to count the serial up" in refused(other, store)

    def test_a_newer_edition_takes_its_place(self, store: Store) -> None:
        take(signed(edition(7)), KEY, [LAB], store, START)
        take(signed(edition(8, 'models = [{id = "big", intelligence_rank = 2}]')), KEY, [LAB], store, START)
        assert big(store).intelligence_rank == 2

    def test_a_file_of_another_author_is_no_measure(self, store: Store) -> None:
        other = b64encode(STRANGER.public_key().public_bytes_raw()).decode()
        take(signed(edition(9), STRANGER), other, [LAB], store, START)
        assert take(signed(edition(1)), KEY, [LAB], store, START).is_new


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not TOML", "a file is not TOML"),
        ("serial = 1", "providers: Field required"),
        ('serial = "1"\n[providers.lab]', "serial: "),
        ("serial = 0\n[providers.lab]", "serial: "),
        ("serial = 1\nsereal = 2\n[providers.lab]", "sereal: Extra inputs"),
        (edition(rows='modles = [{id = "big"}]'), "providers.lab.modles: Extra inputs"),
        (edition(rows="models = 5"), "providers.lab.models: "),
        (edition(rows='models = [{id = "big", rank = 3}]'), "providers.lab: the model 'big': rank: Extra inputs"),
        (edition(rows='models = [{id = "new"}]'), "providers.lab: the model 'new': family: Field required"),
        (edition(rows='models = [{id = "big", limits = {rph = 3}}]'), "the limits of 'big': rph: Extra inputs"),
        (edition(rows='models = [{id = "big", status = "free"}]'), "the model 'big': status: "),
        (edition(rows='quotas = [{unit = "tokens", window = 60, members = ["no"], source = "s", checked = "d"}]'),
         "names 'no', which is no model of it"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_and_changes_nothing(store: Store, text: str, says: str) -> None:
    take(signed(edition(1)), KEY, [LAB], store, START)
    assert says in refused(signed(text.replace("serial = 1", "serial = 2")), store)
    assert big(store).intelligence_rank == 5


def test_a_provider_that_is_not_installed_is_told_and_the_others_are_not_held_up(store: Store) -> None:
    text = edition() + edition(name="elsewhere", rows='models = [{id = "x"}]').partition("\n")[2]
    taken = take(signed(text), KEY, [LAB], store, START)
    assert taken.skipped == ["elsewhere"]
    assert big(store).intelligence_rank == 5


def test_a_held_file_counts_only_with_its_key(store: Store) -> None:
    take(signed(edition()), KEY, [LAB], store, START)
    assert big(store, catalogue_key=None).intelligence_rank == 1
    other = b64encode(STRANGER.public_key().public_bytes_raw()).decode()
    assert big(store, catalogue_key=other).intelligence_rank == 1
    assert big(store).intelligence_rank == 5


def test_a_held_file_that_was_edited_does_not_count(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    file = signed(edition())
    store.catalogue.set(SignedFile("edited", file.text.replace(b"5", b"2"), file.signature), START)
    assert big(store).intelligence_rank == 1
    assert "edited is not signed" in caplog.text


def test_a_package_that_changed_since_is_not_broken_by_a_held_file(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    take(signed(edition(rows='models = [{id = "small", speed_rank = 2}]')), KEY, [LAB], store, START)
    newer = provider("lab", [model("big", intelligence_rank=1)])
    assert big(store, newer).intelligence_rank == 1
    assert "the catalogue file does not count for lab" in caplog.text


# Fetching


async def handle(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name.endswith(".sig"):
        text = b"nonsense" if name.startswith("nonsense") else sign(edition().encode(), AUTHOR)
        return web.Response(body=text)
    if name == "moved":
        return web.Response(status=302, headers={"Location": "/catalogue.toml"})
    if name == "gone":
        return web.Response(status=404)
    body = b"#" * (LIMIT + 1) if name == "huge" else edition().encode()
    return web.Response(body=body, headers={"X-Query": request.query_string})


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{name}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    opened = UpstreamClient()
    yield opened
    await opened.close()


@pytest.mark.parametrize("name", ["catalogue.toml", "catalogue.toml?edition=latest"])
async def test_a_file_is_fetched_with_its_signature(
    url: str, client: UpstreamClient, store: Store, name: str
) -> None:
    file = await fetch(f"{url}/{name}", client, local=True)
    assert file.text == edition().encode()
    take(file, KEY, [LAB], store, START)
    assert big(store).intelligence_rank == 5


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone", "the answer's status is 404"),
        ("moved", "status is 302; redirects are not followed, name the place itself"),
        ("huge", f"sent more than {LIMIT:,} bytes"),
        ("nonsense", "nonsense.sig is no signature: expected an Ed25519 signature in base64"),
    ],
)
async def test_what_cannot_be_fetched_says_why(
    url: str, client: UpstreamClient, name: str, says: str
) -> None:
    with pytest.raises(CatalogueError, match=says.replace("(", r"\(")):
        await fetch(f"{url}/{name}", client, local=True)


@pytest.mark.parametrize("source", ["https://127.0.0.1:9/c.toml", "https://169.254.169.254/latest/meta-data"])
async def test_no_address_inside_is_asked(client: UpstreamClient, source: str) -> None:
    with pytest.raises(CatalogueError, match="addresses are refused"):
        await fetch(source, client)


async def test_plain_http_is_not_asked(url: str, client: UpstreamClient) -> None:
    with pytest.raises(CatalogueError, match="must be https"):
        await fetch(f"{url}/catalogue.toml", client)


async def test_a_file_is_read_with_its_signature(tmp_path: Path, client: UpstreamClient) -> None:
    file = tmp_path / "c.toml"
    with pytest.raises(CatalogueError, match=r"c\.toml cannot be read: No such file"):
        await fetch(str(file), client)
    file.write_text(edition(), "utf-8")
    with pytest.raises(CatalogueError, match=r"c\.toml\.sig cannot be read"):
        await fetch(str(file), client)
    (tmp_path / "c.toml.sig").write_bytes(sign(edition().encode(), AUTHOR))
    assert (await fetch(str(file), client)).text == edition().encode()
    file.write_bytes(b"#" * (LIMIT + 1))
    with pytest.raises(CatalogueError, match="has more than"):
        await fetch(str(file), client)
