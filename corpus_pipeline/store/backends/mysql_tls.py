"""Protection of the way to a MySQL server: TLS with a verified certificate, unless the server is on this machine."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import URL

from corpus_pipeline.errors import StoreUnavailable, UsageError
from corpus_pipeline.store.backends.server_addresses import TLS_OPTIONS, checked, is_local, not_trusted, tls_mode

_PORT = 3306


def without_options(url: URL) -> URL:
    """The URL without what is said of TLS in it: the driver's own reading of these words would verify nothing."""
    return url.difference_update_query([name for name in url.query if name in TLS_OPTIONS or name.startswith("ssl_")])


def arguments(url: URL) -> dict[str, Any]:
    """The TLS arguments of the driver. Raises UsageError for a file that cannot be read."""
    mode = tls_mode(url)
    if mode == "off":
        return {"ssl_disabled": True} if not is_local(url) or "tls" in url.query else {}
    files = {name: str(url.query[name]) for name in TLS_OPTIONS if name in url.query}
    try:
        context = ssl.create_default_context(cafile=files.get("ssl_ca"))
        if mode == "encrypted":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if "ssl_cert" in files:
            context.load_cert_chain(files["ssl_cert"], files.get("ssl_key"), files.get("ssl_key_password"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"CORPUS_DATABASE_URL: ssl_ca, ssl_cert or ssl_key cannot be used: {reason}") from None
    return {"ssl": context}


def connected(url: URL, named: Mapping[str, Any]) -> socket.socket | None:
    """A connection to the server, to one of the addresses that were checked; None where the driver makes it, for a file in
    the file system. named: what the driver is given. Raises StoreUnavailable; OperationalError when no server answers.
    """
    if "unix_socket" in named:
        return None
    from pymysql.err import OperationalError

    host, port = str(named.get("host") or "localhost"), int(named.get("port") or _PORT)
    try:
        addresses = checked(host, port)
    except OSError as error:
        raise OperationalError(2003, f"Can't connect to MySQL server on {host!r} ({error.strerror})") from error
    for address in addresses:
        try:
            made = socket.create_connection((address, port), named.get("connect_timeout"))
        except OSError as error:
            trouble = error
            continue
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return made
    raise OperationalError(2003, f"Can't connect to MySQL server on {host!r} ({trouble})") from trouble


def refusal(url: URL, error: Exception) -> StoreUnavailable | None:
    """The error for a server that does not speak TLS or whose certificate is not to be trusted; None for another trouble."""
    code, said = error.args[0] if error.args else None, str(error)
    if code != 2026 and "certificate" not in said.lower() and "SSL" not in said:
        return None
    why = "has no TLS" if "not support" in said or code == 2026 else "shows a certificate that cannot be trusted"
    if "certificate verify failed" in said:
        # OpenSSL's words, without the place in its source and the brackets of the errors around them
        words = said.partition("certificate verify failed: ")[2].partition(" (_ssl.c")[0]
        why = f"shows a certificate that cannot be trusted ({words[:120].rstrip('.')})"
    return not_trusted(url, why)
