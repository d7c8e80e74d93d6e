"""Who signed the certificate of a database server: told to people, never decided by."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import suppress

_SSL_REQUEST = struct.pack("!II", 8, 80877103)  # PostgreSQL's: "do you speak TLS?"
_SECONDS = 5


def issuer_of(certificate: bytes | None) -> str:
    """Who signed a certificate (DER); empty where that cannot be read."""
    from cryptography import x509

    if not certificate:
        return ""
    try:
        return x509.load_der_x509_certificate(certificate).issuer.rfc4514_string()
    except ValueError:
        return ""


def in_words(version: str, *, verified: bool, issuer: str) -> str:
    """How the way to a server is protected."""
    by = f", issued by {issuer}" if issuer else ""
    return f"{version}, certificate {'verified' if verified else 'not verified'}{by}"


def of_postgres(host: str, port: int) -> bytes | None:
    """The certificate (DER) that a PostgreSQL server shows; None where it shows none. libpq does not hand it out."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with suppress(OSError), socket.create_connection((host, port), timeout=_SECONDS) as plain:
        plain.sendall(_SSL_REQUEST)
        if plain.recv(1) == b"S":
            with context.wrap_socket(plain, server_hostname=host) as secure:
                return secure.getpeercert(binary_form=True)
    return None
