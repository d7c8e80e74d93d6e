"""Networks of companies: an own certificate authority, a server whose certificate it signed, and an HTTP proxy to get out."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority(NamedTuple):
    """Files in PEM format: the authority's certificate, and those of a server for one name."""

    ca: Path
    certificate: Path
    key: Path


def authority(folder: Path, host: str) -> Authority:
    """An authority of its own with a certificate for a host."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Authority of {folder.name}")])
    ca = _signed(ca_name, ca_name, ca_key, ca_key, None)
    leaf = _signed(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]), ca_name, key, ca_key, host)
    made = Authority(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    made.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    made.certificate.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    host: str | None,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if host is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return builder.sign(by, hashes.SHA256())


class Forwarder:
    """A port that hands its connections on. asked: what a proxy was asked for; passed: what went through to the server."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[str] = []
        self.credentials: list[str | None] = []
        self.passed = bytearray()
        self.refuses: bytes | None = None  # what everybody hears instead of being let through


@contextmanager
def tls_in_front(port: int, own: Authority) -> Iterator[Forwarder]:
    """Speaks TLS with this certificate and hands the plain bytes on to a port of this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    made = Forwarder()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join(made, reader, writer, port)

    with _listening(made, serve, context):
        yield made


@contextmanager
def connect_proxy(port: int) -> Iterator[Forwarder]:
    """An HTTP proxy that tunnels (CONNECT); whatever host is asked for, the connection goes to a port of this machine."""
    made = Forwarder()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        made.asked.append(first.removesuffix(" HTTP/1.1"))
        said = next((line for line in lines if line.lower().startswith("proxy-authorization: basic ")), None)
        made.credentials.append(None if said is None else base64.b64decode(said.split()[-1]).decode())
        if made.refuses is not None:
            writer.write(made.refuses)
            await writer.drain()
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _join(made, reader, writer, port)

    with _listening(made, serve, None):
        yield made


async def _join(made: Forwarder, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    inner, outer = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, kept: bytearray | None) -> None:
        with suppress(OSError):
            while piece := await source.read(65536):
                if kept is not None:
                    kept += piece
                target.write(piece)
                await target.drain()
        with suppress(OSError, RuntimeError):
            target.close()

    await asyncio.gather(pump(reader, outer, made.passed), pump(inner, writer, None))


@contextmanager
def _listening(made: Forwarder, serve: object, context: ssl.SSLContext | None) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)  # type: ignore[arg-type]

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
