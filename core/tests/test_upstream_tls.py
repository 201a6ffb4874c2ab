"""Requests to providers over TLS: to whom the certificate belongs, and to nobody else."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import connector
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from freellm.errors import UpstreamError
from freellm.types import Kind, Upstream
from freellm.upstream import UpstreamClient

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
CHAT = Upstream("POST", "/chat/completions", {"Authorization": "Bearer sk"}, {"model": "m"})


def certify(folder: Path, name: str) -> Path:
    """Write a key and a certificate for a name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


class Service:
    """A TLS server that gives every request one answer on a connection that stays.

    :ivar port: where it listens
    :ivar requests: the bytes that it was sent
    :ivar connections: how many connections it has had
    """

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[bytes] = []
        self.connections = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the client leaves."""
        self.connections += 1
        while data := await reader.read(65_536):
            self.requests.append(data)
            writer.write(ANSWER)
        writer.close()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certify(tmp_path, "localhost"))
    found = Service()
    server = await asyncio.start_server(found.answer, "127.0.0.1", 0, ssl=context)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


@pytest.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    client = UpstreamClient()
    yield client
    await client.close()


def trust(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:
    """Trust one certificate and no other."""
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(connector, "_SSL_CONTEXT_VERIFIED", context)


async def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_key_is_sent(
    client: UpstreamClient, service: Service
) -> None:
    with pytest.raises(UpstreamError) as caught:
        await client.send(CHAT, f"https://localhost:{service.port}", local=True, first_byte_timeout=5)
    assert (caught.value.kind, caught.value.message) == (
        Kind.NETWORK,
        "the certificate of localhost is not trusted",
    )
    assert service.requests == []


async def test_a_certificate_for_another_name_is_refused_before_the_key_is_sent(
    client: UpstreamClient, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, tmp_path / "localhost.pem")
    with pytest.raises(UpstreamError, match=r"the certificate of 127\.0\.0\.1 is not trusted"):
        await client.send(CHAT, f"https://127.0.0.1:{service.port}", local=True, first_byte_timeout=5)
    assert service.requests == []


async def test_a_trusted_service_is_asked_over_one_connection(
    client: UpstreamClient, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, tmp_path / "localhost.pem")
    for _ in range(3):
        exchange = await client.send(
            CHAT, f"https://localhost:{service.port}/v1", local=True, first_byte_timeout=5
        )
        assert (await exchange.answer()).body == {"ok": True}
    assert service.connections == 1
    assert [request.partition(b"\r\n")[0] for request in service.requests] == [
        b"POST /v1/chat/completions HTTP/1.1"
    ] * 3
