"""The master key: where it is looked for, and what is derived from it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from freellm.errors import VaultError
from freellm.settings import Settings
from freellm.settings.model import CREDENTIAL
from freellm.store.files import make_private_folder, others_can_read

MASTER_KEY_FILE: Final = "master.key"
KEY_ID_BYTES: Final = 4

_LEAST_LENGTH: Final = 32
_LARGEST_FILE: Final = 4096


def derive(secret: bytes, purpose: str, length: int) -> bytes:
    """Derive bytes for one purpose from a secret of high entropy (HKDF-SHA256); other purposes get other bytes."""
    return HKDF(SHA256(), length=length, salt=None, info=f"freellm/1|{purpose}".encode()).derive(secret)


class MasterKey:
    """The key that wraps the data key.

    :param secret: 32 characters or more that nobody can guess; the text is not kept
    :param source: where it was found, in words for a person
    :raises VaultError: when it is too short to be unguessable
    """

    __slots__ = ("id", "key", "source")

    def __init__(self, secret: str, source: str) -> None:
        text = secret.strip().encode()
        if len(text) < _LEAST_LENGTH:
            raise VaultError(
                f"the master key in {source} has {len(text)} characters and needs {_LEAST_LENGTH} or more: it was cut "
                "off, or is not one; `openssl rand -base64 32` makes one"
            )
        self.source = source
        self.id = derive(text, "master key id", KEY_ID_BYTES)
        self.key = derive(text, "master key", 32)

    def __repr__(self) -> str:
        return f"MasterKey({self.id.hex()}, from {self.source})"


def find_master_key(settings: Settings) -> MasterKey | None:
    """Return the first master key there is: a named file, a systemd credential, a variable, the generated file.

    :raises VaultError: when a file is named and cannot be read, can be read by others, or holds no master key
    """
    if settings.master_key_file:
        return _read(settings.master_key_file)
    if settings.credentials_dir and (settings.credentials_dir / CREDENTIAL).exists():
        # systemd guards this folder itself, by means that show as a group's right to read.
        return _read(settings.credentials_dir / CREDENTIAL, guarded=True)
    if settings.master_key:
        return MasterKey(settings.master_key.get_secret_value(), "FREELLM_MASTER_KEY")
    generated = settings.config_dir / MASTER_KEY_FILE
    return _read(generated) if generated.exists() else None


def create_master_key(settings: Settings) -> MasterKey:
    """Generate a master key and write it to the configuration folder.

    :raises VaultError: when the file cannot be written, or has appeared meanwhile
    """
    file = settings.config_dir / MASTER_KEY_FILE
    make_private_folder(settings.config_dir)
    secret = secrets.token_urlsafe(32)
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(f"{secret}\n")
            stream.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise VaultError(f"the master key cannot be written to {file}: {error.strerror}") from error
    return MasterKey(secret, str(file))


def _read(file: Path, *, guarded: bool = False) -> MasterKey:
    try:
        with file.open("rb") as stream:
            if not guarded and others_can_read(stream.fileno()):
                raise VaultError(
                    f"the master key in {file} can be read by others than its owner: chmod 600 {file}"
                    " (where modes cannot be changed, put the key into FREELLM_MASTER_KEY)"
                )
            text = stream.read(_LARGEST_FILE).decode("utf-8")
    except OSError as error:
        raise VaultError(f"the master key in {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise VaultError(f"{file} is not a master key: it is not text") from None
    return MasterKey(text, str(file))
