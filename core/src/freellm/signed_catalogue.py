"""A catalogue file that comes from elsewhere: signed, so that nobody but its author changes models and limits. Pure.

The signature is a detached Ed25519 one over the file's bytes, and it is checked before anything else is looked at.
"""

from __future__ import annotations

import binascii
import tomllib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, ValidationError

from freellm.catalogue_file import sentence
from freellm.declarations import Declaration
from freellm.errors import CatalogueError
from freellm.offers import filed_over
from freellm.providers import Provider

LIMIT: Final = 2 * 2**20
"""Bytes of a catalogue file at most."""

SUFFIX: Final = ".sig"
"""What its signature's name adds to the file's."""

_KEY_BYTES, _SIGNATURE_BYTES = 32, 64


class SignedFile(msgspec.Struct, frozen=True):
    """A catalogue file as it was taken.

    :param source: where it came from, for messages
    :param text: its bytes
    :param signature: the 64 bytes of its signature
    """

    source: str
    text: bytes
    signature: bytes


class FiledProvider(Declaration):
    """One provider's table in a catalogue file: what a package's `catalogue.toml` has."""

    defaults: Mapping[str, Any] = {}
    limits: Mapping[str, Any] = {}
    models: tuple[Mapping[str, Any], ...] = ()
    quotas: tuple[Mapping[str, Any], ...] = ()


class FiledCatalogue(Declaration):
    """A catalogue file.

    :param serial: counts up with each edition; an older one is never taken
    :param providers: what it states, by provider
    """

    serial: int = Field(ge=1, strict=True)
    providers: Mapping[str, FiledProvider]

    @property
    def tables(self) -> dict[str, Mapping[str, Any]]:
        """What it states, by provider, as `freellm.offers` takes it."""
        return {name: table.model_dump(exclude_unset=True) for name, table in self.providers.items()}

    def strangers(self, providers: Iterable[Provider]) -> list[str]:
        """Return the names of the providers that are not among these."""
        return sorted(self.providers.keys() - {provider.name for provider in providers})


def public_key(text: str) -> bytes:
    """Return the 32 bytes of a public key in base64.

    :raises ValueError: when it is none
    """
    return _decoded(text, _KEY_BYTES, "an Ed25519 public key in base64: 32 bytes, 44 characters")


def signature(text: bytes) -> bytes:
    """Return the 64 bytes of a signature in base64.

    :raises ValueError: when it is none
    """
    return _decoded(text, _SIGNATURE_BYTES, "an Ed25519 signature in base64: 64 bytes, 88 characters")


def sign(text: bytes, key: Ed25519PrivateKey) -> bytes:
    """Return the signature of a catalogue file in base64, as its `.sig` file holds it."""
    return b64encode(key.sign(text)) + b"\n"


def read(file: SignedFile, key: bytes) -> FiledCatalogue:
    """Read a catalogue file, if its signature is right.

    :param key: the 32 bytes of the public key
    :raises CatalogueError: when the signature is wrong, or the file; the text names the field
    """
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(file.signature, file.text)
    except InvalidSignature:
        raise CatalogueError(
            f"{file.source} is not signed with the key that catalogue_key names, or was changed afterwards"
        ) from None
    return parse(file.text, file.source)


def parse(text: bytes, source: str) -> FiledCatalogue:
    """Read a catalogue file whose signature is known to be right, or not needed.

    :raises CatalogueError: when it is no catalogue file; the text names the field
    """
    try:
        return FiledCatalogue.model_validate(tomllib.loads(text.decode()))
    except ValidationError as error:
        raise CatalogueError(f"{source}: {sentence(error)}") from None
    except ValueError as error:
        raise CatalogueError(f"{source} is not TOML: {error}") from None


def check(catalogue: FiledCatalogue, source: str, providers: Iterable[Provider]) -> None:
    """Refuse a catalogue file that does not fit the providers it is for.

    :raises CatalogueError: naming the provider and the field
    """
    tables = catalogue.tables
    for provider in providers:
        try:
            filed_over(provider, tables.get(provider.name, {}))
        except ValueError as error:
            raise CatalogueError(f"{source}: providers.{provider.name}: {error}") from None


def refuse_rollback(
    new: FiledCatalogue, file: SignedFile, held: FiledCatalogue | None, held_text: bytes
) -> None:
    """Refuse an older edition than the one that is held, and another one of the same serial.

    :raises CatalogueError: naming both serials
    """
    if held is None or new.serial > held.serial or file.text == held_text:
        return
    if new.serial == held.serial:
        raise CatalogueError(
            f"{file.source} has serial {new.serial} as the one in use, and says something else; "
            "its author has to count the serial up"
        )
    raise CatalogueError(f"{file.source} has serial {new.serial}, older than {held.serial}, which is in use")


def _decoded(text: str | bytes, size: int, expected: str) -> bytes:
    try:
        found = b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != size:
        raise ValueError(f"expected {expected}")
    return found
