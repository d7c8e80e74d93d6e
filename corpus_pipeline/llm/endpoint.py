"""Where calls may go: the base URL's rules, the addresses behind its name, and the key that belongs to it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from corpus_pipeline.addresses import inside, is_global, is_loopback, literal
from corpus_pipeline.errors import ProviderRefused, UsageError

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_OWN_NETWORK = " If {} is a host of your own network, name it in CORPUS_PRIVATE_HOSTS."
_NEXT = "Set OPENAI_BASE_URL to https://HOST/v1, or to http://127.0.0.1:PORT/v1 for a server on this machine."


@dataclass(frozen=True)
class Endpoint:
    """A checked base URL with the key for its host; the key is never sent to another one, and not shown.

    name: "" for the endpoint of OPENAI_BASE_URL. style: of `llm.styles`. headers: sent with every request. ca_file: a further
    certificate authority. proxy: the address of an HTTP proxy.
    """

    base_url: str
    scheme: str
    host: str
    port: int
    loopback: bool
    private_allowed: bool
    api_key: str | None = field(repr=False, default=None)
    name: str = ""
    style: str = "openai"
    api_version: str | None = None
    headers: tuple[tuple[str, str], ...] = field(repr=False, default=())
    ca_file: str | None = None
    proxy: str | None = field(repr=False, default=None)

    @property
    def origin(self) -> str:
        """`https://host:port`: what a key is bound to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def reached_by(self, *, ca_file: str | None, proxy: str | None) -> Endpoint:
        """The same endpoint behind an authority and a proxy of the deployment."""
        return replace(self, ca_file=ca_file, proxy=proxy)

    def __str__(self) -> str:
        return f"{self.name + ': ' if self.name else ''}{self.base_url} (key {mask(self.api_key)})"


def mask(key: str | None) -> str:
    """A key for display: its last four characters when it is long enough to keep the rest secret."""
    if not key:
        return "none"
    return f"****{key[-4:]}" if len(key) >= 20 else "****"


def endpoint(
    base_url: str | None, api_key: str | None, *, private_hosts: frozenset[str] = frozenset(), **further: Any
) -> Endpoint:
    """The endpoint at `base_url` (None: OpenAI's), where `api_key` may be sent. further: other fields of `Endpoint`.

    https to public addresses; http and https to loopback. `private_hosts` names hosts of the deployment's own network
    that may have private addresses and speak http. Link-local and metadata addresses are refused in every case. Raises
    UsageError.
    """
    url = (base_url or DEFAULT_BASE_URL).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise UsageError(f"the base URL is not a URL. {_NEXT}") from error
    host = (parts.hostname or "").lower().rstrip(".")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"the base URL holds a user name or a password. Put the key into OPENAI_API_KEY. {_NEXT}")
    if not url.isascii() or parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise UsageError(f"the base URL must be http(s)://HOST[:PORT]/PATH and nothing more. {_NEXT}")
    loopback, private = is_loopback(host), host in private_hosts
    if parts.scheme == "http" and not (loopback or private):
        raise UsageError(
            f"the base URL speaks http to {host}: the key would go in the clear. {_NEXT}{_OWN_NETWORK.format(host)}"
        )
    address = literal(host)
    if address is None and _looks_numeric(host):
        raise UsageError(f"the host {host!r} of the base URL is an address in disguise. {_NEXT}")
    if address is not None and not allowed(address, loopback=loopback, private=private):
        raise UsageError(
            f"the base URL points to {host}, which is not an address for a model provider. {_NEXT}{_OWN_NETWORK.format(host)}"
        )
    return Endpoint(url, parts.scheme, host, port, loopback, private, checked_key(api_key), **further)


def checked_key(key: str | None) -> str | None:
    """A key as a header can carry it: without the blanks and line ends of the file that it was read from.

    Raises UsageError when something is in it that no header may hold: it would fail in every call.
    """
    key = (key or "").strip()
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise UsageError(
            "the API key holds a character that no key has (a line end, a blank, a letter outside of ASCII)."
        )
    return key or None


def allowed(address: str, *, loopback: bool, private: bool) -> bool:
    """Whether a connection to this IP address may be made for an endpoint that is loopback, private or neither."""
    ip = inside(address)
    if ip is None:
        return False
    if ip.is_loopback:
        return loopback
    if not is_global(ip):
        return private
    return not loopback


async def resolve(where: Endpoint, host: str, port: int) -> list[str]:
    """The addresses to connect to: resolved once, all of them checked.

    Raises ProviderRefused when `host` is not the endpoint's (a key goes to no other) or an address is not allowed.
    Raises OSError when the name does not resolve.
    """
    if (host.lower().rstrip("."), port) != (where.host, where.port):
        raise ProviderRefused(f"a call to another host than {where.origin} was refused. Check OPENAI_BASE_URL.")
    if literal(host) is not None:
        return [host]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if bad := [ip for ip in addresses if not allowed(ip, loopback=where.loopback, private=where.private_allowed)]:
        raise ProviderRefused(
            f"{host} resolves to {bad[0]}, which is not an address for a model provider. {_NEXT}{_OWN_NETWORK.format(host)}"
        )
    return addresses


def _looks_numeric(host: str) -> bool:
    """Whether resolvers would read the name as a number: 2130706433, 0x7f000001, 127.1, 0177.0.0.1."""
    last = host.rpartition(".")[2]
    return last.isdigit() or last.startswith("0x")
