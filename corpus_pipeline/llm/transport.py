"""The wire below the SDK: sends only known headers, to one endpoint only, and reads only so much."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, AsyncIterator
from urllib.parse import unquote, urlsplit

import certifi
import httpcore2
import httpx2

from corpus_pipeline.errors import UsageError
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.network import CheckedBackend, ProxyBackend

# what a provider needs to know of us; everything else that the SDK or the environment adds stays here
_SENT_HEADERS = frozenset(
    {b"host", b"authorization", b"content-type", b"content-length", b"transfer-encoding", b"accept", b"connection"}
)
SENT = "corpus_headers"  # the extension of a request that names further headers of ours, in lower case
_OWN_PREFIXES = (b"x-corpus-", b"openai-")
_IDENTITY = (b"accept-encoding", b"identity")
_USER_AGENT = (b"user-agent", b"corpus-pipeline")
# below the idle time after which servers hang up: a call on a connection that dies under it is booked as unknown
_KEEPALIVE_SECONDS = 20.0
# a pool looks at each of its connections for each request, so many small pools cost less than a large one
_POOL_CONNECTIONS = 16


class TooMuch(httpx2.TransportError):
    """The response is longer than the cap, or compressed although we asked for plain bytes."""


class _Pool:
    """A connection pool and how many requests it has under way."""

    def __init__(self, where: Endpoint, context: ssl.SSLContext | None) -> None:
        self.under_way = 0
        self.connections = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=_POOL_CONNECTIONS,
            max_keepalive_connections=_POOL_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=ProxyBackend(where.proxy) if where.proxy else CheckedBackend(where),
            proxy=None if where.proxy is None else _proxy(where.proxy),
        )


class _CappedStream(httpx2.AsyncByteStream):
    def __init__(self, response: httpcore2.Response, cap: int, pool: _Pool) -> None:
        self._response, self._left = response, cap
        self._pool: _Pool | None = pool

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._response.stream, AsyncIterable)
        async for piece in self._response.stream:
            self._left -= len(piece)
            if self._left < 0:
                raise TooMuch("the response is longer than the cap")
            yield piece

    async def aclose(self) -> None:
        if self._pool is not None:
            self._pool.under_way -= 1
            self._pool = None
        await self._response.aclose()


class CheckedTransport(httpx2.AsyncBaseTransport):
    """The connections to one endpoint. connections: at least so many at once.

    cap_bytes: of a response; file_cap_bytes: of a downloaded file.
    """

    def __init__(self, where: Endpoint, *, connections: int, cap_bytes: int, file_cap_bytes: int) -> None:
        self._cap, self._file_cap = cap_bytes, file_cap_bytes
        context = _trusted(where.ca_file) if where.scheme == "https" else None
        self._pools = [_Pool(where, context) for _ in range(-(-connections // _POOL_CONNECTIONS))]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # the first of the least busy: those in front keep their connections warm
        pool = min(self._pools, key=lambda pool: pool.under_way >= _POOL_CONNECTIONS and pool.under_way)
        pool.under_way += 1
        try:
            response = await pool.connections.handle_async_request(_outgoing(request))
        except BaseException:
            pool.under_way -= 1
            raise
        is_file = request.url.raw_path.endswith(b"/content")
        stream = _CappedStream(response, self._file_cap if is_file else self._cap, pool)
        if _is_packed(response):
            await stream.aclose()
            raise TooMuch("the response is compressed, which was not asked for")
        headers = httpx2.Headers(response.headers, encoding="latin-1")  # else it is guessed anew at every look
        if is_file:
            return httpx2.Response(response.status, headers=headers, stream=stream, extensions=response.extensions)
        try:
            content = b"".join([piece async for piece in stream])
        finally:
            await stream.aclose()
        return httpx2.Response(response.status, headers=headers, content=content, extensions=response.extensions)

    async def aclose(self) -> None:
        for pool in self._pools:
            await pool.connections.aclose()


def _trusted(ca_file: str | None) -> ssl.SSLContext:
    """The authorities that everybody trusts, and the deployment's own. Raises UsageError."""
    context = ssl.create_default_context(cafile=certifi.where())
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"the certificate authorities in {ca_file} cannot be read: {error.strerror or error}."
                " Name a file in PEM format in CORPUS_CA_FILE."
            ) from error
    return context


def _proxy(address: str) -> httpcore2.Proxy:
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username is not None else None
    return httpcore2.Proxy(f"{parts.scheme}://{host}:{parts.port or 80}", auth=auth)


def _outgoing(request: httpx2.Request) -> httpcore2.Request:
    url = request.url
    wanted = request.extensions.get(SENT, frozenset())
    headers = [(name, value) for name, value in request.headers.raw if _is_sent(name.lower()) or name.lower() in wanted]
    return httpcore2.Request(
        method=request.method,
        url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=[*headers, _IDENTITY, _USER_AGENT],
        content=request.stream,
        extensions={name: value for name, value in request.extensions.items() if name != SENT},
    )


def _is_sent(name: bytes) -> bool:
    return name in _SENT_HEADERS or name.startswith(_OWN_PREFIXES)


def _is_packed(response: httpcore2.Response) -> bool:
    return any(name.lower() == b"content-encoding" and value.lower() != b"identity" for name, value in response.headers)
