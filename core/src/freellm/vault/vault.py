"""Sealing: AES-256-GCM under a random data key, which is itself sealed under the master key."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from freellm.errors import VaultError
from freellm.vault.master import KEY_ID_BYTES, derive

_VERSION: Final = b"v1"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEADER_BYTES: Final = len(_VERSION) + KEY_ID_BYTES
_BODY: Final = _HEADER_BYTES + _NONCE_BYTES


def associated_data(*parts: str) -> bytes:
    """Join what a secret is bound to, so that different parts never make the same bytes.

    For a row: table, row id, provider, origin of the base URL. A secret moved elsewhere does not open.
    """
    return b"freellm/1|" + "".join(f"{len(part)}:{part}" for part in parts).encode()


def key_id(sealed: bytes) -> bytes:
    """Return the id of the key that sealed something."""
    return sealed[len(_VERSION) : _HEADER_BYTES]


class Cipher:
    """One AES-256-GCM key.

    A sealed text is `v1`, the key's id (4 bytes), a random nonce (12 bytes), the ciphertext and its tag (16 bytes).

    :param id_: the key's id, 4 bytes
    :param key: the key, 32 bytes
    """

    __slots__ = ("_aead", "_header")

    def __init__(self, id_: bytes, key: bytes) -> None:
        self._header = _VERSION + id_
        self._aead = AESGCM(key)

    def seal(self, plaintext: bytes, associated: bytes) -> bytes:
        """Encrypt a text and bind it to its place."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._header + nonce + self._aead.encrypt(nonce, plaintext, self._header + associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt a text in the place it was sealed for.

        :raises VaultError: when a byte of it or of what it is bound to differs, or the key does
        """
        # AESGCM itself would take nonces of other lengths; header and length leave exactly one way to cut the bytes.
        if sealed[:_HEADER_BYTES] != self._header or len(sealed) < _BODY + _TAG_BYTES:
            raise VaultError("a secret was sealed with another key, or is damaged")
        try:
            return self._aead.decrypt(sealed[_HEADER_BYTES:_BODY], sealed[_BODY:], self._header + associated)
        except InvalidTag:
            raise VaultError(
                "a secret was changed or moved outside freellm, and does not open any more"
            ) from None


class Vault(Cipher):
    """The data key at work.

    :param id_: the data key's id, 4 bytes
    :param data_key: the data key, 32 bytes
    :param master_id: the id of the master key that wraps it, in hexadecimal
    :param source: where that master key was found
    """

    __slots__ = ("_fingerprints", "master_id", "source")

    def __init__(self, id_: bytes, data_key: bytes, *, master_id: str, source: str) -> None:
        super().__init__(id_, data_key)
        self._fingerprints = derive(data_key, "fingerprint", 32)
        self.master_id = master_id
        self.source = source

    def __repr__(self) -> str:
        return f"Vault(master key {self.master_id}, from {self.source})"

    def fingerprint(self, provider: str, fields: Mapping[str, str]) -> str:
        """Return 16 hexadecimal digits that tell a provider's keys apart without giving them away.

        The same for the same fields as long as the database lives, and of no use elsewhere.
        """
        text = orjson.dumps([provider, sorted(fields.items())])
        return hmac.digest(self._fingerprints, text, "sha256").hex()[:16]
