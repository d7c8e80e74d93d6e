"""The wire below the SDK: connects only to checked addresses, sends only known headers, reads only so much."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable

import certifi
import httpcore2
import httpx2
from httpcore2 import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

from corpus_pipeline.llm.endpoint import Endpoint, resolve

# what a provider needs to know of us; everything else that the SDK or the environment adds stays here
_SENT_HEADERS = frozenset(
    {b"host", b"authorization", b"content-type", b"content-length", b"transfer-encoding", b"accept", b"connection"}
)
_OWN_PREFIXES = (b"x-corpus-", b"openai-")
_IDENTITY = (b"accept-encoding", b"identity")
_USER_AGENT = (b"user-agent", b"corpus-pipeline")
# below the idle time after which servers hang up: a call on a connection that dies under it is booked as unknown
_KEEPALIVE_SECONDS = 20.0


class TooMuch(httpx2.TransportError):
    """The response is longer than the cap, or compressed although we asked for plain bytes."""


class _CheckedBackend(AsyncNetworkBackend):
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
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue  # the next address of the same name may answer
        return await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _CappedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: AsyncIterable[bytes], cap: int, close: httpcore2.Response) -> None:
        self._inner, self._left, self._response = inner, cap, close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            self._left -= len(piece)
            if self._left < 0:
                raise TooMuch("the response is longer than the cap")
            yield piece

    async def aclose(self) -> None:
        await self._response.aclose()


class CheckedTransport(httpx2.AsyncBaseTransport):
    """One connection pool for one endpoint. cap_bytes: of a response; file_cap_bytes: of a downloaded file."""

    def __init__(self, where: Endpoint, *, connections: int, cap_bytes: int, file_cap_bytes: int) -> None:
        self._cap, self._file_cap = cap_bytes, file_cap_bytes
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(cafile=certifi.where()) if where.scheme == "https" else None,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=_CheckedBackend(where),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        headers = [(name, value) for name, value in request.headers.raw if _is_sent(name.lower())]
        response = await self._pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=[*headers, _IDENTITY, _USER_AGENT],
                content=request.stream,
                extensions=request.extensions,
            )
        )
        for name, value in response.headers:
            if name.lower() == b"content-encoding" and value.lower() != b"identity":
                await response.aclose()
                raise TooMuch("the response is compressed, which was not asked for")
        cap = self._file_cap if url.path.endswith("/content") else self._cap
        assert isinstance(response.stream, AsyncIterable)
        return httpx2.Response(
            response.status,
            headers=response.headers,
            stream=_CappedStream(response.stream, cap, response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


def _is_sent(name: bytes) -> bool:
    return name in _SENT_HEADERS or name.startswith(_OWN_PREFIXES)
