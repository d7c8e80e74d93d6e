"""Connections for the transport: only to checked addresses, and each request in one piece."""

from __future__ import annotations

import select
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore2
from httpcore2 import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

from corpus_pipeline.llm.endpoint import Endpoint, resolve

_HELD_BYTES = 64 * 1024


class CheckedBackend(AsyncNetworkBackend):
    """Resolves a name once, checks every address, and connects to the very address that was checked."""

    def __init__(self, where: Endpoint) -> None:
        self._where = where
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        try:
            addresses = await resolve(self._where, host, port)
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} does not resolve") from error
        for address in addresses[:-1]:
            try:
                stream = await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
                return _OneWrite(stream)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue  # the next address of the same name may answer
        return _OneWrite(await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class ProxyBackend(AsyncNetworkBackend):
    """Connects to one proxy and nothing else; the name of the provider is resolved behind it, where it cannot be checked."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._where = ((parts.hostname or "").lower(), parts.port or 80)
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        if (host.lower().strip("[]"), port) != self._where:
            raise httpcore2.ConnectError(f"a connection to {host} beside the proxy was refused")
        return _OneWrite(await self._inner.connect_tcp(self._where[0], port, timeout, local_address, socket_options))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _OneWrite(AsyncNetworkStream):
    """Holds what is written until an answer is read, so that headers and body leave in one packet.

    The pool asks each idle connection for each request whether it was hung up: the socket is looked up once.
    """

    def __init__(self, inner: AsyncNetworkStream) -> None:
        self._inner = inner
        self._held = b""
        self._facts: dict[str, Any] = {}

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._held:
            await self._flush(timeout)
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._held = self._held + buffer if self._held else bytes(buffer)
        if len(self._held) > _HELD_BYTES:
            await self._flush(timeout)

    async def _flush(self, timeout: float | None) -> None:
        held, self._held = self._held, b""
        await self._inner.write(held, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> AsyncNetworkStream:
        return _OneWrite(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return _is_readable(self.get_extra_info("socket"))
        if info not in self._facts:
            self._facts[info] = self._inner.get_extra_info(info)
        return self._facts[info]


def _is_readable(sock: Any) -> bool:
    """Whether there is something to read, which on an idle connection is its end."""
    if sock is None or (descriptor := sock.fileno()) < 0:
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
