"""Protection of the way to a MySQL server: TLS with a verified certificate, unless the server is on this machine."""

from __future__ import annotations

import ssl
from typing import Any

from sqlalchemy.engine import URL

from corpus_pipeline.errors import StoreUnavailable, UsageError

_MODES = ("verified", "encrypted", "off")
_OWN = ("tls", "ssl_ca", "ssl_cert", "ssl_key", "ssl_key_password")
_LOCAL = ("", "localhost", "127.0.0.1", "::1")
_NEXT = (
    "Name the authority of its certificate in CORPUS_DATABASE_URL (?ssl_ca=FILE), or accept the risk there:"
    " ?tls=encrypted does not check who answers, ?tls=off sends everything in the clear."
)


def mode_of(url: URL) -> str:
    """How the way to the server of a URL is to be protected. Raises UsageError for a word that is none."""
    said = url.query.get("tls")
    if said is None:
        return "off" if _is_local(url) and not any(name in url.query for name in _OWN) else "verified"
    if said not in _MODES:
        raise UsageError(f"CORPUS_DATABASE_URL: tls must be {', '.join(_MODES[:-1])} or {_MODES[-1]}, not {said!r}")
    return str(said)


def without_options(url: URL) -> URL:
    """The URL without what is said of TLS in it: the driver's own reading of these words would verify nothing."""
    return url.difference_update_query([name for name in url.query if name in _OWN or name.startswith("ssl_")])


def arguments(url: URL) -> dict[str, Any]:
    """The TLS arguments of the driver. Raises UsageError for a file that cannot be read."""
    mode = mode_of(url)
    if mode == "off":
        return {"ssl_disabled": True} if not _is_local(url) or "tls" in url.query else {}
    files = {name: str(url.query[name]) for name in _OWN if name in url.query}
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


def refusal(url: URL, error: Exception) -> StoreUnavailable | None:
    """The error for a server that does not speak TLS or whose certificate is not to be trusted; None for another trouble."""
    code, said = error.args[0] if error.args else None, str(error)
    if code != 2026 and "certificate" not in said.lower() and "SSL" not in said:
        return None
    why = "has no TLS" if "not support" in said or code == 2026 else "shows a certificate that cannot be trusted"
    if "certificate verify failed" in said:
        why = f"shows a certificate that cannot be trusted ({said.partition('certificate verify failed: ')[2][:120]})"
    return StoreUnavailable(f"the database server {url.host} {why}; nothing was sent to it. {_NEXT}")


def _is_local(url: URL) -> bool:
    return "unix_socket" in url.query or (url.host or "").lower() in _LOCAL
