"""The signed catalogue file: fetched, checked, held as the last good copy, and read from there."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from freellm import signed_catalogue
from freellm.errors import CatalogueError, UpstreamError
from freellm.offers import offered
from freellm.providers import Provider
from freellm.settings import Settings
from freellm.signed_catalogue import LIMIT, SUFFIX, FiledCatalogue, SignedFile
from freellm.store import Store
from freellm.types import Upstream
from freellm.upstream import UpstreamClient

SECONDS: Final = 30.0
"""Seconds for each of the two files, and until its first byte."""

_SIGNATURE_LIMIT: Final = 1024

_log = logging.getLogger(__name__)


class Taken(msgspec.Struct, frozen=True):
    """A catalogue file that has been taken.

    :param source: where it came from
    :param serial: its edition
    :param is_new: whether it was not in use already
    :param skipped: the providers it names that are not installed; nothing is changed for them
    """

    source: str
    serial: int
    is_new: bool
    skipped: list[str]


async def fetch(source: str, client: UpstreamClient, *, local: bool = False) -> SignedFile:
    """Fetch a catalogue file and its signature.

    :param source: a path or an https URL; the signature is beside it, with `.sig` at the end of the path
    :param local: whether a URL may be plain http and on this machine
    :raises CatalogueError: when either cannot be had or is too large
    """
    text = await _fetched(source, LIMIT, client, local)
    beside = await _fetched(_with_suffix(source), _SIGNATURE_LIMIT, client, local)
    try:
        return SignedFile(source, text, signed_catalogue.signature(beside))
    except ValueError as error:
        raise CatalogueError(f"{_with_suffix(source)} is no signature: {error}") from None


def take(file: SignedFile, key: str, providers: Iterable[Provider], store: Store, now: float) -> Taken:
    """Check a catalogue file and hold it in place of the one there is.

    :param key: the public key in base64
    :param providers: as their packages declare them
    :param now: Unix time
    :raises CatalogueError: when it is not taken; the one that is held stays in use
    """
    checker = signed_catalogue.public_key(key)
    catalogue = signed_catalogue.read(file, checker)
    providers = list(providers)
    signed_catalogue.check(catalogue, file.source, providers)
    with store.transaction():
        held = store.catalogue.get()
        signed_catalogue.refuse_rollback(
            catalogue, file, _readable(held, checker), b"" if held is None else held.text
        )
        is_new = held is None or held.text != file.text
        if is_new or held != file:
            store.catalogue.set(file, now)
    return Taken(file.source, catalogue.serial, is_new, catalogue.strangers(providers))


def current(providers: Iterable[Provider], store: Store, settings: Settings) -> list[Provider]:
    """Return every provider with the models and quotas that count at the moment.

    The held catalogue file counts while `catalogue_key` is set and its signature is right.

    :param providers: as their packages declare them
    """
    stated = filed(providers, store, settings)
    listings = store.listings.all()
    return [
        # what lists say of an instance is in its models already
        provider if provider.is_instance else offered(provider, None, listings.get(provider.name))
        for provider in stated
    ]


def filed(providers: Iterable[Provider], store: Store, settings: Settings) -> list[Provider]:
    """Return every provider as its package and the held catalogue file state it."""
    tables = _tables(store, settings)
    return [
        provider if provider.is_instance else _laid_over(provider, tables.get(provider.name, {}))
        for provider in providers
    ]


def read_file(path: Path, limit: int) -> bytes:
    """Read a file of so many bytes at most.

    :raises CatalogueError: when it cannot be read or is larger
    """
    try:
        with path.open("rb") as file:
            text = file.read(limit + 1)
    except OSError as error:
        raise CatalogueError(f"{path} cannot be read: {error.strerror}") from None
    if len(text) > limit:
        raise CatalogueError(f"{path} has more than {limit:,} bytes")
    return text


def _tables(store: Store, settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    if settings.catalogue_key is None or (held := store.catalogue.get()) is None:
        return {}
    try:
        return signed_catalogue.read(held, signed_catalogue.public_key(settings.catalogue_key)).tables
    except CatalogueError as error:
        _log.warning("the catalogue file that is held does not count: %s", error)
        return {}


def _laid_over(provider: Provider, table: Mapping[str, Any]) -> Provider:
    try:
        return offered(provider, table)
    except ValueError as error:  # the package has changed since the file was taken
        _log.warning("the catalogue file does not count for %s: %s", provider.name, error)
        return provider


def _readable(held: SignedFile | None, key: bytes) -> FiledCatalogue | None:
    """Return what is held if it counts: a file signed with a key that is not used any more is no measure."""
    try:
        return None if held is None else signed_catalogue.read(held, key)
    except CatalogueError:
        return None


def _with_suffix(source: str) -> str:
    path, mark, query = source.partition("?") if "://" in source else (source, "", "")
    return f"{path}{SUFFIX}{mark}{query}"


async def _fetched(source: str, limit: int, client: UpstreamClient, local: bool) -> bytes:
    if "://" not in source:
        return read_file(Path(source), limit)
    parts = urlsplit(source)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        exchange = await client.send(
            Upstream("GET", path), f"{parts.scheme}://{parts.netloc}", local=local, first_byte_timeout=SECONDS
        )
        if exchange.status != 200:
            exchange.close()
            raise CatalogueError(
                f"{source} cannot be had: the answer's status is {exchange.status}{_hint(exchange.status)}"
            )
        return await exchange.body(limit, SECONDS)
    except UpstreamError as error:
        raise CatalogueError(f"{source} cannot be had: {error.message}") from None


def _hint(status: int) -> str:
    return "; redirects are not followed, name the place itself" if 300 <= status < 400 else ""
