"""What a MySQL server or its address refuses before or beside any work: one sentence each, with the next step.

A wrong password, a missing database or a missing grant does not mend itself while a program waits; a server that is away does.
"""

from __future__ import annotations

import inspect
import socket
from functools import cache

from sqlalchemy.engine import URL

from corpus_pipeline.errors import StoreUnavailable
from corpus_pipeline.store.backends import server_addresses
from corpus_pipeline.store.backends.base import GRANTS_STEP

# error numbers of the server for statements that the user of the connection may not run
DENIED = frozenset({1044, 1142, 1143, 1227, 1370})
_NO_LOGIN = frozenset({1045, 1130, 1251, 1698, 4151})  # password, host, plugin, account locked
_NO_DATABASE = frozenset({1049})
_FORM = "mysql+pymysql://USER:PASSWORD@HOST[:PORT]/DATABASE"
# what the driver would take from the address, and what we set ourselves or must not be set
_OWN = frozenset(
    {"host", "user", "password", "database", "port", "db", "passwd", "sql_mode", "init_command", "charset", "conv"}
    | {"local_infile", "defer_connect", "cursorclass", "ssl", "ssl_disabled", "named_pipe", "autocommit", "self"}
)


def parsed(url: str) -> URL:
    """The address of a database. Raises UsageError for one that cannot be read or has an option that nothing reads."""
    return server_addresses.parsed(url, _FORM, _options())


def refusal(url: URL, error: Exception) -> StoreUnavailable | None:
    """The error for a login that was refused; None for a server that is away or busy, which may change."""
    code = error.args[0] if error.args else None
    who = f"{url.username or 'nobody'!r} at {url.host}{f':{url.port}' if url.port else ''}"
    if code in _NO_LOGIN:
        next_step = "Check user and password in CORPUS_DATABASE_URL; quote special characters of the password as %XX"
        return StoreUnavailable(f"the database server refuses the login of {who}. {next_step}")
    if code in _NO_DATABASE:
        next_step = f"Create it (CREATE DATABASE `{url.database}` CHARACTER SET utf8mb4) or mend CORPUS_DATABASE_URL"
        return StoreUnavailable(f"the server {url.host} has no database {url.database!r}. {next_step}")
    if code in DENIED:
        return StoreUnavailable(f"{who} may not use the database {url.database!r}. {GRANTS_STEP}")
    cause = error.__cause__ or error.__context__ or getattr(error, "original_exception", None)
    if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME:
        return StoreUnavailable(f"the host {url.host!r} of CORPUS_DATABASE_URL is not known. Check its name")
    return None


@cache
def _options() -> frozenset[str]:
    """What an address may say: the driver's options that are not ours to set, and those of TLS."""
    from pymysql.connections import Connection

    taken = {name for name in inspect.signature(Connection.__init__).parameters if not name.startswith("ssl")}
    return frozenset(taken - _OWN | {"tls", "ssl_ca", "ssl_cert", "ssl_key", "ssl_key_password"})
