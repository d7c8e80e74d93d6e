"""The address of a PostgreSQL server and what it refuses before any work: one sentence each, with the next step.

TLS is asked for in the words of every database here (`?tls=`, `ssl_ca`), or in libpq's (`?sslmode=`, `sslrootcert`).
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from corpus_pipeline.errors import StoreUnavailable, UsageError
from corpus_pipeline.store.backends import server_addresses
from corpus_pipeline.store.backends.base import GRANTS_STEP

_FORM = "postgresql+psycopg://USER:PASSWORD@HOST[:PORT]/DATABASE"
_SECONDS = {"connect_timeout": 10, "read_timeout": 120}
_FILES = {"ssl_ca": "sslrootcert", "ssl_cert": "sslcert", "ssl_key": "sslkey", "ssl_key_password": "sslpassword"}
# what libpq itself calls them; `prefer`, `allow` and `verify-ca` are promises that hold half
_WORDS = {"verify-full": "verified", "require": "encrypted", "disable": "off"}
_OTHERS = ("application_name", "host", "options", "target_session_attrs")
_OPTIONS = sorted({*_SECONDS, *_FILES, *_FILES.values(), *_OTHERS, "sslmode", "tls"})

# the server's words for a login that is refused; there is no code for them on this side of it
_NO_LOGIN = (
    "password authentication failed",
    "no pg_hba.conf entry",
    "no password supplied",
    "is not permitted to log in",
    "authentication failed for user",
)


def parsed(url: str) -> URL:
    """The address of a database, with the words of TLS that all databases share.

    Raises UsageError for one that cannot be read or has an option that nothing reads."""
    found = server_addresses.parsed(url, _FORM, _OPTIONS)
    if several := [name for name, said in found.query.items() if not isinstance(said, str)]:
        raise UsageError(f"CORPUS_DATABASE_URL: {several[0]} is given more than once")
    host = str(found.query.get("host", "/"))
    if not host.startswith("/"):
        raise UsageError("CORPUS_DATABASE_URL: host is the folder of a socket; another server stands behind the @")
    return _in_our_words(found)


def _in_our_words(url: URL) -> URL:
    query = dict(url.query)
    said = query.pop("sslmode", None)
    if said is not None:
        if said not in _WORDS or "tls" in query:
            raise UsageError(
                f"CORPUS_DATABASE_URL: sslmode={said} does not say whom to trust. Use tls=verified with ssl_ca=FILE,"
                " tls=encrypted or tls=off"
            )
        query["tls"] = _WORDS[str(said)]
    for ours, libpq in _FILES.items():
        if libpq in query:
            query[ours] = query.pop(libpq)
    return url.set(query=query)


def tls_mode(url: URL) -> str:
    """verified, encrypted or off. Raises UsageError for another word."""
    return "off" if _socket(url) else server_addresses.tls_mode(url)


def arguments(url: URL) -> dict[str, Any]:
    """What the driver is called with. Raises UsageError for what cannot be."""
    mode = tls_mode(url)
    said = {name: str(url.query[name]) for name in _OTHERS if name in url.query}
    files = {libpq: str(url.query[ours]) for ours, libpq in _FILES.items() if ours in url.query}
    for name in ("sslrootcert", "sslcert", "sslkey"):
        if name in files and not Path(files[name]).is_file():
            raise UsageError("CORPUS_DATABASE_URL: ssl_ca, ssl_cert or ssl_key cannot be used: there is no such file")
    if mode == "verified":
        files.setdefault("sslrootcert", _authorities())
    elif mode == "encrypted":
        files.pop("sslrootcert", None)  # with it libpq verifies half
    return {
        "application_name": "corpus",
        **said,
        **files,
        "connect_timeout": whole_seconds(url, "connect_timeout"),
        "sslmode": {"verified": "verify-full", "encrypted": "require", "off": "disable"}[mode],
        "gssencmode": "disable",
        "client_encoding": "utf8",
        # a host that was lost is noticed within a minute, an answer that does not come in `connection_class`
        **{"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3},
    }


def whole_seconds(url: URL, name: str) -> int:
    """A time limit of the address. Raises UsageError for what is no number of seconds."""
    return server_addresses.whole_seconds(url, name, _SECONDS[name])


def _authorities() -> str:
    """The authorities that this machine trusts: the driver brings a libpq that does not know where they lie."""
    import certifi

    known = ssl.get_default_verify_paths().cafile
    return known if known and Path(known).is_file() else certifi.where()


def _socket(url: URL) -> bool:
    return "host" in url.query or (not url.host)


def refusal(url: URL, error: Exception) -> StoreUnavailable | None:
    """The error for a login that was refused; None for a server that is away or busy, which may change."""
    said = str(error)
    where = url.query.get("host") or url.host or "this machine"
    who = f"{url.username or 'nobody'!r} at {where}{f':{url.port}' if url.port else ''}"
    role = "role " in said and "does not exist" in said
    if role or any(words in said for words in _NO_LOGIN):
        next_step = "Check user and password in CORPUS_DATABASE_URL; quote special characters of the password as %XX"
        return StoreUnavailable(f"the database server refuses the login of {who}. {next_step}")
    if "database " in said and "does not exist" in said:
        form = f"CREATE DATABASE {url.database} ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0"
        return StoreUnavailable(
            f"the server {where} has no database {url.database!r}. Create it ({form}) or mend CORPUS_DATABASE_URL"
        )
    if "permission denied for database" in said:
        return StoreUnavailable(f"{who} may not use the database {url.database!r}. {GRANTS_STEP}")
    if "failed to resolve host" in said or "could not translate host name" in said:
        return StoreUnavailable(f"the host {url.host!r} of CORPUS_DATABASE_URL is not known. Check its name")
    if "server does not support SSL" in said:
        return server_addresses.not_trusted(url, "has no TLS")
    if "certificate" in said:
        why = said.partition("failed: ")[2].split("\n")[0][:160]
        return server_addresses.not_trusted(url, f"shows a certificate that cannot be trusted ({why})")
    return None
