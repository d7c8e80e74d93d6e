"""What the addresses of all database servers say alike: how the way to them is protected, and time limits."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from corpus_pipeline.addresses import Forbidden, of_server
from corpus_pipeline.errors import StoreUnavailable, UsageError
from corpus_pipeline.settings import masked_url

TLS_OPTIONS = ("tls", "ssl_ca", "ssl_cert", "ssl_key", "ssl_key_password")
_MODES = ("verified", "encrypted", "off")
_LOCAL = ("", "localhost", "127.0.0.1", "::1")
_NEXT = (
    "Name the authority of its certificate in CORPUS_DATABASE_URL (?ssl_ca=FILE), or accept the risk there:"
    " ?tls=encrypted does not check who answers, ?tls=off sends everything in the clear."
)


def parsed(url: str, form: str, options: Collection[str]) -> URL:
    """The address of a database with the driver of `form`, which is how such an address is written.

    Raises UsageError for one that cannot be read, names no database or has an option that is none of `options`."""
    try:
        found = make_url(url).set(drivername=form.partition(":")[0])
    except (ValueError, ArgumentError):
        raise UsageError(f"CORPUS_DATABASE_URL {masked_url(url)!r} cannot be read. Use {form}") from None
    if not found.database:
        raise UsageError(f"CORPUS_DATABASE_URL {masked_url(url)!r} names no database. Use {form}")
    if unknown := sorted(set(found.query) - set(options)):
        raise UsageError(f"CORPUS_DATABASE_URL: unknown option {unknown[0]!r}; known are {', '.join(sorted(options))}")
    return found


def tls_mode(url: URL) -> str:
    """verified, encrypted or off: verified where a server is not on this machine and nothing else is said.

    Raises UsageError for a word that is none."""
    said = url.query.get("tls")
    if said is None:
        return "off" if is_local(url) and not any(name in url.query for name in TLS_OPTIONS) else "verified"
    if said not in _MODES:
        raise UsageError(f"CORPUS_DATABASE_URL: tls must be {', '.join(_MODES[:-1])} or {_MODES[-1]}, not {said!r}")
    return str(said)


def is_local(url: URL) -> bool:
    """Whether the server is on this machine."""
    return "unix_socket" in url.query or (url.host or "").lower() in _LOCAL


def not_trusted(url: URL, why: str) -> StoreUnavailable:
    """The error for a server that was not spoken to."""
    return StoreUnavailable(f"the database server {url.host} {why}; nothing was sent to it. {_NEXT}")


def checked(host: str, port: int) -> list[str]:
    """The addresses of a server, to connect to in this order: its name is not looked up again. Raises StoreUnavailable for a
    name that leads where no server is meant to be; OSError when it does not resolve.

    A URL that asks for no protection (`tls=off`) is taken at its word wherever the server is.
    """
    try:
        return of_server(host, port, in_the_clear=False)
    except Forbidden as error:
        raise StoreUnavailable(f"CORPUS_DATABASE_URL: {error}. Name the server by the address that it has.") from None


def whole_seconds(url: URL, name: str, default: int) -> int:
    """A time limit of the address. Raises UsageError for what is no number of seconds."""
    said = str(url.query.get(name, default))
    if not said.isdecimal() or not int(said):
        raise UsageError(f"CORPUS_DATABASE_URL: {name} is a number of seconds from 1 on, not {said!r}")
    return int(said)
