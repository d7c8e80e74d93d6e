"""Names of hosts for aiohttp: an endpoint is only ever connected to at an address that was checked."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

from corpus_pipeline.llm.endpoint import Endpoint, resolve


class CheckedResolver(AbstractResolver):
    """Resolves the endpoint's name, checks every address, and hands on the very addresses that were checked.

    Behind a proxy only the proxy is connected to; the provider's name is resolved there, where it cannot be checked.
    """

    def __init__(self, where: Endpoint) -> None:
        self._where = where
        self._proxy = None if where.proxy is None else (urlsplit(where.proxy).hostname or "").lower()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self._proxy is None:
            addresses = await resolve(self._where, host, port)
        elif host.lower() == self._proxy:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        else:
            raise OSError(f"a connection to {host} beside the proxy was refused")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        return None
