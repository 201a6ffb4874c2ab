"""`freellm models sign`: a catalogue file, checked and signed, for others to take."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing
from freellm.errors import CatalogueError, SettingsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from freellm.cli.folder import DataFolder


@click.command("sign")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--key",
    "key_file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file of the private key (Ed25519, PEM), readable by its owner only.",
)
@click.option("--make-key", is_flag=True, help="Make the private key first; a file that is there is kept.")
@options.data_dir
@options.as_json
def sign(file: Path, key_file: Path, make_key: bool, data_dir: Path | None, as_json: bool) -> None:
    """Sign a catalogue file.

    The file is checked against the installed providers first: what they would refuse is not signed, and a provider
    that is not installed is a mistake. The signature is written beside it, to FILE.sig.
    """
    from freellm import signed_catalogue
    from freellm.cli.folder import open_folder
    from freellm.sync.files import read_file

    with open_folder(data_dir) as folder:
        text = read_file(file, signed_catalogue.LIMIT)
        serial = _checked(folder, text, file)
    if make_key:
        _make(key_file)
    key = _load(key_file)
    target = file.with_name(f"{file.name}{signed_catalogue.SUFFIX}")
    try:
        target.write_bytes(signed_catalogue.sign(text, key))
    except OSError as error:
        raise SettingsError(f"{target} cannot be written: {error.strerror}") from None
    public = b64encode(key.public_key().public_bytes_raw()).decode()
    if as_json:
        printing.document({"signature": str(target), "serial": serial, "catalogue_key": public})
        return
    click.echo(f"Signed {file}, serial {serial}: {target}. Publish both. Those who take it set:")
    click.echo(f'catalogue_key = "{public}"')


def _checked(folder: DataFolder, text: bytes, file: Path) -> int:
    from freellm import signed_catalogue

    catalogue = signed_catalogue.parse(text, str(file))
    installed = folder.providers.values()
    if strangers := catalogue.strangers(installed):
        raise CatalogueError(
            f"{file}: providers.{strangers[0]}: no installed provider is called so; "
            f"installed are {', '.join(folder.providers) or 'none'}"
        )
    signed_catalogue.check(catalogue, str(file), installed)
    return catalogue.serial


def _make(file: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise SettingsError(f"--key: {file} cannot be made: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(pem)


def _load(file: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from freellm.store.files import others_can_read

    try:
        with file.open("rb") as opened:
            exposed = others_can_read(opened.fileno())
            pem = opened.read(4096)
    except OSError as error:
        raise SettingsError(f"--key: {file} cannot be read: {error.strerror}; --make-key makes one") from None
    if exposed:
        raise SettingsError(f"--key: others can read {file}; chmod 600 {file}, or make a new one")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"--key: {file} holds no unencrypted Ed25519 private key in PEM")
    return key
